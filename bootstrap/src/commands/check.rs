//! `todo-mcp check`: reads the configuration, and does nothing else.

use std::fmt::Write as _;

use crate::config::{Config, Identity, sharing_text};
use crate::console;
use crate::failure::Failure;

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    console::print(&report(config))
}

fn report(config: &Config) -> String {
    let mut text = String::new();
    for note in &config.notes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "note: {note}");
    }
    let endpoint = match config.public_url_at(config.listen.port()) {
        Ok(url) => url.resource(),
        Err(error) => error.to_string(),
    };
    let identity = match &config.identity {
        Identity::Scalekit(environment) => environment.authorization_server().to_owned(),
        Identity::Local { port, .. } => format!("local, on http://127.0.0.1:{port}"),
    };
    let _ = write!(
        text,
        "The configuration is valid.\n\
         \n  MCP endpoint  {endpoint}\
         \n  Listens on    {listen}\
         \n  Identity      {identity}\
         \n  Todos         {database}, {sharing}\n",
        listen = config.listen,
        database = config.database,
        sharing = sharing_text(config.sharing),
    );
    text
}
