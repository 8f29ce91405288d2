//! Spans as a collector receives them.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};

use crate::collector::{Behavior, Collected, Collector};
use crate::installation::Installation;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn installation(collector: &Collector) -> Installation {
    Installation::new().with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
}

/// The name of an operation, its attributes, the type of its error, and the calls of the storage.
type Expected<'a> = (&'a str, Vec<(&'a str, &'a str)>, Option<&'a str>, &'a [&'a str]);

/// A sampled span of a client.
fn parent(trace: &str, span: &str) -> String {
    format!("00-{trace}-{span}-01")
}

/// Calls `get_todo` for a todo that does not exist, as a part of these traces.
async fn get_nothing(client: &Client, meta: Option<&str>, header: Option<&str>) -> Answer {
    let todo = json!({ "todo_id": "00000000-0000-7000-8000-000000000000" });
    let params = json!({ "name": "get_todo", "arguments": todo });
    let (mut headers, mut body) = client.modern_parts("tools/call", params);
    if let Some(parent) = meta {
        body["params"]["_meta"]["traceparent"] = parent.into();
        body["params"]["_meta"]["tracestate"] = "vendor=of-meta".into();
    }
    if let Some(parent) = header {
        headers.insert("traceparent", parent.parse().unwrap());
        headers.insert("tracestate", "vendor=of-header".parse().unwrap());
    }
    client.exchange(headers, &body).await
}

fn operations(spans: &[Collected]) -> Vec<&Collected> {
    spans.iter().filter(|span| span.kind == SpanKind::Server).collect()
}

fn children<'a>(spans: &'a [Collected], of: &Collected) -> Vec<&'a str> {
    let children = spans.iter().filter(|span| span.parent == of.id && span.trace == of.trace);
    children.map(|span| &*span.name).collect()
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let transport = [("network.transport", "tcp"), ("network.protocol.name", "http")];
    let all = pairs.iter().chain(&transport);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn each_operation_is_a_span_with_the_attributes_of_the_conventions() {
    let collector = Collector::start(Behavior::Accepts).await;
    let server = installation(&collector)
        .with("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20b3R0bw==,x-scope=a")
        .with("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=test%20")
        .with("OTEL_SERVICE_NAME", "todos")
        .serve()
        .await;
    let caller = server.caller().await;
    caller.legacy("tools/list", json!({})).await;
    let id = caller.create("Buy milk").await;
    caller.call("get_todo", json!({ "todo_id": id })).await;
    get_nothing(&caller, None, None).await;
    caller.legacy("prompts/get", json!({ "name": "weekly_review" })).await;
    caller.legacy("no/such/method", json!({})).await;
    let reader = server.bearer(&server.token_for(&json!({ "scope": "todo:read" })).await);
    reader.call("create_todo", json!({ "title": "Buy milk" })).await;
    // Refused before it is an operation.
    server.bearer("no-token").call("list_todos", json!({})).await;
    // Stopping sends what is queued.
    server.stop().await;

    let spans = collector.received();
    let operations = operations(&spans);
    let seen: Vec<(&str, &Collected)> = operations.iter().map(|it| (&*it.name, *it)).collect();
    let old = ("jsonrpc.request.id", "1");
    let tool = |name| [("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", name)];
    let expected: [Expected<'_>; 7] = [
        ("tools/list", vec![], None, &[]),
        ("tools/call create_todo", tool("create_todo").into(), None, &["todo_repository.insert"]),
        ("tools/call get_todo", tool("get_todo").into(), None, &["todo_repository.find"]),
        (
            "tools/call get_todo",
            [&tool("get_todo")[..], &[("mcp.protocol.version", "2026-07-28")]].concat(),
            Some("tool_error"),
            &["todo_repository.find"],
        ),
        (
            "prompts/get weekly_review",
            vec![("gen_ai.prompt.name", "weekly_review")],
            None,
            &["todo_repository.list"],
        ),
        ("unknown", vec![("rpc.response.status_code", "-32601")], Some("-32601"), &[]),
        ("tools/call create_todo", tool("create_todo").into(), Some("403"), &[]),
    ];
    assert_eq!(seen.len(), expected.len(), "{seen:#?}");
    for ((name, span), (expected, mut pairs, error, storage)) in seen.into_iter().zip(expected) {
        assert_eq!(name, expected);
        pairs.extend([old, ("mcp.method.name", expected.split(' ').next().unwrap())]);
        pairs.extend(error.map(|error| ("error.type", error)));
        assert_eq!(span.attributes, attributes(&pairs), "{name}");
        let status = if error.is_some() { StatusCode::Error } else { StatusCode::Unset };
        assert_eq!(span.status, status, "{name}");
        assert_eq!((&*span.parent, span.links.len()), ("", 0), "{name}");
        assert_eq!(children(&spans, span), storage, "{name}");
    }
    for span in spans.iter().filter(|span| span.kind != SpanKind::Server) {
        assert_eq!(span.kind, SpanKind::Internal);
        assert_eq!(span.attributes, [("db.system.name".to_owned(), "sqlite".to_owned())].into());
        let parent = operations.iter().find(|it| it.id == span.parent).unwrap();
        assert!(parent.time.0 <= span.time.0 && span.time.1 <= parent.time.1, "{span:?}");
    }
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "todos");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["deployment.environment.name"], "test ");
    let (path, headers) = collector.last_request();
    assert_eq!(path, "/v1/traces");
    assert_eq!(headers["authorization"], "Basic b3R0bw==");
    assert_eq!(headers["x-scope"], "a");
    assert_eq!(headers["content-type"], "application/x-protobuf");
}

