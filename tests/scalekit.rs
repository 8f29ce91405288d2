//! How the server lives with Scalekit as it is: its variants, its key rotations and its outages.
//!
//! The whole server against the emulator with its quirks, on a clock that the test moves. Nothing is
//! restarted on the way.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so at once")]

use std::sync::Arc;

use serde_json::json;
use todo_adapter_scalekit_emulator::{
    AudienceClaim, EmulatorHandle, EmulatorOptions, ForeignKey, IssuerClaim, KeysEndpoint,
    LOCAL_RESOURCE_ID, OrganizationClaim, Quirks, ScalekitEmulator, ScopeForm, TokenRequest,
};
use todo_application::ports::Clock as _;
use todo_mcp::SystemClock;
use todo_tests::ManualClock;
use todo_tests::client::{Answer, Client};
use todo_tests::server;

/// A server, the Scalekit environment that it trusts, and the clock of both.
struct Rig {
    endpoint: String,
    scalekit: EmulatorHandle,
    clock: Arc<ManualClock>,
}

impl Rig {
    async fn start() -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let emulator = ScalekitEmulator::bind(EmulatorOptions {
            port: 0,
            resource_id: LOCAL_RESOURCE_ID.to_owned(),
            server_url: "http://localhost/".to_owned(),
            state_file: None,
            auto_consent: true,
            clock: {
                let clock = Arc::clone(&clock);
                Arc::new(move || clock.now().as_unix_seconds())
            },
        })
        .await
        .unwrap();
        let scalekit = emulator.handle();
        tokio::spawn(emulator.serve(std::future::pending()));
        let settings = [
            ("SCALEKIT_ENVIRONMENT_URL", scalekit.environment_url()),
            ("SCALEKIT_RESOURCE_ID", LOCAL_RESOURCE_ID.to_owned()),
        ];
        let settings = settings.iter().map(|(name, value)| (*name, value.as_str()));
        let endpoint = server::start(settings, clock.clone()).await;
        Self { endpoint, scalekit, clock }
    }

    async fn with(quirks: Quirks) -> Self {
        let rig = Self::start().await;
        rig.scalekit.set_quirks(quirks);
        rig
    }

    fn token(&self) -> String {
        self.scalekit.mint(&TokenRequest::default())
    }

    async fn list(&self, token: &str) -> Answer {
        let client = Client::new(self.endpoint.clone(), Some(token.to_owned()));
        client.call("list_todos", json!({})).await
    }

    /// The status that a fresh token gets.
    async fn status(&self) -> u16 {
        self.list(&self.token()).await.status
    }

    fn minutes_pass(&self, minutes: i64) {
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
async fn the_resource_id_is_the_audience_in_every_form_and_nothing_else_is() {
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
async fn scopes_are_found_in_every_form() {
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
async fn an_organization_is_found_under_both_names_and_not_required() {
    for organization in
        [OrganizationClaim::Oid, OrganizationClaim::OrgId, OrganizationClaim::Missing]
    {
        let quirks = Quirks { organization, ..Quirks::default() };
        assert_eq!(Rig::with(quirks).await.status().await, 200, "{organization:?}");
    }
}

#[tokio::test]
async fn foreign_keys_in_the_set_do_not_hide_the_good_one() {
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
async fn clocks_may_differ_by_seconds_and_not_by_minutes() {
    for (clock_skew, status) in [(30, 200), (-30, 200), (300, 401)] {
        let rig = Rig::with(Quirks { clock_skew, ..Quirks::default() }).await;
        assert_eq!(rig.status().await, status, "{clock_skew} s");
    }
}

#[tokio::test]
async fn a_token_ends_when_it_says() {
    let rig = Rig::start().await;
    let token = rig.scalekit.mint(&TokenRequest { expires_in: 300, ..TokenRequest::default() });
    assert_eq!(rig.list(&token).await.status, 200);
    rig.clock.advance(299_000).unwrap();
    assert_eq!(rig.list(&token).await.status, 200);
    rig.clock.advance(1_000).unwrap();
    let answer = rig.list(&token).await;
    assert_eq!(answer.status, 401);
    assert!(answer.challenge().contains("it expired at"), "{answer:?}");
}

#[tokio::test]
async fn a_rotation_needs_no_restart() {
    let rig = Rig::start().await;
    let before = rig.token();
    assert_eq!(rig.list(&before).await.status, 200);

    rig.scalekit.rotate_key().await.unwrap();
    rig.minutes_pass(1);
    assert_eq!(rig.status().await, 200, "a token of the new key");
    assert_eq!(rig.list(&before).await.status, 200, "a token of the old key, still published");

    rig.scalekit.retire_old_keys();
    rig.minutes_pass(1);
    rig.scalekit.rotate_key().await.unwrap();
    assert_eq!(rig.status().await, 200, "the newest key, and with it the set without the old one");
    let answer = rig.list(&before).await;
    assert_eq!(answer.status, 401, "a token of a key that was withdrawn");
}

#[tokio::test]
async fn made_up_key_ids_cause_one_fetch_and_no_more() {
    let rig = Rig::start().await;
    assert_eq!(rig.status().await, 200);
    rig.minutes_pass(1);
    let before = rig.scalekit.key_requests();
    let good = rig.token();
    let (_, rest) = good.split_once('.').unwrap();
    for number in 0..50 {
        use base64::Engine as _;
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": format!("snk_{number}") });
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header.to_string());
        assert_eq!(rig.list(&format!("{header}.{rest}")).await.status, 401);
    }
    assert!(rig.scalekit.key_requests() <= before + 1);
    assert_eq!(rig.list(&good).await.status, 200);
}

#[tokio::test]
async fn an_outage_of_the_keys_is_not_noticed_by_anyone() {
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
            rig.minutes_pass(30);
            assert_eq!(rig.status().await, 200, "{keys:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_starts_during_an_outage_recovers_by_itself() {
    for keys in [KeysEndpoint::Failing(503), KeysEndpoint::Empty, KeysEndpoint::NotJson] {
        let rig = Rig::with(Quirks { keys, ..Quirks::default() }).await;
        let answer = rig.list(&rig.token()).await;
        assert_eq!(answer.status, 503, "{keys:?}");
        assert!(answer.header("retry-after").is_some());
        assert!(answer.header("www-authenticate").is_none(), "nobody should throw a token away");

        rig.scalekit.set_quirks(Quirks::default());
        rig.clock.advance(10_000).unwrap();
        assert_eq!(rig.status().await, 200, "{keys:?}, ten seconds later");
    }
}
