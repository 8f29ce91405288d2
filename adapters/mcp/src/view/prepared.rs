//! JSON of todos that are listed again and again.
//!
//! An assistant lists the same todos again and again, and few of them have changed. To write todos is most of what a list
//! takes, several times what it takes to find what was written and to copy it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protected_mcp::PreparedJson;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use todo_application::domain::{Todo, TodoId};

use super::{TODO_JSON, TodoView};

/// About how many bytes are kept: some 3,000 todos of usual length. What is listed twice is evicted before what is
/// listed more often (S3-FIFO).
const CAPACITY: u64 = 4 * 1024 * 1024;

/// Each has a lock and its part of the capacity, however many cores there are: the longest todo must have room.
const PARTS: usize = 4;

/// About what one of them takes beside its todo and JSON, in bytes.
const ENTRY: u64 = 200;

/// About how many of them there are: what a table for them is sized by.
const ENTRIES: usize = 4 * 1024;

/// For how many todos it is known that they were listed before.
const LISTED: usize = 8 * 1024;

/// The JSON of todos that were listed at least twice.
pub(crate) struct PreparedTodos {
    /// By id, of whichever workspace was last: what is kept counts only for a todo that is the same.
    kept: Option<Cache<TodoId, Arc<Prepared>, Weight>>,
    /// Hashes of todos and versions. Most are listed once and never again: they are not worth a place.
    listed: Box<[AtomicU64]>,
    hasher: RandomState,
}

struct Prepared {
    todo: Todo,
    json: PreparedJson,
}

#[derive(Clone)]
struct Weight;

impl Weighter<TodoId, Arc<Prepared>> for Weight {
    fn weight(&self, _: &TodoId, prepared: &Arc<Prepared>) -> u64 {
        ENTRY + prepared.todo.record().memory() + prepared.json.bytes() as u64
    }
}

impl Default for PreparedTodos {
    fn default() -> Self {
        let options = OptionsBuilder::new()
            .shards(PARTS)
            .estimated_items_capacity(ENTRIES)
            .weight_capacity(CAPACITY)
            .build();
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self {
            kept: options.ok().map(|it| Cache::with_options(it, Weight, hasher, lifecycle)),
            listed: (0..LISTED).map(|_| AtomicU64::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl PreparedTodos {
    /// The JSON of a todo that is listed, if it was before.
    pub(super) fn json(&self, todo: &Todo) -> Option<PreparedJson> {
        let kept = self.kept.as_ref()?;
        if let Some(same) = kept.get(&todo.id()).filter(|it| it.todo == *todo) {
            return Some(same.json.clone());
        }
        if !self.is_listed_again(todo) {
            return None;
        }
        let json = PreparedJson::new(&TodoView::from(todo), TODO_JSON).ok()?;
        let prepared = Prepared { todo: todo.clone(), json: json.clone() };
        kept.insert(todo.id(), Arc::new(prepared));
        Some(json)
    }

    /// Whether it was listed before, as far as is known: todos share places. From now on it was.
    fn is_listed_again(&self, todo: &Todo) -> bool {
        let hash = self.hasher.hash_one((todo.id(), todo.version()));
        let place = usize::try_from(hash % LISTED as u64).unwrap_or(0);
        self.listed[place].swap(hash, Ordering::Relaxed) == hash
    }
}

#[cfg(test)]
mod tests {
    use protected_mcp::to_json_line;
    use todo_application::domain::{
        Completion, Description, Instant, Labels, Priority, Subject, Title, TodoRecord, Version,
        WorkspaceId,
    };

    use super::*;

    fn todo(number: u8, workspace: &str, title: &str) -> Todo {
        let (by, at) = (Subject::try_from("usr_1").unwrap(), Instant::UNIX_EPOCH);
        let record = TodoRecord {
            id: TodoId::from_bytes([number; 16]),
            workspace: WorkspaceId::try_from(workspace).unwrap(),
            title: Title::try_from(title).unwrap(),
            description: Description::NONE,
            completion: Completion::Open,
            due: None,
            priority: Priority::default(),
            labels: Labels::NONE,
            created_at: at,
            created_by: by.clone(),
            updated_at: at,
            updated_by: by,
            version: Version::FIRST,
        };
        Todo::restore(record).unwrap()
    }

    fn json(prepared: &PreparedTodos, todo: &Todo) -> Option<String> {
        prepared.json(todo).map(|json| to_json_line(&json).unwrap())
    }

    #[test]
    fn a_todo_that_is_listed_again_is_written_once() {
        let prepared = PreparedTodos::default();
        let one = todo(1, "everyone", "one");
        assert_eq!(json(&prepared, &one), None, "it may never be listed again");
        let written = to_json_line(&TodoView::from(&one)).unwrap();
        for _ in 0..3 {
            assert_eq!(json(&prepared, &one), Some(written.clone()));
        }
        assert_eq!(prepared.kept.as_ref().unwrap().len(), 1);
    }

    #[test]
    fn what_is_kept_counts_for_no_other_todo() {
        let prepared = PreparedTodos::default();
        let one = todo(1, "everyone", "one");
        assert_eq!(json(&prepared, &one), None);
        assert!(json(&prepared, &one).is_some());
        // As after another import, with the same id and version.
        for other in [todo(1, "everyone", "two"), todo(1, "other", "one")] {
            let written = to_json_line(&TodoView::from(&other)).unwrap();
            assert_eq!(json(&prepared, &other), Some(written));
        }
        assert_eq!(json(&prepared, &todo(2, "everyone", "one")), None, "another id");
    }

    #[test]
    fn the_longest_todo_has_room() {
        let prepared = PreparedTodos::default();
        let mut record = todo(1, "everyone", "one").into_record();
        // Two bytes each in JSON, four in its escaped form.
        let text = "\n\"".repeat(Description::MAX_BYTES / 2 - 1);
        record.description = Description::try_from(format!("a{text}a").as_str()).unwrap();
        let long = Todo::restore(record).unwrap();
        assert_eq!(json(&prepared, &long), None);
        assert!(json(&prepared, &long).is_some());
        assert_eq!(prepared.kept.as_ref().unwrap().len(), 1);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let prepared = PreparedTodos::default();
        let long = "x".repeat(500);
        for number in 0..20_000_u32 {
            let title = format!("{number:05}{}", &long[5..]);
            let mut record = todo(0, "everyone", &title).into_record();
            let bytes = u128::from(number).to_be_bytes();
            record.id = TodoId::from_bytes(bytes);
            let todo = Todo::restore(record).unwrap();
            assert_eq!(json(&prepared, &todo), None);
            assert!(json(&prepared, &todo).is_some());
        }
        let kept = prepared.kept.as_ref().unwrap();
        assert!(kept.weight() <= CAPACITY);
        assert!(kept.len() > 1_000);
    }
}