#[tokio::test]
async fn a_span_is_a_part_of_the_trace_that_the_client_names() {
    let collector = Collector::start(Behavior::Accepts).await;
    let server = installation(&collector).serve().await;
    let caller = server.caller().await;
    let (by_meta, by_header) = (parent(TRACE, SPAN), parent(&"a".repeat(32), &"b".repeat(16)));
    get_nothing(&caller, None, Some(&by_header)).await;
    get_nothing(&caller, Some(&by_meta), None).await;
    get_nothing(&caller, Some(&by_meta), Some(&by_header)).await;
    get_nothing(&caller, Some("no trace"), Some(&by_header)).await;
    // The client does not sample it.
    get_nothing(&caller, Some(&by_meta.replace("-01", "-00")), None).await;
    // A write goes on by itself, in the same trace.
    let (headers, mut body) = caller.modern_parts(
        "tools/call",
        json!({ "name": "create_todo", "arguments": { "title": "Buy milk" } }),
    );
    body["params"]["_meta"]["traceparent"] = by_meta.clone().into();
    caller.exchange(headers, &body).await;
    let ended = server.stop().await;

    let spans = collector.received();
    let operations = operations(&spans);
    let found: Vec<_> = operations.iter().map(|it| (&*it.trace, &*it.parent, &*it.state)).collect();
    let (a, b) = ("a".repeat(32), "b".repeat(16));
    let (meta, header) = ((TRACE, SPAN, "vendor=of-meta"), (&*a, &*b, "vendor=of-header"));
    assert_eq!(found, [header, meta, meta, header, (TRACE, SPAN, "")]);
    let links: Vec<_> = operations.iter().map(|it| it.links.clone()).collect();
    let linked = vec![(a.clone(), b)];
    assert_eq!(links, [vec![], vec![], linked, vec![], vec![]]);
    assert_eq!(children(&spans, operations[4]), ["todo_repository.insert"]);
    assert_eq!(spans.len(), 10, "each has one call of the storage");

    let requests = ended.stderr.lines().filter(|line| line.contains("protected_mcp::request"));
    let logged: Vec<Value> = requests
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["trace_id"].clone())
        .collect();
    assert_eq!(logged, [json!(a), json!(TRACE), json!(TRACE), json!(a), Value::Null, json!(TRACE)]);
}

