//! A token that is good, for something else: step-up (MCP Authorization, "Scope Challenge Handling").

use serde_json::json;
use todo_tests::client::Answer;

use crate::target::Target;

fn challenged_scopes(answer: &Answer) -> Vec<String> {
    let scope = answer.challenge().split(" scope=\"").nth(1).unwrap();
    scope.split('"').next().unwrap().split(' ').map(str::to_owned).collect()
}

/// 403, and one challenge that names what the operation needs.
#[tokio::test]
async fn a_missing_scope_is_a_403_that_names_it() {
    let target = Target::new().await;
    for (has, lacks) in [(&target.read, &target.write), (&target.write, &target.read)] {
        let answer = target.call(&target.granted(&has.scope), lacks).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.challenge().contains("error=\"insufficient_scope\""), "{answer:?}");
        assert!(answer.challenge().contains("resource_metadata=\""), "{answer:?}");
        assert!(challenged_scopes(&answer).contains(&lacks.scope), "{answer:?}");
        // For clients that drop the challenge, the model reads the body.
        assert!(answer.text.contains(&lacks.scope), "{answer:?}");
        assert!(answer.json()["error"]["message"].is_string(), "{answer:?}");
    }
}

/// A client that asks for exactly what the challenge names gets on, and loses nothing on the way.
#[tokio::test]
async fn a_client_that_does_as_told_gets_there_in_one_step() {
    let target = Target::new().await;
    let refused = target.call(&target.granted(&target.read.scope), &target.write).await;
    let stepped_up = target.granted(&challenged_scopes(&refused).join(" "));
    for operation in [&target.write, &target.read] {
        let answer = target.call(&stepped_up, operation).await;
        assert_eq!(answer.status, 200, "{operation:?}: {answer:?}");
    }
}

/// A token without any scope is good for what needs none.
#[tokio::test]
async fn what_needs_no_scope_is_given_without_one() {
    let target = Target::new().await;
    let client = target.with(&target.token(&target.claims_without("scope")));
    assert_eq!(client.legacy("tools/list", json!({})).await.status, 200);
    assert_eq!(target.call(&client, &target.read).await.status, 403);
}

/// RFC 6749 §3.3: scopes are case-sensitive words, and no part of a word counts.
#[tokio::test]
async fn a_scope_that_only_looks_alike_is_another_scope() {
    let target = Target::new().await;
    let scope = &target.read.scope;
    for similar in
        [scope.to_uppercase(), format!("{scope}s"), format!("x{scope}"), format!("{scope},")]
    {
        let answer = target.call(&target.granted(&similar), &target.read).await;
        assert_eq!(answer.status, 403, "{similar}: {answer:?}");
    }
}

/// What is decided on is what is executed: the body, and never a header that may lie about it.
#[tokio::test]
async fn a_header_cannot_talk_the_server_into_another_operation() {
    let target = Target::new().await;
    let reader = target.granted(&target.read.scope);
    let params = json!({ "name": target.write.tool, "arguments": target.write.arguments });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });

    let mut headers = reader.headers();
    headers.insert("mcp-name", target.read.tool.parse().unwrap());
    headers.insert("mcp-method", "tools/call".parse().unwrap());
    let legacy = reader.send(headers, body.to_string()).await;
    assert_eq!(legacy.status, 403, "{legacy:?}");

    let (mut headers, body) = reader.modern_parts("tools/call", params);
    headers.insert("mcp-name", target.read.tool.parse().unwrap());
    let modern = reader.send(headers, body.to_string()).await;
    assert!([400, 403].contains(&modern.status), "{modern:?}");
}

/// The answer to an unknown tool is the same with every scope: it tells nobody what exists.
#[tokio::test]
async fn an_unknown_tool_is_no_reason_for_a_challenge() {
    let target = Target::new().await;
    for scope in [target.all_scopes(), target.read.scope.clone(), "openid".to_owned()] {
        let answer = target.granted(&scope).call("no_such_tool_here", json!({})).await;
        assert_ne!(answer.status, 403, "{scope}: {answer:?}");
        // MCP says -32602; some servers say it in a tool result.
        let json = answer.json();
        let refused = json["error"]["code"] == -32602 || json["result"]["isError"] == true;
        assert!(refused, "{scope}: {answer:?}");
    }
}

/// The scope is looked at first: a caller who lacks it learns nothing about arguments, and nothing
/// is executed.
#[tokio::test]
async fn the_scope_is_decided_before_anything_else() {
    let target = Target::new().await;
    let reader = target.granted(&target.read.scope);
    let answer = reader.call(&target.write.tool, json!({ "no such argument": true })).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}
