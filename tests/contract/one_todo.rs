//! The obligations of the repository: a single todo.

use super::*;

/// "The todo, if it exists": also for an update.
pub(super) async fn a_todo_that_was_never_stored_is_not_found(repository: Arc<dyn TodoRepository>) {
    repository.add(&todo("mine", 1)).await.unwrap();
    assert_eq!(repository.find_in(&workspace("mine"), id(2)).await.unwrap(), None);
    assert_eq!(repository.find_in(&workspace("yours"), id(2)).await.unwrap(), None);

    for (name, number, expected) in
        [("mine", 1, Some(todo("mine", 1))), ("mine", 2, None), ("yours", 1, None)]
    {
        let permit = write_permit(&workspace(name));
        let found = repository.find_for_update(&permit, id(number)).await.unwrap();
        assert_eq!(found, expected);
    }
}

/// "`InsertError::Duplicate` if its workspace has one with this id", and "one that was refused has
/// changed nothing".
pub(super) async fn an_id_is_unique_in_a_workspace(repository: Arc<dyn TodoRepository>) {
    let first = todo("mine", 1);
    repository.add(&first).await.unwrap();
    let refused = repository.add(&marked(&first, true)).await;
    assert!(matches!(refused, Err(InsertError::Duplicate(taken)) if taken == id(1)));
    assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), Some(first));
    assert_eq!(repository.list_in(&workspace("mine"), DONE, None, 9).await.unwrap(), []);
}

/// A todo in another workspace does not even occupy its id.
pub(super) async fn an_id_may_be_used_in_each_workspace(repository: Arc<dyn TodoRepository>) {
    let (mine, yours) = (todo("mine", 1), marked(&todo("yours", 1), true));
    repository.add(&mine).await.unwrap();
    repository.add(&yours).await.unwrap();
    assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), Some(mine));
    assert_eq!(repository.find_in(&workspace("yours"), id(1)).await.unwrap(), Some(yours));
}

/// Every query is keyed by its workspace.
pub(super) async fn a_todo_of_another_workspace_does_not_exist(
    repository: Arc<dyn TodoRepository>,
) {
    let mine = todo("mine", 1);
    repository.add(&mine).await.unwrap();
    for other in ["yours", "min", "mine ", "Mine", "mine\u{200b}"] {
        let there = workspace(other);
        assert_eq!(repository.find_in(&there, id(1)).await.unwrap(), None, "{other:?}");
        assert!(!repository.remove_from(&there, id(1), None).await.unwrap(), "{other:?}");
        assert!(!repository.remove_from(&there, id(1), Some(Version::FIRST)).await.unwrap());
        let saved = repository.replace(&marked(&todo(other, 1), true), Version::FIRST).await;
        assert!(matches!(saved, Err(ChangeError::Stale)), "{other:?}: {saved:?}");
    }
    assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), Some(mine));
}

/// "Replaces a todo whose stored version is `expected`. `ChangeError::Stale` if it is
/// another", and "one that fails has changed nothing".
pub(super) async fn a_stale_save_is_rejected_and_writes_nothing(
    repository: Arc<dyn TodoRepository>,
) {
    let first = todo("mine", 1);
    let second = marked(&first, true);
    repository.add(&first).await.unwrap();
    repository.replace(&second, Version::FIRST).await.unwrap();
    for (late, expected) in [
        (marked(&first, false), Version::FIRST),
        (marked(&second, false), version(3)),
        (marked(&second, false), version(i64::MAX)),
    ] {
        let refused = repository.replace(&late, expected).await;
        assert!(matches!(refused, Err(ChangeError::Stale)), "{expected}: {refused:?}");
    }
    assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), Some(second));
}

/// "`ChangeError::Stale` .. if the todo is gone": it does not come back.
pub(super) async fn saving_a_removed_todo_is_stale(repository: Arc<dyn TodoRepository>) {
    let first = todo("mine", 1);
    repository.add(&first).await.unwrap();
    repository.remove_from(&workspace("mine"), id(1), None).await.unwrap();
    let refused = repository.replace(&marked(&first, true), Version::FIRST).await;
    assert!(matches!(refused, Err(ChangeError::Stale)), "{refused:?}");
    assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), None);
}

