//! One end of a stream of events, read one by one.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::Client;

/// Longer than anything takes that happens at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answer to `subscriptions/listen`, as far as it has come.
pub struct Listener {
    response: Response,
    unread: Vec<u8>,
}

impl Listener {
    /// Listens for what `notifications` says, under the id `"listening"`; the first message is the
    /// acknowledgement.
    pub async fn open(client: &Client, notifications: Value) -> Self {
        let params = json!({ "notifications": notifications });
        let (headers, mut body) = client.modern_parts("subscriptions/listen", params);
        body["id"] = "listening".into();
        let response = client.stream(headers, body.to_string()).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        Self { response, unread: Vec::new() }
    }

    /// The HTTP headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next message; `None` at the end of the stream. Comments are passed over.
    pub async fn next(&mut self) -> Option<Value> {
        timeout(PATIENCE, self.read()).await.unwrap()
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            while let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.unread.drain(..end + 2).collect();
                let event = String::from_utf8(event).unwrap();
                if let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) {
                    return Some(serde_json::from_str(data).unwrap());
                }
            }
            self.unread.extend_from_slice(&self.response.chunk().await.unwrap()?);
        }
    }
}
