//! `todo-mcp check`: reads the configuration, and does nothing else.

use std::fmt::Write as _;

use todo_application::domain::Quota;

use crate::config::{About, Config, Database, Identity, SETTINGS, sharing_text};
use crate::console;
use crate::failure::Failure;
use crate::settings::{Settings, Source, shown};

pub(super) fn run(settings: &Settings, config: &Config) -> Result<(), Failure> {
    console::print_lines(&(report(config) + &sources(settings, config)))
}

/// Which settings are set, and where.
fn sources(settings: &Settings, config: &Config) -> String {
    let file = settings.file();
    let names = SETTINGS.iter().flat_map(|about| about.names().map(move |name| (about, name)));
    let set: Vec<(&About, &str, &Source)> =
        names.filter_map(|(about, name)| Some((about, name, settings.source(name)?))).collect();
    if set.is_empty() {
        let file = file.display();
        return format!(
            "\nEvery setting has its default: none is set in the environment or in\n{file}\n"
        );
    }
    let width = set.iter().map(|(_, name, _)| name.len()).max().unwrap_or_default();
    let mut text = "\nSet, and where; every other setting has its default:\n\n".to_owned();
    for (about, name, source) in set {
        let has_no_password = matches!(config.database, Database::Sqlite(_) | Database::Memory);
        let value = if name == "DATABASE_URL" && !has_no_password {
            format!("`{}`", config.database)
        } else if about.is_secret && name != "DATABASE_URL" {
            "a value that is not shown".to_owned()
        } else {
            shown(settings.get(name).unwrap_or_default())
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:width$}  {value}, in {source}");
    }
    text
}

fn report(config: &Config) -> String {
    let mut text = String::new();
    for note in &config.notes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "note: {note}");
    }
    let endpoint = match config.public_url_at(config.listen) {
        Ok(url) => url.resource(),
        Err(error) => error.to_string(),
    };
    let identity = match &config.identity {
        Identity::Scalekit(environment) => environment.authorization_server().to_owned(),
        Identity::Local { port, .. } => format!("local, on http://127.0.0.1:{port}"),
    };
    let listen = match config.addresses() {
        (first, Some(second)) => format!("{first} and {second}"),
        (only, None) => only.to_string(),
    };
    let _ = write!(
        text,
        "The configuration is valid.\n\
         \n  MCP endpoint  {endpoint}\
         \n  Listens on    {listen}\
         \n  Identity      {identity}\
         \n  Todos         {database}, {sharing}\n",
        database = config.database,
        sharing = sharing_text(config.sharing),
    );
    if let Some(address) = config.admin_address {
        let _ = writeln!(text, "  Metrics       http://{address}/metrics");
    }
    if let Some(quota) = quota(config.quota) {
        let _ = writeln!(text, "  Quota         {quota} in each list");
    }
    text
}

/// What one workspace may hold, in words.
fn quota(quota: Quota) -> Option<String> {
    let todos = quota.todos.map(|todos| format!("{todos} todos"));
    let bytes = quota.bytes.map(|bytes| format!("{} MiB", bytes.get() / (1024 * 1024)));
    let limits: Vec<String> = todos.into_iter().chain(bytes).collect();
    (!limits.is_empty()).then(|| limits.join(", "))
}