#[tokio::test]
async fn each_request_of_a_batch_is_a_span() {
    let collector = Collector::start(Behavior::Accepts).await;
    let server = installation(&collector).serve().await;
    let caller = server.caller().await;
    let call = |id: &str, trace: Option<String>| {
        let params =
            json!({ "name": "list_todos", "arguments": {}, "_meta": { "traceparent": trace } });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
    };
    let batch = json!([
        call("a", Some(parent(TRACE, SPAN))),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        call("b", None),
    ]);
    let mut headers = caller.headers();
    headers.insert("traceparent", parent(&"a".repeat(32), SPAN).parse().unwrap());
    caller.exchange(headers, &batch).await;
    server.stop().await;
    let spans = collector.received();
    let operations = operations(&spans);
    let found: Vec<_> =
        operations.iter().map(|it| (&*it.attributes["jsonrpc.request.id"], &*it.trace)).collect();
    assert_eq!(found, [("a", TRACE), ("b", &*"a".repeat(32))]);
    assert!(operations.iter().all(|it| children(&spans, it) == ["todo_repository.list"]));
}

#[tokio::test]
async fn the_sampler_decides_which_traces_are_sent() {
    for (sampler, ratio, sent) in [
        ("parentbased_always_off", "1", vec![SPAN]),
        ("always_off", "1", vec![]),
        ("always_on", "0", vec!["", SPAN, SPAN]),
        ("parentbased_traceidratio", "0", vec![SPAN]),
        ("traceidratio", "0", vec![]),
    ] {
        let collector = Collector::start(Behavior::Accepts).await;
        let installation = installation(&collector).with("OTEL_TRACES_SAMPLER", sampler);
        let server = installation.with("OTEL_TRACES_SAMPLER_ARG", ratio).serve().await;
        let caller = server.caller().await;
        let sampled = parent(TRACE, SPAN);
        get_nothing(&caller, None, None).await;
        get_nothing(&caller, Some(&sampled), None).await;
        get_nothing(&caller, Some(&sampled.replace("-01", "-00")), None).await;
        server.stop().await;
        let spans = collector.received();
        let parents: Vec<&str> = operations(&spans).iter().map(|it| &*it.parent).collect();
        assert_eq!(parents, sent, "{sampler}");
        assert_eq!(spans.len(), 2 * sent.len(), "{sampler}");
    }
}

