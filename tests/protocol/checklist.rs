//! Every rule of the protocol has a test, or a reason to have none.

use std::path::Path;

const TABLE: &str = include_str!("checklist.md");

/// The cells of each row: number, rule, tests.
fn rows() -> Vec<[&'static str; 3]> {
    let rows = TABLE.lines().filter(|line| line.starts_with("| R"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        cells.try_into().unwrap()
    })
    .collect()
}

/// Whether a test of this name, `file::name`, exists below `tests/`.
fn exists(test: &str) -> bool {
    let (file, name) = test.split_once("::").unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{file}.rs"));
    std::fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {name}(")))
}

#[test]
fn every_rule_has_a_test_or_a_reason() {
    let numbers: Vec<String> =
        (1..=92).chain(116..=125).map(|number| format!("R{number}")).collect();
    assert_eq!(rows().iter().map(|[number, ..]| *number).collect::<Vec<_>>(), numbers);
    let mut missing = Vec::new();
    for [number, rule, held_by] in rows() {
        assert!(!rule.is_empty() && !held_by.is_empty(), "{number}");
        let tests = held_by.split("<br>").filter_map(|it| it.strip_prefix('`')?.strip_suffix('`'));
        missing.extend(tests.filter(|test| !exists(test)).map(|test| (number, test)));
    }
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}
