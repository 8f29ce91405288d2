//! The rules of the aggregate, over chosen and random histories.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::due::{RequestedDue, WrittenDue};
use crate::identity::Organization;
use crate::label::Label;
use crate::permission::{Permission, Permissions};
use crate::policy::{Caller, WriteAction, authorize_write};
use crate::workspace::Sharing;

fn at(millis: i64) -> Instant {
    Instant::from_unix_millis(millis).unwrap()
}

/// For the workspace of the organization `acme`.
fn permit(subject: &str) -> WritePermit {
    permit_in("acme", subject)
}

fn permit_in(organization: &str, subject: &str) -> WritePermit {
    let subject = Subject::try_from(subject).unwrap();
    let organization = Organization::try_from(organization).unwrap();
    let permissions = Permissions::from_iter([Permission::Write]);
    let caller = Caller { subject: &subject, organization: Some(&organization), permissions };
    authorize_write(Sharing::Organization, caller, WriteAction::Update).unwrap()
}

fn title(text: &str) -> Title {
    Title::try_from(text).unwrap()
}

fn milk() -> Todo {
    let id = TodoId::from_uuid(Uuid::from_u128(1));
    Todo::create(&permit("alice"), id, title("Buy milk").into(), at(100))
}

fn due(text: &str) -> Due {
    let written = WrittenDue::try_from(text).unwrap();
    RequestedDue { written, time_zone: None, weekday: None }.resolve(|| None).unwrap()
}

/// One of each letter.
fn labels(text: &str) -> Labels {
    let labels = text.chars().map(|c| Label::try_from(c.to_string().as_str()).unwrap());
    Labels::try_from(labels.collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_new_todo_is_open_and_has_version_1() {
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
        due: Some(Some(due("2026-12-24"))),
        priority: Some(Priority::Urgent),
        labels: Some(LabelsEdit::Replace(labels("shop"))),
    };
    assert_eq!(todo.edit(&permit("bob"), edit, at(200)), Ok(true));
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
    assert_eq!(todo.edit(&permit("alice"), done(), at(200)), Ok(true));
    let before = todo.clone();
    assert_eq!(todo.edit(&permit("bob"), done(), at(300)), Ok(false));
    assert_eq!(todo, before);
}

#[test]
fn a_reopened_todo_has_no_completion_instant() {
    let mut todo = milk();
    for (completed, millis) in [(true, 200), (false, 300)] {
        let edit = Edit { completed: Some(completed), ..Edit::default() };
        assert_eq!(todo.edit(&permit("alice"), edit, at(millis)), Ok(true));
    }
    assert_eq!(todo.completion(), Completion::Open);
}

#[test]
fn an_edit_after_the_clock_was_set_back_is_not_before_the_creation() {
    let mut todo = milk();
    let edit = Edit { completed: Some(true), ..Edit::default() };
    assert_eq!(todo.edit(&permit("alice"), edit, at(50)), Ok(true));
    assert_eq!(todo.completion(), Completion::Done { at: at(100) });
    assert_eq!(Todo::restore(todo.record().clone()), Ok(todo));
}

#[test]
fn an_edit_with_a_permit_for_another_workspace_fails_and_changes_nothing() {
    let mut todo = milk();
    let edit = Edit { completed: Some(true), ..Edit::default() };
    let edited = todo.edit(&permit_in("other", "alice"), edit, at(200));
    assert_eq!(edited, Err(OtherWorkspace.into()));
    assert_eq!(todo, milk());
}

#[test]
fn a_record_that_breaks_an_invariant_is_not_restored() {
    let sound = milk().record().clone();
    let early = TodoRecord { updated_at: at(99), ..sound.clone() };
    assert_eq!(Todo::restore(early), Err(RestoreError::UpdatedBeforeCreated));
    for done in [99, 101] {
        let odd = TodoRecord { completion: Completion::Done { at: at(done) }, ..sound.clone() };
        assert_eq!(Todo::restore(odd), Err(RestoreError::DoneOutsideLifetime));
    }
    assert_eq!(Todo::restore(sound), Ok(milk()));
}

fn any_labels_edit() -> impl Strategy<Value = LabelsEdit> {
    prop_oneof![
        "[a-cA-C]{0,3}".prop_map(|text| LabelsEdit::Replace(labels(&text))),
        ("[a-cA-C]{0,3}", "[d-fD-F]{0,3}").prop_map(|(add, remove)| LabelsEdit::Change {
            add: labels(&add),
            remove: labels(&remove),
        }),
    ]
}

fn any_edit() -> impl Strategy<Value = Edit> {
    use proptest::option::of;
    let dues = ["2026-12-24", "2026-12-24T16:30Z"].map(due);
    (
        of("[ab]{1,2}"),
        of("[ab]{0,2}"),
        of(any::<bool>()),
        of(of(prop::sample::select(dues.to_vec()))),
        of(prop::sample::select(Priority::ALL.to_vec())),
        of(any_labels_edit()),
    )
        .prop_map(|(new_title, description, completed, due, priority, labels)| Edit {
            title: new_title.map(|text| title(&text)),
            description: description.map(|text| Description::try_from(text.as_str()).unwrap()),
            completed,
            due,
            priority,
            labels,
        })
}

#[test]
fn an_edit_with_too_many_labels_changes_nothing() {
    let mut todo = milk();
    let add = |text| Edit {
        title: Some(title("other")),
        labels: Some(LabelsEdit::Change { add: labels(text), remove: Labels::NONE }),
        ..Edit::default()
    };
    assert_eq!(todo.edit(&permit("alice"), add("abcdefghij"), at(200)), Ok(true));
    let before = todo.clone();
    let edited = todo.edit(&permit("alice"), add("klmnopqrstu"), at(300));
    assert_eq!(edited, Err(TooManyLabels(21).into()));
    assert_eq!(todo, before);
}

proptest! {
    #[test]
    fn every_history_maintains_the_invariants(
        edits in proptest::collection::vec((any_edit(), 0_i64..500), 0..20)
    ) {
        let mut todo = milk();
        for (edit, millis) in edits {
            let before = todo.clone();
            let changed = todo.edit(&permit("bob"), edit.clone(), at(millis)).unwrap();

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
            prop_assert_eq!(todo.edit(&permit("eve"), edit, at(999)), Ok(false));
            prop_assert_eq!(&todo, &again, "the same edit again changes nothing");
        }
    }
}
