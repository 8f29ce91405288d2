#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn progress(lines: &str, done: usize) -> Progress<'_> {
    Progress { lines: lines.as_bytes(), done }
}

#[test]
fn a_file_is_for_its_owner_and_appended_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    for lines in ["one\n", "two\nthree\n"] {
        let mut output = Output::file(&path).unwrap();
        output.write(&mut progress(lines, 0)).unwrap();
        output.sync().unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_line_that_was_cut_is_ended_before_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    fs::write(&path, "one\n{\"v\":1,\"a").unwrap();
    let mut output = Output::file(&path).unwrap();
    output.write(&mut progress("two\n", 0)).unwrap();
    output.write(&mut progress("three\n", 0)).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\n{\"v\":1,\"a\ntwo\nthree\n");
}

#[test]
fn a_line_goes_on_where_it_stopped_unless_the_file_has_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    for (meanwhile, expected) in
        [(None, "one\ntwo\n"), (Some(""), "two\n"), (Some("x"), "x\ntwo\n")]
    {
        fs::write(&path, "one\ntw").unwrap();
        let mut output = Output::file(&path).unwrap();
        output.has_cut_line = false;
        output.length_at_failure = output.length();
        if let Some(content) = meanwhile {
            fs::write(&path, content).unwrap();
        }
        output.write(&mut progress("one\ntwo\n", 6)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }
}

#[test]
fn a_file_that_was_moved_is_left_with_whole_lines_and_one_that_cannot_be_opened_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let [path, moved] = ["audit.jsonl", "audit.jsonl.1"].map(|name| directory.path().join(name));
    let mut output = Output::file(&path).unwrap();
    let mut lines = progress("one\ntwo\n", 0);
    output.file.write_all(b"one\ntw").unwrap();
    lines.done = 6;
    fs::rename(&path, &moved).unwrap();
    output.reopen(&mut lines).unwrap();
    output.write(&mut lines).unwrap();
    assert_eq!(fs::read_to_string(&moved).unwrap(), "one\ntw\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");

    fs::rename(&path, &moved).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(output.reopen(&mut lines).is_err());
    output.write(&mut progress("three\n", 0)).unwrap();
    assert_eq!(fs::read_to_string(&moved).unwrap(), "two\nthree\n");
}
