use super::*;

fn environment(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/home/me".to_owned())
}

fn values(text: &str) -> Vec<(String, String)> {
    let entries = parse(text.as_bytes(), environment).unwrap();
    entries.into_iter().map(|entry| (entry.name, entry.value)).collect()
}

fn value(line: &str) -> String {
    let [(_, value)] = &values(line)[..] else { panic!("one value in {line}") };
    value.clone()
}

fn problems(content: impl AsRef<[u8]>) -> Vec<String> {
    parse(content.as_ref(), environment).unwrap_err()
}

#[test]
fn a_line_sets_a_value() {
    for (line, expected) in [
        ("A=1", "1"),
        ("A = 1 ", "1"),
        ("\texport A=1", "1"),
        ("A=", ""),
        ("A=  # nothing", ""),
        ("A=1 # one", "1"),
        ("A=1#one", "1#one"),
        ("A=a=b", "a=b"),
        (r"A=C:\todos\new.db", r"C:\todos\new.db"),
        ("A=it's", "it's"),
        ("A='my list.db' # mine", "my list.db"),
        ("A=\"my list.db\"", "my list.db"),
        (r"A='C:\todos'", r"C:\todos"),
        (r"A='it\'s'", "it's"),
        (r#"A="a\"b\n\x""#, "a\"b\n\\x"),
        ("A='one\ntwo'", "one\ntwo"),
        ("\u{feff}A=1\r\n", "1"),
    ] {
        assert_eq!(value(line), expected, "{line}");
    }
}

#[test]
fn only_a_name_in_braces_is_substituted() {
    for (line, expected) in [
        ("A=sqlite:todo$list.db", "sqlite:todo$list.db"),
        ("A=$HOME", "$HOME"),
        ("A=$$", "$$"),
        ("A=${HOME", "${HOME"),
        ("A=${HOME}/todos.db", "/home/me/todos.db"),
        ("A=\"${HOME}/my todos.db\"", "/home/me/my todos.db"),
        ("A='${HOME}'", "${HOME}"),
        (r#"A="\${HOME}""#, "${HOME}"),
        ("A=${NO_SUCH:-x}y", "xy"),
    ] {
        assert_eq!(value(line), expected, "{line}");
    }
    let both = values("HOME=elsewhere\nB=1\nA=${B}${HOME}");
    assert_eq!(both[2].1, "1/home/me");
    let unset = problems("A=1\nB=${hunter2}");
    assert!(unset[0].starts_with("line 2 has a `${NAME}` that is not set"), "{unset:?}");
}

#[test]
fn lines_are_counted_from_1_over_comments_and_values_of_several_lines() {
    let entries = parse(b"# Mine\n\nA='1\n2'\nB=2\n\rC=3", environment).unwrap();
    let lines: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.line)).collect();
    assert_eq!(lines, [("A", 3), ("B", 5), ("C", 7)]);
}

#[test]
fn every_problem_names_its_line_and_what_to_do() {
    for (text, problem) in [
        ("A=1\nPORT 3002", "line 2 is not of the form NAME=value"),
        ("=1", "line 1 is not of the form NAME=value"),
        ("A B=1", "line 1 is not of the form NAME=value"),
        (
            "DATABASE_URL=sqlite:my list.db",
            "line 1 has a space in a value without quotes: write DATABASE_URL='..' in single quotes",
        ),
        ("A='1", "line 1 has a value that begins with ' and never ends with it"),
        ("A='1'2", "line 1 has text after the closing quote"),
        (
            "A=postgres://todo:12 #3@db/todos",
            "line 1 has ` #` inside a URL: write A='..' in single quotes",
        ),
    ] {
        assert_eq!(problems(text), [problem], "{text}");
    }
    assert_eq!(problems("PORT 1\nA=1\nB=1 2").len(), 2);
}

#[test]
fn other_encodings_are_explained() {
    let utf_16: Vec<u8> = "PORT=1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        problems([b"\xff\xfe", &utf_16[..]].concat()),
        ["it is in UTF-16: save it as UTF-8"]
    );
    assert_eq!(problems(utf_16), ["it is in UTF-16: save it as UTF-8"]);
    let latin_1 = problems(b"PORT=1\nDATABASE_URL=sqlite:caf\xe9.db");
    assert!(latin_1[0].starts_with("line 2 is not valid UTF-8"), "{latin_1:?}");
}
