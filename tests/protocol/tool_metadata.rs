//! What clients and models learn about the tools before they call one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use todo_tests::schema;
use todo_tests::server::TestServer;

async fn listed(server: &TestServer) -> Vec<Value> {
    let result = server.owner().legacy("tools/list", json!({})).await.result();
    result["tools"].as_array().unwrap().clone()
}

fn name(tool: &Value) -> &str {
    tool["name"].as_str().unwrap()
}

/// Visits every schema in `schema`, itself included, with its path.
fn walk<'a>(at: &str, schema: &'a Value, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(at, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{at}.{name}"), property, visit);
    }
    for branch in schema["anyOf"].as_array().into_iter().flatten() {
        walk(&format!("{at}?"), branch, visit);
    }
    if let Some(items) = schema.get("items") {
        walk(&format!("{at}[]"), items, visit);
    }
}

/// [`walk`]s through the input and output schemas of all tools.
fn walk_all<'a>(tools: &'a [Value], mut visit: impl FnMut(&str, &'a Value)) {
    for tool in tools {
        for kind in ["inputSchema", "outputSchema"] {
            walk(&format!("{} {kind}", name(tool)), &tool[kind], &mut visit);
        }
    }
}

#[tokio::test]
async fn the_tools_are_listed_in_their_order_for_every_caller_and_era_alike() {
    let server = TestServer::start().await;
    let tools = listed(&server).await;
    let names: Vec<&str> = tools.iter().map(name).collect();
    let expected = [
        "list_todos",
        "get_todo",
        "create_todo",
        "update_todo",
        "delete_todo",
        "change_todos",
        "list_changes",
        "undo_change",
    ];
    assert_eq!(names, expected);
    let reader = server.caller("usr_reader", "openid");
    let seen = reader.legacy("tools/list", json!({})).await.result();
    assert_eq!(seen["tools"], json!(tools));
    let seen = reader.modern("tools/list", json!({})).await.result();
    assert_eq!(seen["tools"], json!(tools));
    // Where no changes are remembered, too.
    let server = TestServer::with([("TODO_HISTORY_DAYS", "0")]).await;
    assert_eq!(listed(&server).await, tools);
}

/// Where ChatGPT looks for them (OpenAI Apps SDK, authentication).
#[tokio::test]
async fn each_tool_lists_the_scope_that_it_needs() {
    let server = TestServer::start().await;
    for result in [
        server.owner().legacy("tools/list", json!({})).await.result(),
        server.owner().modern("tools/list", json!({})).await.result(),
    ] {
        for tool in result["tools"].as_array().unwrap() {
            let only_reads = tool["annotations"]["readOnlyHint"] == true;
            let scope = if only_reads { "todo:read" } else { "todo:write" };
            let schemes = json!([{ "type": "oauth2", "scopes": [scope] }]);
            assert_eq!(tool["securitySchemes"], schemes, "{tool}");
            assert_eq!(tool["_meta"]["securitySchemes"], schemes, "{tool}");
        }
    }
}

#[tokio::test]
async fn names_are_unique_and_valid_for_the_strictest_client() {
    let server = TestServer::start().await;
    let tools = listed(&server).await;
    let names: BTreeSet<&str> = tools.iter().map(name).collect();
    assert_eq!(names.len(), tools.len());
    for name in names {
        assert!((1..=64).contains(&name.len()), "{name}");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(name.chars().all(plain), "{name}");
    }
}

#[tokio::test]
async fn every_tool_has_a_short_description() {
    let server = TestServer::start().await;
    for tool in listed(&server).await {
        let description = tool["description"].as_str().unwrap();
        assert!((60..=400).contains(&description.len()), "{}", name(&tool));
        assert!(description.ends_with('.') && !description.contains('\n'), "{}", name(&tool));
    }
}

#[tokio::test]
async fn every_tool_has_a_title_and_all_four_hints() {
    let server = TestServer::start().await;
    for tool in listed(&server).await {
        let title = tool["title"].as_str().unwrap();
        let annotations = tool["annotations"].as_object().unwrap();
        assert_eq!(annotations["title"], title, "{}", name(&tool));
        let hint = |hint: &str| annotations[hint].as_bool().unwrap();
        let [read_only, destructive] = [hint("readOnlyHint"), hint("destructiveHint")];
        assert!(!(read_only && destructive), "{}", name(&tool));
        assert!(hint("idempotentHint") || !read_only, "{}", name(&tool));
        assert!(!hint("openWorldHint"), "{} reaches nothing but todos", name(&tool));
        assert_eq!(annotations.len(), 5, "{}", name(&tool));
    }
}

