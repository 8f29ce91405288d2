//! A client of the environment, and a person in front of it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header, request::Builder},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

use crate::{EmulatorHandle, EmulatorOptions, LOCAL_RESOURCE_ID, ScalekitEmulator};

pub(super) const SERVER_URL: &str = "http://localhost:3002/";
pub(super) const REDIRECT_URI: &str = "http://localhost:6274/oauth/callback";
pub(super) const NOW: i64 = 1_800_000_000;

/// RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(super) type Pairs<'a> = &'a [(&'a str, &'a str)];

pub(super) fn options() -> EmulatorOptions {
    EmulatorOptions {
        port: 0,
        resource_id: LOCAL_RESOURCE_ID.to_owned(),
        server_url: SERVER_URL.to_owned(),
        state_file: None,
        auto_consent: false,
        clock: Arc::new(|| NOW),
    }
}

/// A running environment with a clock that tests move.
pub(super) struct World {
    pub(super) handle: EmulatorHandle,
    clock: Arc<AtomicI64>,
    router: Router,
}

/// A response that has been read to its end.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(options()).await
    }

    pub(super) async fn with_auto_consent() -> Self {
        Self::with(EmulatorOptions { auto_consent: true, ..options() }).await
    }

    pub(super) async fn remembering(state_file: PathBuf) -> Self {
        Self::with(EmulatorOptions {
            state_file: Some(state_file),
            auto_consent: true,
            ..options()
        })
        .await
    }

    async fn with(options: EmulatorOptions) -> Self {
        let clock = Arc::new(AtomicI64::new(NOW));
        let ticking = Arc::clone(&clock);
        let options =
            EmulatorOptions { clock: Arc::new(move || ticking.load(Ordering::SeqCst)), ..options };
        let handle = ScalekitEmulator::bind(options).await.unwrap().handle();
        Self { router: handle.router(), handle, clock }
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn issuer(&self) -> String {
        format!("{}/resources/{LOCAL_RESOURCE_ID}", self.handle.environment_url())
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.send(to("GET", path).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post_json(&self, path: &str, body: &Value) -> Reply {
        let request = to("POST", path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn post_form(&self, path: &str, form: Pairs<'_>) -> Reply {
        self.send(form_request(path, form)).await
    }

    pub(super) async fn register(&self, metadata: Value) -> Reply {
        let path = format!("/api/v1/resources/{LOCAL_RESOURCE_ID}/clients:register");
        self.post_json(&path, &metadata).await
    }

    /// The id of a new public client that is answered at [`REDIRECT_URI`].
    pub(super) async fn public_client(&self) -> String {
        let metadata = json!({ "client_name": "Inspector", "redirect_uris": [REDIRECT_URI] });
        self.register(metadata).await.text("client_id")
    }

    /// Id and secret of a new confidential client.
    pub(super) async fn confidential_client(&self) -> (String, String) {
        let reply = self
            .register(json!({
                "client_name": "Agent",
                "redirect_uris": [REDIRECT_URI],
                "token_endpoint_auth_method": "client_secret_basic",
            }))
            .await;
        (reply.text("client_id"), reply.text("client_secret"))
    }

    /// A complete authorization request, with `changes` made: an empty value removes a parameter.
    pub(super) async fn authorize(&self, client_id: &str, changes: Pairs<'_>) -> Reply {
        let path = format!("/resources/{LOCAL_RESOURCE_ID}/oauth/authorize");
        let usual = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "the state"),
            ("scope", "todo:read todo:write offline_access"),
            ("resource", "http://localhost:3002/mcp"),
        ];
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(changed(&usual, changes))
            .finish();
        self.get(&format!("{path}?{query}")).await
    }

    /// What a browser sends for the consent page with these boxes ticked.
    pub(super) async fn decide(&self, page: &Reply, scopes: &[&str], decision: &str) -> Reply {
        let request = page.hidden_request();
        let form: Vec<_> = [("request", request.as_str()), ("decision", decision)]
            .into_iter()
            .chain(scopes.iter().map(|scope| ("scope", *scope)))
            .collect();
        self.post_form("/oauth/consent", &form).await
    }

    /// A code for everything that [`World::authorize`] asks for.
    pub(super) async fn code(&self, client_id: &str) -> String {
        let reply = self.authorize(client_id, &[]).await;
        if reply.status == StatusCode::FOUND {
            return reply.answered("code");
        }
        let scopes = ["todo:read", "todo:write", "offline_access"];
        self.decide(&reply, &scopes, "allow").await.answered("code")
    }

    /// A request for tokens in exchange for a code, with `changes` made.
    pub(super) async fn exchange(&self, client_id: &str, code: &str, changes: Pairs<'_>) -> Reply {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
            ("resource", "http://localhost:3002/mcp"),
        ];
        self.post_form(&token_path(), &changed(&usual, changes)).await
    }

    /// What a client has after logging in.
    pub(super) async fn log_in(&self, client_id: &str) -> Reply {
        let code = self.code(client_id).await;
        self.exchange(client_id, &code, &[]).await
    }

    pub(super) async fn refresh(&self, client_id: &str, refresh_token: &str) -> Reply {
        self.refresh_for(client_id, refresh_token, "").await
    }

    pub(super) async fn refresh_for(&self, client_id: &str, token: &str, scope: &str) -> Reply {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client_id),
            ("refresh_token", token),
            ("scope", scope),
        ];
        self.post_form(&token_path(), &form).await
    }
}

impl Reply {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    #[track_caller]
    pub(super) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {self:?}")).to_owned()
    }

    #[track_caller]
    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers[name].to_str().unwrap()
    }

    #[track_caller]
    pub(super) fn location(&self) -> Url {
        Url::parse(self.header(header::LOCATION)).unwrap()
    }

    /// A parameter that the client receives by redirect.
    #[track_caller]
    pub(super) fn answered(&self, name: &str) -> String {
        let location = self.location();
        let mut values = location.query_pairs().filter(|(given, _)| given == name);
        let (_, value) = values.next().unwrap_or_else(|| panic!("no `{name}` in {location}"));
        value.into_owned()
    }

    /// The claims of the access token, unverified.
    #[track_caller]
    pub(super) fn claims(&self) -> Value {
        part(&self.text("access_token"), 1)
    }

    #[track_caller]
    pub(super) fn is_refused_with(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status.as_u16(), self.text("error").as_str()),
            (status, error),
            "{self:?}"
        );
        assert_eq!(self.header(header::CACHE_CONTROL), "no-store");
    }

    #[track_caller]
    fn hidden_request(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"request\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }
}

/// One decoded part of a JWT.
#[track_caller]
pub(super) fn part(token: &str, index: usize) -> Value {
    let encoded = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

pub(super) fn to(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:3003")
}

pub(super) fn form_request(path: &str, form: Pairs<'_>) -> Request<Body> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    to("POST", path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

pub(super) fn token_path() -> String {
    format!("/resources/{LOCAL_RESOURCE_ID}/oauth/token")
}

fn changed<'a>(usual: Pairs<'a>, changes: Pairs<'a>) -> Vec<(&'a str, &'a str)> {
    usual
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name))
        .chain(changes.iter().filter(|(_, value)| !value.is_empty()))
        .copied()
        .collect()
}
