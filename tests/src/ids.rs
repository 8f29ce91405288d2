use std::sync::atomic::{AtomicU64, Ordering};

use todo_application::domain::{Instant, TodoId};
use todo_application::ports::IdSource;
use uuid::Builder;

/// Mints `00000000-0001-7000-8000-000000000000`, `00000000-0002-7000-8000-000000000000`, and so on.
///
/// They are of version 7, unique and ascending, as the port requires. Their time is their number,
/// whatever the clock shows.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl IdSource for SequentialIds {
    fn todo_id(&self, _at: Instant) -> TodoId {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        TodoId::from_uuid(Builder::from_unix_timestamp_millis(number, &[0; 10]).into_uuid())
    }

    fn todo_id_after(&self, last: TodoId, at: Instant) -> TodoId {
        let last = last.unix_millis().map_or(0, i64::unsigned_abs);
        self.0.fetch_max(last, Ordering::Relaxed);
        self.todo_id(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequential_ids_are_of_version_7_and_ascending() {
        let ids = SequentialIds::default();
        let at = Instant::from_unix_millis(0).unwrap();
        let (first, second) = (ids.todo_id(at), ids.todo_id(at));
        assert_eq!(first.to_string(), "00000000-0001-7000-8000-000000000000");
        assert_eq!(first.as_uuid().get_version_num(), 7);
        assert!(first < second);
        let later = TodoId::from_uuid(Builder::from_unix_timestamp_millis(9, &[1; 10]).into_uuid());
        assert!(ids.todo_id_after(later, at) > later);
    }
}
