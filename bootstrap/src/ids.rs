//! The ids of new todos.

use std::sync::Mutex;
use std::sync::PoisonError;

use todo_application::domain::{Instant, TodoId};
use todo_application::ports::{IdSource, NewestId, in_one_line};
use uuid::{Builder, ContextV7, Timestamp, Uuid};

/// UUIDs of version 7 with a counter (RFC 9562 section 6.2, method 1): the ids of one process are in
/// order within a millisecond too.
#[derive(Debug)]
pub(crate) struct UuidV7Source(Mutex<ContextV7>);

impl UuidV7Source {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(ContextV7::new()))
    }

    /// Continues after the newest id of a store, so that new todos sort after the existing ones when the
    /// clock has been set back while no server ran. `now` is for the log.
    ///
    /// Ids more than [`MAX_AHEAD_MILLIS`] ahead are not considered: one wrong id must not
    /// decide on all later ones. With several servers on one database, the ids of each follow its own
    /// clock after the start.
    pub(crate) async fn continue_after(&self, store: &dyn NewestId, now: Instant) {
        let end = now.as_unix_millis().saturating_add(MAX_AHEAD_MILLIS).unsigned_abs();
        let end = Builder::from_unix_timestamp_millis(end, &[0; 10]).into_uuid();
        let newest = match store.newest_before(TodoId::from_uuid(end)).await {
            Ok(Some(newest)) => newest,
            Ok(None) => return,
            Err(error) => {
                let cause = in_one_line(&error);
                tracing::warn!(
                    cause,
                    "the newest id cannot be read: if the clock was set back, new todos may be listed \
                     before existing ones"
                );
                return;
            }
        };
        // The next millisecond, as the counter of this one is unknown.
        let Some(millis) = millis(newest).and_then(|millis| millis.checked_add(1)) else { return };
        let Ok(start) = Instant::from_unix_millis(millis) else { return };
        if start > now {
            let seconds = (millis - now.as_unix_millis()) / 1000;
            tracing::warn!(
                seconds,
                "the clock is behind the newest todo: new ids continue after it"
            );
            self.todo_id(start);
        }
    }
}

/// A year.
const MAX_AHEAD_MILLIS: i64 = 366 * 24 * 60 * 60 * 1000;

/// The time of an id of version 7.
fn millis(id: TodoId) -> Option<i64> {
    let (seconds, nanos) = id.as_uuid().get_timestamp()?.to_unix();
    let millis = seconds.checked_mul(1000)?.checked_add(u64::from(nanos) / 1_000_000)?;
    i64::try_from(millis).ok()
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
    use async_trait::async_trait;
    use todo_application::ports::StorageError;

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

    struct Store(TodoId);

    #[async_trait]
    impl NewestId for Store {
        async fn newest_before(&self, end: TodoId) -> Result<Option<TodoId>, StorageError> {
            Ok(Some(self.0).filter(|id| *id < end))
        }
    }

    #[tokio::test]
    async fn ids_continue_after_the_newest_of_the_store_if_it_is_at_most_a_year_ahead() {
        let now = 1_795_340_000_000;
        let at = |millis| Instant::from_unix_millis(millis).unwrap();
        let day = 24 * 60 * 60 * 1000;
        for (ahead, continues) in
            [(-day, true), (0, true), (day, true), (365 * day, true), (367 * day, false)]
        {
            let newest = UuidV7Source::new().todo_id(at(now + ahead));
            let source = UuidV7Source::new();
            source.continue_after(&Store(newest), at(now)).await;
            let new = source.todo_id(at(now + 1));
            assert_eq!(new > newest, continues, "{ahead}");
            let next = source.todo_id(at(now));
            assert!(next > new, "{ahead}");
        }
    }
}