#[tokio::test]
async fn the_tools_keep_their_titles_and_hints() {
    let server = TestServer::start().await;
    let tools = listed(&server).await;
    // Read-only, destructive, idempotent.
    for (name, title, [read_only, destructive, idempotent]) in [
        ("list_todos", "List todos", [true, false, true]),
        ("get_todo", "Get a todo", [true, false, true]),
        ("create_todo", "Create a todo", [false, false, false]),
        ("update_todo", "Update a todo", [false, true, true]),
        ("delete_todo", "Delete a todo", [false, true, true]),
        ("change_todos", "Change several todos", [false, true, false]),
        ("list_changes", "List changes", [true, false, true]),
        ("undo_change", "Undo a change", [false, true, true]),
    ] {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        let annotations = json!({
            "title": title,
            "readOnlyHint": read_only,
            "destructiveHint": destructive,
            "idempotentHint": idempotent,
            "openWorldHint": false,
        });
        assert_eq!(tool["annotations"], annotations, "{name}");
    }
}

#[tokio::test]
async fn every_schema_is_a_valid_one_of_2020_12_with_an_object_at_its_root() {
    let server = TestServer::start().await;
    for tool in listed(&server).await {
        assert_eq!(schema::tool(&tool), [""; 0], "{}", name(&tool));
        for kind in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[kind]["type"], "object", "{} {kind}", name(&tool));
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{}", name(&tool));
    }
}

/// Model APIs support only a part of JSON Schema; one tool with an unsupported keyword can cost a
/// user all tools of all servers.
#[tokio::test]
async fn schemas_are_flat_and_use_only_keywords_that_every_model_supports() {
    const EVERYWHERE: [&str; 9] = [
        "type",
        "description",
        "properties",
        "required",
        "items",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
    ];
    let server = TestServer::start().await;
    walk_all(&listed(&server).await, |at, schema| {
        let known: &[&str] = if at.contains("inputSchema") {
            // No `format`: Gemini supports two of them, and rejects the tool for any other.
            &["additionalProperties", "default"]
        } else {
            &["anyOf", "format", "maxItems"]
        };
        for word in schema.as_object().unwrap().keys().map(String::as_str) {
            assert!(EVERYWHERE.contains(&word) || known.contains(&word), "{at} has {word}");
        }
        match schema.get("anyOf") {
            None => assert!(schema["type"].is_string(), "{at} has one type"),
            Some(branches) => {
                assert!(schema.get("type").is_none(), "{at}");
                assert_eq!(branches[1], json!({ "type": "null" }), "{at} is something or null");
            }
        }
    });
}

#[tokio::test]
async fn every_property_at_every_depth_is_described() {
    let server = TestServer::start().await;
    let tools = listed(&server).await;
    let arguments = |tool: &Value| tool["inputSchema"]["properties"].as_object().unwrap().clone();
    let of_one: serde_json::Map<String, Value> = ["create_todo", "update_todo", "delete_todo"]
        .into_iter()
        .flat_map(|one| arguments(tools.iter().find(|tool| name(tool) == one).unwrap()))
        .collect();
    walk_all(&tools, |at, schema| {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            // Those of one of several changes are the arguments of its tool, which describes them.
            if at == "change_todos inputSchema.changes[]" && name != "action" {
                assert_eq!(property["type"], of_one[name]["type"], "{name}");
                continue;
            }
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.len() > 8 && description.ends_with('.'), "{at}.{name}");
        }
    });
}

