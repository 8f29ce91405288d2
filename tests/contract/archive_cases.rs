use std::num::NonZeroUsize;

use todo_application::domain::WorkspaceId;
use todo_application::ports::Loaded;

use super::*;

/// A todo of the workspace with this key. A store takes any key, not only those that the policy makes.
fn todo_at(key: &str, number: u32) -> Todo {
    restore(todo_record(&WorkspaceId::try_from(key).unwrap(), id(number)))
}

/// Everything in a snapshot, read in pages of this size.
async fn read(mut snapshot: Box<dyn TodoSnapshot>, at_a_time: usize) -> Vec<Todo> {
    let limit = NonZeroUsize::new(at_a_time).unwrap();
    let mut todos = Vec::new();
    loop {
        let page = snapshot.next_page(&operator(), limit).await.unwrap();
        assert!(page.len() <= at_a_time);
        if page.is_empty() {
            return todos;
        }
        todos.extend(page);
    }
}

async fn everything(archive: &Arc<impl Archive>) -> Vec<Todo> {
    read(archive.snapshot().await, 1000).await
}

async fn load(archive: &Arc<impl Archive>, todos: &[Todo]) -> Vec<Loaded> {
    archive.loader().load(&operator(), todos.to_vec(), None).await.unwrap()
}

/// An empty page is the end.
pub(super) async fn an_empty_store_has_an_empty_snapshot(archive: Arc<impl Archive>) {
    let snapshot = archive.snapshot().await;
    assert_eq!(snapshot.count(), 0);
    assert_eq!(read(snapshot, 1).await, []);
}

/// Both are compared byte by byte. Pages have at most `limit` todos, and the count is that of all.
pub(super) async fn a_snapshot_is_in_the_order_of_workspace_and_id(archive: Arc<impl Archive>) {
    let workspaces = ["Z", "a", "a!", "a\0", "aa", "e\u{301}", "zz", "é", "😀"];
    let ids = [0, 255, 256, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    let mut todos: Vec<Todo> =
        workspaces.iter().flat_map(|key| ids.map(|number| todo_at(key, number))).collect();
    todos.reverse();
    todos.rotate_left(7);
    load(&archive, &todos).await;

    todos.sort_by_key(|todo| (todo.workspace().as_str().as_bytes().to_vec(), todo.id()));
    for at_a_time in [1, 5, 6, todos.len(), usize::MAX] {
        let snapshot = archive.snapshot().await;
        assert_eq!(snapshot.count(), todos.len() as u64);
        assert_eq!(read(snapshot, at_a_time).await, todos, "{at_a_time} at a time");
    }
}

/// A snapshot shows one instant, and does not block writers.
pub(super) async fn a_snapshot_does_not_show_later_writes(archive: Arc<impl Archive>) {
    let before = [todo("mine", 1), todo("mine", 3), todo("yours", 1)];
    load(&archive, &before).await;
    let (unread, mut begun) = (archive.snapshot().await, archive.snapshot().await);
    let mut seen = begun.next_page(&operator(), NonZeroUsize::MIN).await.unwrap();

    let later = [todo("a", 1), todo("mine", 2), todo("mine", 4), todo("z", 1)];
    assert_eq!(load(&archive, &later).await, [Loaded::Added; 4]);
    assert_eq!((unread.count(), begun.count()), (3, 3));
    seen.extend(read(begun, 2).await);
    assert_eq!(seen, before);
    assert_eq!(read(unread, 2).await, before);
    assert_eq!(everything(&archive).await.len(), 7);
}

pub(super) async fn a_loaded_todo_is_in_the_snapshot_unchanged(archive: Arc<impl Archive>) {
    let mut todos: Vec<Todo> = round_trip::extremes().into_iter().map(restore).collect();
    todos.push(todo_at(&"w".repeat(WorkspaceId::MAX_BYTES), 9));
    assert_eq!(load(&archive, &todos).await, vec![Loaded::Added; todos.len()]);
    todos.sort_by_key(|todo| (todo.workspace().clone(), todo.id()));
    assert_eq!(everything(&archive).await, todos);
    assert_eq!(load(&archive, &todos).await, vec![Loaded::Same; todos.len()]);
}

/// An existing todo is kept, whatever its content.
pub(super) async fn an_existing_todo_is_not_overwritten(archive: Arc<impl Archive>) {
    let there = todo("mine", 1);
    load(&archive, std::slice::from_ref(&there)).await;
    let older = restore(TodoRecord { version: version(7), ..there.record().clone() });
    for other in [marked(&there, true), older] {
        assert_eq!(load(&archive, &[other]).await, [Loaded::Different]);
    }
    assert_eq!(load(&archive, std::slice::from_ref(&there)).await, [Loaded::Same]);
    assert_eq!(everything(&archive).await, [there]);
}

/// Also when one call has the same id twice.
pub(super) async fn results_are_in_the_order_of_the_todos(archive: Arc<impl Archive>) {
    let [one, two, three] = [1, 2, 3].map(|number| todo("mine", number));
    load(&archive, std::slice::from_ref(&two)).await;
    let asked = [
        three.clone(),
        marked(&two, true),
        one.clone(),
        two.clone(),
        three.clone(),
        marked(&one, true),
    ];
    let answers = [
        Loaded::Added,
        Loaded::Different,
        Loaded::Added,
        Loaded::Same,
        Loaded::Same,
        Loaded::Different,
    ];
    assert_eq!(load(&archive, &asked).await, answers);
    assert_eq!(everything(&archive).await, [one, two, three]);
}

/// Only the id in the same workspace counts.
pub(super) async fn an_id_may_be_loaded_into_each_workspace(archive: Arc<impl Archive>) {
    let todos = [todo("mine", 1), marked(&todo("yours", 1), true)];
    assert_eq!(load(&archive, &todos).await, [Loaded::Added; 2]);
    assert_eq!(everything(&archive).await, todos);
}

/// An empty call is valid.
pub(super) async fn loading_nothing_changes_nothing(archive: Arc<impl Archive>) {
    assert_eq!(load(&archive, &[]).await, []);
    assert_eq!(everything(&archive).await, []);
}
