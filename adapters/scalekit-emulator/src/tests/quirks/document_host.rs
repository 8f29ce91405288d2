//! A web server with one document, which tests change.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse as _,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::tests::support::REDIRECT_URI;

/// Answers every path with the same document, on this machine.
pub(super) struct DocumentHost {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    requests: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    body: String,
}

impl DocumentHost {
    /// With a good document at [`DocumentHost::client_id`].
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Answer { status: StatusCode::OK, body: String::new() };
        let host = Self { port, answer: Arc::new(Mutex::new(answer)), requests: Arc::default() };
        host.serve(&host.document());

        let answer = Arc::clone(&host.answer);
        let requests = Arc::clone(&host.requests);
        let router = Router::new().fallback(async move || {
            requests.fetch_add(1, Ordering::SeqCst);
            let Answer { status, body } = answer.lock().unwrap().clone();
            let headers =
                [(header::CONTENT_TYPE, "application/json"), (header::LOCATION, "/elsewhere")];
            (status, headers, body).into_response()
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        host
    }

    pub(super) fn client_id(&self) -> String {
        format!("http://127.0.0.1:{}/oauth/client.json", self.port)
    }

    pub(super) fn document(&self) -> Value {
        json!({
            "client_id": self.client_id(),
            "client_name": "Self-made",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
        })
    }

    pub(super) fn serve(&self, document: &Value) {
        self.answer(StatusCode::OK, document.to_string());
    }

    pub(super) fn answer(&self, status: StatusCode, body: String) {
        *self.answer.lock().unwrap() = Answer { status, body };
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}
