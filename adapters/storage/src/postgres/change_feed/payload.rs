//! What is sent to other servers.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use todo_application::domain::{TodoId, WorkspaceId};

/// A payload that is about nothing, to see whether notifications arrive.
pub(super) const PROBE: &str = "?";

/// The mark of a server in what it sends.
pub(super) struct Mark(String);

/// What a payload says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing, or what this server has sent.
    Nothing,
    Changed(WorkspaceId, TodoId),
    /// Anything may have changed.
    Anything,
}

impl Mark {
    /// A random one.
    pub(super) fn new() -> Self {
        Self(format!("{:016x}", RandomState::new().build_hasher().finish()))
    }

    /// The payload for a change. PostgreSQL allows 8,000 bytes, and the longest workspace key has 1,100.
    pub(super) fn changed(&self, workspace: &WorkspaceId, todo: TodoId) -> String {
        format!("{} {todo} {}", self.0, workspace.as_str())
    }

    /// The payload that anything may have changed.
    pub(super) fn anything(&self) -> String {
        format!("{} *", self.0)
    }

    /// Reads a payload. One of another version may say anything.
    pub(super) fn read(&self, payload: &str) -> News {
        let (mark, rest) = payload.split_once(' ').unwrap_or_default();
        if payload == PROBE || mark == self.0 {
            return News::Nothing;
        }
        change(rest).map_or(News::Anything, |(workspace, todo)| News::Changed(workspace, todo))
    }
}

fn change(text: &str) -> Option<(WorkspaceId, TodoId)> {
    let (todo, workspace) = text.split_once(' ')?;
    Some((WorkspaceId::try_from(workspace).ok()?, todo.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_server_reads_what_one_has_written() {
        let (here, there) = (Mark::new(), Mark::new());
        let (workspace, todo) =
            (WorkspaceId::try_from("a b *").unwrap(), TodoId::from_bytes([7; 16]));
        let payload = here.changed(&workspace, todo);
        assert_eq!(here.read(&payload), News::Nothing);
        assert_eq!(there.read(&payload), News::Changed(workspace, todo));
        assert_eq!(here.read(&here.anything()), News::Nothing);
        assert_eq!(there.read(&here.anything()), News::Anything);
        assert_eq!(there.read(PROBE), News::Nothing);
        for other in ["", "*", "x", "x y", "x y z", "01a203c6-a4a7-7e4f-8a5b-6c7d8e9f0a1b mine"] {
            assert_eq!(here.read(other), News::Anything);
        }
    }
}
