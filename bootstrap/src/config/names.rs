//! Names of settings that are not in the table.

use crate::settings::{Problem, Settings, Source};

/// What was found about the names of all settings.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) problems: Vec<Problem>,
    /// Without our prefix, and nearly a known name.
    pub(super) misspelt: Vec<Problem>,
    pub(super) notes: Vec<Problem>,
}

/// Finds misspelt names.
///
/// A name that starts with `own_prefix` is a problem in a file, which is written for this program. In
/// the environment, where other programs set names with the same prefix, it is only noted, unless it is
/// nearly a known one: Kubernetes sets `TODO_MCP_PORT` for a Service that is named `todo-mcp`.
pub(super) fn check(settings: &Settings, known: &[&str], own_prefix: &str) -> Checked {
    let mut checked = Checked::default();
    let mut foreign = Vec::new();
    for name in settings.names().filter(|name| !known.contains(name)) {
        // The environment may hold any characters.
        let name_shown = name.escape_debug().to_string();
        let meant = known.iter().find(|known| is_nearly(name, known));
        let is_own = name.starts_with(own_prefix);
        let Some(source) = settings.source(name) else { continue };
        let origin = format!("set in {source}");
        match (is_own, meant, source) {
            (true, Some(meant), _) => {
                let rule = format!("is unknown, and looks like a misspelt {meant}");
                checked.problems.push(Problem::new(&name_shown, rule).with_origin(origin));
            }
            (true, None, Source::File { .. }) => {
                let own: Vec<&str> =
                    known.iter().copied().filter(|known| known.starts_with(own_prefix)).collect();
                let rule = format!(
                    "is unknown: the settings that start with {own_prefix} are {}",
                    own.join(", ")
                );
                checked.problems.push(Problem::new(&name_shown, rule).with_origin(origin));
            }
            (true, None, Source::Environment) => foreign.push(name_shown),
            (false, Some(meant), _) => {
                let rule = format!("is unknown and ignored, and looks like a misspelt {meant}");
                checked.misspelt.push(Problem::new(&name_shown, rule).with_origin(origin));
            }
            (false, None, _) => {}
        }
    }
    if !foreign.is_empty() {
        let verb = if foreign.len() == 1 { "is" } else { "are" };
        let rule = format!("{verb} unknown and ignored");
        let note = Problem::new(&foreign.join(", "), rule).with_origin("set in the environment");
        checked.notes.push(note);
    }
    checked
}

/// Whether one character is missing, added, wrong or exchanged with the next, or only the case differs.
fn is_nearly(name: &str, known: &str) -> bool {
    name.eq_ignore_ascii_case(known) || strsim::osa_distance(name, known) == 1
}
