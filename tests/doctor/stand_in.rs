//! A Scalekit whose documents the test chooses.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::DATE;
use axum::http::{HeaderName, StatusCode, Uri};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};
use todo_mcp::doctor::{Finding, Report, Verdict, examine};
use todo_mcp::settings::Settings;
use todo_tests::issuer::{KEY_ID, RESOURCE_ID, now, published_key};
use tokio::net::{TcpListener, TcpSocket};

/// What a Scalekit environment with one MCP server publishes.
pub(crate) struct Documents {
    pub(crate) url: String,
    pub(crate) discovery: Value,
    pub(crate) metadata: Value,
    pub(crate) keys: Value,
    /// How far its clock is ahead, in seconds.
    pub(crate) seconds_ahead: i64,
}

impl Documents {
    /// Everything configured correctly.
    fn good(url: String) -> Self {
        let issuer = format!("{url}/resources/{RESOURCE_ID}");
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/oauth/authorize"),
            "token_endpoint": format!("{issuer}/oauth/token"),
            "registration_endpoint": format!("{url}/api/v1/resources/{RESOURCE_ID}/clients:register"),
            "jwks_uri": format!("{url}/keys"),
            "client_id_metadata_document_supported": true,
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "scopes_supported": ["todo:read", "todo:write", "offline_access"],
            "response_types_supported": ["code"],
        });
        let mut key = published_key().jwk();
        key["kid"] = KEY_ID.into();
        Self {
            discovery: json!({ "issuer": url }),
            metadata,
            keys: json!({ "keys": [key] }),
            seconds_ahead: 0,
            url,
        }
    }

    fn at(&self, path: &str) -> Option<&Value> {
        let well_known = "/.well-known/oauth-authorization-server";
        let resource = format!("/resources/{RESOURCE_ID}");
        match path {
            "/.well-known/openid-configuration" => Some(&self.discovery),
            "/keys" => Some(&self.keys),
            path if path == format!("{well_known}{resource}") => Some(&self.metadata),
            path if path == format!("{resource}{well_known}") => Some(&self.metadata),
            _ => None,
        }
    }
}

pub(crate) struct Scalekit {
    pub(crate) url: String,
}

impl Scalekit {
    pub(crate) async fn good() -> Self {
        Self::with(|_| ()).await
    }

    /// One with a change. It stops with the runtime of the test.
    pub(crate) async fn with(change: impl FnOnce(&mut Documents)) -> Self {
        let (listener, url) = listen().await;
        let mut documents = Documents::good(url.clone());
        change(&mut documents);
        let router = Router::new().fallback(answer).with_state(Arc::new(documents));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url }
    }

    /// The doctor's report on a server with this Scalekit and these additional settings. Without
    /// settings for its own address, the doctor does not contact the server.
    pub(crate) async fn examined(&self, settings: &[(&str, &str)], token: Option<&str>) -> Report {
        let own = self.settings();
        let settings: Settings = own.into_iter().chain(settings.iter().copied()).collect();
        examine(&settings, token).await
    }

    pub(crate) fn settings(&self) -> [(&str, &str); 4] {
        [
            ("PORT", "0"),
            ("DATABASE_URL", "memory:"),
            ("SCALEKIT_ENVIRONMENT_URL", &self.url),
            ("SCALEKIT_RESOURCE_ID", RESOURCE_ID),
        ]
    }

    /// Claims of a valid token.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.url,
            "aud": ["http://localhost:3002/", RESOURCE_ID],
            "sub": "usr_1",
            "oid": "org_1",
            "client_id": "m2m_1",
            "scope": "todo:read todo:write",
            "iat": now(),
            "nbf": now(),
            "exp": now() + 3600,
        })
    }
}

async fn answer(
    State(documents): State<Arc<Documents>>,
    uri: Uri,
) -> (StatusCode, [(HeaderName, String); 1], String) {
    let at = jiff::Timestamp::from_second(now() + documents.seconds_ahead).unwrap();
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap();
    let (status, body) = match documents.at(uri.path()) {
        Some(document) => (StatusCode::OK, document.to_string()),
        None => (StatusCode::NOT_FOUND, "not found".to_owned()),
    };
    (status, [(DATE, date)], body)
}

/// A free port on this machine, and its URL.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A port that stays reserved while the socket lives, and refuses connections.
pub(crate) fn closed_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// The only finding that is neither a pass nor about the unreachable port of these tests.
pub(crate) fn only_finding(report: &Report) -> &Finding {
    let unknown_port = |finding: &Finding| finding.seen().contains("PORT is 0");
    let mut findings = report
        .findings()
        .filter(|finding| finding.verdict() != Verdict::Pass && !unknown_port(finding));
    match (findings.next(), findings.next()) {
        (Some(finding), None) => finding,
        _ => panic!("{}", report.print(false)),
    }
}

/// The message of a finding, and its advice.
pub(crate) fn said(finding: &Finding) -> String {
    format!("{} {}", finding.seen(), finding.advice().unwrap_or_default())
}

/// Asserts the check and the verdict of a finding, and that it contains these words.
#[track_caller]
pub(crate) fn assert_found(finding: &Finding, check: &str, verdict: Verdict, words: &[&str]) {
    assert_eq!((finding.check(), finding.verdict()), (check, verdict), "{finding:?}");
    for word in words {
        assert!(said(finding).contains(word), "{word}: {finding:?}");
    }
}
