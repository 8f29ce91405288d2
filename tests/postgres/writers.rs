//! Clients that write continuously and record every acknowledgement.

use std::collections::BTreeMap;
use std::sync::Arc;

use todo_application::domain::Version;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::*;

const WRITERS: usize = 8;

/// Several running writers.
pub(crate) struct Writers {
    repository: Arc<PostgresTodoRepository>,
    at_work: JoinSet<BTreeMap<TodoId, Version>>,
    /// The number of acknowledged writes.
    answered: watch::Sender<usize>,
    stop: watch::Sender<bool>,
}

impl Writers {
    /// Starts writers that create and change todos one after the other, whatever the result.
    pub(crate) fn start(repository: PostgresTodoRepository) -> Self {
        let repository = Arc::new(repository);
        let (answered, stop) = (watch::Sender::new(0), watch::Sender::new(false));
        let mut at_work = JoinSet::new();
        for first in (0..).take(WRITERS) {
            let (repository, answered) = (Arc::clone(&repository), answered.clone());
            let stopped = stop.subscribe();
            at_work.spawn(async move {
                let mut durable = BTreeMap::new();
                for number in (first..).step_by(WRITERS) {
                    if *stopped.borrow() {
                        break;
                    }
                    let (new, edited) = (todo(number), done(&todo(number)));
                    if known(repository.add(&new).await) {
                        durable.insert(new.id(), new.version());
                        answered.send_modify(|answered| *answered += 1);
                        if known(repository.replace(&edited, new.version()).await) {
                            durable.insert(edited.id(), edited.version());
                            answered.send_modify(|answered| *answered += 1);
                        }
                    }
                }
                durable
            });
        }
        Self { repository, at_work, answered, stop }
    }

    /// Waits for so many more acknowledged writes.
    pub(crate) async fn answered(&self, more: usize) {
        let mut answered = self.answered.subscribe();
        let enough = *answered.borrow() + more;
        soon(answered.wait_for(|answered| *answered >= enough)).await.unwrap();
    }

    /// Stops them, and returns what they wrote to.
    pub(crate) async fn stop(self) -> Arc<PostgresTodoRepository> {
        self.stop.send_replace(true);
        soon(self.at_work.join_all()).await;
        self.repository
    }

    /// Stops them, and asserts that everything acknowledged is stored.
    pub(crate) async fn assert_nothing_is_lost(self) {
        self.stop.send_replace(true);
        let durable = soon(self.at_work.join_all()).await;
        let stored: BTreeMap<_, _> =
            everything(&self.repository).await.into_iter().map(|todo| (todo.id(), todo)).collect();
        for (id, version) in durable.into_iter().flatten() {
            let found = stored.get(&id).map(Todo::version);
            assert!(found >= Some(version), "{id} was answered as {version}, and is {found:?}");
        }
        for (id, todo) in stored {
            let written = self::todo(u64::try_from(id.as_uuid().as_u128()).unwrap());
            assert!([done(&written), written].contains(&todo), "{todo:?}");
        }
    }
}

/// Whether a write was answered; anything but an answer has to be "not available".
fn known<E: Error>(answer: Result<(), E>) -> bool {
    answer.is_ok() || assert_unavailable(answer).is_empty()
}
