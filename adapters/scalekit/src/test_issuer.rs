//! A Scalekit environment on loopback that fails on demand, and a manual clock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use protected_mcp::Clock;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::test_tokens::{FIRST_KEY, NOW, RESOURCE_ID, TestKey, key_set, user_claims};
use crate::{ScalekitEnvironment, ScalekitHttp, ScalekitKeys, ScalekitTokenVerifier};

/// Only a failing test takes that long.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(crate) fn advance(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).expect("a short duration");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Stops a millisecond short of `duration`.
    pub(crate) fn advance_almost(&self, duration: Duration) {
        self.advance(duration.saturating_sub(Duration::from_millis(1)));
    }

    pub(crate) fn unix_millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set_unix_millis(&self, millis: u64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.unix_millis())
    }
}

/// The response at one path.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<HeaderValue>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: StatusCode::OK, location: None, body: body.into() }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a status"),
            location: None,
            body: b"{}".to_vec(),
        }
    }
}

struct Issuing {
    answers: Mutex<HashMap<String, Answer>>,
    requested: watch::Sender<Vec<String>>,
    is_held: watch::Sender<bool>,
}

async fn answer(State(issuing): State<Arc<Issuing>>, uri: Uri) -> Response {
    let path = uri.path().to_owned();
    issuing.requested.send_modify(|requested| requested.push(path.clone()));
    let mut is_held = issuing.is_held.subscribe();
    is_held.wait_for(|is_held| !is_held).await.expect("the issuer");
    let answers = issuing.answers.lock().expect("the answers");
    let Some(answer) = answers.get(&path).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = (answer.status, answer.body).into_response();
    if let Some(location) = answer.location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// An issuer, which publishes [`FIRST_KEY`] at first, and all that depends on it.
pub(crate) struct Scene {
    pub(crate) environment: Arc<ScalekitEnvironment>,
    pub(crate) http: ScalekitHttp,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) keys: ScalekitKeys,
    pub(crate) verifier: ScalekitTokenVerifier,
    issuing: Arc<Issuing>,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let issuing = Arc::new(Issuing {
            answers: Mutex::default(),
            requested: watch::Sender::default(),
            is_held: watch::Sender::new(false),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&issuing));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let environment =
            Arc::new(ScalekitEnvironment::new(&url, RESOURCE_ID).expect("an environment"));
        let http = ScalekitHttp::new(&environment).expect("a client");
        let clock = Arc::new(ManualClock(AtomicU64::new(NOW * 1000)));
        let keys = ScalekitKeys::new(&environment, http.clone(), clock.clone());
        let verifier = ScalekitTokenVerifier::new(environment.clone(), keys.clone(), clock.clone());
        let scene = Self { environment, http, clock, keys, verifier, issuing };
        scene.publish(&[&FIRST_KEY]);
        scene
    }

    /// Publishes a set of these keys.
    pub(crate) fn publish(&self, keys: &[&TestKey]) {
        let jwks: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        self.answer_keys(Answer::ok(key_set(&jwks.iter().collect::<Vec<_>>())));
    }

    pub(crate) fn answer_keys(&self, answer: Answer) {
        self.answer("/keys", answer);
    }

    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        let mut answers = self.issuing.answers.lock().expect("the answers");
        answers.insert(path.to_owned(), answer);
    }

    /// Accepts requests and responds to none of them.
    pub(crate) fn hold(&self) {
        self.issuing.is_held.send_replace(true);
    }

    /// Responds to the requests that were held.
    pub(crate) fn release(&self) {
        self.issuing.is_held.send_replace(false);
    }

    /// The paths that were requested, in order.
    pub(crate) fn requested(&self) -> Vec<String> {
        self.issuing.requested.borrow().clone()
    }

    pub(crate) fn request_count(&self) -> usize {
        self.issuing.requested.borrow().len()
    }

    /// Waits until that many requests were made.
    pub(crate) async fn requests(&self, count: usize) {
        let mut requested = self.issuing.requested.subscribe();
        let enough = requested.wait_for(|requested| requested.len() >= count);
        tokio::time::timeout(PATIENCE, enough)
            .await
            .expect("more requests than were made")
            .expect("the issuer");
    }

    /// A valid token of a user, signed with `key`.
    pub(crate) fn token(&self, key: &TestKey) -> String {
        key.token(&user_claims(self.environment.url()))
    }
}
