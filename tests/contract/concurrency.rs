//! Writes to one todo are atomic: of two that expect the same version, one succeeds.

use std::future::Future;
use std::time::Duration;

use todo_application::domain::{Order, Place};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::*;

const TASKS: u32 = 8;

/// Runs `act` for 0, 1, .. `TASKS - 1` concurrently, and returns the results.
pub(super) async fn at_once<T, F>(act: impl Fn(u32) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(TASKS as usize));
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let (start, action) = (Arc::clone(&start), act(number));
        tasks.spawn(async move {
            start.wait().await;
            action.await
        });
    }
    tasks.join_all().await
}

/// "`InsertError::Duplicate` if its workspace has one with this id", also when it was inserted concurrently.
pub(super) async fn of_concurrent_inserts_of_one_id_one_succeeds(
    repository: Arc<dyn TodoRepository>,
) {
    for number in 0..20 {
        let answers = at_once(|_| {
            let (repository, todo) = (Arc::clone(&repository), todo("mine", number));
            async move { repository.add(&todo).await }
        })
        .await;
        let (inserted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(inserted.len(), 1);
        assert!(refused.iter().all(|answer| matches!(answer, Err(InsertError::Duplicate(_)))));
    }
}

/// The stored todo is that of the successful save.
pub(super) async fn of_concurrent_saves_of_one_version_one_succeeds(
    repository: Arc<dyn TodoRepository>,
) {
    let mut stored = todo("mine", 1);
    repository.add(&stored).await.unwrap();
    for _ in 0..20 {
        let answers = at_once(|number| {
            let (repository, expected) = (Arc::clone(&repository), stored.version());
            let title = format!("Buy milk for {number}").as_str().try_into().unwrap();
            let next = marked(&stored, number % 2 == 0).record().clone();
            let next = restore(TodoRecord { title, ..next });
            async move { repository.replace(&next, expected).await.map(|()| next) }
        })
        .await;
        let (mut winners, losers): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(winners.len(), 1);
        assert!(losers.iter().all(|answer| matches!(answer, Err(ChangeError::Stale))));

        stored = winners.remove(0).unwrap();
        let found = repository.find_in(&workspace("mine"), id(1)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&stored));
    }
}

pub(super) async fn of_concurrent_removes_one_finds_the_todo(repository: Arc<dyn TodoRepository>) {
    for number in 0..20 {
        repository.add(&todo("mine", number)).await.unwrap();
        let answers =
            at_once(|_| {
                let repository = Arc::clone(&repository);
                async move {
                    repository.remove_from(&workspace("mine"), id(number), None).await.unwrap()
                }
            })
            .await;
        assert_eq!(answers.into_iter().filter(|was_there| *was_there).count(), 1);
    }
}

/// Every acknowledged write is durable.
pub(super) async fn concurrent_inserts_are_all_stored(repository: Arc<dyn TodoRepository>) {
    at_once(|task| {
        let repository = Arc::clone(&repository);
        async move {
            for number in 0..50 {
                repository.add(&todo("mine", number * TASKS + task)).await.unwrap();
            }
        }
    })
    .await;
    let todos = repository.list_in(&workspace("mine"), BOTH, None, usize::MAX).await.unwrap();
    assert_eq!(numbers(&todos), (0..u128::from(50 * TASKS)).collect::<Vec<_>>());
}

/// A cancelled write is stored completely or not at all.
pub(super) async fn a_cancelled_write_breaks_nothing(repository: Arc<dyn TodoRepository>) {
    for number in 0..50 {
        let todo = todo("mine", number);
        let insert = repository.add(&todo);
        let _ = tokio::time::timeout(Duration::ZERO, insert).await;
    }
    repository.add(&todo("mine", 50)).await.unwrap();
    let todos = repository.list_in(&workspace("mine"), BOTH, None, usize::MAX).await.unwrap();
    assert_eq!(todos.last(), Some(&todo("mine", 50)));
    for found in todos {
        let number = u32::try_from(found.id().as_uuid().as_u128()).unwrap();
        assert_eq!(found, todo("mine", number));
    }
}

/// "Every read that begins then sees it": also where others read the same at the same time. Half of the tasks write,
/// each to a todo of its own; the others see no todo go back to a version before.
pub(super) async fn every_read_sees_the_writes_before_it(repository: Arc<dyn TodoRepository>) {
    for number in 0..TASKS {
        repository.add(&todo("mine", number)).await.unwrap();
    }
    at_once(|task| {
        let repository = Arc::clone(&repository);
        async move {
            if task % 2 == 0 {
                write_and_read(&*repository, task).await;
            } else {
                watch(&*repository).await;
            }
        }
    })
    .await;
}

const ROUNDS: usize = 60;

async fn write_and_read(repository: &dyn TodoRepository, number: u32) {
    let mut stored = todo("mine", number);
    for round in 0..ROUNDS {
        let next = marked(&stored, round % 2 == 0);
        repository.replace(&next, stored.version()).await.unwrap();
        stored = next;
        let workspace = workspace("mine");
        let found = repository.find_in(&workspace, id(number)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&stored));
        let listed = repository.list_in(&workspace, BOTH, None, 100).await.unwrap();
        assert!(listed.contains(&stored), "{round}: {listed:?}");
        let order = Order::Priority;
        let listed =
            repository.list_in_by(&workspace, order, BOTH, Place::START, 100).await.unwrap();
        assert!(listed.contains(&stored), "{round}: {listed:?}");
    }
}

async fn watch(repository: &dyn TodoRepository) {
    let mut versions = vec![Version::FIRST; TASKS as usize];
    for _ in 0..3 * ROUNDS {
        let listed = repository.list_in(&workspace("mine"), BOTH, None, 100).await.unwrap();
        let listed: Vec<_> = listed.iter().map(Todo::version).collect();
        assert!(listed.iter().zip(&versions).all(|(now, before)| now >= before), "{listed:?}");
        versions = listed;
        tokio::task::yield_now().await;
    }
}
