//! The server under test.

use jsonwebtoken::{Algorithm, Header};
use serde::Deserialize;
use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::issuer::{KEY_ID, RESOURCE_ID, TestKey, now, published_key};
use todo_tests::server::TestServer;

/// A tool call and the scope it needs.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Operation {
    pub(crate) tool: String,
    #[serde(default)]
    pub(crate) arguments: Value,
    pub(crate) scope: String,
}

/// A protected MCP server, and what is needed to issue tokens for it.
pub(crate) struct Target {
    pub(crate) endpoint: String,
    pub(crate) issuer: String,
    pub(crate) audience: Vec<String>,
    pub(crate) key_id: String,
    key: Key,
    pub(crate) read: Operation,
    pub(crate) write: Operation,
}

enum Key {
    Ours,
    Theirs(Box<TestKey>),
}

#[expect(clippy::disallowed_methods, reason = "this is how another server is named")]
fn setting(name: &str) -> Option<String> {
    std::env::var(format!("MCP_TARGET_{name}")).ok()
}

impl Target {
    /// The server given by the environment, or a new one of ours.
    pub(crate) async fn new() -> Self {
        match setting("URL") {
            Some(endpoint) => Self::theirs(endpoint),
            None => Self::ours().await,
        }
    }

    async fn ours() -> Self {
        let server = TestServer::start().await;
        let operation = |tool: &str, arguments: Value, scope: &str| Operation {
            tool: tool.to_owned(),
            arguments,
            scope: scope.to_owned(),
        };
        Self {
            endpoint: server.endpoint(),
            issuer: server.issuer.url().to_owned(),
            audience: vec![RESOURCE_ID.to_owned()],
            key_id: KEY_ID.to_owned(),
            key: Key::Ours,
            read: operation("list_todos", json!({}), "todo:read"),
            write: operation("create_todo", json!({ "title": "x" }), "todo:write"),
        }
    }

    fn theirs(endpoint: String) -> Self {
        let needed = |name: &str| setting(name).unwrap_or_else(|| missing(name));
        let operation = |name: &str| serde_json::from_str(&needed(name)).unwrap();
        let pem = std::fs::read_to_string(needed("KEY")).unwrap();
        Self {
            endpoint,
            issuer: needed("ISSUER"),
            audience: needed("AUDIENCE").split(',').map(str::to_owned).collect(),
            key_id: needed("KEY_ID"),
            key: Key::Theirs(Box::new(TestKey::from_pem(&pem))),
            read: operation("READ"),
            write: operation("WRITE"),
        }
    }

    /// The key whose public half the target trusts.
    pub(crate) fn key(&self) -> &TestKey {
        match &self.key {
            Key::Ours => published_key(),
            Key::Theirs(key) => key,
        }
    }

    pub(crate) fn all_scopes(&self) -> String {
        format!("{} {}", self.read.scope, self.write.scope)
    }

    /// Claims of a valid token.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "usr_suite",
            "client_id": "client_suite",
            "scope": self.all_scopes(),
            "iat": now(),
            "nbf": now(),
            "exp": now() + 600,
            "jti": "suite",
        })
    }

    /// The same with one claim changed.
    pub(crate) fn claims_with(&self, name: &str, value: impl Into<Value>) -> Value {
        let mut claims = self.claims();
        claims[name] = value.into();
        claims
    }

    /// The same without one claim.
    pub(crate) fn claims_without(&self, name: &str) -> Value {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    /// The header of a valid token.
    pub(crate) fn header(&self) -> Header {
        todo_tests::issuer::header(Algorithm::RS256, &self.key_id)
    }

    /// A well-signed token.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.key().sign(&self.header(), claims)
    }

    pub(crate) fn with(&self, token: &str) -> Client {
        Client::new(self.endpoint.clone(), Some(token.to_owned()))
    }

    /// A client whose token has these scopes.
    pub(crate) fn granted(&self, scope: &str) -> Client {
        self.with(&self.token(&self.claims_with("scope", scope)))
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client::new(self.endpoint.clone(), None)
    }

    /// Calls the reading operation with a token.
    pub(crate) async fn try_token(&self, token: &str) -> Answer {
        self.call(&self.with(token), &self.read).await
    }

    pub(crate) async fn call(&self, client: &Client, operation: &Operation) -> Answer {
        client.call(&operation.tool, operation.arguments.clone()).await
    }

    /// Asserts that the token is accepted.
    pub(crate) async fn accepts(&self, what: &str, token: &str) {
        let answer = self.try_token(token).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        assert_ne!(answer.result()["isError"], true, "{what}: {answer:?}");
    }

    /// Asserts that the token is rejected with a challenge, and that no part of it is repeated.
    pub(crate) async fn refuses(&self, what: &str, token: &str) {
        let answer = self.try_token(token).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        let challenge = answer.challenge();
        assert!(challenge.starts_with("Bearer "), "{what}: {answer:?}");
        assert!(challenge.contains("error=\"invalid_token\""), "{what}: {answer:?}");
        let whole = format!("{:?}{}", answer.headers, answer.text);
        for part in token.split('.').filter(|part| part.len() > 16) {
            assert!(!whole.contains(part), "{what}: the token is repeated: {answer:?}");
        }
    }
}

#[expect(clippy::panic, reason = "the person who runs it forgot something")]
fn missing(name: &str) -> String {
    panic!("MCP_TARGET_URL is set, so MCP_TARGET_{name} must be set too")
}
