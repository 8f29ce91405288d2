//! Every tool, called by every kind of caller.
//!
//! The list of tools comes from the server, so a new tool without an expectation fails here.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests panic on failure")]

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use todo_application::domain::Permission;
use todo_tests::client::{Answer, Client};
use todo_tests::issuer::{KEY_ID, foreign_key, header, now, published_key, unsigned};
use todo_tests::server::TestServer;

const OWNER: &str = "usr_owner";
const BOTH: &str = "todo:read todo:write";

/// The outcome for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The tool succeeds on the owner's todo.
    Works,
    /// The tool works, and the owner's todo does not exist for this caller.
    Unseen,
    /// HTTP 403 with a step-up challenge.
    StepUp,
    /// HTTP 401 with a challenge.
    Unauthorized,
}

/// The scope that a tool needs, and arguments with which it succeeds on the todo `id`, whose creation is
/// `change`.
fn expectation(tool: &str, id: &str, change: &str) -> (&'static str, Value) {
    match tool {
        "list_todos" | "list_changes" => ("todo:read", json!({})),
        "get_todo" => ("todo:read", json!({ "todo_id": id })),
        "create_todo" => ("todo:write", json!({ "title": "Another" })),
        "update_todo" => ("todo:write", json!({ "todo_id": id, "completed": true })),
        "delete_todo" => ("todo:write", json!({ "todo_id": id })),
        "change_todos" => {
            let changes = json!([{ "action": "update", "todo_id": id, "completed": true }]);
            ("todo:write", json!({ "changes": changes, "all_or_nothing": true }))
        }
        "undo_change" => ("todo:write", json!({ "change_id": change })),
        other => panic!("{other} has no expectation here: add one"),
    }
}

/// Whether a tool takes the id of a todo or a change, which may belong to another workspace.
fn takes_an_id(tool: &str) -> bool {
    expectation(tool, "<id>", "<id>").1.to_string().contains("<id>")
}

struct Persona {
    name: &'static str,
    client: Client,
    /// `None`: the token is rejected whatever is called.
    scopes: Option<&'static str>,
    /// Whether the owner's workspace is this caller's own.
    at_home: bool,
}

fn personas(server: &TestServer) -> Vec<Persona> {
    let issuer = &server.issuer;
    let claims = || issuer.claims(OWNER, Some("org_1"), BOTH);
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        issuer.sign(&claims)
    };
    let published = published_key();
    let hmac_secret = EncodingKey::from_secret(published.public_pem().as_bytes());
    let hmac = jsonwebtoken::encode(&header(Algorithm::HS256, KEY_ID), &claims(), &hmac_secret);

    let accepted = |name, subject, organization, scopes, at_home| {
        let token = issuer.sign(&issuer.claims(subject, organization, scopes));
        Persona { name, client: server.bearer(&token), scopes: Some(scopes), at_home }
    };
    let refused = |name, token: &str| {
        let client = if token.is_empty() { server.anonymous() } else { server.bearer(token) };
        Persona { name, client, scopes: None, at_home: false }
    };
    vec![
        refused("no token", ""),
        refused("malformed", "not-a-token"),
        refused("expired", &with("exp", (now() - 1).into())),
        refused("not yet valid", &with("nbf", (now() + 3600).into())),
        refused("wrong audience", &with("aud", json!(["http://localhost/", "res_other"]))),
        refused("wrong issuer", &with("iss", "https://evil.example.com".into())),
        refused(
            "unknown key",
            &foreign_key().sign(&header(Algorithm::RS256, "snk_other"), &claims()),
        ),
        refused(
            "foreign key under a known id",
            &foreign_key().sign(&header(Algorithm::RS256, KEY_ID), &claims()),
        ),
        refused("alg: none", &unsigned(&json!({ "alg": "none", "typ": "JWT" }), &claims())),
        refused("HMAC with the public key", &hmac.unwrap()),
        accepted("read only", OWNER, Some("org_1"), "todo:read", true),
        accepted("write only", OWNER, Some("org_1"), "todo:write", true),
        accepted("neither scope", OWNER, Some("org_1"), "openid profile", true),
        accepted("owner", OWNER, Some("org_1"), BOTH, true),
        accepted("stranger in the same organization", "usr_stranger", Some("org_1"), BOTH, false),
        accepted("other organization", OWNER, Some("org_2"), BOTH, false),
        accepted("machine without an organization", OWNER, None, BOTH, false),
    ]
}