#[tokio::test]
async fn the_input_schema_accepts_exactly_what_the_server_accepts() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let tools = listed(&server).await;
    let id = owner.create("one").await;
    let text = |character: &str, times| character.repeat(times);
    for (tool, arguments, accepted) in [
        ("create_todo", json!({ "title": text("𝕏", 500) }), true),
        ("create_todo", json!({ "title": text("x", 501) }), false),
        ("create_todo", json!({ "title": "" }), false),
        ("create_todo", json!({ "title": "x", "description": text("x", 16_384) }), true),
        ("create_todo", json!({ "title": "x", "description": text("x", 16_385) }), false),
        ("create_todo", json!({ "title": "x", "description": text("𝕏", 4_096) }), true),
        ("create_todo", json!({ "title": "x", "description": "" }), true),
        ("create_todo", json!({ "title": "x", "colour": "red" }), false),
        ("update_todo", json!({ "todo_id": id, "title": text("ü", 500) }), true),
        ("update_todo", json!({ "todo_id": id, "title": text("ü", 501) }), false),
        ("update_todo", json!({ "todo_id": id, "description": text("x", 16_384) }), true),
        ("update_todo", json!({ "todo_id": id, "description": text("x", 16_385) }), false),
        ("update_todo", json!({ "todo_id": id, "description": "" }), true),
        ("update_todo", json!({ "todo_id": id, "expected_version": 0 }), false),
        ("update_todo", json!({ "todo_id": id, "expected_version": 1.5 }), false),
        ("update_todo", json!({ "title": "x" }), false),
        ("get_todo", json!({ "todo_id": id }), true),
        ("get_todo", json!({ "todo_id": id.to_uppercase() }), true),
        ("get_todo", json!({ "todo_id": "1" }), false),
        ("list_todos", json!({}), true),
        ("list_todos", json!({ "limit": 1, "completed": true }), true),
        ("list_todos", json!({ "limit": 200.0 }), true),
        ("list_todos", json!({ "limit": 200.5 }), false),
        ("list_todos", json!({ "limit": 0 }), false),
        ("list_todos", json!({ "limit": 201 }), false),
        ("list_todos", json!({ "completed": "yes" }), false),
        ("change_todos", json!({ "changes": [{ "action": "create", "title": "x" }] }), true),
        ("change_todos", json!({ "changes": [{ "title": "x" }] }), false),
        ("change_todos", json!({ "changes": [{ "action": "create", "name": "x" }] }), false),
        ("change_todos", json!({ "changes": {} }), false),
        ("change_todos", json!({}), false),
        ("list_changes", json!({}), true),
        ("list_changes", json!({ "limit": 200, "todo_id": id }), true),
        ("list_changes", json!({ "limit": 201 }), false),
        ("undo_change", json!({}), false),
        ("delete_todo", json!({ "todo_id": id, "expected_version": 0 }), false),
        ("delete_todo", json!({ "todo_id": id }), true),
    ] {
        let schema = &tools.iter().find(|it| name(it) == tool).unwrap()["inputSchema"];
        let about = format!("{tool} {arguments:.100}");
        assert_eq!(jsonschema::draft202012::is_valid(schema, &arguments), accepted, "{about}");
        let failed = owner.call(tool, arguments).await.result()["isError"] == true;
        assert_eq!(failed, !accepted, "{about}");
    }
}

#[tokio::test]
async fn the_byte_limit_of_a_description_is_documented_in_the_schema() {
    let server = TestServer::start().await;
    let arguments = json!({ "title": "x", "description": "𝕏".repeat(4_097) });
    for tool in listed(&server).await {
        if let Some(property) = tool["inputSchema"]["properties"].get("description") {
            assert_eq!(property["maxLength"], 16_384);
            assert!(property["description"].as_str().unwrap().contains("16384 bytes of UTF-8"));
        }
        if name(&tool) == "create_todo" {
            assert!(jsonschema::draft202012::is_valid(&tool["inputSchema"], &arguments));
        }
    }
    let answer = server.owner().call("create_todo", arguments).await;
    assert_eq!(answer.failure(), "invalid_argument");
    assert_eq!(answer.payload()["argument"], "description");
}

/// A user pays for the list with every conversation. Other tokenizers differ from these by some percent.
#[tokio::test]
async fn the_list_of_tools_is_within_its_token_budgets() {
    let settings = [("MCP_URL", "https://todo.example.com/"), ("ALLOWED_HOSTS", "localhost")];
    let server = TestServer::with(settings).await;
    let tools = listed(&server).await;
    let for_the_model = tools.iter().map(|tool| {
        let [name, description, input] = ["name", "description", "inputSchema"].map(|it| &tool[it]);
        json!({ "name": name, "description": description, "parameters": input })
    });
    // What hosts commonly pass on; icons, hints and the schemas of results are for the host.
    let for_the_model = for_the_model.collect::<Value>().to_string();
    let everything = json!(tools).to_string();
    for tokenizer in [tiktoken_rs::cl100k_base().unwrap(), tiktoken_rs::o200k_base().unwrap()] {
        let tokens = |text: &str| tokenizer.encode_ordinary(text).len();
        assert!(tokens(&for_the_model) <= 2_000, "{} tokens", tokens(&for_the_model));
        assert!(tokens(&everything) <= 5_000, "{} tokens", tokens(&everything));
    }
}
