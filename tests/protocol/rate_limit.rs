//! The rate limit of each caller (R51).

use serde_json::json;
use todo_tests::client::Answer;
use todo_tests::server::TestServer;

#[tokio::test]
async fn a_caller_over_the_rate_limit_gets_429_and_others_do_not() {
    let server = TestServer::with([("TODO_RATE_LIMIT", "1")]).await;
    let greedy = server.owner();
    let mut refused: Option<Answer> = None;
    // Ten at once are allowed, and one more per second.
    for _ in 0..200 {
        let answer = greedy.call("list_todos", json!({})).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!((refused.status, refused.error_code()), (429, 429));
    let seconds: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    let other = server.caller("usr_other", "todo:read");
    assert_eq!(other.call("list_todos", json!({})).await.status, 200);
}

#[tokio::test]
async fn every_request_of_a_batch_counts() {
    let server = TestServer::with([("TODO_RATE_LIMIT", "1")]).await;
    let ping = |id: u32| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    let batch: Vec<_> = (0..60).map(ping).collect();
    let answers = server.owner().post(json!(batch).to_string()).await.json();
    let answers = answers.as_array().unwrap();
    let refused = answers.iter().filter(|answer| answer["error"]["code"] == 429).count();
    assert_eq!(answers.len(), 60);
    assert!((1..=50).contains(&refused), "{refused}");
}

#[tokio::test]
async fn without_a_rate_limit_nothing_is_counted() {
    let server = TestServer::with([("TODO_RATE_LIMIT", "off")]).await;
    let owner = server.owner();
    let ping = |id: u32| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    let batch = json!((0..100).map(ping).collect::<Vec<_>>()).to_string();
    for _ in 0..30 {
        assert!(!owner.post(batch.clone()).await.text.contains("429"));
    }
}

#[tokio::test]
async fn rejected_requests_and_notifications_count_too() {
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    for body in ["{".to_owned(), notification.to_string()] {
        let server = TestServer::with([("TODO_RATE_LIMIT", "1")]).await;
        let owner = server.owner();
        let mut statuses = Vec::new();
        while statuses.len() < 200 && !statuses.contains(&429) {
            statuses.push(owner.post(body.clone()).await.status);
        }
        assert!(statuses.contains(&429), "{body}");
    }
}
