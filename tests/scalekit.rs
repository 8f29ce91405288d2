//! The server against Scalekit: its variants, its key rotations and its outages.
//!
//! The whole server against the emulator with its quirks, on a manual clock. Nothing is restarted.
#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

use std::sync::Arc;

use scalekit_emulator::{
    AudienceClaim, EmulatorHandle, ForeignKey, IssuerClaim, KeysEndpoint, OrganizationClaim,
    Quirks, ScalekitEmulator, ScopeForm, TokenRequest,
};
use serde_json::json;
use todo_application::ports::Clock as _;
use todo_mcp::{LOCAL_RESOURCE_ID, SystemClock, emulator_options};
use todo_tests::ManualClock;
use todo_tests::client::{Answer, Client};
use todo_tests::listener::Listener;
use todo_tests::server;

/// A server, the Scalekit environment that it trusts, and the clock of both.
struct Rig {
    endpoint: String,
    scalekit: EmulatorHandle,
    clock: Arc<ManualClock>,
}

impl Rig {
    async fn start() -> Self {
        Self::set(&[]).await
    }

    /// With further settings of the server.
    async fn set(settings: &[(&str, &str)]) -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let options = emulator_options("http://localhost/", clock.clone()).auto_consent(true);
        let emulator = ScalekitEmulator::bind(options).await.unwrap();
        let scalekit = emulator.handle();
        tokio::spawn(emulator.serve(std::future::pending()));
        let url = scalekit.environment_url();
        let identity = [
            ("SCALEKIT_ENVIRONMENT_URL", url.as_str()),
            ("SCALEKIT_RESOURCE_ID", LOCAL_RESOURCE_ID),
        ];
        let settings = identity.into_iter().chain(settings.iter().copied());
        let endpoint = server::start(settings, clock.clone()).await;
        Self { endpoint, scalekit, clock }
    }

    async fn with(quirks: Quirks) -> Self {
        let rig = Self::start().await;
        rig.scalekit.set_quirks(quirks);
        rig
    }

    fn token(&self) -> String {
        self.scalekit.mint(&self.scalekit.token_request())
    }

    async fn list(&self, token: &str) -> Answer {
        let client = Client::new(self.endpoint.clone(), Some(token.to_owned()));
        client.call("list_todos", json!({})).await
    }

    /// The status for a new token.
    async fn status(&self) -> u16 {
        self.list(&self.token()).await.status
    }

    fn advance_minutes(&self, minutes: i64) {
        self.clock.advance(minutes * 60_000).unwrap();
    }
}

#[tokio::test]
async fn both_issuers_of_the_migration_are_accepted_and_no_third() {
    for (issuer, status) in
        [(IssuerClaim::Environment, 200), (IssuerClaim::Resource, 200), (IssuerClaim::Foreign, 401)]
    {
        let rig = Rig::with(Quirks { issuer, ..Quirks::default() }).await;
        assert_eq!(rig.status().await, status, "{issuer:?}");
    }
    let rig = Rig::with(Quirks { issuer: IssuerClaim::Alternating, ..Quirks::default() }).await;
    for _ in 0..4 {
        assert_eq!(rig.status().await, 200);
    }
}

#[tokio::test]
async fn the_resource_id_is_the_only_audience_in_every_form() {
    for (audience, status) in [
        (AudienceClaim::ServerUrlAndResource, 200),
        (AudienceClaim::Resource, 200),
        (AudienceClaim::ResourceAsString, 200),
        (AudienceClaim::AnotherResource, 401),
        (AudienceClaim::ServerUrl, 401),
        (AudienceClaim::Missing, 401),
    ] {
        let rig = Rig::with(Quirks { audience, ..Quirks::default() }).await;
        assert_eq!(rig.status().await, status, "{audience:?}");
    }
}

#[tokio::test]
async fn scopes_are_read_in_every_form() {
    for (scope_form, status) in [
        (ScopeForm::Both, 200),
        (ScopeForm::ScopeString, 200),
        (ScopeForm::ScopesArray, 200),
        (ScopeForm::ScpString, 200),
        (ScopeForm::ScpArray, 200),
        (ScopeForm::Missing, 403),
    ] {
        let rig = Rig::with(Quirks { scope_form, ..Quirks::default() }).await;
        assert_eq!(rig.status().await, status, "{scope_form:?}");
    }
}