fn expected(persona: &Persona, tool: &str, scope: &str) -> Outcome {
    match persona.scopes {
        None => Outcome::Unauthorized,
        Some(scopes) if !scopes.split(' ').any(|granted| granted == scope) => Outcome::StepUp,
        Some(_) if takes_an_id(tool) && !persona.at_home => Outcome::Unseen,
        Some(_) => Outcome::Works,
    }
}

fn outcome(answer: &Answer) -> Outcome {
    match answer.status {
        401 => {
            assert!(answer.challenge().starts_with("Bearer "), "{answer:?}");
            assert!(answer.challenge().contains("resource_metadata=\""), "{answer:?}");
            Outcome::Unauthorized
        }
        403 => {
            assert!(answer.challenge().contains("error=\"insufficient_scope\""), "{answer:?}");
            Outcome::StepUp
        }
        200 if answer.result()["isError"] == true => {
            assert_eq!(answer.failure(), "not_found");
            Outcome::Unseen
        }
        200 if answer.structured()["failed"].as_u64().is_some_and(|failed| failed > 0) => {
            assert_eq!(answer.structured()["results"][0]["code"], "not_found");
            Outcome::Unseen
        }
        200 => Outcome::Works,
        _ => panic!("{answer:?}"),
    }
}

/// The id of the change that has created a todo.
async fn creation_of(owner: &Client, id: &str) -> String {
    let changes = owner.call("list_changes", json!({ "todo_id": id })).await.structured();
    changes["changes"][0]["id"].as_str().unwrap().to_owned()
}

async fn tools(client: &Client) -> Vec<String> {
    let answer = client.legacy("tools/list", json!({})).await.result();
    let tools = answer["tools"].as_array().unwrap();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn doctor_explains_a_permission_with_the_tools_that_require_its_scope() {
    let server = TestServer::start().await;
    let tools = tools(&server.owner()).await;
    for permission in Permission::ALL {
        let explained: BTreeSet<String> =
            todo_adapter_mcp::tools_allowed_by(permission).map(str::to_owned).collect();
        let requires_it = |tool: &&String| expectation(tool, "", "").0 == permission.scope();
        let expected = tools.iter().filter(requires_it).cloned().collect();
        assert_eq!(explained, expected);
    }
}

#[tokio::test]
async fn every_tool_answers_every_persona_as_the_policy_says() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for tool in tools(&owner).await {
        for persona in personas(&server) {
            let id = owner.create("The owner's").await;
            let change = creation_of(&owner, &id).await;
            let (scope, arguments) = expectation(&tool, &id, &change);
            let answer = persona.client.call(&tool, arguments).await;
            let expected = expected(&persona, &tool, scope);
            assert_eq!(outcome(&answer), expected, "{tool} by {}", persona.name);

            if expected == Outcome::StepUp {
                assert!(answer.challenge().contains(scope), "{tool} by {}", persona.name);
            }
            if expected != Outcome::Works {
                let todo = owner.call("get_todo", json!({ "todo_id": id })).await.structured();
                assert_eq!(todo["todo"]["version"], 1, "{tool} by {}", persona.name);
            }
        }
    }
}

#[tokio::test]
async fn a_list_never_shows_todos_of_other_workspaces() {
    let server = TestServer::start().await;
    server.owner().create("The owner's").await;
    for persona in personas(&server).iter().filter(|persona| persona.scopes == Some(BOTH)) {
        let todos = persona.client.call("list_todos", json!({})).await.structured();
        let seen = todos["todos"].as_array().unwrap().len();
        assert_eq!(seen == 1, persona.at_home, "{}", persona.name);
    }
}

