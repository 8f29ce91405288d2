//! "If the subject that makes the todo has made one in this workspace by a request of the same key
//! that is not forgotten when this todo is made, nothing is added, and that creation is returned."

use todo_application::domain::{Instant, Subject};
use todo_application::ports::{Creation, CreationRequest};

use super::*;

fn at(millis: i64) -> Instant {
    Instant::from_unix_millis(millis).unwrap()
}

fn request(key: &str, forget_at: i64) -> CreationRequest {
    // The largest there is: also a store without unsigned numbers gives it back.
    let fingerprint = u64::MAX;
    CreationRequest { key: key.try_into().unwrap(), fingerprint, forget_at: at(forget_at) }
}

/// A todo made by `subject` at `millis`.
fn made(workspace_name: &str, number: u32, subject: &str, millis: i64) -> Todo {
    let made_at = at(millis);
    let subject = Subject::try_from(subject).unwrap();
    let record = todo(workspace_name, number).record().clone();
    restore(TodoRecord {
        created_at: made_at,
        updated_at: made_at,
        created_by: subject.clone(),
        updated_by: subject,
        ..record
    })
}

async fn all(repository: &Arc<dyn TodoRepository>, name: &str) -> Vec<u128> {
    numbers(&repository.list(&workspace(name), BOTH, None, 100).await.unwrap())
}

pub(super) async fn a_request_that_is_repeated_adds_nothing_and_is_told_what_it_did(
    repository: Arc<dyn TodoRepository>,
) {
    let first = made("mine", 1, "usr_a", 100);
    assert_eq!(repository.insert_once(&first, &request("k", 1_000)).await.unwrap(), None);
    let stored = repository.find(first.workspace(), first.id()).await.unwrap();
    assert_eq!(stored, Some(first.clone()));
    let told = Creation { todo: first.id(), at: at(100), fingerprint: u64::MAX };
    for number in 2..4 {
        let again = made("mine", number, "usr_a", 999);
        let different = CreationRequest { fingerprint: 7, ..request("k", 9_000) };
        assert_eq!(repository.insert_once(&again, &different).await.unwrap(), Some(told));
    }
    assert_eq!(all(&repository, "mine").await, [1]);
}

pub(super) async fn another_key_subject_or_workspace_is_another_request(
    repository: Arc<dyn TodoRepository>,
) {
    for (todo, key) in [
        (made("mine", 1, "usr_a", 100), "k"),
        (made("mine", 2, "usr_a", 100), "K"),
        (made("mine", 3, "usr_b", 100), "k"),
        (made("yours", 1, "usr_a", 100), "k"),
    ] {
        assert_eq!(repository.insert_once(&todo, &request(key, 1_000)).await.unwrap(), None);
    }
    assert_eq!(all(&repository, "mine").await, [1, 2, 3]);
    assert_eq!(all(&repository, "yours").await, [1]);
}

pub(super) async fn a_request_is_forgotten_when_its_time_is_over(
    repository: Arc<dyn TodoRepository>,
) {
    let first = made("mine", 1, "usr_a", 100);
    repository.insert_once(&first, &request("k", 1_000)).await.unwrap();
    let in_time = made("mine", 2, "usr_a", 999);
    assert!(repository.insert_once(&in_time, &request("k", 1_999)).await.unwrap().is_some());
    let late = made("mine", 3, "usr_a", 1_000);
    assert_eq!(repository.insert_once(&late, &request("k", 2_000)).await.unwrap(), None);
    let again = made("mine", 4, "usr_a", 1_500);
    let told = repository.insert_once(&again, &request("k", 2_500)).await.unwrap();
    assert_eq!(told.map(|creation| creation.todo), Some(late.id()));
    assert_eq!(all(&repository, "mine").await, [1, 3]);
}

pub(super) async fn what_a_request_did_is_known_when_its_todo_is_gone(
    repository: Arc<dyn TodoRepository>,
) {
    let first = made("mine", 1, "usr_a", 100);
    repository.insert_once(&first, &request("k", 1_000)).await.unwrap();
    assert!(repository.remove(first.workspace(), first.id(), None).await.unwrap());
    let again = made("mine", 2, "usr_a", 200);
    let told = repository.insert_once(&again, &request("k", 1_000)).await.unwrap();
    assert_eq!(told.map(|creation| creation.todo), Some(first.id()));
    assert!(all(&repository, "mine").await.is_empty());
}

pub(super) async fn a_request_whose_todo_is_refused_is_not_remembered(
    repository: Arc<dyn TodoRepository>,
) {
    let first = made("mine", 1, "usr_a", 100);
    repository.insert(&first).await.unwrap();
    let refused = repository.insert_once(&first, &request("k", 1_000)).await;
    assert!(matches!(refused, Err(StorageError::Duplicate(id)) if id == first.id()));
    let next = made("mine", 2, "usr_a", 100);
    assert_eq!(repository.insert_once(&next, &request("k", 1_000)).await.unwrap(), None);
}

pub(super) async fn of_concurrent_requests_of_one_key_one_adds_its_todo(
    repository: Arc<dyn TodoRepository>,
) {
    for round in 0..20 {
        let answers = concurrency::at_once(|number| {
            let repository = Arc::clone(&repository);
            let todo = made("mine", round * 100 + number, "usr_a", 100);
            async move {
                let request = request(&format!("round {round}"), 1_000);
                (todo.id(), repository.insert_once(&todo, &request).await.unwrap())
            }
        })
        .await;
        let added: Vec<_> = answers.iter().filter(|(_, earlier)| earlier.is_none()).collect();
        let [(winner, _)] = added.as_slice() else { panic!("{added:?}") };
        let told = answers.iter().filter_map(|(_, earlier)| earlier.as_ref());
        assert!(told.clone().all(|creation| creation.todo == *winner));
        assert_eq!(told.count(), answers.len() - 1);
    }
    assert_eq!(all(&repository, "mine").await.len(), 20);
}
