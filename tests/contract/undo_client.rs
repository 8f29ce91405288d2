//! Taking back all that a client has changed, as each store does it under the use case.

use todo_application::domain::{Edit, Title};
use todo_application::ports::Clock as _;
use todo_application::{ChangeSelection, HistoryPageSize, KeptCause, NewTodo, Since};

use super::history::Remembering;
use super::undo::{Member, lists};
use super::*;

fn title(text: &str) -> Title {
    Title::try_from(text).unwrap()
}

/// What others have changed stays, and what the client has taken back itself needs nothing.
pub(super) async fn what_a_client_has_changed_can_be_taken_back(store: Arc<impl Remembering>) {
    let lists = lists(&store);
    let todos = &lists.todos;
    let [person, agent] = ["person", "agent"].map(Member::new);
    let newest = async || {
        let (all, size) = (ChangeSelection::default(), HistoryPageSize::try_from(1).unwrap());
        todos.list_changes(&person, all, size, Since::Newest).await.unwrap().changes.remove(0)
    };
    let create = async |by: &Member, text: &str| {
        let new = NewTodo { draft: title(text).into(), key: None };
        todos.create(by, new).await.unwrap();
        newest().await.recorded.change.todo
    };
    let rename = async |by: &Member, id: TodoId, text: &str| {
        let edit = Edit { title: Some(title(text)), ..Edit::default() };
        todos.update(by, id, edit, None).await.unwrap();
    };
    let undo_newest = async |by: &Member| todos.undo(by, newest().await.id).await.unwrap();

    let mut ids = Vec::new();
    for text in
        ["deleted", "renamed", "renamed by both", "undone", "undone twice", "taken back", "done"]
    {
        ids.push(create(&person, text).await);
    }
    let before = lists.state().await;
    lists.clock.advance(60_000).unwrap();
    let since = lists.clock.now();
    todos.delete(&agent, ids[0], None).await.unwrap();
    for id in [ids[1], ids[1], ids[2]] {
        rename(&agent, id, &format!("worse {id}")).await;
        rename(&agent, id, "even worse").await;
    }
    rename(&person, ids[2], "better").await;
    // It has the same value by now, by the decision of another.
    for (by, completed) in [(&agent, true), (&person, false), (&person, true)] {
        let edit = Edit { completed: Some(completed), ..Edit::default() };
        todos.update(by, ids[6], edit, None).await.unwrap();
    }
    // A history of several pages.
    for number in 0..250 {
        rename(&person, ids[2], &format!("better {number}")).await;
    }
    rename(&agent, ids[3], "worse").await;
    undo_newest(&agent).await;
    rename(&agent, ids[4], "worse").await;
    undo_newest(&agent).await;
    undo_newest(&agent).await;
    rename(&agent, ids[5], "worse").await;
    undo_newest(&person).await;
    create(&agent, "spam").await;
    let mine = create(&person, "mine").await;
    let state = lists.state().await;

    let undo =
        async |is_trial| todos.undo_client(&person, &agent.client, since, is_trial).await.unwrap();
    let tried = undo(true).await;
    assert_eq!(lists.state().await, state);
    let outcome = undo(false).await;
    assert_eq!(outcome, tried);
    let kept: Vec<_> = outcome.kept.iter().map(|(it, _)| it.recorded.change.todo).collect();
    assert_eq!(kept, [ids[6], ids[2], ids[2]]);
    assert!(outcome.kept.iter().all(|(_, cause)| *cause == KeptCause::Changed));
    let mut expected = before;
    for id in [ids[2], ids[6], mine] {
        expected.insert(id, state[&id].clone());
    }
    assert_eq!(lists.state().await, expected);
    // What is left cannot be taken back now, either.
    assert_eq!(undo(false).await.undone, 0);
}
