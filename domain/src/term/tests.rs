use proptest::prelude::*;

use super::*;
use crate::query::Query;
use crate::{
    Completion, Day, Due, DueFilter, DueKey, Instant, Now, Subject, TimeZone, TodoId, TodoRecord,
    Version, WorkspaceId,
};

pub(crate) fn todo(title: &str, description: &str, labels: &[&str]) -> Todo {
    let subject = Subject::try_from("usr_1").unwrap();
    let labels = labels.iter().map(|label| Label::try_from(*label).unwrap());
    Todo::restore(TodoRecord {
        id: TodoId::from_bytes([1; 16]),
        workspace: WorkspaceId::try_from("mine").unwrap(),
        title: Title::try_from(title).unwrap(),
        description: Description::try_from(description).unwrap(),
        completion: Completion::Open,
        due: None,
        priority: Priority::Normal,
        labels: Labels::try_from(labels.collect::<Vec<_>>()).unwrap(),
        created_at: Instant::UNIX_EPOCH,
        created_by: subject.clone(),
        updated_at: Instant::UNIX_EPOCH,
        updated_by: subject,
        version: Version::FIRST,
    })
    .unwrap()
}

fn is_found(todo: &Todo, range: &TermRange) -> bool {
    is_found_by(&Term::all_of(todo), range)
}

fn is_found_by(terms: &[Term], range: &TermRange) -> bool {
    terms.iter().any(|term| range.bounds().contains(&term))
}

#[test]
fn the_terms_of_a_todo_are_its_words_and_its_labels() {
    let todo = todo("Send the tax, the TAX", "Büro", &["Tax return", "ß"]);
    let terms: Vec<_> = Term::all_of(&todo).iter().map(|it| it.as_str().to_owned()).collect();
    let expected =
        ["=ss\u{1}ß", "=tax return\u{1}Tax return", "buro", "return", "send", "ss", "tax", "the"];
    assert_eq!(terms, expected);
}

fn with_state(due: Option<Due>, priority: Priority, is_done: bool) -> Todo {
    let at = Instant::UNIX_EPOCH;
    let completion = if is_done { Completion::Done { at } } else { Completion::Open };
    let record = todo("x", "", &["a"]).into_record();
    Todo::restore(TodoRecord { completion, due, priority, ..record }).unwrap()
}

fn terms_of_state(due: Option<Due>, priority: Priority, is_done: bool) -> Vec<String> {
    let terms = Term::of_state(&with_state(due, priority, is_done));
    terms.iter().map(|term| term.as_str().to_owned()).collect()
}

#[test]
fn priority_and_days_are_terms_of_what_is_not_plain() {
    // 2026-12-24 is 0x514b days after 1970-01-01.
    let day = || Some(Due::Day(Day::new(2026, 12, 24).unwrap()));
    let time = || Some(Due::At(Instant::from_unix_millis(20_811 * 86_400_000).unwrap()));
    for is_done in [false, true] {
        assert_eq!(terms_of_state(None, Priority::Normal, is_done), [""; 0]);
    }
    assert_eq!(terms_of_state(None, Priority::Urgent, false), ["+op3"]);
    assert_eq!(terms_of_state(None, Priority::Low, true), ["+dp0"]);
    let of_day = ["+o100514b", "+o2001452", "+o4000514", "+o8000051"];
    assert_eq!(terms_of_state(day(), Priority::Normal, false), of_day);
    let of_time = ["+o100514b", "+o2001452", "+o4000514", "+o8000051", "+op2", "+ot00514b"];
    assert_eq!(terms_of_state(time(), Priority::High, false), of_time);
    assert_eq!(terms_of_state(day(), Priority::Normal, true), ["+d8000051"]);
    assert_eq!(terms_of_state(time(), Priority::Normal, true), ["+d8000051"]);
    let todo = with_state(day(), Priority::Urgent, false);
    assert!(Term::all_of(&todo).is_sorted());
    assert!(Term::of_state(&todo).iter().all(|term| term.label().is_none()));
    // No word and no label leads to them.
    for range in ["o", "d", "0", "1"].map(TermRange::of_word) {
        assert!(!is_found(&todo, &range), "{range:?}");
    }
    assert!(!is_found(&todo, &TermRange::of_labels("o")));
}

#[test]
fn a_change_of_state_changes_its_terms_only() {
    let day = Due::Day(Day::new(2026, 12, 24).unwrap());
    let before = with_state(Some(day.clone()), Priority::Urgent, false);
    let after = with_state(Some(day), Priority::Urgent, true);
    let TermChange { removed, added } = TermChange::between(&before, &after);
    assert_eq!(removed, Term::of_state(&before));
    assert_eq!(added, Term::of_state(&after));
    let plain = with_state(None, Priority::Normal, false);
    assert_eq!(TermChange::between(&plain, &plain), TermChange::default());
}

#[test]
fn a_label_is_found_however_it_is_written_and_no_other_is() {
    let todo = todo("x", "", &["Straße"]);
    let key = |label: &str| Label::try_from(label).unwrap().key();
    assert!(is_found(&todo, &TermRange::of_label(&key("STRASSE"))));
    assert!(!is_found(&todo, &TermRange::of_label(&key("Strass"))));
    assert!(!is_found(&todo, &TermRange::of_label(&key("Strassen"))));
    for typed in ["", "s", " STRASS", "straße"] {
        assert!(is_found(&todo, &TermRange::of_labels(typed)), "{typed}");
    }
    assert!(!is_found(&todo, &TermRange::of_labels("trasse")));
    assert!(!is_found(&todo, &TermRange::of_labels("x")));
    let terms = Term::all_of(&todo);
    let labels: Vec<_> = terms.iter().filter_map(Term::label).collect();
    assert_eq!(labels, [Label::try_from("Straße").unwrap()]);
}

