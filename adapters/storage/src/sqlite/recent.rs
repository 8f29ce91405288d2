//! What was read a moment ago.
//!
//! An assistant lists the same todos again and again, and reads those that it is about to change. What a workspace
//! holds changes only through the writer of this process, as no other may open the file: so a result that was read
//! while no write to its workspace was under way is what SQLite would answer, until the next write begins.
//! Workspaces share a number of [`Writes`]; one that shares with a busy one is read more often.

use std::array;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use todo_application::domain::{Order, Place, Todo, TodoId, WorkspaceId};
use todo_application::ports::{Filter, StorageError};

/// About how many bytes are kept if nothing else is set: hundreds of pages. What is read once is evicted before what
/// is read repeatedly (S3-FIFO).
const CAPACITY: u64 = 8 * 1024 * 1024;

/// About what a result takes beside its todos, and a todo beside its texts, in bytes.
const RESULT: u64 = 200;
const TODO: u64 = 300;

/// About how many results are kept: what a table for them is sized by.
const RESULTS: usize = 4096;

/// Over how many numbers the workspaces are spread.
const WRITES: usize = 1024;

/// A read of one workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) workspace: WorkspaceId,
    pub(super) read: Read,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Read {
    Find(TodoId),
    List { filter: Filter, after: Option<TodoId>, limit: usize },
    ListBy { order: Order, filter: Filter, after: Place, limit: usize },
}

/// Results that are what the database would answer.
pub(super) struct Recent {
    results: Cache<Key, Kept, Weight>,
    writes: Arc<AllWrites>,
}

#[derive(Clone)]
struct Kept {
    /// As of when.
    generation: u64,
    todos: Arc<[Todo]>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Kept> for Weight {
    fn weight(&self, _: &Key, kept: &Kept) -> u64 {
        RESULT + kept.todos.iter().map(|todo| TODO + todo.record().bytes()).sum::<u64>()
    }
}

struct AllWrites {
    hasher: RandomState,
    numbers: [Writes; WRITES],
}

/// How many writes to some workspaces have begun and have ended.
#[derive(Default)]
struct Writes {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Writes {
    /// How many there have been. `None` while one is under way.
    fn settled(&self) -> Option<u64> {
        // In this order: none has begun and not ended when the second is read.
        let ended = self.ended.load(Ordering::SeqCst);
        (self.begun.load(Ordering::SeqCst) == ended).then_some(ended)
    }
}

impl AllWrites {
    fn place(&self, workspace: &WorkspaceId) -> usize {
        let hash = self.hasher.hash_one(workspace);
        usize::try_from(hash % WRITES as u64).unwrap_or(0)
    }
}

/// A write that is under way until this is dropped, whatever comes of it.
pub(super) struct Writing {
    writes: Arc<AllWrites>,
    place: usize,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.writes.numbers[self.place].ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            results: Cache::with_weighter(RESULTS, CAPACITY, Weight),
            writes: Arc::new(AllWrites {
                hasher: RandomState::new(),
                numbers: array::from_fn(|_| Writes::default()),
            }),
        }
    }
}

impl Recent {
    /// The todos that were read, or else those that `query` returns.
    pub(super) async fn read(
        &self,
        key: Key,
        query: impl Future<Output = Result<Vec<Todo>, StorageError>>,
    ) -> Result<Vec<Todo>, StorageError> {
        if self.results.capacity() == 0 {
            return query.await;
        }
        let writes = &self.writes.numbers[self.writes.place(&key.workspace)];
        let Some(generation) = writes.settled() else { return query.await };
        if let Some(kept) = self.results.get(&key).filter(|it| it.generation == generation) {
            return Ok(kept.todos.to_vec());
        }
        let todos = query.await?;
        if !todos.is_empty() && writes.settled() == Some(generation) {
            self.results.insert(key, Kept { generation, todos: todos.as_slice().into() });
        }
        Ok(todos)
    }

    /// About how many bytes are kept. Zero: every read asks the database.
    pub(super) fn set_capacity(&self, bytes: u64) {
        self.results.set_capacity(bytes);
    }

    /// A write to a workspace begins, which may be seen from now on.
    pub(super) fn writing(&self, workspace: &WorkspaceId) -> Writing {
        let place = self.writes.place(workspace);
        self.writes.numbers[place].begun.fetch_add(1, Ordering::SeqCst);
        Writing { writes: Arc::clone(&self.writes), place }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::sqlite::fixture::{id, todo, workspace};

    fn key(number: u8) -> Key {
        Key { workspace: workspace(), read: Read::Find(id(number)) }
    }

    /// Whether the database was asked.
    async fn asks(recent: &Recent, key: Key, meanwhile: impl FnOnce()) -> bool {
        let asked = Cell::new(false);
        let query = async {
            asked.set(true);
            meanwhile();
            Ok(vec![todo(1, "todo")])
        };
        assert_eq!(recent.read(key, query).await.unwrap(), [todo(1, "todo")]);
        asked.get()
    }

    #[tokio::test]
    async fn what_was_read_is_kept_until_a_write_begins() {
        let recent = Recent::default();
        assert!(asks(&recent, key(1), || ()).await);
        assert!(!asks(&recent, key(1), || ()).await);
        assert!(asks(&recent, key(2), || ()).await, "another read");
        let other = Key { workspace: WorkspaceId::try_from("other").unwrap(), ..key(1) };
        assert!(asks(&recent, other, || ()).await, "of another workspace");

        let (one, two) = (recent.writing(&workspace()), recent.writing(&workspace()));
        assert!(asks(&recent, key(1), || ()).await, "what it will be is not known");
        drop(one);
        assert!(asks(&recent, key(1), || ()).await, "there is another");
        drop(two);
        assert!(asks(&recent, key(1), || ()).await, "what it is now is not known");
        assert!(!asks(&recent, key(1), || ()).await);
    }

    #[tokio::test]
    async fn what_was_read_beside_a_write_is_not_kept() {
        let recent = Recent::default();
        let mut writing = None;
        assert!(asks(&recent, key(1), || writing = Some(recent.writing(&workspace()))).await);
        drop(writing);
        assert!(asks(&recent, key(1), || drop(recent.writing(&workspace()))).await);
        assert!(asks(&recent, key(1), || ()).await);
        assert!(!asks(&recent, key(1), || ()).await);
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let recent = Recent::default();
        let long = "x".repeat(16 * 1024);
        for number in 0..2_000 {
            let read = Read::List { filter: Filter::default(), after: None, limit: number };
            let key = Key { workspace: workspace(), read };
            let todos = vec![todo(1, &long[..500]); 50];
            recent.read(key, async { Ok(todos) }).await.unwrap();
        }
        assert!(recent.results.weight() <= CAPACITY);
        assert!(recent.results.len() > 100);
        recent.set_capacity(0);
        assert_eq!(recent.results.weight(), 0);
        assert!(asks(&recent, key(1), || ()).await);
        assert!(asks(&recent, key(1), || ()).await);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_what_is_not_there_or_cannot_be_read() {
        let recent = Recent::default();
        assert_eq!(recent.read(key(1), async { Ok(vec![]) }).await.unwrap(), []);
        assert!(asks(&recent, key(1), || ()).await);
        let unavailable = async { Err(crate::sqlite::failure::unavailable("test")) };
        assert!(recent.read(key(2), unavailable).await.is_err());
        assert!(asks(&recent, key(2), || ()).await);
    }
}
