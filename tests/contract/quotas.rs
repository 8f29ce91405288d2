//! What a workspace may hold, and who is refused when it is full.

use std::num::NonZeroU64;

use todo_application::domain::{Description, Quota, QuotaExceeded, WritePermit};

use super::creations::request;
use super::*;

fn limit(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

/// For a workspace that may hold so many todos.
fn of_todos(name: &str, todos: u64) -> WritePermit {
    write_permit(&workspace(name)).within(Quota { todos: Some(limit(todos)), bytes: None })
}

/// For a workspace whose texts may have so many bytes.
fn of_bytes(name: &str, bytes: u64) -> WritePermit {
    write_permit(&workspace(name)).within(Quota { todos: None, bytes: Some(limit(bytes)) })
}

/// A todo of `bytes` bytes, one of them in its title.
fn sized(number: u32, bytes: usize) -> Todo {
    let record = todo("mine", number).into_record();
    let description = Description::try_from("d".repeat(bytes - 1).as_str()).unwrap();
    restore(TodoRecord { title: "t".try_into().unwrap(), description, ..record })
}

/// `todo` in its next version, of another size.
fn resized(todo: &Todo, bytes: usize) -> Todo {
    let TodoRecord { version, .. } = todo.record().clone();
    let record = sized(u32::try_from(todo.id().as_uuid().as_u128()).unwrap(), bytes).into_record();
    restore(TodoRecord { version: version.next(), ..record })
}

async fn count(repository: &Arc<dyn TodoRepository>, name: &str) -> usize {
    repository.list_in(&workspace(name), BOTH, None, usize::MAX).await.unwrap().len()
}

/// "`InsertError::QuotaExceeded` if the workspace would hold more than the quota", which is that of one
/// workspace; and a removed todo makes room.
pub(super) async fn no_todo_is_added_beyond_the_quota(repository: Arc<dyn TodoRepository>) {
    let permit = of_todos("mine", 2);
    for number in [1, 2] {
        repository.insert(&permit, &todo("mine", number)).await.unwrap();
    }
    for number in [3, 4] {
        let refused = repository.insert(&permit, &todo("mine", number)).await;
        let expected = QuotaExceeded::Todos(limit(2));
        assert!(
            matches!(&refused, Err(InsertError::QuotaExceeded(it)) if *it == expected),
            "{refused:?}"
        );
    }
    assert_eq!(count(&repository, "mine").await, 2);
    let taken = repository.insert(&permit, &todo("mine", 1)).await;
    assert!(matches!(taken, Err(InsertError::Duplicate(_))), "{taken:?}");
    repository.insert(&of_todos("yours", 2), &todo("yours", 1)).await.unwrap();

    remove(&repository, &permit, 1).await;
    repository.insert(&permit, &todo("mine", 3)).await.unwrap();
    repository.insert(&of_todos("mine", 3), &todo("mine", 4)).await.unwrap();
    // It holds more than this by now.
    assert!(repository.insert(&permit, &todo("mine", 5)).await.is_err());
    remove(&repository, &permit, 4).await;
    assert!(repository.insert(&permit, &todo("mine", 5)).await.is_err());
}

pub(super) async fn texts_grow_up_to_the_quota_and_shrink_beyond_it(
    repository: Arc<dyn TodoRepository>,
) {
    let permit = of_bytes("mine", 100);
    let is_refused = |bytes, answer: Result<(), ChangeError>| {
        let expected = QuotaExceeded::Bytes(limit(bytes));
        assert!(
            matches!(&answer, Err(ChangeError::QuotaExceeded(it)) if *it == expected),
            "{answer:?}"
        );
    };
    let refused = repository.insert(&permit, &sized(1, 101)).await;
    assert!(matches!(refused, Err(InsertError::QuotaExceeded(_))), "{refused:?}");
    let mut stored = sized(1, 60);
    repository.insert(&permit, &stored).await.unwrap();
    assert!(repository.insert(&permit, &sized(2, 41)).await.is_err());
    repository.insert(&permit, &sized(2, 30)).await.unwrap();

    is_refused(100, repository.save(&permit, &stored, &resized(&stored, 71)).await.map(drop));
    let found = repository.find_in(stored.workspace(), stored.id()).await.unwrap();
    assert_eq!(found.as_ref(), Some(&stored));
    // To the quota exactly; then of the same length, and shorter, where there is too much already.
    let small = of_bytes("mine", 50);
    for (permit, bytes) in [(&permit, 70), (&small, 70), (&small, 60)] {
        let next = resized(&stored, bytes);
        repository.save(permit, &stored, &next).await.unwrap();
        stored = next;
    }
    is_refused(50, repository.save(&small, &stored, &resized(&stored, 61)).await.map(drop));
    let stale = repository.replace_within(&small, &resized(&stored, 99), version(9)).await;
    assert!(matches!(stale, Err(ChangeError::Stale)), "{stale:?}");
    remove(&repository, &small, 2).await;
    repository.save(&small, &stored, &resized(&stored, 40)).await.unwrap();
    repository.insert(&small, &sized(3, 10)).await.unwrap();
}

/// It adds nothing.
pub(super) async fn a_repeated_request_is_answered_whatever_the_quota(
    repository: Arc<dyn TodoRepository>,
) {
    let (permit, first) = (of_todos("mine", 1), todo("mine", 1));
    let request = creation_request(&first);
    repository.insert_once(&permit, &first, &request).await.unwrap();
    let earlier = repository.insert_once(&permit, &todo("mine", 2), &request).await.unwrap();
    assert_eq!(earlier.earlier().map(|creation| creation.todo), Some(first.id()));
}

pub(super) async fn a_request_beyond_the_quota_is_not_remembered(
    repository: Arc<dyn TodoRepository>,
) {
    let permit = of_todos("mine", 1);
    repository.insert(&permit, &todo("mine", 1)).await.unwrap();
    let new = todo("mine", 2);
    let request = creation_request(&new);
    let refused = repository.insert_once(&permit, &new, &request).await;
    assert!(matches!(refused, Err(InsertError::QuotaExceeded(_))), "{refused:?}");
    remove(&repository, &permit, 1).await;
    let inserted = repository.insert_once(&permit, &new, &request).await.unwrap();
    assert_eq!(inserted.earlier(), None);
}

/// "Of all writes that are made at the same time."
pub(super) async fn of_concurrent_creates_as_many_succeed_as_the_quota_admits(
    repository: Arc<dyn TodoRepository>,
) {
    for (round, admitted) in [1, 3, 7].into_iter().enumerate() {
        let name = format!("round {round}");
        let answers = concurrency::at_once(|task| {
            let (repository, name) = (Arc::clone(&repository), name.clone());
            async move {
                let permit = of_todos(&name, admitted);
                let mut added = 0;
                for number in 0..3 {
                    let todo = todo(&name, 3 * task + number);
                    let request = creation_request(&todo);
                    let answer = if number == 1 {
                        repository.insert_once(&permit, &todo, &request).await.map(drop)
                    } else {
                        repository.insert(&permit, &todo).await.map(drop)
                    };
                    match answer {
                        Ok(()) => added += 1,
                        Err(InsertError::QuotaExceeded(_)) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
                added
            }
        })
        .await;
        assert_eq!(answers.into_iter().sum::<u64>(), admitted);
        assert_eq!(count(&repository, &name).await as u64, admitted);
    }
}

/// A request with a key of its own.
fn creation_request(todo: &Todo) -> todo_application::ports::CreationRequest {
    let forget_at = todo.created_at().as_unix_millis() + 1000;
    request(&format!("create {}", todo.id()), forget_at)
}

/// Removes a todo that exists.
async fn remove(repository: &Arc<dyn TodoRepository>, permit: &WritePermit, number: u32) {
    let stored = repository.find_for_update(permit, id(number)).await.unwrap().unwrap();
    repository.remove(permit, &stored, stored.updated_at()).await.unwrap();
}