#[tokio::test]
async fn a_todo_of_another_workspace_is_indistinguishable_from_a_missing_one() {
    let server = TestServer::start().await;
    let hidden = server.owner().create("The owner's").await;
    let missing = "00000000-0000-4000-8000-000000000000";
    let stranger = server.caller("usr_stranger", BOTH);
    for (tool, extra) in [
        ("get_todo", json!({})),
        ("update_todo", json!({ "title": "Mine now" })),
        ("update_todo", json!({ "title": "Mine now", "expected_version": 7 })),
        ("delete_todo", json!({})),
        ("delete_todo", json!({ "expected_version": 7 })),
    ] {
        let mut answers = Vec::new();
        for id in [hidden.as_str(), missing] {
            let mut arguments = extra.clone();
            arguments["todo_id"] = id.into();
            let mut answer = stranger.call(tool, arguments).await;
            answer.headers.remove("date");
            answers.push((answer.status, answer.headers, answer.text.replace(id, "<id>")));
        }
        assert_eq!(answers[0], answers[1], "{tool}");
    }
}

#[tokio::test]
async fn a_history_never_shows_changes_of_other_workspaces() {
    let server = TestServer::start().await;
    let id = server.owner().create("The owner's").await;
    for persona in personas(&server).iter().filter(|persona| persona.scopes == Some(BOTH)) {
        for arguments in
            [json!({}), json!({ "todo_id": id }), json!({ "since": "1970-01-01T00:00Z" })]
        {
            let seen = persona.client.call("list_changes", arguments).await.structured();
            let seen = seen["changes"].as_array().unwrap().len();
            assert_eq!(seen == 1, persona.at_home, "{}", persona.name);
        }
    }
}

