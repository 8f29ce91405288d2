//! What a client and its model learn about the tools before they call one.

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

/// Every schema in `schema`, itself included, with a name that says where it is.
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

/// [`walk`] through the arguments and the results of all tools.
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
    assert_eq!(names, ["list_todos", "get_todo", "create_todo", "update_todo", "delete_todo"]);
    let reader = server.caller("usr_reader", "openid");
    let seen = reader.legacy("tools/list", json!({})).await.result();
    assert_eq!(seen["tools"], json!(tools));
    let seen = reader.modern("tools/list", json!({})).await.result();
    assert_eq!(seen["tools"], json!(tools));
}

#[tokio::test]
async fn names_are_unique_and_fit_the_narrowest_client() {
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
async fn every_tool_says_in_a_few_sentences_what_it_does() {
    let server = TestServer::start().await;
    for tool in listed(&server).await {
        let description = tool["description"].as_str().unwrap();
        assert!((60..=400).contains(&description.len()), "{}", name(&tool));
        assert!(description.ends_with('.') && !description.contains('\n'), "{}", name(&tool));
    }
}

#[tokio::test]
async fn nothing_about_a_tool_is_left_to_a_default() {
    let server = TestServer::start().await;
    let tools = listed(&server).await;
    // Read-only, destructive, idempotent, open world.
    let expected = [
        ("list_todos", "List todos", [true, false, true, false]),
        ("get_todo", "Get a todo", [true, false, true, false]),
        ("create_todo", "Create a todo", [false, false, false, false]),
        ("update_todo", "Update a todo", [false, true, true, false]),
        ("delete_todo", "Delete a todo", [false, true, true, false]),
    ];
    assert_eq!(tools.len(), expected.len());
    for (tool, (name, title, [read_only, destructive, idempotent, open_world])) in
        tools.iter().zip(expected)
    {
        assert_eq!((&tool["name"], &tool["title"]), (&json!(name), &json!(title)));
        let annotations = json!({
            "title": title,
            "readOnlyHint": read_only,
            "destructiveHint": destructive,
            "idempotentHint": idempotent,
            "openWorldHint": open_world,
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

/// JSON Schema is large, and the API of a model knows only a part of it; one tool with a word too
/// many can cost a user all tools of all servers.
#[tokio::test]
async fn schemas_are_flat_and_made_of_words_that_every_model_knows() {
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
            // No `format`: Gemini knows two of them, and refuses the tool for any other.
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
    walk_all(&listed(&server).await, |at, schema| {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.len() > 8 && description.ends_with('.'), "{at}.{name}");
        }
    });
}

#[tokio::test]
async fn the_schema_of_arguments_accepts_what_the_server_accepts_and_refuses_the_rest() {
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
async fn a_description_is_limited_in_bytes_and_says_so_where_a_schema_can_only_count_characters() {
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

/// A user pays for the list with every conversation. Counted as GPT-4o and its successors do; other
/// tokenizers differ by some percent.
#[tokio::test]
async fn the_tools_cost_a_model_little() {
    let settings = [("MCP_URL", "https://todo.example.com/"), ("ALLOWED_HOSTS", "localhost")];
    let server = TestServer::with(settings).await;
    let tokenizer = tiktoken_rs::o200k_base().unwrap();
    let cost = |value: Value| tokenizer.encode_ordinary(&value.to_string()).len();
    let tools = listed(&server).await;
    let for_the_model = tools.iter().map(|tool| {
        let [name, description, input] = ["name", "description", "inputSchema"].map(|it| &tool[it]);
        json!({ "name": name, "description": description, "parameters": input })
    });
    // What hosts commonly hand on; pictures, hints and the schemas of results are for the host.
    let for_the_model = cost(for_the_model.collect());
    assert!(for_the_model <= 750, "{for_the_model} tokens");
    let everything = cost(json!(tools));
    assert!(everything <= 2_000, "{everything} tokens");
}
