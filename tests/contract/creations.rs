//! Idempotent creation: a request with the same key, by the same caller in the same workspace,
//! that is still remembered adds nothing and gets the first creation.

use todo_application::domain::{Instant, Subject};
use todo_application::ports::{Creation, CreationRequest};
use todo_tests::write_permit_for_everyone;

use super::*;

fn at(millis: i64) -> Instant {
    Instant::from_unix_millis(millis).unwrap()
}

pub(super) fn request(key: &str, forget_at: i64) -> CreationRequest {
    // The largest: it must be preserved in a store without unsigned numbers too.
    let fingerprint = u64::MAX;
    CreationRequest { key: key.try_into().unwrap(), fingerprint, forget_at: at(forget_at) }
}

/// A todo created by `subject` at `millis`.
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
    numbers(&repository.list_in(&workspace(name), BOTH, None, 100).await.unwrap())
}

pub(super) async fn a_repeated_request_adds_nothing_and_gets_the_first_result(
    repository: Arc<dyn TodoRepository>,
) {
    let first = made("mine", 1, "usr_a", 100);
    assert_eq!(repository.add_once(&first, &request("k", 1_000)).await.unwrap(), None);
    let stored = repository.find_in(first.workspace(), first.id()).await.unwrap();
    assert_eq!(stored, Some(first.clone()));
    let earlier = Creation { todo: first.id(), at: at(100), fingerprint: u64::MAX };
    for number in 2..4 {
        let again = made("mine", number, "usr_a", 999);
        let different = CreationRequest { fingerprint: 7, ..request("k", 9_000) };
        assert_eq!(repository.add_once(&again, &different).await.unwrap(), Some(earlier));
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
        assert_eq!(repository.add_once(&todo, &request(key, 1_000)).await.unwrap(), None);
    }
    assert_eq!(all(&repository, "mine").await, [1, 2, 3]);
    assert_eq!(all(&repository, "yours").await, [1]);
}

/// Where everyone shares a workspace, a subject of another organization is another caller.
pub(super) async fn a_subject_in_two_organizations_is_two_callers(
    repository: Arc<dyn TodoRepository>,
) {
    let subject = Subject::try_from("usr_a").unwrap();
    let of_everyone = |number| {
        let record = made("mine", number, "usr_a", 100).into_record();
        let permit = write_permit_for_everyone(&subject, None);
        restore(TodoRecord { workspace: permit.workspace().clone(), ..record })
    };
    let callers = [None, Some("org_a"), Some("org_b")];
    for (number, organization) in (1..).zip(callers) {
        let permit = write_permit_for_everyone(&subject, organization);
        let new = of_everyone(number);
        let added = repository.insert_once(&permit, &new, &request("k", 1_000)).await;
        assert_eq!(added.unwrap().earlier(), None, "{organization:?}");
        let again = of_everyone(10 + number);
        let earlier = repository.insert_once(&permit, &again, &request("k", 1_000)).await;
        let earlier = earlier.unwrap().earlier();
        assert_eq!(earlier.map(|creation| creation.todo), Some(new.id()));
    }
}

pub(super) async fn a_request_is_forgotten_after_its_retention(
    repository: Arc<dyn TodoRepository>,
) {
    let first = made("mine", 1, "usr_a", 100);
    repository.add_once(&first, &request("k", 1_000)).await.unwrap();
    let in_time = made("mine", 2, "usr_a", 999);
    assert!(repository.add_once(&in_time, &request("k", 1_999)).await.unwrap().is_some());
    let late = made("mine", 3, "usr_a", 1_000);
    assert_eq!(repository.add_once(&late, &request("k", 2_000)).await.unwrap(), None);
    let again = made("mine", 4, "usr_a", 1_500);
    let earlier = repository.add_once(&again, &request("k", 2_500)).await.unwrap();
    assert_eq!(earlier.map(|creation| creation.todo), Some(late.id()));
    assert_eq!(all(&repository, "mine").await, [1, 3]);
}

pub(super) async fn a_request_is_remembered_after_its_todo_was_removed(
    repository: Arc<dyn TodoRepository>,
) {
    let first = made("mine", 1, "usr_a", 100);
    repository.add_once(&first, &request("k", 1_000)).await.unwrap();
    assert!(repository.remove_from(first.workspace(), first.id(), None).await.unwrap());
    let again = made("mine", 2, "usr_a", 200);
    let earlier = repository.add_once(&again, &request("k", 1_000)).await.unwrap();
    assert_eq!(earlier.map(|creation| creation.todo), Some(first.id()));
    assert!(all(&repository, "mine").await.is_empty());
}

pub(super) async fn a_request_whose_insert_fails_is_not_remembered(
    repository: Arc<dyn TodoRepository>,
) {
    let first = made("mine", 1, "usr_a", 100);
    repository.add(&first).await.unwrap();
    let refused = repository.add_once(&first, &request("k", 1_000)).await;
    assert!(matches!(refused, Err(InsertError::Duplicate(id)) if id == first.id()));
    let next = made("mine", 2, "usr_a", 100);
    assert_eq!(repository.add_once(&next, &request("k", 1_000)).await.unwrap(), None);
}

pub(super) async fn of_concurrent_requests_with_one_key_one_adds_its_todo(
    repository: Arc<dyn TodoRepository>,
) {
    for round in 0..20 {
        let answers = concurrency::at_once(|number| {
            let repository = Arc::clone(&repository);
            let todo = made("mine", round * 100 + number, "usr_a", 100);
            async move {
                let request = request(&format!("round {round}"), 1_000);
                (todo.id(), repository.add_once(&todo, &request).await.unwrap())
            }
        })
        .await;
        let added: Vec<_> = answers.iter().filter(|(_, creation)| creation.is_none()).collect();
        let [(winner, _)] = added.as_slice() else { panic!("{added:?}") };
        let earlier = answers.iter().filter_map(|(_, creation)| creation.as_ref());
        assert!(earlier.clone().all(|creation| creation.todo == *winner));
        assert_eq!(earlier.count(), answers.len() - 1);
    }
    assert_eq!(all(&repository, "mine").await.len(), 20);
}