#[tokio::test]
async fn a_change_of_another_workspace_is_indistinguishable_from_a_missing_one() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let changes = json!([{ "action": "create", "title": "The owner's" }]);
    let batch = owner.call("change_todos", json!({ "changes": changes })).await.structured();
    let listed = owner.call("list_changes", json!({})).await.structured();
    let stranger = server.caller("usr_stranger", BOTH);
    let with_its_own = server.caller("usr_other", BOTH);
    with_its_own.create("Mine").await;
    for (hidden, missing) in
        [(&listed["changes"][0]["id"], "1-00000000"), (&batch["batch_id"], "b1-00000000")]
    {
        let hidden = hidden.as_str().unwrap();
        for client in [&stranger, &with_its_own] {
            for (tool, argument) in [("undo_change", "change_id"), ("list_changes", "since")] {
                let mut answers = Vec::new();
                for id in [hidden, missing] {
                    let mut answer = client.call(tool, json!({ argument: id })).await;
                    answer.headers.remove("date");
                    // The lengths of the ids are the same.
                    answers.push((answer.status, answer.headers, answer.text.replace(id, "<id>")));
                }
                assert_eq!(answers[0], answers[1], "{tool} {hidden}");
                assert!(answers[0].2.contains("isError\":true"), "{answers:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_rejected_token_gets_a_reason_without_the_token() {
    let server = TestServer::start().await;
    for persona in personas(&server).into_iter().filter(|persona| persona.scopes.is_none()) {
        let headers = persona.client.headers();
        let answer = persona.client.legacy("ping", json!({})).await;
        assert_eq!(answer.status, 401, "{}", persona.name);
        assert!(answer.json()["error_description"].is_string(), "{answer:?}");
        let Some(token) = headers.get("authorization") else {
            assert!(!answer.challenge().contains("error="), "{answer:?}");
            continue;
        };
        assert!(answer.challenge().contains("error=\"invalid_token\""), "{answer:?}");
        let token = token.to_str().unwrap().trim_start_matches("Bearer ");
        let whole = format!("{:?}{}", answer.headers, answer.text);
        for part in token.split('.').filter(|part| part.len() > 8) {
            assert!(!whole.contains(part), "{}", persona.name);
        }
    }
}

#[tokio::test]
async fn a_missing_scope_can_be_reported_as_a_tool_result() {
    let server = TestServer::with([("TODO_SCOPE_DENIAL", "tool_error")]).await;
    let reader = server.caller(OWNER, "todo:read");
    let call = json!({ "name": "create_todo", "arguments": { "title": "x" } });
    for (answer, asked) in [
        (reader.legacy("tools/call", call.clone()).await, "todo:read todo:write"),
        (reader.modern("tools/call", call).await, "todo:write"),
    ] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.failure(), "insufficient_scope");
        let sentence = "Insufficient permissions: `todo:write` scope required.";
        assert_eq!(answer.payload()["error"], sentence);
        // Where ChatGPT looks for the challenge.
        let challenges = &answer.result()["_meta"]["mcp/www_authenticate"];
        let [challenge] = challenges.as_array().unwrap().as_slice() else { panic!("{challenges}") };
        let challenge = challenge.as_str().unwrap();
        assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
        let scope = format!("scope=\"{asked}\"");
        for part in [&scope, "resource_metadata=\"", "error_description=\""] {
            assert!(challenge.contains(part), "{part} in {challenge}");
        }
    }
}

#[tokio::test]
async fn a_challenge_asks_for_what_the_revision_says() {
    let server = TestServer::start().await;
    let reader = server.caller(OWNER, "todo:read");
    let call = json!({ "name": "create_todo", "arguments": { "title": "x" } });
    let legacy = reader.legacy("tools/call", call.clone()).await;
    assert!(legacy.challenge().contains("scope=\"todo:read todo:write\""), "{legacy:?}");
    let modern = reader.modern("tools/call", call).await;
    assert_eq!(modern.status, 403);
    assert!(modern.challenge().contains("scope=\"todo:write\""), "{modern:?}");
}

#[tokio::test]
async fn the_scope_is_checked_before_the_arguments() {
    let server = TestServer::start().await;
    let answer = server.caller(OWNER, "todo:read").call("create_todo", json!({ "x": 1 })).await;
    assert_eq!(answer.status, 403);
    let body = answer.json();
    let sentence = "Insufficient permissions: `todo:write` scope required.";
    assert_eq!(body["error"]["message"], sentence);
    assert_eq!(body["id"], 1);
    assert!(answer.challenge().contains("scope=\"todo:read todo:write\""), "{answer:?}");
}

#[tokio::test]
async fn an_organization_shares_its_list_and_a_machine_without_one_is_rejected() {
    let server = TestServer::with([("TODO_SHARING", "organization")]).await;
    let id = server.caller("usr_1", BOTH).create("Ours").await;
    let colleague = server.caller("usr_2", BOTH);
    let seen = colleague.call("get_todo", json!({ "todo_id": id })).await;
    assert_eq!(seen.structured()["todo"]["title"], "Ours");

    let token = server.issuer.sign(&server.issuer.claims("m2m_1", None, BOTH));
    let machine = server.bearer(&token);
    assert_eq!(machine.call("list_todos", json!({})).await.failure(), "forbidden");
    // No scope helps, so none is requested.
    let token = server.issuer.sign(&server.issuer.claims("m2m_1", None, "openid"));
    assert_eq!(server.bearer(&token).call("list_todos", json!({})).await.failure(), "forbidden");
}

#[tokio::test]
async fn a_token_is_read_from_the_authorization_header_only() {
    let server = TestServer::start().await;
    let token = server.issuer.sign(&server.issuer.claims(OWNER, Some("org_1"), BOTH));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();

    let url = format!("{}?access_token={token}", server.endpoint());
    let query = Client::new(url, None);
    assert_eq!(query.post(body.clone()).await.status, 401);

    let client = server.anonymous();
    for credentials in ["Bearer", "Bearer ", &format!("Basic {}", STANDARD.encode("a:b")), &token] {
        let mut headers = client.headers();
        headers.insert("authorization", credentials.parse().unwrap());
        let answer = client.send(headers, body.clone()).await;
        assert_eq!(answer.status, 401, "{credentials}");
        assert!(!answer.challenge().contains("error="), "no token, no error: {answer:?}");
    }

    let mut headers = client.headers();
    headers.append("authorization", format!("Bearer {token}").parse().unwrap());
    headers.append("authorization", format!("Bearer {token}").parse().unwrap());
    assert_eq!(client.send(headers, body.clone()).await.status, 401, "two headers");

    let mut headers = client.headers();
    headers.insert("authorization", format!("bearer {token}").parse().unwrap());
    assert_eq!(client.send(headers, body).await.status, 200, "the scheme is case-insensitive");
}
