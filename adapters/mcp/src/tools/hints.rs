//! Why each tool has its hints: the directories of assistants ask for it, tool by tool.

use protected_mcp::{Hints, Scope as _, Tool};

use super::{
    ChangeTodos, CreateTodo, DeleteTodo, GetTodo, ListChanges, ListTodos, UndoChange, UpdateTodo,
};

/// A tool as it is known without a server.
#[derive(Debug, Clone, Copy)]
pub struct ToolSummary {
    pub name: &'static str,
    pub scope: &'static str,
    pub hints: Hints,
    pub reasons: HintReasons,
}

/// Why the three hints that directories ask for are as they are: a sentence each.
#[derive(Debug, Clone, Copy)]
pub struct HintReasons {
    pub read_only: &'static str,
    pub destructive: &'static str,
    pub open_world: &'static str,
}

/// A tool whose hints are explained: [`summaries`] accepts no other.
trait Explained: Tool {
    const READ_ONLY: &'static str;
    const DESTRUCTIVE: &'static str;
}

/// The same for all tools: what they are given stays in the database of the server.
const OPEN_WORLD: &str = "It works on the todo lists of this server and reaches no other system.";

/// The same for all tools that only read.
const CHANGES_NOTHING: &str = "It changes nothing, so there is nothing that it could remove.";

impl Explained for ListTodos {
    const READ_ONLY: &'static str = "It returns todos of the caller's own list.";
    const DESTRUCTIVE: &'static str = CHANGES_NOTHING;
}

impl Explained for GetTodo {
    const READ_ONLY: &'static str = "It returns one todo of the caller's own list.";
    const DESTRUCTIVE: &'static str = CHANGES_NOTHING;
}

impl Explained for CreateTodo {
    const READ_ONLY: &'static str = "It adds a todo to the caller's list.";
    const DESTRUCTIVE: &'static str =
        "It only adds: no todo that exists is changed, replaced or removed.";
}

impl Explained for UpdateTodo {
    const READ_ONLY: &'static str = "It changes a todo of the caller's list.";
    const DESTRUCTIVE: &'static str = "It replaces what the fields held before.";
}

impl Explained for DeleteTodo {
    const READ_ONLY: &'static str = "It removes a todo from the caller's list.";
    const DESTRUCTIVE: &'static str = "It removes what exists.";
}

impl Explained for ChangeTodos {
    const READ_ONLY: &'static str = "It adds, changes and removes todos of the caller's list.";
    const DESTRUCTIVE: &'static str =
        "Among its changes may be updates, which replace, and deletions.";
}

impl Explained for ListChanges {
    const READ_ONLY: &'static str = "It returns earlier changes to the caller's own list.";
    const DESTRUCTIVE: &'static str = CHANGES_NOTHING;
}

impl Explained for UndoChange {
    const READ_ONLY: &'static str = "It takes back an earlier change to the caller's list.";
    const DESTRUCTIVE: &'static str =
        "It replaces values by earlier ones, and removes a todo whose creation it takes back.";
}

/// All tools, in the order of the server.
pub fn summaries() -> [ToolSummary; 8] {
    const fn summary<T: Explained>() -> ToolSummary {
        let reasons = HintReasons {
            read_only: T::READ_ONLY,
            destructive: T::DESTRUCTIVE,
            open_world: OPEN_WORLD,
        };
        ToolSummary { name: T::NAME, scope: T::Scope::NAME, hints: T::HINTS, reasons }
    }
    [
        summary::<ListTodos>(),
        summary::<GetTodo>(),
        summary::<CreateTodo>(),
        summary::<UpdateTodo>(),
        summary::<DeleteTodo>(),
        summary::<ChangeTodos>(),
        summary::<ListChanges>(),
        summary::<UndoChange>(),
    ]
}

#[cfg(test)]
mod tests {
    use super::{CHANGES_NOTHING, ToolSummary, summaries};

    #[test]
    fn the_reasons_agree_with_the_hints() {
        for tool in summaries() {
            let ToolSummary { name, hints, reasons, .. } = tool;
            assert_eq!(hints.read_only, reasons.read_only.starts_with("It returns"), "{name}");
            assert_eq!(hints.read_only, reasons.destructive == CHANGES_NOTHING, "{name}");
            assert!(!hints.open_world, "{name}");
            for reason in [reasons.read_only, reasons.destructive, reasons.open_world] {
                assert!(reason.ends_with('.') && reason.len() <= 200, "{reason}");
            }
        }
    }
}
