//! What todo-mcp does for every request, around the SDK and in its fastest form: an access token is verified
//! with `jsonwebtoken` and cached keys, a verified token is cached by its SHA-256 while verifying it again
//! would accept it, the tool checks the scope, and the request is logged by a thread of its own.

use std::collections::HashMap;
use std::io::{self, BufWriter, Stderr, Write};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use quick_cache::sync::Cache;
use rmcp::model::Extensions;
use serde::Deserialize;
use todo_tests::issuer::RESOURCE_ID;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, registry};

use crate::Result;

/// As many as todo-mcp caches by default.
const CACHED_TOKENS: usize = 250_000;

/// For how long lines of the log are collected, how many bytes are written at once, and how many lines wait at
/// most: as in todo-mcp.
const PAUSE: Duration = Duration::from_millis(5);
const GROUP: usize = 64 * 1024;
const QUEUE: usize = 8_192;

/// The claims that todo-mcp uses too.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    client_id: Option<String>,
    scope: String,
    exp: u64,
    nbf: u64,
}

/// A request whose token is verified. The tool that it calls is written down for the log.
#[derive(Clone)]
pub(super) struct Verified {
    claims: Arc<Claims>,
    tool: Arc<OnceLock<&'static str>>,
}

struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
    cache: Cache<[u8; digest::SHA256_OUTPUT_LEN], Arc<Claims>>,
    /// Writes what is queued of the log when it is dropped.
    _log: WorkerGuard,
}

/// Puts the server behind tokens of `issuer`.
pub(super) async fn protected(router: Router, issuer: &str) -> Result<Router> {
    let verifier = Arc::new(Verifier::new(issuer).await?);
    Ok(router.layer(middleware::from_fn_with_state(verifier, verify)))
}

/// The error of a tool whose scope the token has not. Everything is allowed where no token is verified.
pub(super) fn check_scope(
    extensions: &Extensions,
    tool: &'static str,
    scope: &str,
) -> std::result::Result<(), String> {
    let verified = extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Verified>());
    let Some(Verified { claims, tool: logged }) = verified else { return Ok(()) };
    let _ = logged.set(tool);
    if claims.scope.split(' ').any(|granted| granted == scope) {
        Ok(())
    } else {
        Err(format!("Insufficient permissions: `{scope}` scope required."))
    }
}

impl Verifier {
    async fn new(issuer: &str) -> Result<Self> {
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let keys = http.get(format!("{issuer}/keys")).send().await?.text().await?;
        let keys: JwkSet = serde_json::from_str(&keys)?;
        let keys = keys
            .keys
            .iter()
            .filter_map(|key| Some((key.common.key_id.clone()?, DecodingKey::from_jwk(key).ok()?)));
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[RESOURCE_ID]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "nbf"]);
        validation.validate_nbf = true;
        validation.leeway = 0;
        Ok(Self {
            keys: keys.collect(),
            validation,
            cache: Cache::new(CACHED_TOKENS),
            _log: start_log()?,
        })
    }

    fn verify(&self, request: &Request) -> Option<Arc<Claims>> {
        let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
        let token = header.strip_prefix("Bearer ")?;
        let mut key = [0; digest::SHA256_OUTPUT_LEN];
        key.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        if let Some(claims) = self.cache.get(&key)
            && claims.are_in_force()
        {
            return Some(claims);
        }
        let key_id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let claims =
            jsonwebtoken::decode::<Claims>(token, self.keys.get(&key_id)?, &self.validation)
                .ok()?;
        let claims = Arc::new(claims.claims);
        self.cache.insert(key, Arc::clone(&claims));
        Some(claims)
    }
}

impl Claims {
    #[expect(clippy::disallowed_methods, reason = "this server has no ports")]
    fn are_in_force(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.nbf <= now && now < self.exp
    }
}

async fn verify(
    State(verifier): State<Arc<Verifier>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let Some(claims) = verifier.verify(&request) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let call = Verified { claims, tool: Arc::default() };
    request.extensions_mut().insert(call.clone());
    let response = next.run(request).await;
    tracing::info!(
        status = response.status().as_u16(),
        elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        method = call.tool.get().map(|_| "tools/call"),
        tool = call.tool.get(),
        subject = call.claims.sub,
        client = call.claims.client_id,
        "request"
    );
    response
}

fn start_log() -> Result<WorkerGuard> {
    let output = Groups(BufWriter::with_capacity(GROUP, io::stderr()));
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE);
    let (lines, guard) = builder.finish(output);
    // The SDK would write lines of its own.
    let filter = EnvFilter::try_new("warn,peers=info")?;
    registry().with(filter).with(layer().with_writer(lines).with_ansi(false)).try_init()?;
    Ok(guard)
}

/// Writes lines in groups. The queue flushes it whenever it is empty.
struct Groups(BufWriter<Stderr>);

impl Write for Groups {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.write(lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        sleep(PAUSE);
        Ok(())
    }
}
