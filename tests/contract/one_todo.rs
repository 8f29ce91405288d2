//! What the repository promises about a single todo.

use super::*;

/// "The todo, if it is there."
pub(super) async fn what_was_never_stored_is_not_found(repository: Arc<dyn TodoRepository>) {
    repository.insert(&todo("mine", 1)).await.unwrap();
    assert_eq!(repository.find(&workspace("mine"), id(2)).await.unwrap(), None);
    assert_eq!(repository.find(&workspace("yours"), id(2)).await.unwrap(), None);
}

/// "`StorageError::Duplicate` if its workspace has one with this id", and "one that fails has
/// changed nothing".
pub(super) async fn an_id_is_taken_once_in_a_workspace(repository: Arc<dyn TodoRepository>) {
    let first = todo("mine", 1);
    repository.insert(&first).await.unwrap();
    let refused = repository.insert(&marked(&first, true)).await;
    assert!(matches!(refused, Err(StorageError::Duplicate(taken)) if taken == id(1)));
    assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), Some(first));
    assert_eq!(repository.list(&workspace("mine"), DONE, None, 9).await.unwrap(), []);
}

/// "A todo of another workspace does not exist": not even its id is taken.
pub(super) async fn an_id_may_be_taken_in_each_workspace(repository: Arc<dyn TodoRepository>) {
    let (mine, yours) = (todo("mine", 1), marked(&todo("yours", 1), true));
    repository.insert(&mine).await.unwrap();
    repository.insert(&yours).await.unwrap();
    assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), Some(mine));
    assert_eq!(repository.find(&workspace("yours"), id(1)).await.unwrap(), Some(yours));
}

/// "Every query names its workspace. A todo of another workspace does not exist."
pub(super) async fn a_todo_of_another_workspace_does_not_exist(
    repository: Arc<dyn TodoRepository>,
) {
    let mine = todo("mine", 1);
    repository.insert(&mine).await.unwrap();
    for other in ["yours", "min", "mine ", "Mine", "mine\0"] {
        let there = workspace(other);
        assert_eq!(repository.find(&there, id(1)).await.unwrap(), None, "{other:?}");
        assert!(!repository.remove(&there, id(1), None).await.unwrap(), "{other:?}");
        assert!(!repository.remove(&there, id(1), Some(Version::FIRST)).await.unwrap());
        let saved = repository.save(&marked(&todo(other, 1), true), Version::FIRST).await;
        assert!(matches!(saved, Err(StorageError::StaleVersion)), "{other:?}: {saved:?}");
    }
    assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), Some(mine));
}

/// "Replaces a todo whose stored version is `expected`. `StorageError::StaleVersion` if it is
/// another", and "one that fails has changed nothing".
pub(super) async fn a_stale_save_is_refused_and_writes_nothing(
    repository: Arc<dyn TodoRepository>,
) {
    let first = todo("mine", 1);
    let second = marked(&first, true);
    repository.insert(&first).await.unwrap();
    repository.save(&second, Version::FIRST).await.unwrap();
    for (late, expected) in [
        (marked(&first, false), Version::FIRST),
        (marked(&second, false), version(3)),
        (marked(&second, false), version(i64::MAX)),
    ] {
        let refused = repository.save(&late, expected).await;
        assert!(matches!(refused, Err(StorageError::StaleVersion)), "{expected}: {refused:?}");
    }
    assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), Some(second));
}

/// "`StorageError::StaleVersion` .. if the todo is gone": it does not come back.
pub(super) async fn saving_a_removed_todo_is_stale(repository: Arc<dyn TodoRepository>) {
    let first = todo("mine", 1);
    repository.insert(&first).await.unwrap();
    repository.remove(&workspace("mine"), id(1), None).await.unwrap();
    let refused = repository.save(&marked(&first, true), Version::FIRST).await;
    assert!(matches!(refused, Err(StorageError::StaleVersion)), "{refused:?}");
    assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), None);
}

/// "Removes a todo, and says whether it was there."
pub(super) async fn removing_says_whether_the_todo_was_there(repository: Arc<dyn TodoRepository>) {
    repository.insert(&todo("mine", 1)).await.unwrap();
    repository.insert(&todo("mine", 2)).await.unwrap();
    assert!(repository.remove(&workspace("mine"), id(1), None).await.unwrap());
    assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), None);
    assert!(!repository.remove(&workspace("mine"), id(1), None).await.unwrap());
    assert!(!repository.remove(&workspace("mine"), id(1), Some(Version::FIRST)).await.unwrap());
    let left = repository.list(&workspace("mine"), BOTH, None, 9).await.unwrap();
    assert_eq!(numbers(&left), [2]);
}

/// "`StorageError::StaleVersion` if it is there with another version than the expected one", and
/// "one that fails has changed nothing".
pub(super) async fn a_stale_remove_is_refused_and_removes_nothing(
    repository: Arc<dyn TodoRepository>,
) {
    let first = todo("mine", 1);
    repository.insert(&first).await.unwrap();
    let refused = repository.remove(&workspace("mine"), id(1), Some(version(2))).await;
    assert!(matches!(refused, Err(StorageError::StaleVersion)), "{refused:?}");
    assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), Some(first));
}

/// The other side of "if it is there with another version than the expected one".
pub(super) async fn removing_with_the_stored_version_removes(repository: Arc<dyn TodoRepository>) {
    let first = todo("mine", 1);
    repository.insert(&first).await.unwrap();
    repository.save(&marked(&first, true), Version::FIRST).await.unwrap();
    assert!(repository.remove(&workspace("mine"), id(1), Some(version(2))).await.unwrap());
    assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), None);
}

/// "Adds a todo": what was removed has left nothing behind.
pub(super) async fn a_removed_id_can_be_taken_again(repository: Arc<dyn TodoRepository>) {
    let first = todo("mine", 1);
    repository.insert(&marked(&first, true)).await.unwrap();
    repository.remove(&workspace("mine"), id(1), None).await.unwrap();
    repository.insert(&first).await.unwrap();
    assert_eq!(repository.list(&workspace("mine"), OPEN, None, 9).await.unwrap(), [first]);
    assert_eq!(repository.list(&workspace("mine"), DONE, None, 9).await.unwrap(), []);
}

/// "Whether it works right now."
pub(super) async fn a_store_that_answers_is_ready(store: Arc<dyn Readiness>) {
    assert_eq!(store.name(), "storage");
    assert_eq!(store.ready().await, Ok(()));
}
