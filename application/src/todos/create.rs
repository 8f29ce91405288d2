use todo_domain::{
    Draft, IdempotencyKey, Instant, Priority, Todo, TodoRecord, WriteAction, WritePermit,
};

use super::effect::Effect;
use super::use_cases::{ROUNDS, Todos};
use crate::error::{CreateError, StorageFailure};
use crate::fnv;
use crate::ports::{CreationRequest, InsertError, Inserted, Principal};

/// How long a request with a key is remembered.
const REMEMBERED_MILLIS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTodo {
    pub draft: Draft,
    /// Makes the request safe to retry.
    pub key: Option<IdempotencyKey>,
}

/// The outcome of a request to create a todo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    New(Todo, Effect),
    /// An earlier request with the same key and the same content has created it. This is the record as
    /// it was created then, and not a [`Todo`]: that may have changed since or be gone, so nothing may
    /// edit or store this.
    Replayed(TodoRecord),
}

impl Created {
    /// What to show the caller: the same for the first request and for its replays.
    pub fn into_record(self) -> TodoRecord {
        match self {
            Self::New(todo, _) => todo.into_record(),
            Self::Replayed(record) => record,
        }
    }

    /// What was written, if anything was.
    pub fn effect(&self) -> Option<Effect> {
        match self {
            Self::New(_, effect) => Some(*effect),
            Self::Replayed(_) => None,
        }
    }
}

impl Todos {
    /// Adds an open todo to the caller's workspace, unless that holds as much as it may.
    ///
    /// A request with a key that the caller has used within 24 hours adds nothing. With the same
    /// content its outcome is [`Created::Replayed`], with other content [`CreateError::KeyReused`].
    pub async fn create(
        &self,
        principal: &dyn Principal,
        new: NewTodo,
    ) -> Result<Created, CreateError> {
        let permit = self.permit_to_write(principal, WriteAction::Create)?;
        let now = self.clock.now();
        let request = request(&new, now);
        let fingerprint = request.as_ref().map(|request| request.fingerprint);
        let NewTodo { draft, key: _ } = new;
        let id = self.ids.todo_id(now);
        let mut todo = Todo::create(&permit, id, draft, now);
        for _ in 0..ROUNDS {
            match self.insert(&permit, &todo, request.as_ref()).await {
                Ok(Inserted::Now(number)) => {
                    let versions = [None, Some(todo.version())];
                    let effect = Effect::new(permit.workspace(), todo.id(), versions, number);
                    return Ok(Created::New(todo, effect));
                }
                Ok(Inserted::Earlier(earlier)) if Some(earlier.fingerprint) == fingerprint => {
                    // The same content was created then: it differs in what the store remembers.
                    return Ok(Created::Replayed(TodoRecord {
                        id: earlier.todo,
                        created_at: earlier.at,
                        updated_at: earlier.at,
                        ..todo.into_record()
                    }));
                }
                Ok(Inserted::Earlier(_)) => return Err(CreateError::KeyReused),
                Err(InsertError::Behind(last)) => {
                    todo = todo.with_new_id(self.ids.todo_id_after(last, now));
                }
                Err(InsertError::QuotaExceeded(error)) => return Err(error.into()),
                Err(error) => return Err(StorageFailure::from(error).into()),
            }
        }
        Err(CreateError::Contended)
    }

    /// Stores a new todo, and publishes it.
    async fn insert(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: Option<&CreationRequest>,
    ) -> Result<Inserted, InsertError> {
        let inserted = match request {
            None => self.repository.insert(permit, todo).await.map(Inserted::Now),
            Some(request) => self.repository.insert_once(permit, todo, request).await,
        };
        match &inserted {
            Ok(Inserted::Now(_)) => self.publish_change(permit, todo.id(), None),
            Err(InsertError::Storage(error)) => {
                self.publish_change(permit, todo.id(), Some(error));
            }
            Ok(Inserted::Earlier(_))
            | Err(
                InsertError::Duplicate(_)
                | InsertError::Behind(_)
                | InsertError::QuotaExceeded(_)
                | InsertError::OtherWorkspace(_),
            ) => {}
        }
        inserted
    }
}

/// What the store is to remember of a request with a key.
pub(super) fn request(new: &NewTodo, now: Instant) -> Option<CreationRequest> {
    let key = new.key.clone()?;
    Some(CreationRequest { key, fingerprint: fingerprint(new), forget_at: forget_at(now) })
}

/// Until when a request with a key is remembered.
pub(super) fn forget_at(now: Instant) -> Instant {
    Instant::from_unix_millis(now.as_unix_millis() + REMEMBERED_MILLIS).unwrap_or(now)
}

/// Identifies the content of a request. Stores remember it for 24 hours, so it must stay the same from
/// one version of this program to the next: what a field adds by default is nothing.
pub(super) fn fingerprint(new: &NewTodo) -> u64 {
    let NewTodo { draft: Draft { title, description, due, priority, labels }, key: _ } = new;
    let due = due.as_ref().map_or_else(String::new, |due| {
        let zone = due.time_zone().map_or("", |zone| zone.name());
        format!("\0due\0{}\0{zone}", due.key().as_i64())
    });
    let priority = match priority {
        Priority::Normal => String::new(),
        Priority::Low | Priority::High | Priority::Urgent => format!("\0priority\0{priority}"),
    };
    let labels = labels.to_lines().map_or_else(String::new, |lines| format!("\0labels\0{lines}"));
    let description = description.as_deref().unwrap_or_default();
    // No text of a todo has NUL, so the separators are unambiguous.
    let texts = [title.as_str(), "\0", description, &due, &priority, &labels];
    fnv::hash(texts.map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use todo_domain::{Description, Due, DueKey, Labels, TimeZone, Title};

    use super::*;

    fn new_todo(description: &str, key: &str) -> NewTodo {
        NewTodo {
            draft: Draft {
                description: Description::try_from(description).unwrap(),
                ..Draft::from(Title::try_from("Buy milk").unwrap())
            },
            key: Some(IdempotencyKey::try_from(key).unwrap()),
        }
    }

    #[test]
    fn a_fingerprint_depends_on_the_content_and_never_changes() {
        assert_eq!(fingerprint(&new_todo("two litres", "k")), 0x8a54_5db1_e249_28d5);
        assert_eq!(fingerprint(&new_todo("", "k")), 0x306a_b215_ce31_3aaa);
        assert_eq!(fingerprint(&new_todo("", "other")), fingerprint(&new_todo("", "k")));

        let plain = new_todo("", "k").draft;
        let due = |key, zone: Option<&str>| Draft {
            due: Some(
                Due::restore(DueKey::from_i64(key), zone.map(|it| TimeZone::try_from(it).unwrap()))
                    .unwrap(),
            ),
            ..plain.clone()
        };
        let labelled =
            |lines| Draft { labels: Labels::from_lines(Some(lines)).unwrap(), ..plain.clone() };
        let drafts = [
            (due(2_081_100_000_000, None), 0x5071_7f22_db83_59b0),
            (due(2_081_100_000_001, None), 0x5074_e522_db86_3cd9),
            (due(2_081_100_000_001, Some("Europe/Berlin")), 0x9c06_8c58_2be1_bcd0),
            (Draft { priority: Priority::High, ..plain.clone() }, 0x6b5b_d979_e937_9e36),
            (labelled("a\nb"), 0x7749_a132_e231_a376),
            (labelled("b\na"), 0x6ed6_8332_dd77_d242),
        ];
        for (draft, expected) in drafts {
            let new = NewTodo { draft, ..new_todo("", "k") };
            assert_eq!(fingerprint(&new), expected, "{new:?}");
        }
    }
}