/// "Removes a todo, and says whether it was there."
pub(super) async fn removing_returns_whether_the_todo_existed(repository: Arc<dyn TodoRepository>) {
    repository.add(&todo("mine", 1)).await.unwrap();
    repository.add(&todo("mine", 2)).await.unwrap();
    assert!(repository.remove_from(&workspace("mine"), id(1), None).await.unwrap());
    assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), None);
    assert!(!repository.remove_from(&workspace("mine"), id(1), None).await.unwrap());
    assert!(
        !repository.remove_from(&workspace("mine"), id(1), Some(Version::FIRST)).await.unwrap()
    );
    let left = repository.list_in(&workspace("mine"), BOTH, None, 9).await.unwrap();
    assert_eq!(numbers(&left), [2]);
}

/// "`RemoveError::Stale` if it is there with another version than the expected one", and
/// "one that fails has changed nothing".
pub(super) async fn a_stale_remove_is_rejected_and_removes_nothing(
    repository: Arc<dyn TodoRepository>,
) {
    let first = todo("mine", 1);
    repository.add(&first).await.unwrap();
    let refused = repository.remove_from(&workspace("mine"), id(1), Some(version(2))).await;
    assert!(matches!(refused, Err(RemoveError::Stale)), "{refused:?}");
    assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), Some(first));
}

pub(super) async fn removing_with_the_stored_version_removes(repository: Arc<dyn TodoRepository>) {
    let first = todo("mine", 1);
    repository.add(&first).await.unwrap();
    repository.replace(&marked(&first, true), Version::FIRST).await.unwrap();
    assert!(repository.remove_from(&workspace("mine"), id(1), Some(version(2))).await.unwrap());
    assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), None);
}

/// A removed todo has left nothing behind.
pub(super) async fn a_removed_id_can_be_used_again(repository: Arc<dyn TodoRepository>) {
    let first = todo("mine", 1);
    repository.add(&marked(&first, true)).await.unwrap();
    repository.remove_from(&workspace("mine"), id(1), None).await.unwrap();
    repository.add(&first).await.unwrap();
    assert_eq!(repository.list_in(&workspace("mine"), OPEN, None, 9).await.unwrap(), [first]);
    assert_eq!(repository.list_in(&workspace("mine"), DONE, None, 9).await.unwrap(), []);
}

/// "Every write takes a permit and is keyed by its workspace": a todo cannot be written into another.
pub(super) async fn a_todo_is_not_written_with_a_permit_for_another_workspace(
    repository: Arc<dyn TodoRepository>,
) {
    let (mine, yours) = (todo("mine", 1), todo("yours", 1));
    repository.add(&mine).await.unwrap();
    let permit = write_permit(&workspace("mine"));
    for foreign in [&yours, &todo("yours", 2)] {
        let refused = repository.insert(&permit, foreign).await;
        assert!(matches!(refused, Err(InsertError::OtherWorkspace(_))), "{refused:?}");
        let refused =
            repository.insert_once(&permit, foreign, &creations::request("k", 1_000)).await;
        assert!(matches!(refused, Err(InsertError::OtherWorkspace(_))), "{refused:?}");
        let refused = repository.save(&permit, foreign, &marked(foreign, true)).await;
        assert!(matches!(refused, Err(ChangeError::Stale)), "{refused:?}");
        let refused =
            repository.remove(&permit, &todo("yours", 2), todo("yours", 2).updated_at()).await;
        assert!(matches!(refused, Err(RemoveError::Stale)), "{refused:?}");
    }
    assert_eq!(repository.list_in(&workspace("mine"), BOTH, None, 9).await.unwrap(), [mine]);
    assert_eq!(repository.list_in(&workspace("yours"), BOTH, None, 9).await.unwrap(), []);
}

/// "Whether a store can serve requests."
pub(super) async fn a_store_that_answers_is_healthy(store: Arc<dyn StorageHealth>) {
    store.check().await.unwrap();
}
