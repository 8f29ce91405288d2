//! A client of the environment, and a person with a browser.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

use crate::{EmulatorHandle, EmulatorOptions, ScalekitEmulator, User};

pub(super) const SERVER_URL: &str = "http://localhost:3002/";
pub(super) const REDIRECT_URI: &str = "http://localhost:6274/oauth/callback";
pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const RESOURCE_ID: &str = "res_7";
pub(super) const USER: &str = "usr_7";
pub(super) const ORGANIZATION: &str = "org_7";

/// RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(super) type Pairs<'a> = &'a [(&'a str, &'a str)];

/// An environment for a server with notes, at [`NOW`].
pub(super) fn options() -> EmulatorOptions {
    options_with(Arc::new(AtomicI64::new(NOW)))
}

/// The same at the Unix seconds of a clock.
fn options_with(clock: Arc<AtomicI64>) -> EmulatorOptions {
    let now = move || {
        let seconds = u64::try_from(clock.load(Ordering::SeqCst)).unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    };
    let user =
        User { subject: USER.to_owned(), organization: ORGANIZATION.to_owned(), ..User::default() };
    EmulatorOptions::new(SERVER_URL, now)
        .program("notes")
        .resource_id(RESOURCE_ID)
        .scope("notes:read", "See your notes")
        .scope("notes:write", "Create, change and delete your notes")
        .user(user)
        .server_name("note server")
        .purpose("use your notes")
        .token_command("notes token")
}

/// A running environment with a manual clock.
pub(super) struct World {
    pub(super) handle: EmulatorHandle,
    clock: Arc<AtomicI64>,
    router: Router,
}

/// A complete response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|options| options).await
    }

    pub(super) async fn with_auto_consent() -> Self {
        Self::with(|options| options.auto_consent(true)).await
    }

    pub(super) async fn with_state_file(state_file: PathBuf) -> Self {
        Self::with(|options| options.state_file(state_file).auto_consent(true)).await
    }

    async fn with(change: impl FnOnce(EmulatorOptions) -> EmulatorOptions) -> Self {
        let clock = Arc::new(AtomicI64::new(NOW));
        let options = change(options_with(Arc::clone(&clock)));
        let handle = ScalekitEmulator::bind(options).await.unwrap().handle();
        Self { router: handle.router(), handle, clock }
    }

    pub(super) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn issuer(&self) -> String {
        format!("{}/resources/{RESOURCE_ID}", self.handle.environment_url())
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
        let path = format!("/api/v1/resources/{RESOURCE_ID}/clients:register");
        self.post_json(&path, &metadata).await
    }

    /// The id of a new public client with [`REDIRECT_URI`].
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

    /// An authorization request with `changes`, in which an empty value removes a parameter.
    pub(super) async fn authorize(&self, client_id: &str, changes: Pairs<'_>) -> Reply {
        let path = format!("/resources/{RESOURCE_ID}/oauth/authorize");
        let usual = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "the state"),
            ("scope", "notes:read notes:write offline_access"),
            ("resource", "http://localhost:3002/mcp"),
        ];
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(changed(&usual, changes))
            .finish();
        self.get(&format!("{path}?{query}")).await
    }

    /// The form of the consent page with these scopes ticked.
    pub(super) async fn decide(&self, page: &Reply, scopes: &[&str], decision: &str) -> Reply {
        let request = page.hidden_request();
        let form: Vec<_> = [("request", request.as_str()), ("decision", decision)]
            .into_iter()
            .chain(scopes.iter().map(|scope| ("scope", *scope)))
            .collect();
        self.post_form("/oauth/consent", &form).await
    }

    /// A code for all scopes of [`World::authorize`].
    pub(super) async fn code(&self, client_id: &str) -> String {
        let reply = self.authorize(client_id, &[]).await;
        if reply.status == StatusCode::FOUND {
            return reply.redirected("code");
        }
        let scopes = ["notes:read", "notes:write", "offline_access"];
        self.decide(&reply, &scopes, "allow").await.redirected("code")
    }

    /// A token request with a code and `changes`.
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

    /// The token response of a login.
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

    /// A parameter of the redirect to the client.
    #[track_caller]
    pub(super) fn redirected(&self, name: &str) -> String {
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
    pub(super) fn has_error(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status.as_u16(), self.text("error").as_str()),
            (status, error),
            "{self:?}"
        );
        assert_eq!(self.header(header::CACHE_CONTROL), "no-store");
    }

    #[track_caller]
    pub(super) fn hidden_request(&self) -> String {
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
    format!("/resources/{RESOURCE_ID}/oauth/token")
}

fn changed<'a>(usual: Pairs<'a>, changes: Pairs<'a>) -> Vec<(&'a str, &'a str)> {
    usual
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name))
        .chain(changes.iter().filter(|(_, value)| !value.is_empty()))
        .copied()
        .collect()
}
