//! The obligations of the repository: lists.

use super::*;

/// The numbers of a page of the workspace `mine`.
async fn page(
    repository: &Arc<dyn TodoRepository>,
    filter: Filter,
    after: Option<u32>,
    limit: usize,
) -> Vec<u128> {
    let after = after.map(id);
    numbers(&repository.list_in(&workspace("mine"), filter, after, limit).await.unwrap())
}

/// Todos 1 to `count` of the workspace `mine`, every third of them completed.
async fn fill(repository: &Arc<dyn TodoRepository>, count: u32) {
    for number in 1..=count {
        let open = todo("mine", number);
        let todo = if number % 3 == 0 { marked(&open, true) } else { open };
        repository.add(&todo).await.unwrap();
    }
}

/// An empty list is a list.
pub(super) async fn an_empty_workspace_has_an_empty_list(repository: Arc<dyn TodoRepository>) {
    for filter in [BOTH, OPEN, DONE] {
        assert_eq!(page(&repository, filter, None, 50).await, []);
        assert_eq!(page(&repository, filter, Some(7), 50).await, []);
    }
}

/// Ids are compared byte by byte, whatever the order of arrival.
pub(super) async fn a_list_is_in_the_order_of_ids(repository: Arc<dyn TodoRepository>) {
    for number in [256, 3, 0x8000_0000, 1, 0x7fff_ffff, 255, u32::MAX, 0] {
        repository.add(&todo("mine", number)).await.unwrap();
    }
    let ordered = [0, 1, 3, 255, 256, 0x7fff_ffff, 0x8000_0000, u32::MAX].map(u128::from);
    assert_eq!(page(&repository, BOTH, None, 50).await, ordered);
    assert_eq!(page(&repository, OPEN, None, 50).await, ordered);
}

pub(super) async fn a_page_holds_at_most_its_limit(repository: Arc<dyn TodoRepository>) {
    fill(&repository, 3).await;
    assert_eq!(page(&repository, BOTH, None, 0).await, []);
    assert_eq!(page(&repository, OPEN, None, 0).await, []);
    assert_eq!(page(&repository, BOTH, None, 2).await, [1, 2]);
    assert_eq!(page(&repository, OPEN, None, 1).await, [1]);
    for limit in [3, 4, usize::MAX] {
        assert_eq!(page(&repository, BOTH, None, limit).await, [1, 2, 3]);
    }
}

/// Whether or not a todo has that id.
pub(super) async fn a_page_starts_after_the_given_id(repository: Arc<dyn TodoRepository>) {
    fill(&repository, 6).await;
    assert_eq!(page(&repository, BOTH, Some(0), 2).await, [1, 2]);
    assert_eq!(page(&repository, BOTH, Some(2), 2).await, [3, 4]);
    assert_eq!(page(&repository, BOTH, Some(4), 2).await, [5, 6]);
    assert_eq!(page(&repository, BOTH, Some(6), 2).await, []);
    assert_eq!(page(&repository, BOTH, Some(u32::MAX), 2).await, []);

    repository.remove_from(&workspace("mine"), id(4), None).await.unwrap();
    assert_eq!(page(&repository, BOTH, Some(4), 2).await, [5, 6]);
}

/// The limit counts only todos that pass the filter.
pub(super) async fn a_filter_selects_open_or_done_todos(repository: Arc<dyn TodoRepository>) {
    fill(&repository, 9).await;
    assert_eq!(page(&repository, OPEN, None, 50).await, [1, 2, 4, 5, 7, 8]);
    assert_eq!(page(&repository, DONE, None, 50).await, [3, 6, 9]);
    assert_eq!(page(&repository, DONE, None, 2).await, [3, 6]);
    assert_eq!(page(&repository, DONE, Some(3), 50).await, [6, 9]);
    assert_eq!(page(&repository, DONE, Some(4), 1).await, [6]);
    assert_eq!(page(&repository, DONE, Some(9), 50).await, []);
    assert_eq!(page(&repository, OPEN, Some(3), 2).await, [4, 5]);
}

/// The filter applies to the todos as they are now.
pub(super) async fn a_filter_reflects_saved_changes(repository: Arc<dyn TodoRepository>) {
    fill(&repository, 3).await;
    let done = marked(&todo("mine", 1), true);
    repository.replace(&done, Version::FIRST).await.unwrap();
    assert_eq!(page(&repository, OPEN, None, 50).await, [2]);
    assert_eq!(page(&repository, DONE, None, 50).await, [1, 3]);

    repository.replace(&marked(&done, false), version(2)).await.unwrap();
    assert_eq!(page(&repository, OPEN, None, 50).await, [1, 2]);
    assert_eq!(page(&repository, DONE, None, 50).await, [3]);
}

pub(super) async fn a_removed_todo_does_not_count_in_a_page(repository: Arc<dyn TodoRepository>) {
    fill(&repository, 12).await;
    for number in [1, 3, 5] {
        repository.remove_from(&workspace("mine"), id(number), None).await.unwrap();
    }
    assert_eq!(page(&repository, BOTH, None, 3).await, [2, 4, 6]);
    assert_eq!(page(&repository, OPEN, None, 3).await, [2, 4, 7]);
    assert_eq!(page(&repository, DONE, None, 3).await, [6, 9, 12]);
}

pub(super) async fn a_list_never_shows_another_workspace(repository: Arc<dyn TodoRepository>) {
    fill(&repository, 3).await;
    for (number, other) in (0..).zip(["a", "min", "mine!", "Mine", "mine\u{200b}", "z"]) {
        repository.add(&todo(other, number)).await.unwrap();
        repository.add(&marked(&todo(other, 100 + number), true)).await.unwrap();
    }
    assert_eq!(page(&repository, BOTH, None, 50).await, [1, 2, 3]);
    assert_eq!(page(&repository, OPEN, None, 50).await, [1, 2]);
    assert_eq!(page(&repository, DONE, None, 50).await, [3]);
    assert_eq!(page(&repository, BOTH, Some(3), 50).await, []);
}

/// Paging shows every todo that is stored throughout exactly once, whatever is added or removed
/// between the pages.
pub(super) async fn paging_shows_unchanged_todos_exactly_once(repository: Arc<dyn TodoRepository>) {
    let mine = workspace("mine");
    for number in (10..=100).step_by(10) {
        repository.add(&todo("mine", number)).await.unwrap();
    }
    assert_eq!(page(&repository, BOTH, None, 3).await, [10, 20, 30]);

    // Before the position of the reader: this must not shift the pages.
    repository.add(&todo("mine", 5)).await.unwrap();
    repository.remove_from(&mine, id(10), None).await.unwrap();
    // At the position of the reader, where the last page ended.
    repository.remove_from(&mine, id(30), None).await.unwrap();
    // After the position of the reader.
    repository.remove_from(&mine, id(50), None).await.unwrap();
    repository.add(&todo("mine", 55)).await.unwrap();
    assert_eq!(page(&repository, BOTH, Some(30), 3).await, [40, 55, 60]);

    repository.add(&todo("mine", 105)).await.unwrap();
    assert_eq!(page(&repository, BOTH, Some(60), 3).await, [70, 80, 90]);
    assert_eq!(page(&repository, BOTH, Some(90), 3).await, [100, 105]);
}