#[tokio::test]
async fn an_organization_is_read_from_both_claims_and_not_required() {
    for organization in
        [OrganizationClaim::Oid, OrganizationClaim::OrgId, OrganizationClaim::Missing]
    {
        let quirks = Quirks { organization, ..Quirks::default() };
        assert_eq!(Rig::with(quirks).await.status().await, 200, "{organization:?}");
    }
}

#[tokio::test]
async fn unusable_keys_in_the_set_do_not_hide_the_usable_one() {
    let foreign_keys = vec![
        ForeignKey::EllipticCurve,
        ForeignKey::RsaForEncryption,
        ForeignKey::MalformedRsa,
        ForeignKey::Symmetric,
    ];
    let rig = Rig::with(Quirks { foreign_keys, ..Quirks::default() }).await;
    assert_eq!(rig.status().await, 200);
}

#[tokio::test]
async fn clock_skew_of_seconds_is_tolerated_and_of_minutes_is_not() {
    for (clock_skew, status) in [(30, 200), (-30, 200), (300, 401)] {
        let rig = Rig::with(Quirks { clock_skew, ..Quirks::default() }).await;
        assert_eq!(rig.status().await, status, "{clock_skew} s");
    }
}

#[tokio::test]
async fn a_token_is_rejected_once_it_has_expired() {
    let rig = Rig::start().await;
    let request = TokenRequest { expires_in: 300, ..rig.scalekit.token_request() };
    let token = rig.scalekit.mint(&request);
    assert_eq!(rig.list(&token).await.status, 200);
    rig.clock.advance(299_000).unwrap();
    assert_eq!(rig.list(&token).await.status, 200);
    rig.clock.advance(1_000).unwrap();
    let answer = rig.list(&token).await;
    assert_eq!(answer.status, 401);
    assert!(answer.challenge().contains("it expired at"), "{answer:?}");
}

#[tokio::test]
async fn a_key_rotation_needs_no_restart() {
    let rig = Rig::start().await;
    let before = rig.token();
    assert_eq!(rig.list(&before).await.status, 200);

    rig.scalekit.rotate_key().await.unwrap();
    rig.advance_minutes(1);
    assert_eq!(rig.status().await, 200, "a token of the new key");
    assert_eq!(rig.list(&before).await.status, 200, "a token of the old key, still published");

    rig.scalekit.retire_old_keys();
    rig.advance_minutes(1);
    rig.scalekit.rotate_key().await.unwrap();
    assert_eq!(rig.status().await, 200, "a token of the newest key, whose set lacks the old one");
    let answer = rig.list(&before).await;
    assert_eq!(answer.status, 401, "a token of a withdrawn key");
}

/// A stream for this token, acknowledged.
async fn listening(rig: &Rig, token: String) -> Listener {
    let client = Client::new(rig.endpoint.clone(), Some(token));
    let mut stream = Listener::open(&client, json!({ "resourcesListChanged": true })).await;
    let first = stream.next().await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    stream
}

#[tokio::test]
async fn a_stream_ends_when_the_key_of_its_token_is_withdrawn_and_not_when_another_one_is() {
    let rig = Rig::start().await;
    let mut of_the_first_key = listening(&rig, rig.token()).await;
    rig.scalekit.rotate_key().await.unwrap();
    rig.advance_minutes(1);
    let mut of_the_second_key = listening(&rig, rig.token()).await;
    // The set had changed, and the first key is still in it.
    Client::new(rig.endpoint.clone(), Some(rig.token())).create("for both").await;
    for stream in [&mut of_the_first_key, &mut of_the_second_key] {
        let changed = stream.next().await.unwrap();
        assert_eq!(changed["method"], "notifications/resources/list_changed");
    }

    rig.scalekit.retire_old_keys();
    rig.advance_minutes(1);
    // A token of a third key makes the server fetch the set, which lacks the first one.
    rig.scalekit.rotate_key().await.unwrap();
    assert_eq!(rig.status().await, 200);
    let last = of_the_first_key.next().await.unwrap();
    assert_eq!(last["result"]["resultType"], "complete", "{last}");
    assert_eq!(of_the_first_key.next().await, None);
    Client::new(rig.endpoint.clone(), Some(rig.token())).create("for the second").await;
    let changed = of_the_second_key.next().await.unwrap();
    assert_eq!(changed["method"], "notifications/resources/list_changed");
}

