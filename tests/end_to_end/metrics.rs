//! `TODO_ADMIN_ADDRESS`: what monitoring reads, while callers call and attackers attack.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::{HOST, HeaderMap};
use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::scrape::{Labels, Scrape};
use tokio::task::JoinSet;

use crate::installation::Installation;
use crate::server::Server;

const MANUAL: &str = include_str!("../../bootstrap/README.md");

/// A server that is monitored.
fn monitored() -> Installation {
    Installation::new().with("TODO_ADMIN_ADDRESS", "127.0.0.1:0")
}

/// What the listener for monitoring answers.
async fn get(server: &Server, path: &str) -> Answer {
    let url = format!("http://{}{path}", server.admin.as_ref().unwrap());
    Client::new(url, None).request(Method::GET, HeaderMap::new(), "").await
}

async fn scrape(server: &Server) -> Scrape {
    let answer = get(server, "/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Scrape::parse(&answer.text)
}

#[tokio::test]
async fn a_scrape_counts_what_callers_and_attackers_do_while_they_do_it() {
    let server = monitored().with("TODO_RATE_LIMIT", 2).serve().await;
    let expired = server.token_for(&json!({ "expires_in": -60 })).await;
    let (calm, greedy) = (server.caller().await, server.caller_named("usr_greedy").await);
    let id = calm.create("Buy milk").await;
    let mut load = JoinSet::new();
    for _ in 0..4 {
        let (calm, id) = (calm.clone(), id.clone());
        load.spawn(async move {
            calm.call("get_todo", json!({ "todo_id": id })).await;
            calm.call("get_todo", json!({ "todo_id": "nothing" })).await;
        });
        let anonymous = Client::new(server.endpoint.clone(), None);
        load.spawn(async move {
            anonymous.call("list_todos", json!({})).await;
        });
        for token in [&expired, "no token"] {
            let stranger = server.bearer(token);
            load.spawn(async move {
                stranger.call("list_todos", json!({})).await;
            });
        }
        let greedy = greedy.clone();
        load.spawn(async move {
            for _ in 0..10 {
                greedy.call("list_todos", json!({})).await;
            }
        });
    }
    let mut earlier = scrape(&server).await;
    while load.join_next().await.is_some() {
        let later = scrape(&server).await;
        assert_never_falls(&earlier, &later);
        earlier = later;
    }
    let last = earlier;
    let requests = |labels: &[_]| last.count("todo_mcp_requests_total", labels);
    assert_eq!(requests(&[("status", "401"), ("reason", "missing_token")]), 4);
    assert_eq!(requests(&[("status", "401"), ("reason", "expired")]), 4);
    assert_eq!(requests(&[("status", "401"), ("reason", "malformed")]), 4);
    // Twenty at once, and what refills meanwhile.
    let refused = requests(&[("status", "429"), ("reason", "rate_limited")]);
    assert!((1..=20).contains(&refused), "{refused}");
    assert_eq!(requests(&[]), 1 + 8 + 12 + 40);

    let verified = |result| last.count("todo_mcp_token_verifications_total", &[("result", result)]);
    assert_eq!((verified("expired"), verified("malformed")), (4, 4));
    let accepted = verified("accepted") + last.count("todo_mcp_token_cache_hits_total", &[]);
    assert_eq!(accepted, 1 + 8 + 40);

    let duration = "mcp_server_operation_duration_seconds";
    let tool = ("gen_ai_tool_name", "get_todo");
    let failed = last.count(duration, &[tool, ("error_type", "tool_error")]);
    let all = last.count(duration, &[tool, ("mcp_method_name", "tools/call")]);
    assert_eq!((failed, all), (4, 8));
    let errors = last.count("todo_mcp_operation_errors_total", &[("code", "not_found")]);
    assert_eq!(errors, 4);
    let found = last.count("todo_mcp_storage_duration_seconds", &[("operation", "find")]);
    assert_eq!(found, 4, "what is no id is not looked for");
}

/// Asserts that no counter or histogram falls.
fn assert_never_falls(earlier: &Scrape, later: &Scrape) {
    for family in earlier.families.iter().filter(|family| family.kind != "gauge") {
        let later = later.family(&family.name);
        for (labels, value) in &family.values {
            let name = &family.name;
            assert!(later.values.get(labels).is_some_and(|it| it >= value), "{name} {labels:?}");
        }
    }
}

#[tokio::test]
async fn no_caller_can_add_a_series() {
    let server = monitored().with("TODO_RATE_LIMIT", "off").serve().await;
    let strange = |number: usize| {
        let message = |method: &str, params: Value| {
            let id = format!("id {number}");
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
        };
        let name = format!("made_up_{number}");
        let messages = [
            message(&name, json!({})),
            message("tools/call", json!({ "name": name, "arguments": {} })),
            message("tools/call", json!({ "name": "get_todo", "arguments": { "todo_id": name } })),
            message("prompts/get", json!({ "name": name })),
            message("resources/read", json!({ "uri": format!("todo://{name}") })),
        ];
        messages[number % messages.len()].clone()
    };
    // Not through the proxy, which judges each message.
    let bearer =
        |token: &str| Client::new(format!("http://{}/mcp", server.address), Some(token.to_owned()));
    let owner = bearer(&server.token().await);
    let send = async |numbers: std::ops::Range<usize>| {
        let batch = Value::Array(numbers.map(strange).collect()).to_string();
        assert_eq!(owner.post(batch).await.status, 200);
    };
    let bad = async |number: usize| {
        let mut headers = owner.headers();
        headers.insert("mcp-protocol-version", format!("20{number:02}-01-01").parse().unwrap());
        owner.send(headers, strange(0).to_string()).await;
        bearer(&format!("not a token {number}")).post(strange(0).to_string()).await;
        let subject = json!({ "subject": format!("usr_{number}") });
        bearer(&server.token_for(&subject).await).post(strange(number).to_string()).await;
    };
    send(0..100).await;
    for number in 0..5 {
        bad(number).await;
    }
    let before = scrape(&server).await;
    for hundred in 1..101 {
        send(100 * hundred..100 * (hundred + 1)).await;
        bad(hundred).await;
    }
    let after = scrape(&server).await;
    let series = |scrape: &Scrape| -> BTreeSet<(String, Labels)> {
        let families = scrape.families.iter();
        families
            .flat_map(|it| it.values.keys().map(|labels| (it.name.clone(), labels.clone())))
            .collect()
    };
    let new: Vec<_> = series(&after).difference(&series(&before)).cloned().collect();
    assert!(new.is_empty(), "{new:?}");
    assert_eq!(after.lines(), before.lines());
    let operations = |scrape: &Scrape| scrape.count("todo_mcp_operations_total", &[]);
    assert!(operations(&after) - operations(&before) >= 10_000);
}

#[tokio::test]
async fn the_manual_lists_every_metric_with_its_labels_and_no_other() {
    let server = monitored().serve().await;
    let owner = server.caller().await;
    owner.create("Buy milk").await;
    owner.call("get_todo", json!({ "todo_id": "nothing" })).await;
    owner.legacy("prompts/get", json!({ "name": "plan_my_day" })).await;
    let scrape = scrape(&server).await;
    let (_, chapter) = MANUAL.split_once("\n## Metrics\n").unwrap();
    let (chapter, _) = chapter.split_once("\n## ").unwrap();
    let rows = chapter.lines().filter(|line| line.starts_with("| `")).map(str::to_owned);
    let listed: Vec<String> = rows.collect();
    let mut expected = Vec::new();
    for (index, family) in scrape.families.iter().enumerate() {
        let labels: BTreeSet<&str> =
            family.values.keys().flat_map(|labels| labels.keys().map(String::as_str)).collect();
        let documented = listed.get(index).and_then(|row| row.split(" | ").nth(2)).unwrap_or("");
        // A label that no series has at the moment may be listed.
        let quoted = documented.split('`').skip(1).step_by(2);
        let all: BTreeSet<&str> = labels.iter().copied().chain(quoted.clone()).collect();
        let all = if all.len() == quoted.count() {
            documented.to_owned()
        } else {
            all.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
        };
        let help = family.help.trim_end_matches('.');
        expected.push(format!("| `{}` | {} | {all} | {help} |", family.name, family.kind));
    }
    assert_eq!(listed, expected, "the rows should be:\n{}", expected.join("\n"));
    // The queries name metrics that exist.
    let words = chapter.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    for word in
        words.filter(|word| word.starts_with("todo_mcp_") || word.starts_with("mcp_server_"))
    {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
        let is_known = |name: &str| scrape.families.iter().any(|family| family.name == name);
        assert!(is_known(word) || base.is_some_and(is_known), "{word}");
    }
}

#[tokio::test]
async fn the_listener_for_monitoring_has_the_probes_of_the_other_and_nothing_else() {
    let scalekit =
        [("SCALEKIT_ENVIRONMENT_URL", "http://127.0.0.1:1"), ("SCALEKIT_RESOURCE_ID", "res_1")];
    let without_keys = scalekit
        .iter()
        .fold(monitored(), |installation, (name, value)| installation.with(name, value));
    for (installation, status) in [(monitored(), 200), (without_keys, 503)] {
        let server = installation.serve().await;
        for (path, status) in [("/readyz", status), ("/healthz", 200)] {
            let monitored = get(&server, path).await;
            assert_eq!((monitored.status, monitored.text), server.get(path).await);
            assert_eq!(get(&server, path).await.status, status);
        }
        for path in ["/mcp", "/", "/.well-known/oauth-protected-resource"] {
            assert_eq!(get(&server, path).await.status, 404, "{path}");
        }
        let mcp = Client::new(format!("http://{}/mcp", server.admin.as_ref().unwrap()), None);
        assert_eq!(mcp.call("list_todos", json!({})).await.status, 404);
        // The metrics are not on the port of callers.
        assert_eq!(server.get("/metrics").await.0, 404);
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "any.example".parse().unwrap());
        let url = format!("http://{}/metrics", server.admin.as_ref().unwrap());
        let answer = Client::new(url, None).request(Method::GET, headers, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn nothing_is_monitored_unless_an_address_is_set_and_the_banner_shows_it() {
    assert!(Installation::new().serve().await.admin.is_none());
    let mut process = monitored().with("LOG_FORMAT", "text").spawn(&["serve"]);
    let printed = process.printed("Ctrl-C").await;
    assert!(printed.contains("\n  Metrics       http://127.0.0.1:"), "{printed}");
    let everywhere = Installation::new().with("TODO_ADMIN_ADDRESS", "0.0.0.0:9464");
    let ended = everywhere.run(&["check"]).await.with_code(0);
    let note = "TODO_ADMIN_ADDRESS is 0.0.0.0:9464: anyone who can reach it sees the metrics";
    assert!(ended.stdout.contains(note), "{}", ended.stdout);
}
