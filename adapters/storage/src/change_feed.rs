//! Notices of changes within one process.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use todo_application::domain::{ReadPermit, TodoId, WorkspaceId, WritePermit};
use todo_application::ports::{ChangeFeed, Changed, Changes};
use tokio::sync::Notify;

/// How many ids are kept for a subscriber. Beyond that it receives [`Changed::Any`], so that a
/// subscriber who fetches nothing takes bounded memory.
const MAX_IDS: usize = 256;

/// Notifies the subscribers of this process of the changes that this process makes.
#[derive(Default)]
pub struct InProcessChangeFeed {
    subscribers: Arc<RwLock<Subscribers>>,
}

type Subscribers = HashMap<WorkspaceId, Vec<Arc<Subscriber>>>;

struct Subscriber {
    unseen: Mutex<Changed>,
    woken: Notify,
}

impl Subscriber {
    fn notify(&self, todo: TodoId) {
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Changed::Todos(todos) = &mut *unseen {
            todos.insert(todo);
            if todos.len() > MAX_IDS {
                *unseen = Changed::Any;
            }
        }
        drop(unseen);
        self.woken.notify_one();
    }

    fn take(&self) -> Option<Changed> {
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = mem::replace(&mut *unseen, Changed::Todos(BTreeSet::new()));
        let something = match &taken {
            Changed::Todos(todos) => !todos.is_empty(),
            Changed::Any => true,
        };
        something.then_some(taken)
    }
}

impl InProcessChangeFeed {
    /// Notifies the subscribers of a workspace that a todo has changed.
    pub(crate) fn notify(&self, workspace: &WorkspaceId, todo: TodoId) {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner);
        for subscriber in subscribers.get(workspace).into_iter().flatten() {
            subscriber.notify(todo);
        }
    }

    /// Notifies all subscribers of all workspaces that anything may have changed.
    #[cfg(feature = "postgres")]
    pub(crate) fn notify_all(&self) {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner);
        for subscriber in subscribers.values().flatten() {
            *subscriber.unseen.lock().unwrap_or_else(PoisonError::into_inner) = Changed::Any;
            subscriber.woken.notify_one();
        }
    }

    fn subscribe_to(&self, workspace: &WorkspaceId) -> Subscription {
        let subscriber = Arc::new(Subscriber {
            unseen: Mutex::new(Changed::Todos(BTreeSet::new())),
            woken: Notify::new(),
        });
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        subscribers.entry(workspace.clone()).or_default().push(Arc::clone(&subscriber));
        let (workspace, subscribers) = (workspace.clone(), Arc::clone(&self.subscribers));
        Subscription { subscriber, workspace, subscribers }
    }
}

impl ChangeFeed for InProcessChangeFeed {
    fn publish(&self, permit: &WritePermit, todo: TodoId) {
        self.notify(permit.workspace(), todo);
    }

    fn subscribe(&self, permit: &ReadPermit) -> Box<dyn Changes> {
        Box::new(self.subscribe_to(permit.workspace()))
    }
}

/// An entry in the list of subscribers, removed when it is dropped.
struct Subscription {
    subscriber: Arc<Subscriber>,
    workspace: WorkspaceId,
    subscribers: Arc<RwLock<Subscribers>>,
}

#[async_trait]
impl Changes for Subscription {
    async fn next(&mut self) -> Changed {
        loop {
            if let Some(changed) = self.subscriber.take() {
                return changed;
            }
            self.subscriber.woken.notified().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(others) = subscribers.get_mut(&self.workspace) {
            others.retain(|other| !Arc::ptr_eq(other, &self.subscriber));
            if others.is_empty() {
                subscribers.remove(&self.workspace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(key: &str) -> WorkspaceId {
        WorkspaceId::try_from(key).unwrap()
    }

    fn id(number: u32) -> TodoId {
        TodoId::from_bytes(u128::from(number).to_be_bytes())
    }

    fn these(numbers: impl IntoIterator<Item = u32>) -> Changed {
        Changed::Todos(numbers.into_iter().map(id).collect())
    }

    #[tokio::test]
    async fn all_subscribers_of_a_workspace_are_notified_and_no_others() {
        let feed = InProcessChangeFeed::default();
        let mut one = feed.subscribe_to(&workspace("mine"));
        let mut two = feed.subscribe_to(&workspace("mine"));
        let mut other = feed.subscribe_to(&workspace("yours"));
        feed.notify(&workspace("mine"), id(1));
        feed.notify(&workspace("yours"), id(2));
        assert_eq!(one.next().await, these([1]));
        assert_eq!(two.next().await, these([1]));
        assert_eq!(other.next().await, these([2]));
    }

    #[tokio::test]
    async fn changes_are_merged_until_they_are_fetched() {
        let feed = InProcessChangeFeed::default();
        let mut changes = feed.subscribe_to(&workspace("mine"));
        for number in [1, 2, 1] {
            feed.notify(&workspace("mine"), id(number));
        }
        assert_eq!(changes.next().await, these([1, 2]));
        feed.notify(&workspace("mine"), id(3));
        assert_eq!(changes.next().await, these([3]));
    }

    #[tokio::test]
    async fn too_many_changes_are_merged_to_any() {
        let feed = InProcessChangeFeed::default();
        let mut changes = feed.subscribe_to(&workspace("mine"));
        let max = u32::try_from(MAX_IDS).unwrap();
        (0..=max).for_each(|number| feed.notify(&workspace("mine"), id(number)));
        assert_eq!(changes.next().await, Changed::Any);
        (0..max).for_each(|number| feed.notify(&workspace("mine"), id(number)));
        assert_eq!(changes.next().await, these(0..max));
    }

    #[tokio::test]
    async fn a_waiting_subscriber_is_woken() {
        let feed = InProcessChangeFeed::default();
        let mut changes = feed.subscribe_to(&workspace("mine"));
        let waiting = tokio::spawn(async move { changes.next().await });
        tokio::task::yield_now().await;
        feed.notify(&workspace("mine"), id(1));
        assert_eq!(waiting.await.unwrap(), these([1]));
    }

    #[tokio::test]
    async fn a_cancelled_wait_loses_nothing() {
        let feed = InProcessChangeFeed::default();
        let mut changes = feed.subscribe_to(&workspace("mine"));
        tokio::select! {
            biased;
            _ = changes.next() => panic!("nothing has changed"),
            () = std::future::ready(()) => {}
        }
        feed.notify(&workspace("mine"), id(1));
        assert_eq!(changes.next().await, these([1]));
    }

    #[tokio::test]
    async fn a_dropped_subscription_leaves_nothing_behind() {
        let feed = InProcessChangeFeed::default();
        let one = feed.subscribe_to(&workspace("mine"));
        let two = feed.subscribe_to(&workspace("mine"));
        drop(one);
        assert_eq!(feed.subscribers.read().unwrap()[&workspace("mine")].len(), 1);
        drop(two);
        assert!(feed.subscribers.read().unwrap().is_empty());
    }
}