#[tokio::test]
async fn a_client_that_may_not_call_gets_403_and_no_reason_to_log_in_again() {
    let rig = Rig::set(&[("TODO_ALLOWED_CLIENTS", "m2m_some_other")]).await;
    let client = rig.scalekit.token_request().client_id;
    let answer = rig.list(&rig.token()).await;
    assert_eq!(answer.status, 403);
    let body = answer.json();
    assert_eq!(body["error"], "forbidden");
    let sentence = format!(
        "The client `{client}` is not allowed to use this server. Ask the server's operator to allow it."
    );
    assert_eq!(body["error_description"], sentence);
    assert!(answer.challenge().starts_with("Bearer resource_metadata="), "{answer:?}");
    assert!(!answer.challenge().contains("error"), "{answer:?}");
    assert_eq!(rig.list("opaque").await.status, 401, "a token that is invalid is that first");

    let settings = format!("m2m_some_other {client}");
    let rig = Rig::set(&[("TODO_ALLOWED_CLIENTS", &settings)]).await;
    assert_eq!(rig.status().await, 200);
}

#[tokio::test]
async fn a_token_is_too_old_before_it_expires_if_that_is_set() {
    let rig = Rig::set(&[("TODO_MAX_TOKEN_AGE", "600")]).await;
    let token = rig.token();
    assert_eq!(rig.list(&token).await.status, 200);
    let mut stream = listening(&rig, token.clone()).await;
    rig.advance_minutes(10);
    let answer = rig.list(&token).await;
    assert_eq!(answer.status, 401);
    assert!(answer.challenge().contains("accepts tokens for 600 s"), "{answer:?}");
    // Whatever happens then makes the stream look at the clock.
    Client::new(rig.endpoint.clone(), Some(rig.token())).create("later").await;
    assert_eq!(stream.next().await.unwrap()["result"]["resultType"], "complete");
}

#[tokio::test]
async fn unknown_key_ids_cause_at_most_one_fetch() {
    let rig = Rig::start().await;
    assert_eq!(rig.status().await, 200);
    rig.advance_minutes(1);
    let before = rig.scalekit.key_requests();
    let valid = rig.token();
    let (_, rest) = valid.split_once('.').unwrap();
    for number in 0..50 {
        use base64::Engine as _;
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": format!("snk_{number}") });
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header.to_string());
        assert_eq!(rig.list(&format!("{header}.{rest}")).await.status, 401);
    }
    assert!(rig.scalekit.key_requests() <= before + 1);
    assert_eq!(rig.list(&valid).await.status, 200);
}

#[tokio::test]
async fn an_outage_of_the_key_endpoint_does_not_affect_callers() {
    for keys in [
        KeysEndpoint::Failing(500),
        KeysEndpoint::Failing(429),
        KeysEndpoint::Empty,
        KeysEndpoint::NotJson,
        KeysEndpoint::Malformed,
    ] {
        let rig = Rig::start().await;
        assert_eq!(rig.status().await, 200);
        rig.scalekit.set_quirks(Quirks { keys, ..Quirks::default() });
        for _ in 0..6 {
            rig.advance_minutes(30);
            assert_eq!(rig.status().await, 200, "{keys:?}");
        }
    }
}

#[tokio::test]
async fn a_server_started_during_an_outage_recovers() {
    for keys in [KeysEndpoint::Failing(503), KeysEndpoint::Empty, KeysEndpoint::NotJson] {
        let rig = Rig::with(Quirks { keys, ..Quirks::default() }).await;
        let answer = rig.list(&rig.token()).await;
        assert_eq!(answer.status, 503, "{keys:?}");
        assert!(answer.header("retry-after").is_some());
        assert!(answer.header("www-authenticate").is_none(), "clients keep their token");

        rig.scalekit.set_quirks(Quirks::default());
        rig.clock.advance(10_000).unwrap();
        assert_eq!(rig.status().await, 200, "{keys:?}, ten seconds later");
    }
}
