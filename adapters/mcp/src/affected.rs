//! What calls have shown and changed, for observers of the server.

use std::collections::BTreeSet;

use protected_mcp::Affected;
use todo_application::domain::{TodoId, Version};
use todo_application::{Effect, HistoryPage};

/// Todos of which a call has shown the texts.
pub(crate) fn shown(ids: impl IntoIterator<Item = TodoId>) -> Vec<Affected> {
    let shown = |id: TodoId| Affected {
        // Without a formatter, as every read has one.
        id: id.as_uuid().as_hyphenated().encode_lower(&mut [0; 36]).to_owned(),
        version_before: None,
        version_after: None,
        change_id: None,
    };
    ids.into_iter().map(shown).collect()
}

/// Todos of which a call has shown changes, each once.
pub(crate) fn shown_by(page: &HistoryPage) -> Vec<Affected> {
    let ids: BTreeSet<_> = page.changes.iter().map(|entry| entry.recorded.change.todo).collect();
    shown(ids)
}

/// Todos that a call has changed.
pub(crate) fn changed(effects: &[Effect]) -> Vec<Affected> {
    let number = |version: Version| version.as_i64().unsigned_abs();
    let changed = |effect: &Effect| Affected {
        id: effect.todo.to_string(),
        version_before: effect.before.map(number),
        version_after: effect.after.map(number),
        change_id: effect.change.map(|id| id.to_string()),
    };
    effects.iter().map(changed).collect()
}

/// What a call has changed, and those of the todos that it has only shown, each once.
pub(crate) fn changed_and_shown(
    effects: &[Effect],
    ids: impl IntoIterator<Item = TodoId>,
) -> Vec<Affected> {
    let mut affected = changed(effects);
    let is_changed = |id: &TodoId| effects.iter().any(|effect| effect.todo == *id);
    let ids: BTreeSet<_> = ids.into_iter().filter(|id| !is_changed(id)).collect();
    affected.extend(shown(ids));
    affected
}
