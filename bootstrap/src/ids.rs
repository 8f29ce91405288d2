//! The ids of new todos.

use std::sync::Mutex;
use std::sync::PoisonError;

use todo_application::domain::{Instant, TodoId};
use todo_application::ports::IdSource;
use uuid::{Builder, ContextV7, NoContext, Timestamp, Uuid};

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

    /// All later ids of this process continue after `last` too, unless it is more than
    /// [`TodoId::MAX_AHEAD_MILLIS`] ahead: what one workspace contains must not decide on all others.
    fn todo_id_after(&self, last: TodoId, at: Instant) -> TodoId {
        // The next millisecond, as the counter of this one is unknown.
        let next = last.unix_millis().unwrap_or_default() + 1;
        let ahead = next - at.as_unix_millis();
        if ahead <= 0 {
            return self.todo_id(at);
        }
        if ahead >= 1000 {
            let seconds = ahead / 1000;
            tracing::warn!(
                seconds,
                "the clock is behind the newest todo: new ids continue after it"
            );
        }
        match Instant::from_unix_millis(next) {
            Ok(next) if ahead <= TodoId::MAX_AHEAD_MILLIS => self.todo_id(next),
            _ => {
                let random = Uuid::new_v7(Timestamp::from_unix(NoContext, 0, 0)).into_bytes();
                let mut tail = [0; 10];
                tail.copy_from_slice(&random[6..]);
                let id = Builder::from_unix_timestamp_millis(next.unsigned_abs(), &tail);
                TodoId::from_uuid(id.into_uuid())
            }
        }
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

    #[test]
    fn an_id_sorts_after_the_last_one_however_far_it_is_ahead() {
        let now = 1_795_340_000_000;
        let at = |millis| Instant::from_unix_millis(millis).unwrap();
        let day = 24 * 60 * 60 * 1000;
        for (ahead, others_continue) in
            [(-day, true), (0, true), (1, true), (day, true), (365 * day, true), (367 * day, false)]
        {
            let last = UuidV7Source::new().todo_id(at(now + ahead));
            let source = UuidV7Source::new();
            let minted: Vec<TodoId> = std::iter::successors(Some(last), |last| {
                Some(source.todo_id_after(*last, at(now)))
            })
            .take(1000)
            .collect();
            assert!(minted.is_sorted_by(|one, next| one < next), "{ahead}");
            assert!(minted.iter().all(|id| id.as_uuid().get_version_num() == 7));
            assert_eq!(source.todo_id(at(now)) > last, others_continue, "{ahead}");
        }
    }
}
