use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};

use todo_application::domain::Instant;

use super::*;

const AT: i64 = 1_795_340_000_007;

fn at() -> Rfc3339 {
    Instant::from_unix_millis(AT).unwrap().into()
}

fn caller(subject: &str) -> Arc<Caller> {
    let caller = Caller::new(subject, SystemTime::UNIX_EPOCH);
    Arc::new(caller.with_organization("org_1").with_client("m2m_agent"))
}

fn affected(id: &str, before: Option<u64>, after: Option<u64>, change: Option<&str>) -> Affected {
    let change_id = change.map(str::to_owned);
    Affected { id: id.to_owned(), version_before: before, version_after: after, change_id }
}

/// The record of a call of a tool, in which `change` changes something.
fn written<'a>(caller: &'a Arc<Caller>, change: impl FnOnce(&mut Operation<'a>)) -> String {
    let mut operation = Operation {
        caller,
        method: "tools/call",
        revision: None,
        name: Some("update_todo"),
        request_id: "7",
        trace: None,
        outcome: Outcome::Completed,
        may_change: true,
        affected: &[],
        elapsed: Duration::from_micros(123),
    };
    change(&mut operation);
    let mut line = Vec::new();
    super::operation(&mut line, &at(), &operation);
    text(line)
}

#[track_caller]
fn text(line: Vec<u8>) -> String {
    let line = String::from_utf8(line).unwrap();
    assert_eq!(line.find('\n'), Some(line.len() - 1), "{line:?}");
    line
}

/// The format: see `bootstrap/README.md`.
#[test]
fn records_look_like_this() {
    let affected = [
        affected("todo-1", Some(1), Some(2), Some("17-8a545db1")),
        affected("todo-2", Some(3), None, None),
        affected("todo-3", None, None, None),
    ];
    let trace = TraceContext {
        parent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        state: None,
    };
    let caller = caller("usr_1");
    let mut intent = Vec::new();
    let planned = PlannedChange {
        caller: &caller,
        method: "tools/call",
        name: Some("delete_todo"),
        request_id: r#""a""#,
        trace: Some(&trace),
    };
    super::intent(&mut intent, &at(), &planned);
    let request = |status, code, reason, caller| {
        let mut line = Vec::new();
        let elapsed = Duration::from_micros(9);
        let request = AnsweredRequest { status, caller, code, reason, operations: 0, elapsed };
        refusal(&mut line, &at(), &request);
        text(line)
    };
    let mut losses = Vec::new();
    super::losses(&mut losses, &at(), 12);

    let lines = [
        written(&caller, |operation| {
            operation.affected = &affected;
            operation.trace = Some(&trace);
        }),
        written(&caller, |operation| {
            operation.outcome = Outcome::Rejected { number: 403, code: Some("insufficient_scope") };
        }),
        written(&caller, |operation| {
            (operation.method, operation.name) = ("prompts/get", Some("plan_my_day"));
            operation.outcome = Outcome::Rejected { number: -32603, code: Some("internal") };
        }),
        written(&caller, |operation| operation.outcome = Outcome::Failed { code: "not_found" }),
        written(&caller, |operation| operation.outcome = Outcome::Abandoned),
        request(401, Some("expired"), Some("The access token has expired"), None),
        request(429, Some("rate_limited"), None, Some(&caller)),
        text(intent),
        text(losses),
    ];
    let expected = concat!(
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"operation","decision":"allowed","outcome":"ok","subject":"usr_1","organization":"org_1","client":"m2m_agent","method":"tools/call","tool":"update_todo","shown":["todo-3"],"changed":[{"todo_id":"todo-1","version_before":1,"version_after":2,"change_id":"17-8a545db1"},{"todo_id":"todo-2","version_before":3}],"request_id":7,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","duration_us":123}"#,
        "\n",
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"operation","decision":"denied","outcome":"error","code":"insufficient_scope","subject":"usr_1","organization":"org_1","client":"m2m_agent","method":"tools/call","tool":"update_todo","request_id":7,"duration_us":123}"#,
        "\n",
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"operation","decision":"allowed","outcome":"error","code":"internal","rpc_error":-32603,"subject":"usr_1","organization":"org_1","client":"m2m_agent","method":"prompts/get","prompt":"plan_my_day","request_id":7,"duration_us":123}"#,
        "\n",
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"operation","decision":"allowed","outcome":"error","code":"not_found","subject":"usr_1","organization":"org_1","client":"m2m_agent","method":"tools/call","tool":"update_todo","request_id":7,"duration_us":123}"#,
        "\n",
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"operation","decision":"allowed","outcome":"abandoned","subject":"usr_1","organization":"org_1","client":"m2m_agent","method":"tools/call","tool":"update_todo","request_id":7,"duration_us":123}"#,
        "\n",
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"refusal","decision":"denied","code":"expired","status":401,"reason":"The access token has expired","duration_us":9}"#,
        "\n",
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"refusal","decision":"denied","code":"rate_limited","status":429,"subject":"usr_1","organization":"org_1","client":"m2m_agent","duration_us":9}"#,
        "\n",
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"intent","decision":"allowed","subject":"usr_1","organization":"org_1","client":"m2m_agent","method":"tools/call","tool":"delete_todo","request_id":"a","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        "\n",
        r#"{"v":1,"at":"2026-11-22T09:33:20.007Z","event":"lost","records":12}"#,
        "\n",
    );
    assert_eq!(lines.concat(), expected);
}

#[test]
fn a_record_is_one_line_whatever_callers_make_up() {
    let usual = caller("usr_1");
    let id = |json: &str| -> Value {
        let line = written(&usual, |operation| operation.request_id = json);
        assert!(line.trim_end().bytes().all(|byte| byte >= b' ' && byte != 0x7f), "{line:?}");
        assert!(!line.contains(['\u{202e}', '\u{2028}', '\u{9b}', '\u{200b}']), "{line:?}");
        serde_json::from_str::<Value>(&line).unwrap()["request_id"].clone()
    };
    for (json, expected) in [
        ("-7", json!(-7)),
        ("9223372036854775808", json!("9223372036854775808")),
        ("1e999", json!("1e999")),
        ("1.50", json!("1.50")),
        (r#""""#, json!("")),
        (r#""1""#, json!("1")),
        (r#""a\n{\"v\":1}""#, json!("a\n{\"v\":1}")),
        (r#""\ud800""#, json!(null)),
        (
            "\"\u{202e}\u{2028}\u{9b}\u{200b}\u{7f}é\"",
            json!("\u{202e}\u{2028}\u{9b}\u{200b}\u{7f}é"),
        ),
    ] {
        assert_eq!(id(json), expected, "{json}");
    }
    for subject in ["a\n{\"v\":1}\u{1b}[2J", &"é".repeat(1_000), "\"}", "\u{202e}\u{7f}"] {
        let caller = caller(subject);
        let line = written(&caller, |_| {});
        let record: Value = serde_json::from_str(&line).unwrap();
        let shown = record["subject"].as_str().unwrap();
        assert!(subject.starts_with(shown) && shown.len() >= subject.len().min(LONGEST), "{line}");
        assert!(line.len() < 1_000);
    }
}
