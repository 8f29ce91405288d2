//! Word of changes within one process.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use todo_application::domain::{TodoId, WorkspaceId};
use todo_application::ports::{ChangeFeed, Changed, Changes};
use tokio::sync::Notify;

/// How many todos a subscriber may have to fetch by name. Of more it is told that there are too many
/// to name, so that one who fetches nothing costs no more than this.
const MOST_NAMED: usize = 256;

/// Tells the subscribers of this process of the changes that this process makes.
#[derive(Default)]
pub struct InProcessChangeFeed {
    subscribers: Arc<RwLock<Subscribers>>,
}

type Subscribers = HashMap<WorkspaceId, Vec<Arc<Subscriber>>>;

/// One who watches, and what is waiting there.
struct Subscriber {
    unseen: Mutex<Changed>,
    woken: Notify,
}

impl Subscriber {
    fn tell(&self, todo: TodoId) {
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Changed::Todos(todos) = &mut *unseen {
            todos.insert(todo);
            if todos.len() > MOST_NAMED {
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

#[cfg(feature = "postgres")]
impl InProcessChangeFeed {
    /// Tells everyone, in every workspace, that anything may have changed.
    pub(crate) fn publish_anything(&self) {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner);
        for subscriber in subscribers.values().flatten() {
            *subscriber.unseen.lock().unwrap_or_else(PoisonError::into_inner) = Changed::Any;
            subscriber.woken.notify_one();
        }
    }
}

impl ChangeFeed for InProcessChangeFeed {
    fn publish(&self, workspace: &WorkspaceId, todo: TodoId) {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner);
        for subscriber in subscribers.get(workspace).into_iter().flatten() {
            subscriber.tell(todo);
        }
    }

    fn subscribe(&self, workspace: &WorkspaceId) -> Box<dyn Changes> {
        let subscriber = Arc::new(Subscriber {
            unseen: Mutex::new(Changed::Todos(BTreeSet::new())),
            woken: Notify::new(),
        });
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        subscribers.entry(workspace.clone()).or_default().push(Arc::clone(&subscriber));
        Box::new(Subscription {
            subscriber,
            workspace: workspace.clone(),
            subscribers: Arc::clone(&self.subscribers),
        })
    }
}

/// A subscriber's place in the list, which ends with it.
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
        if let Some(here) = subscribers.get_mut(&self.workspace) {
            here.retain(|other| !Arc::ptr_eq(other, &self.subscriber));
            if here.is_empty() {
                subscribers.remove(&self.workspace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(name: &str) -> WorkspaceId {
        WorkspaceId::try_from(name).unwrap()
    }

    fn id(number: u32) -> TodoId {
        TodoId::from_bytes(u128::from(number).to_be_bytes())
    }

    fn these(numbers: impl IntoIterator<Item = u32>) -> Changed {
        Changed::Todos(numbers.into_iter().map(id).collect())
    }

    #[tokio::test]
    async fn everyone_who_watches_a_workspace_is_told_and_nobody_else() {
        let feed = InProcessChangeFeed::default();
        let mut one = feed.subscribe(&workspace("mine"));
        let mut two = feed.subscribe(&workspace("mine"));
        let mut other = feed.subscribe(&workspace("yours"));
        feed.publish(&workspace("mine"), id(1));
        feed.publish(&workspace("yours"), id(2));
        assert_eq!(one.next().await, these([1]));
        assert_eq!(two.next().await, these([1]));
        assert_eq!(other.next().await, these([2]));
    }

    #[tokio::test]
    async fn what_was_not_fetched_is_merged_and_told_once() {
        let feed = InProcessChangeFeed::default();
        let mut watching = feed.subscribe(&workspace("mine"));
        for number in [1, 2, 1] {
            feed.publish(&workspace("mine"), id(number));
        }
        assert_eq!(watching.next().await, these([1, 2]));
        feed.publish(&workspace("mine"), id(3));
        assert_eq!(watching.next().await, these([3]));
    }

    #[tokio::test]
    async fn of_too_many_only_the_fact_is_kept() {
        let feed = InProcessChangeFeed::default();
        let mut watching = feed.subscribe(&workspace("mine"));
        let most = u32::try_from(MOST_NAMED).unwrap();
        (0..=most).for_each(|number| feed.publish(&workspace("mine"), id(number)));
        assert_eq!(watching.next().await, Changed::Any);
        (0..most).for_each(|number| feed.publish(&workspace("mine"), id(number)));
        assert_eq!(watching.next().await, these(0..most));
    }

    #[tokio::test]
    async fn one_who_waits_is_woken() {
        let feed = InProcessChangeFeed::default();
        let mut watching = feed.subscribe(&workspace("mine"));
        let waiting = tokio::spawn(async move { watching.next().await });
        tokio::task::yield_now().await;
        feed.publish(&workspace("mine"), id(1));
        assert_eq!(waiting.await.unwrap(), these([1]));
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_loses_nothing() {
        let feed = InProcessChangeFeed::default();
        let mut watching = feed.subscribe(&workspace("mine"));
        tokio::select! {
            biased;
            _ = watching.next() => panic!("nothing has changed"),
            () = std::future::ready(()) => {}
        }
        feed.publish(&workspace("mine"), id(1));
        assert_eq!(watching.next().await, these([1]));
    }

    #[tokio::test]
    async fn nothing_is_kept_of_those_who_left() {
        let feed = InProcessChangeFeed::default();
        let one = feed.subscribe(&workspace("mine"));
        let two = feed.subscribe(&workspace("mine"));
        drop(one);
        assert_eq!(feed.subscribers.read().unwrap()[&workspace("mine")].len(), 1);
        drop(two);
        assert!(feed.subscribers.read().unwrap().is_empty());
    }
}
