//! The calls of the quickstart, with its recorded answers.
//!
//! `golden/quickstart.jsonl` was recorded from the FastMCP todo server of Scalekit's quickstart.
//! [`difference`] gives the reason for each intended difference; any other difference fails.
#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;

const RECORDED: &str = include_str!("golden/quickstart.jsonl");

/// A recorded call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    persona: String,
    tool: String,
    arguments: Value,
    status: u16,
    is_error: Option<bool>,
    payload: Value,
}

/// The reason for an intended difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// A failed tool has `isError` and a stable code beside the same sentence, so that a client can
    /// tell failure from success.
    FailureIsAnError,
    /// The same, and after the sentence what an id is.
    NotAnIdIsExplained,
    /// Arguments that violate the schema are explained in one sentence instead of a validator's
    /// dump.
    ArgumentsAreExplained,
    /// `"yes"` is not a boolean. Guessing what was meant hides mistakes.
    NothingIsCoerced,
    /// An unknown tool is a JSON-RPC error, as the protocol requires.
    UnknownToolIsAProtocolError,
    /// An empty description is stored as none.
    EmptyDescriptionIsNone,
}

/// What our sentence about something that is no id adds.
const NOT_AN_ID: &str = " That is not an id: an id must be a UUID such as \
                         0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b. list_todos and create_todo return ids.";

fn difference(call: &Recorded) -> Option<Difference> {
    let payload = &call.payload;
    if call.tool == "no_such_tool" {
        Some(Difference::UnknownToolIsAProtocolError)
    } else if call.arguments["completed"] == "yes" {
        Some(Difference::NothingIsCoerced)
    } else if call.is_error == Some(true) {
        Some(Difference::ArgumentsAreExplained)
    } else if payload["error"] == "Todo `not-a-uuid` not found." {
        Some(Difference::NotAnIdIsExplained)
    } else if payload.get("error").is_some() {
        Some(Difference::FailureIsAnError)
    } else if payload.to_string().contains(r#""description":"""#) {
        Some(Difference::EmptyDescriptionIsNone)
    } else {
        None
    }
}

/// Replaces ids by their names in the recording, in the order of their first appearance.
#[derive(Default)]
struct Names {
    to_ours: HashMap<String, String>,
    to_recorded: HashMap<String, String>,
}

impl Names {
    /// The recording's `unknown` id is a constant of its recorder.
    fn new() -> Self {
        let mut names = Self::default();
        names.learn("<id3>", "00000000-0000-4000-8000-000000000000");
        names
    }

    fn learn(&mut self, recorded: &str, ours: &str) {
        self.to_ours.insert(recorded.to_owned(), ours.to_owned());
        self.to_recorded.insert(ours.to_owned(), recorded.to_owned());
    }

    /// Pairs the ids of two payloads of the same shape.
    fn pair(&mut self, recorded: &Value, ours: &Value) {
        if let (Some(recorded), Some(ours)) =
            (recorded["todo"]["id"].as_str(), ours["todo"]["id"].as_str())
        {
            self.learn(recorded, ours);
        }
    }

    fn ours(&self, recorded: &Value) -> Value {
        Self::replace(recorded, &self.to_ours)
    }

    fn recorded(&self, ours: &Value) -> Value {
        Self::replace(ours, &self.to_recorded)
    }

    fn replace(value: &Value, names: &HashMap<String, String>) -> Value {
        let text = names.iter().fold(value.to_string(), |text, (from, to)| text.replace(from, to));
        serde_json::from_str(&text).unwrap()
    }
}

/// Our todos have more fields: only the four of the quickstart are compared.
fn four_fields(payload: &Value) -> Value {
    let strip = |todo: &Value| {
        let fields = ["id", "title", "description", "completed"];
        json!(
            fields.map(|field| (field, todo[field].clone())).into_iter().collect::<HashMap<_, _>>()
        )
    };
    let mut payload = payload.clone();
    if payload["todo"].is_object() {
        payload["todo"] = strip(&payload["todo"]);
    }
    if let Some(todos) = payload.get_mut("todos").and_then(Value::as_array_mut) {
        for todo in todos {
            *todo = strip(todo);
        }
    }
    payload
}

fn compare(call: &Recorded, answer: &Answer, names: &mut Names) {
    assert_eq!(answer.status, call.status, "{call:?} {answer:?}");
    if difference(call) == Some(Difference::UnknownToolIsAProtocolError) {
        assert_eq!(answer.error_code(), -32602);
        return;
    }
    let payload = answer.payload();
    match difference(call) {
        Some(Difference::UnknownToolIsAProtocolError) => unreachable!("answered above"),
        Some(kind @ (Difference::FailureIsAnError | Difference::NotAnIdIsExplained)) => {
            let theirs = call.payload["error"].as_str().unwrap();
            let explained = if kind == Difference::NotAnIdIsExplained { NOT_AN_ID } else { "" };
            let expected = json!(format!("{theirs}{explained}"));
            assert_eq!(names.recorded(&payload["error"]), expected, "{call:?}");
            let is_missing = theirs.ends_with("not found.");
            let code = if is_missing { "not_found" } else { "insufficient_scope" };
            assert_eq!(answer.failure(), code);
        }
        Some(Difference::ArgumentsAreExplained | Difference::NothingIsCoerced) => {
            assert_eq!(answer.failure(), "invalid_argument", "{call:?}");
        }
        Some(Difference::EmptyDescriptionIsNone) => {
            let recorded = call.payload.to_string();
            let recorded = recorded.replace(r#""description":"""#, r#""description":null"#);
            let ours = names.recorded(&four_fields(&payload));
            assert_eq!(ours, serde_json::from_str::<Value>(&recorded).unwrap(), "{call:?}");
        }
        None => {
            names.pair(&call.payload, &payload);
            assert_eq!(Some(answer.result()["isError"] == true), call.is_error, "{call:?}");
            assert_eq!(names.recorded(&four_fields(&payload)), call.payload, "{call:?}");
        }
    }
}

#[tokio::test]
async fn the_calls_of_the_quickstart_get_its_answers() {
    let server =
        TestServer::with([("TODO_SHARING", "everyone"), ("TODO_SCOPE_DENIAL", "tool_error")]).await;
    let caller = |scope: &str| server.caller(&format!("usr_{}", scope.len()), scope);
    let personas: HashMap<&str, Client> = HashMap::from([
        ("rw", caller("todo:read todo:write")),
        ("r", caller("todo:read")),
        ("w", caller("todo:write")),
        ("none", caller("openid")),
    ]);
    let mut names = Names::new();
    let mut differences = HashMap::<String, usize>::new();
    for line in RECORDED.lines() {
        let call: Recorded = serde_json::from_str(line).unwrap();
        let arguments = names.ours(&call.arguments);
        let answer = personas[call.persona.as_str()].call(&call.tool, arguments).await;
        compare(&call, &answer, &mut names);
        let kind = difference(&call).map_or("the same".to_owned(), |kind| format!("{kind:?}"));
        *differences.entry(kind).or_default() += 1;
    }
    // The exact number, so that no rule above hides a case.
    let expected = [
        ("the same", 18),
        ("FailureIsAnError", 16),
        ("NotAnIdIsExplained", 3),
        ("ArgumentsAreExplained", 5),
        ("NothingIsCoerced", 1),
        ("UnknownToolIsAProtocolError", 1),
        ("EmptyDescriptionIsNone", 3),
    ];
    let expected = expected.map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(differences, HashMap::from(expected));
}