#[tokio::test]
async fn no_span_holds_an_argument_a_result_or_a_token() {
    const MARK: &str = "mark-that-nobody-knows-of";
    for filter in ["trace", "info"] {
        let collector = Collector::start(Behavior::Accepts).await;
        let server = installation(&collector).with("RUST_LOG", filter).serve().await;
        let token = server.token_for(&json!({ "subject": MARK })).await;
        let caller = server.bearer(&token);
        let todo = json!({ "title": MARK, "description": MARK, "labels": [MARK] });
        let id = caller.call("create_todo", todo).await.structured()["todo"]["id"].clone();
        caller.call("list_todos", json!({ "query": MARK, "label": MARK })).await;
        caller.call("update_todo", json!({ "todo_id": id, "title": format!("{MARK} 2") })).await;
        caller.call("get_todo", json!({ "todo_id": MARK })).await;
        caller.call(MARK, json!({ MARK: MARK })).await;
        caller.legacy(MARK, json!({})).await;
        caller.legacy("resources/read", json!({ "uri": format!("todo://labels/{MARK}") })).await;
        caller.legacy("prompts/get", json!({ "name": MARK })).await;
        caller.post(format!(r#"{{"jsonrpc": "2.0", "{MARK}"#)).await;
        server.stop().await;
        assert_eq!(operations(&collector.received()).len(), 8);
        assert!(!collector.has(MARK), "{:#?}", collector.received());
        assert!(!collector.has(id.as_str().unwrap()));
        for piece in token.split('.') {
            assert!(!collector.has(piece));
        }
    }
}

#[tokio::test]
async fn a_collector_that_fails_costs_a_warning_and_no_request() {
    const LOST: &str = "spans cannot be sent to the collector, and are lost";
    // Two values, so that the port is ours and nothing listens there.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    let failing = Collector::start(Behavior::Fails).await;
    let silent = Collector::start(Behavior::NeverAnswers).await;
    for (url, cause) in [
        (&nobody, "connection refused"),
        (&failing.url, "it answered with HTTP 500"),
        (&silent.url, "no response in time"),
    ] {
        let server = Installation::new()
            .with("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{url}/v1/traces"))
            .with("OTEL_EXPORTER_OTLP_TIMEOUT", 300)
            .with("OTEL_BSP_SCHEDULE_DELAY", 10)
            .with("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1)
            .with("OTEL_BSP_MAX_QUEUE_SIZE", 2)
            .serve()
            .await;
        let caller = server.caller().await;
        for _ in 0..20 {
            assert_eq!(get_nothing(&caller, None, None).await.status, 200);
        }
        let ended = server.stop().await;
        let warnings: Vec<Value> = ended
            .stderr
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|event: &Value| event["message"] == LOST)
            .collect();
        // At once, and when it stops.
        assert!((1..=2).contains(&warnings.len()), "{}", ended.stderr);
        assert!(warnings.iter().all(|it| it["cause"] == cause), "{warnings:?}");
        assert!(ended.stderr.contains("dropped a Span due to queue full"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_the_collector() {
    let mut silent = Collector::start(Behavior::NeverAnswers).await;
    let server = installation(&silent).serve().await;
    get_nothing(&server.caller().await, None, None).await;
    server.signal("TERM").await;
    silent.asked(1).await;
    server.signal("INT").await;
    let ended = server.ended().await.with_code(0);
    assert!(ended.stderr.contains("second signal"), "{}", ended.stderr);
}

#[tokio::test]
async fn there_are_no_traces_unless_there_is_an_endpoint_and_nothing_disables_them() {
    let collector = Collector::start(Behavior::Accepts).await;
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ] {
        let server = installation(&collector)
            // Without effect where there are no traces.
            .with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            .with("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &collector.url)
            .with(name, value)
            .serve()
            .await;
        get_nothing(&server.caller().await, None, None).await;
        let ended = server.stop().await;
        assert!(collector.received().is_empty(), "{name}");
        assert!(!ended.stderr.contains("OTEL_"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn check_names_what_is_wrong_and_shows_no_header() {
    let installation = Installation::new().with_file(
        ".env",
        "OTEL_EXPORTER_OTLP_ENDPOINT=https://otlp.example.com/base\n\
         OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20SECRET\n",
    );
    let ended = installation.run(&["check"]).await.with_code(0);
    assert!(!ended.stdout.contains("SECRET"), "{}", ended.stdout);
    assert!(ended.stdout.contains("https://otlp.example.com/base"), "{}", ended.stdout);

    let installation = installation
        .with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .with("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization: SECRET")
        .with("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .with("OTEL_TRACES_SAMPLER", "xray")
        .with("OTEL_TRACES_SAMPLER_ARG", "2")
        .with("OTEL_BSP_MAX_QUEUE_SIZE", "0");
    let ended = installation.run(&["check"]).await.with_code(64);
    assert!(!ended.stderr.contains("SECRET"), "{}", ended.stderr);
    for expected in [
        "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf: this server speaks no gRPC",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS must be headers",
        "OTEL_EXPORTER_OTLP_COMPRESSION must be none",
        "OTEL_TRACES_SAMPLER must be",
        "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1",
        "OTEL_BSP_MAX_QUEUE_SIZE must be a number of spans",
    ] {
        assert!(ended.stderr.contains(expected), "{expected}: {}", ended.stderr);
    }
}
