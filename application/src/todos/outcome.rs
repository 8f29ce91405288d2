//! What is remembered of a call that makes several changes: which call it was, and what came of it.
//!
//! Both are remembered for 24 hours, so they must stay the same from one version of this program to the next.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use todo_domain::{
    Edit, Labels, LabelsEdit, QuotaExceeded, Todo, TodoId, TodoRecord, TooManyLabels, Version,
};

use super::create::{self, NewTodo};
use super::many_changes::{ChangeFailure, ManyChanges, Outcome, RequestedChange};
use crate::fnv;

/// Identifies the content of a call.
pub(super) fn fingerprint(asked: &ManyChanges) -> u64 {
    let ManyChanges { changes, all_or_nothing, dry_run: _, key: _ } = asked;
    let changes = changes.iter().map(|change| match change {
        RequestedChange::Create(new) => {
            let key = new.key.as_ref().map_or("", |key| key.as_str());
            format!("create\0{:x}\0{key}", create::fingerprint(new))
        }
        RequestedChange::Update { id, edit, expected } => {
            let version = expected.map_or(0, Version::as_i64);
            format!("update\0{id}\0{version}\0{}", of_edit(edit))
        }
        RequestedChange::Delete { id, expected } => {
            let version = expected.map_or(0, Version::as_i64);
            format!("delete\0{id}\0{version}")
        }
    });
    let all: Vec<String> = changes.collect();
    // No text of a todo has NUL, and no key a line break.
    fnv::hash([&[u8::from(*all_or_nothing)], all.join("\0\n").as_bytes()])
}

fn of_edit(edit: &Edit) -> String {
    let Edit { title, description, completed, due, priority, labels } = edit;
    let lines = |labels: &Labels| labels.to_lines().unwrap_or_default();
    let due = due.as_ref().map(|due| {
        due.as_ref().map_or_else(String::new, |due| {
            let zone = due.time_zone().map_or("", |zone| zone.name());
            format!("{} {zone}", due.key().as_i64())
        })
    });
    let labels = labels.as_ref().map(|edit| match edit {
        LabelsEdit::Replace(labels) => format!("={}", lines(labels)),
        LabelsEdit::Change { add, remove } => format!("+{}\0-{}", lines(add), lines(remove)),
    });
    let fields = [
        title.as_ref().map(|title| title.as_str().to_owned()),
        description.as_ref().map(|it| it.as_deref().unwrap_or_default().to_owned()),
        completed.map(|completed| completed.to_string()),
        due,
        priority.map(|priority| priority.name().to_owned()),
        labels,
    ];
    fields.map(|field| field.map_or_else(String::new, |text| format!("\0={text}"))).join("\0,")
}

/// The todos that are updated or deleted, sorted.
pub(super) fn ids(asked: &ManyChanges) -> Vec<TodoId> {
    let mut ids: Vec<_> = asked
        .changes
        .iter()
        .filter_map(|change| match change {
            RequestedChange::Create(_) => None,
            RequestedChange::Update { id, .. } | RequestedChange::Delete { id, .. } => Some(*id),
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What came of a call, a word for each change.
pub(super) fn encode(outcomes: &[Outcome]) -> String {
    let words = outcomes.iter().map(|outcome| match outcome {
        Outcome::Created(record) => format!("created:{}", record.id),
        Outcome::Updated(..) => "updated".to_owned(),
        Outcome::Deleted(_) => "deleted".to_owned(),
        Outcome::Skipped => "skipped".to_owned(),
        Outcome::Failed(ChangeFailure::NotFound(_)) => "missing".to_owned(),
        Outcome::Failed(ChangeFailure::Conflict(_)) => "conflict".to_owned(),
        Outcome::Failed(ChangeFailure::TooManyLabels(error)) => format!("labels:{}", error.0),
        Outcome::Failed(ChangeFailure::QuotaExceeded(QuotaExceeded::Todos(limit))) => {
            format!("todos:{limit}")
        }
        Outcome::Failed(ChangeFailure::QuotaExceeded(QuotaExceeded::Bytes(limit))) => {
            format!("bytes:{limit}")
        }
        Outcome::Failed(ChangeFailure::KeyReused) => "reused".to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The inverse of [`encode`], with the todos as they are by now. `create` makes the todo of a change again.
pub(super) fn decode(
    words: &str,
    asked: &ManyChanges,
    todos: &BTreeMap<TodoId, Todo>,
    create: impl Fn(&NewTodo, TodoId) -> TodoRecord,
) -> Vec<Outcome> {
    let outcome = |(word, change): (&str, &RequestedChange)| {
        let (word, value) = word.split_once(':').unwrap_or((word, ""));
        let limit = || value.parse().unwrap_or(NonZeroU64::MIN);
        let id = match change {
            RequestedChange::Create(new) => {
                if word == "created" {
                    return value
                        .parse()
                        .map_or(Outcome::Skipped, |id| Outcome::Created(create(new, id)));
                }
                TodoId::from_bytes([0; 16])
            }
            RequestedChange::Update { id, .. } | RequestedChange::Delete { id, .. } => *id,
        };
        let failed = Outcome::Failed;
        match word {
            "updated" => Outcome::Updated(id, todos.get(&id).cloned()),
            "deleted" => Outcome::Deleted(id),
            "conflict" => {
                let current = todos.get(&id).cloned().map(ChangeFailure::Conflict);
                failed(current.unwrap_or(ChangeFailure::NotFound(id)))
            }
            "missing" => failed(ChangeFailure::NotFound(id)),
            "labels" => failed(ChangeFailure::TooManyLabels(TooManyLabels(
                value.parse().unwrap_or_default(),
            ))),
            "todos" => failed(ChangeFailure::QuotaExceeded(QuotaExceeded::Todos(limit()))),
            "bytes" => failed(ChangeFailure::QuotaExceeded(QuotaExceeded::Bytes(limit()))),
            "reused" => failed(ChangeFailure::KeyReused),
            _ => Outcome::Skipped,
        }
    };
    words.split(' ').zip(&asked.changes).map(outcome).collect()
}
