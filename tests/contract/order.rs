//! The order of ids is the order of creation, across servers and restarts and whatever the clocks say.

use todo_application::ports::CreationRequest;
use uuid::Builder;

use super::creations::request;
use super::*;

/// The creation of the todos here, in milliseconds since 1970.
const CREATED: u64 = 1_795_340_000_007;

const YEAR_MILLIS: u64 = 366 * 24 * 60 * 60 * 1000;

/// An id that was minted so many milliseconds after the creation.
fn minted(after: u64) -> TodoId {
    TodoId::from_uuid(Builder::from_unix_timestamp_millis(CREATED + after, &[0; 10]).into_uuid())
}

fn of(workspace_name: &str, id: TodoId) -> Todo {
    restore(TodoRecord { id, ..todo(workspace_name, 1).into_record() })
}

async fn assert_behind(repository: &Arc<dyn TodoRepository>, todo: &Todo, last: TodoId) {
    let refused = repository.add(todo).await;
    assert!(matches!(refused, Err(InsertError::Behind(id)) if id == last), "{refused:?}");
    assert_eq!(repository.find_in(todo.workspace(), todo.id()).await.unwrap(), None);
}

/// "If one with a later id was added before, whether it still exists or not."
pub(super) async fn a_new_todo_sorts_after_every_earlier_one_of_its_workspace(
    repository: Arc<dyn TodoRepository>,
) {
    repository.add(&of("mine", minted(5))).await.unwrap();
    assert_behind(&repository, &of("mine", minted(4)), minted(5)).await;
    let taken = repository.add(&of("mine", minted(5))).await;
    assert!(matches!(taken, Err(InsertError::Duplicate(id)) if id == minted(5)), "{taken:?}");

    assert!(repository.remove_from(&workspace("mine"), minted(5), None).await.unwrap());
    for late in [4, 5] {
        assert_behind(&repository, &of("mine", minted(late)), minted(5)).await;
    }
    repository.add(&of("yours", minted(1))).await.unwrap();
    repository.add(&of("mine", minted(6))).await.unwrap();
    assert_behind(&repository, &of("mine", minted(5)), minted(6)).await;
}

/// "Of both todos, only a minted id counts": those of imports may be any.
pub(super) async fn an_id_that_was_not_minted_has_no_place_in_the_order(
    repository: Arc<dyn TodoRepository>,
) {
    let last = TodoId::from_bytes([0xff; 16]);
    for id in [last, minted(YEAR_MILLIS + 1), minted(7), TodoId::from_bytes([0; 16])] {
        repository.add(&of("mine", id)).await.unwrap();
    }
    assert_behind(&repository, &of("mine", minted(3)), minted(7)).await;
    repository.add(&of("mine", minted(YEAR_MILLIS))).await.unwrap();
    assert_behind(&repository, &of("mine", minted(8)), minted(YEAR_MILLIS)).await;
}

pub(super) async fn a_request_that_is_behind_is_not_remembered(
    repository: Arc<dyn TodoRepository>,
) {
    let request = CreationRequest { forget_at: todo("mine", 1).created_at(), ..request("k", 0) };
    repository.add(&of("mine", minted(5))).await.unwrap();
    let refused = repository.add_once(&of("mine", minted(4)), &request).await;
    assert!(matches!(refused, Err(InsertError::Behind(id)) if id == minted(5)), "{refused:?}");
    let again = of("mine", minted(6));
    assert_eq!(repository.add_once(&again, &request).await.unwrap(), None);
}

/// Each task creates as the use case does, after the last id that it was told.
pub(super) async fn concurrent_creates_are_in_the_order_of_their_ids(
    repository: Arc<dyn TodoRepository>,
) {
    let created = concurrency::at_once(|task| {
        let repository = Arc::clone(&repository);
        async move {
            let mut created = Vec::new();
            let mut next = u64::from(task);
            while created.len() < 10 {
                match repository.add(&of("mine", minted(next))).await {
                    Ok(()) => created.push(minted(next)),
                    Err(InsertError::Behind(last) | InsertError::Duplicate(last)) => {
                        let last = last.unix_millis().unwrap().unsigned_abs();
                        next = last - CREATED + 1;
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
            created
        }
    })
    .await;
    assert!(created.iter().all(|ids| ids.is_sorted()), "{created:?}");
    let mut all = created.concat();
    all.sort();
    let listed = repository.list_in(&workspace("mine"), BOTH, None, usize::MAX).await.unwrap();
    assert_eq!(listed.iter().map(Todo::id).collect::<Vec<_>>(), all);
}
