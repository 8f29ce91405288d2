//! Valid tokens without the scope: step-up (MCP Authorization, "Scope Challenge Handling").

use serde_json::json;
use todo_tests::client::Answer;

use crate::target::Target;

fn challenged_scopes(answer: &Answer) -> Vec<String> {
    let scope = answer.challenge().split(" scope=\"").nth(1).unwrap();
    scope.split('"').next().unwrap().split(' ').map(str::to_owned).collect()
}

/// One challenge that names what the operation needs.
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

/// A client that requests exactly the scopes of the challenge succeeds, and keeps the scopes that
/// it had.
#[tokio::test]
async fn one_step_up_is_enough() {
    let target = Target::new().await;
    let refused = target.call(&target.granted(&target.read.scope), &target.write).await;
    let stepped_up = target.granted(&challenged_scopes(&refused).join(" "));
    for operation in [&target.write, &target.read] {
        let answer = target.call(&stepped_up, operation).await;
        assert_eq!(answer.status, 200, "{operation:?}: {answer:?}");
    }
}

#[tokio::test]
async fn operations_without_a_scope_work_without_one() {
    let target = Target::new().await;
    let client = target.with(&target.token(&target.claims_without("scope")));
    assert_eq!(client.legacy("tools/list", json!({})).await.status, 200);
    assert_eq!(target.call(&client, &target.read).await.status, 403);
}

/// RFC 6749 section 3.3: scopes are case-sensitive and compared as a whole.
#[tokio::test]
async fn similar_scopes_are_not_accepted() {
    let target = Target::new().await;
    let scope = &target.read.scope;
    for similar in
        [scope.to_uppercase(), format!("{scope}s"), format!("x{scope}"), format!("{scope},")]
    {
        let answer = target.call(&target.granted(&similar), &target.read).await;
        assert_eq!(answer.status, 403, "{similar}: {answer:?}");
    }
}

/// The decision is about what is executed: the body, never a header that may contradict it.
#[tokio::test]
async fn headers_cannot_change_the_operation() {
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

/// An unknown tool gets the same answer with every scope, which reveals nothing.
#[tokio::test]
async fn an_unknown_tool_is_not_challenged() {
    let target = Target::new().await;
    for scope in [target.all_scopes(), target.read.scope.clone(), "openid".to_owned()] {
        let answer = target.granted(&scope).call("no_such_tool_here", json!({})).await;
        assert_ne!(answer.status, 403, "{scope}: {answer:?}");
        // -32602 in MCP; some servers answer with a tool result.
        let json = answer.json();
        let refused = json["error"]["code"] == -32602 || json["result"]["isError"] == true;
        assert!(refused, "{scope}: {answer:?}");
    }
}

/// A caller without the scope learns nothing about arguments, and nothing is executed.
#[tokio::test]
async fn the_scope_is_checked_before_anything_else() {
    let target = Target::new().await;
    let reader = target.granted(&target.read.scope);
    let answer = reader.call(&target.write.tool, json!({ "no such argument": true })).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}
