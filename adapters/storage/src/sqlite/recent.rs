//! What was read a moment ago.
//!
//! An assistant lists the same todos again and again, and reads those that it is about to change. What a workspace
//! holds changes only through the writer of this process, as no other todo-mcp may open the file: so a result that was
//! read while no write to its workspace was under way is what SQLite would answer, until the next write begins.
//! Workspaces share a number of [`Writes`]; one that shares with a busy one is read more often.

use std::array;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use todo_application::domain::{Order, Place, Todo, TodoId, WorkspaceId};
use todo_application::ports::{Filter, StorageError};

/// About how many bytes are kept if nothing else is set: hundreds of pages. What is read once is evicted before what
/// is read repeatedly (S3-FIFO).
const CAPACITY: u64 = 8 * MIB;

const MIB: u64 = 1024 * 1024;

/// The most todos of a result that is kept: more than a page has, and not all that a search reads.
const MOST_TODOS: usize = 256;

/// About what a result takes beside its todos, in bytes.
const RESULT: u64 = 200;

/// About how many results of a MiB are kept: what a table for them is sized by.
const RESULTS: u64 = 512;

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
    /// `None` to ask the database each time.
    results: Option<Cache<Key, Kept, Weight>>,
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
        RESULT + kept.todos.iter().map(|todo| todo.record().memory()).sum::<u64>()
    }
}

/// The writes to all workspaces.
pub(super) struct AllWrites {
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

impl Default for AllWrites {
    fn default() -> Self {
        Self { hasher: RandomState::new(), numbers: array::from_fn(|_| Writes::default()) }
    }
}

impl AllWrites {
    fn place(&self, workspace: &WorkspaceId) -> usize {
        let hash = self.hasher.hash_one(workspace);
        usize::try_from(hash % WRITES as u64).unwrap_or(0)
    }

    /// A write to a workspace begins, which may be seen from now on.
    pub(super) fn begin(self: &Arc<Self>, workspace: &WorkspaceId) -> Writing {
        let place = self.place(workspace);
        self.numbers[place].begun.fetch_add(1, Ordering::SeqCst);
        Writing { writes: Arc::clone(self), place }
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

impl Recent {
    /// `writes` are those that end what is kept.
    pub(super) fn new(writes: Arc<AllWrites>) -> Self {
        Self { results: results(CAPACITY), writes }
    }

    /// About how many bytes are kept. Zero: every read asks the database.
    pub(super) fn set_capacity(&mut self, bytes: u64) {
        self.results = results(bytes);
    }

    /// The todos that were read, or else those that `query` returns.
    pub(super) async fn read(
        &self,
        key: Key,
        query: impl Future<Output = Result<Vec<Todo>, StorageError>>,
    ) -> Result<Vec<Todo>, StorageError> {
        let Some(results) = &self.results else { return query.await };
        let writes = &self.writes.numbers[self.writes.place(&key.workspace)];
        let Some(generation) = writes.settled() else { return query.await };
        if let Some(kept) = results.get(&key).filter(|it| it.generation == generation) {
            return Ok(kept.todos.to_vec());
        }
        let todos = query.await?;
        if (1..=MOST_TODOS).contains(&todos.len()) && writes.settled() == Some(generation) {
            results.insert(key, Kept { generation, todos: todos.as_slice().into() });
        }
        Ok(todos)
    }
}

/// Of a MiB for each lock, however many cores there are: a page must have room in its part.
fn results(bytes: u64) -> Option<Cache<Key, Kept, Weight>> {
    let parts = (bytes / MIB).clamp(1, 64);
    let options = OptionsBuilder::new()
        .shards(usize::try_from(parts).unwrap_or(1))
        .estimated_items_capacity(usize::try_from(bytes / MIB * RESULTS).unwrap_or(usize::MAX))
        .weight_capacity(bytes)
        .build()
        .ok()
        .filter(|_| bytes > 0)?;
    let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
    Some(Cache::with_options(options, Weight, hasher, lifecycle))
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
        let recent = Recent::new(Arc::default());
        assert!(asks(&recent, key(1), || ()).await);
        assert!(!asks(&recent, key(1), || ()).await);
        assert!(asks(&recent, key(2), || ()).await, "another read");
        let other = Key { workspace: WorkspaceId::try_from("other").unwrap(), ..key(1) };
        assert!(asks(&recent, other, || ()).await, "of another workspace");

        let (one, two) = (recent.writes.begin(&workspace()), recent.writes.begin(&workspace()));
        assert!(asks(&recent, key(1), || ()).await, "what it will be is not known");
        drop(one);
        assert!(asks(&recent, key(1), || ()).await, "there is another");
        drop(two);
        assert!(asks(&recent, key(1), || ()).await, "what it is now is not known");
        assert!(!asks(&recent, key(1), || ()).await);
    }

    #[tokio::test]
    async fn what_was_read_beside_a_write_is_not_kept() {
        let recent = Recent::new(Arc::default());
        let mut writing = None;
        assert!(asks(&recent, key(1), || writing = Some(recent.writes.begin(&workspace()))).await);
        drop(writing);
        assert!(asks(&recent, key(1), || drop(recent.writes.begin(&workspace()))).await);
        assert!(asks(&recent, key(1), || ()).await);
        assert!(!asks(&recent, key(1), || ()).await);
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let mut recent = Recent::new(Arc::default());
        let long = "x".repeat(16 * 1024);
        for number in 0..2_000 {
            let read = Read::List { filter: Filter::default(), after: None, limit: number };
            let key = Key { workspace: workspace(), read };
            let todos = vec![todo(1, &long[..500]); 50];
            recent.read(key, async { Ok(todos) }).await.unwrap();
        }
        let results = recent.results.as_ref().unwrap();
        assert!(results.weight() <= CAPACITY);
        assert!(results.len() > 100);
        let last = Read::List { filter: Filter::default(), after: None, limit: 1_999 };
        let last = Key { workspace: workspace(), read: last };
        assert!(results.get(&last).is_some(), "a page has room on any machine");
        let all = Key {
            read: Read::List { filter: Filter::default(), after: None, limit: 2_000 },
            ..last
        };
        let todos = vec![todo(1, "todo"); 300];
        recent.read(all.clone(), async { Ok(todos) }).await.unwrap();
        assert!(results.get(&all).is_none(), "more than a page");

        recent.set_capacity(0);
        assert!(asks(&recent, key(1), || ()).await);
        assert!(asks(&recent, key(1), || ()).await);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_what_is_not_there_or_cannot_be_read() {
        let recent = Recent::new(Arc::default());
        assert_eq!(recent.read(key(1), async { Ok(vec![]) }).await.unwrap(), []);
        assert!(asks(&recent, key(1), || ()).await);
        let unavailable = async { Err(crate::sqlite::failure::unavailable("test")) };
        assert!(recent.read(key(2), unavailable).await.is_err());
        assert!(asks(&recent, key(2), || ()).await);
    }
}
