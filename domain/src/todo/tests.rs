//! The laws of the aggregate, over hand-picked and random histories.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::permission::{Permission, Permissions};
use crate::policy::{Identity, authorize};
use crate::workspace::Sharing;

fn at(millis: i64) -> Instant {
    Instant::from_unix_millis(millis).unwrap()
}

fn permit(who: &str, action: Action) -> Permit {
    let subject = Subject::try_from(who).unwrap();
    let permissions = Permissions::from_iter(Permission::ALL);
    let identity = Identity { subject: &subject, organization: None, permissions };
    authorize(Sharing::Everyone, identity, action).unwrap()
}

fn title(text: &str) -> Title {
    Title::try_from(text).unwrap()
}

fn milk() -> Todo {
    let id = TodoId::from_uuid(Uuid::from_u128(1));
    let permit = permit("alice", Action::Create);
    Todo::create(&permit, id, title("Buy milk"), Description::NONE, at(100))
}

#[test]
fn a_new_todo_is_open_and_of_version_one() {
    let todo = milk();
    assert_eq!(todo.completion(), Completion::Open);
    assert_eq!(todo.version(), Version::FIRST);
    assert_eq!((todo.created_at(), todo.updated_at()), (at(100), at(100)));
    assert_eq!(todo.record().created_by.as_str(), "alice");
}

#[test]
fn one_edit_of_many_fields_is_one_new_version() {
    let mut todo = milk();
    let edit = Edit {
        title: Some(title("Buy oat milk")),
        description: Some(Description::try_from("two litres").unwrap()),
        completed: Some(true),
    };
    assert!(todo.edit(&permit("bob", Action::Update), edit, at(200)));
    assert_eq!(todo.version(), Version::FIRST.next());
    assert_eq!(todo.completion(), Completion::Done { at: at(200) });
    assert_eq!(todo.updated_at(), at(200));
    assert_eq!(todo.record().created_by.as_str(), "alice");
    assert_eq!(todo.record().updated_by.as_str(), "bob");
}

#[test]
fn completing_a_done_todo_changes_nothing() {
    let mut todo = milk();
    let done = || Edit { completed: Some(true), ..Edit::default() };
    assert!(todo.edit(&permit("alice", Action::Update), done(), at(200)));
    let before = todo.clone();
    assert!(!todo.edit(&permit("bob", Action::Update), done(), at(300)));
    assert_eq!(todo, before);
}

#[test]
fn reopening_forgets_when_it_was_done() {
    let mut todo = milk();
    let alice = permit("alice", Action::Update);
    todo.edit(&alice, Edit { completed: Some(true), ..Edit::default() }, at(200));
    todo.edit(&alice, Edit { completed: Some(false), ..Edit::default() }, at(300));
    assert_eq!(todo.completion(), Completion::Open);
}

#[test]
fn a_clock_that_was_set_back_does_not_make_a_todo_younger_than_itself() {
    let mut todo = milk();
    let edit = Edit { completed: Some(true), ..Edit::default() };
    assert!(todo.edit(&permit("alice", Action::Update), edit, at(50)));
    assert_eq!(todo.completion(), Completion::Done { at: at(100) });
    assert_eq!(Todo::restore(todo.record().clone()), Ok(todo));
}

#[test]
fn what_cannot_have_been_written_is_not_restored() {
    let sound = milk().record().clone();
    let early = TodoRecord { updated_at: at(99), ..sound.clone() };
    assert_eq!(Todo::restore(early), Err(RestoreError::UpdatedBeforeCreated));
    for done in [99, 101] {
        let odd = TodoRecord { completion: Completion::Done { at: at(done) }, ..sound.clone() };
        assert_eq!(Todo::restore(odd), Err(RestoreError::DoneOutsideLifetime));
    }
    assert_eq!(Todo::restore(sound), Ok(milk()));
}

fn any_edit() -> impl Strategy<Value = Edit> {
    (
        proptest::option::of("[ab]{1,2}"),
        proptest::option::of("[ab]{0,2}"),
        proptest::option::of(any::<bool>()),
    )
        .prop_map(|(new_title, description, completed)| Edit {
            title: new_title.map(|text| title(&text)),
            description: description.map(|text| Description::try_from(text.as_str()).unwrap()),
            completed,
        })
}

proptest! {
    #[test]
    fn every_history_keeps_the_invariants(
        edits in proptest::collection::vec((any_edit(), 0_i64..500), 0..20)
    ) {
        let mut todo = milk();
        for (edit, millis) in edits {
            let before = todo.clone();
            let changed = todo.edit(&permit("bob", Action::Update), edit.clone(), at(millis));

            prop_assert_eq!(changed, todo != before);
            let expected = if changed { before.version().next() } else { before.version() };
            prop_assert_eq!(todo.version(), expected);
            if let Some(title) = &edit.title {
                prop_assert_eq!(todo.title(), title);
            }
            if let Some(description) = &edit.description {
                prop_assert_eq!(todo.description(), description);
            }
            if let Some(done) = edit.completed {
                prop_assert_eq!(todo.completion().is_done(), done);
            }
            prop_assert_eq!(Todo::restore(todo.record().clone()), Ok(todo.clone()));

            let again = todo.clone();
            prop_assert!(!todo.edit(&permit("eve", Action::Update), edit, at(999)));
            prop_assert_eq!(&todo, &again, "the same edit again changes nothing");
        }
    }
}
