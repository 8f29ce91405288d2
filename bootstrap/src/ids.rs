//! The ids of new todos.

use std::sync::Mutex;
use std::sync::PoisonError;

use todo_application::domain::{Instant, TodoId};
use todo_application::ports::IdSource;
use uuid::{ContextV7, Timestamp, Uuid};

/// UUIDs of version 7 with a counter (RFC 9562 section 6.2, method 1): the ids of one process are in
/// order within a millisecond too.
#[derive(Debug)]
pub(crate) struct UuidV7Source(Mutex<ContextV7>);

impl UuidV7Source {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(ContextV7::new()))
    }
}

impl IdSource for UuidV7Source {
    fn todo_id(&self, at: Instant) -> TodoId {
        let millis = at.as_unix_millis().unsigned_abs();
        let nanos = u32::try_from(millis % 1000 * 1_000_000).unwrap_or_default();
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        TodoId::from_uuid(Uuid::new_v7(Timestamp::from_unix(&*context, millis / 1000, nanos)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_order_within_a_millisecond_and_when_the_clock_is_set_back() {
        let source = UuidV7Source::new();
        let at = |millis| Instant::from_unix_millis(millis).unwrap();
        let minted: Vec<TodoId> = std::iter::repeat_n(at(1_795_340_000_000), 10_000)
            .chain(std::iter::repeat_n(at(1_795_339_999_000), 10_000))
            .map(|at| source.todo_id(at))
            .collect();
        assert!(minted.is_sorted_by(|one, next| one < next));
        assert_eq!(minted[0].as_uuid().get_version_num(), 7);
    }
}