#[test]
fn no_term_is_longer_than_an_index_takes() {
    let widest = "\u{fdfa}".repeat(50);
    let todo = todo(&"\u{1d160}".repeat(200), &"x".repeat(5_000), &[&widest]);
    for term in Term::all_of(&todo) {
        assert!(term.as_str().len() <= 2 + 4 * (CHARACTERS + Label::MAX_CHARACTERS));
    }
}

fn any_due() -> impl Strategy<Value = Option<Due>> {
    let zones = ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"];
    let zone = proptest::sample::select(zones.to_vec());
    // Around the middle of 256 days, their end, and everywhere.
    let day = prop_oneof![20_760..20_780_i64, 20_730..20_740_i64, 0..40_000_i64];
    let time = (day.clone(), 0..1440_i64, zone).prop_map(|(day, minute, zone)| {
        let key = DueKey::from_i64(day * 100_000_000 + 1 + minute * 60_000);
        Due::restore(key, Some(TimeZone::try_from(zone).unwrap())).ok()
    });
    prop_oneof![Just(None), day.prop_map(|day| Day::from_number(day).map(Due::Day)), time,]
}

fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof!["[a-c]{1,3}", "[äßçÀ]{1,2}", "[一二]", Just("x".repeat(70)), ".{1,4}"];
    proptest::collection::vec(word, 1..4).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn what_a_query_matches_is_found_by_each_of_its_words(
        title in text(), description in text(), sought in text(),
    ) {
        prop_assume!(Title::try_from(title.as_str()).is_ok());
        prop_assume!(Description::try_from(description.as_str()).is_ok());
        let todo = todo(&title, &description, &[]);
        if let Ok(query) = Query::try_from(sought.as_str()) {
            let found = |word: &String| is_found(&todo, &TermRange::of_word(word));
            // Only of words that are cut, more is found than matches.
            let are_whole = !title.contains("xxx") && !description.contains("xxx");
            if query.matches(&todo) || are_whole {
                prop_assert_eq!(query.matches(&todo), query.words().iter().all(found));
            }
        }
    }

    #[test]
    fn what_is_due_is_found_by_the_ranges_of_each_condition_that_it_meets(
        due in any_due(),
        is_done in any::<bool>(),
        minute in prop_oneof![20_755 * 1440..20_785 * 1440_i64, 0..40_000 * 1440_i64],
        zone in proptest::sample::select(vec!["Pacific/Kiritimati", "Etc/GMT+12", "UTC"]),
        completed in any::<Option<bool>>(),
    ) {
        let now = Instant::from_unix_millis(minute * 60_000).unwrap();
        let now = Now::new(now, TimeZone::try_from(zone).unwrap());
        let todo = with_state(due.clone(), Priority::Normal, is_done);
        let filters = [DueFilter::Overdue, DueFilter::Today, DueFilter::Week, DueFilter::Any];
        for condition in filters.map(|filter| filter.at(Some(&now)).unwrap()) {
            let ranges = TermRange::of_due(&condition, completed).unwrap();
            let is_found = ranges.iter().any(|range| is_found(&todo, range));
            let is_wanted = completed.is_none_or(|it| it == is_done);
            if condition.is_met(due.as_ref()) && is_wanted {
                prop_assert!(is_found, "{condition:?} {ranges:?}");
            }
            prop_assert!(is_wanted || !is_found, "{condition:?} {ranges:?}");
            // Of open todos, hardly any is found in vain: only times that another zone has had.
            let is_met = condition.is_met(due.as_ref());
            let is_a_day = matches!(due, Some(Due::Day(_)));
            prop_assert!(!is_found || is_met || !is_a_day || is_done, "{condition:?} {ranges:?}");
            // A page looks each of them up.
            let in_range = |range: &TermRange| range.first() <= range.last();
            prop_assert!(ranges.iter().all(in_range));
            // A store that reads the known ones finds the same.
            let terms = Term::all_of(&todo);
            for (range, known) in ranges.iter().filter_map(|it| Some((it, it.known()?))) {
                let has_known = known.iter().any(|term| terms.contains(term));
                prop_assert_eq!(has_known, is_found_by(&terms, range));
                prop_assert!(known.iter().rev().is_sorted() && known.len() <= 16);
            }
        }
    }

    #[test]
    fn a_change_of_terms_leads_from_those_before_to_those_after(
        before in text(), after in text(),
    ) {
        prop_assume!(Title::try_from(before.as_str()).is_ok());
        prop_assume!(Title::try_from(after.as_str()).is_ok());
        let (before, after) = (todo(&before, "", &["a"]), todo(&after, "a", &["b"]));
        let TermChange { removed, added } = TermChange::between(&before, &after);
        let mut terms = Term::all_of(&before);
        prop_assert!(removed.iter().all(|term| terms.contains(term)));
        prop_assert!(added.iter().all(|term| !terms.contains(term)));
        terms.retain(|term| !removed.contains(term));
        terms.extend(added);
        terms.sort_unstable();
        prop_assert_eq!(terms, Term::all_of(&after));
        prop_assert_eq!(TermChange::between(&after, &after), TermChange::default());
    }
}
