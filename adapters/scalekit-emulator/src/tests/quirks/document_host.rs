//! A web server with one document, which a test changes.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::tests::support::REDIRECT_URI;

/// Serves the same document at every path, on this machine.
pub(super) struct DocumentHost {
    port: u16,
    response: Arc<Mutex<Canned>>,
    requests: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Canned {
    status: StatusCode,
    body: String,
}

impl DocumentHost {
    /// Serves a valid document at [`DocumentHost::client_id`].
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let response = Canned { status: StatusCode::OK, body: String::new() };
        let response = Arc::new(Mutex::new(response));
        let host = Self { port, response, requests: Arc::default() };
        host.serve(&host.document());

        let response = Arc::clone(&host.response);
        let requests = Arc::clone(&host.requests);
        let router = Router::new().fallback(async move || {
            requests.fetch_add(1, Ordering::SeqCst);
            let Canned { status, body } = response.lock().unwrap().clone();
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
        self.respond(StatusCode::OK, document.to_string());
    }

    pub(super) fn respond(&self, status: StatusCode, body: String) {
        *self.response.lock().unwrap() = Canned { status, body };
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}
