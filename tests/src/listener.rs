//! The client end of a stream of events, read one by one.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{Client, MODERN};
use crate::events;
use crate::exchange::{Exchange, Judge};

/// Longer than any event takes. Reached only when it does not happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// The response to `subscriptions/listen`. Each message is validated against the schema.
pub struct Listener {
    request: String,
    response: Response,
    stream: Vec<u8>,
    read: usize,
}

impl Listener {
    /// Listens for `notifications` with the id `"listening"`. The first message is the
    /// acknowledgement.
    pub async fn open(client: &Client, notifications: Value) -> Self {
        let params = json!({ "notifications": notifications });
        let (headers, mut body) = client.modern_parts("subscriptions/listen", params);
        body["id"] = "listening".into();
        let request = body.to_string();
        let response = client.stream(headers, request.clone()).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        Self { request, response, stream: Vec::new(), read: 0 }
    }

    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next message; `None` at the end of the stream. Comments are skipped.
    pub async fn next(&mut self) -> Option<Value> {
        timeout(PATIENCE, self.message()).await.unwrap()
    }

    async fn message(&mut self) -> Option<Value> {
        loop {
            let messages = events::data(&String::from_utf8_lossy(&self.stream));
            if let Some(message) = messages.get(self.read) {
                self.read += 1;
                return Some(serde_json::from_str(message).unwrap());
            }
            self.stream.extend_from_slice(&self.response.chunk().await.unwrap()?);
            let complaints = Judge::default().complaints(&Exchange {
                revision: Some(MODERN),
                request: self.request.as_bytes(),
                status: 200,
                content_type: self.headers().get("content-type").map(|it| it.to_str().unwrap()),
                answer: &self.stream,
            });
            assert!(complaints.is_empty(), "{complaints:#?}");
        }
    }
}
