//! Anything but a valid token is rejected, and nothing panics.

use std::sync::LazyLock;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::*;

struct Primed {
    runtime: Runtime,
    scene: Scene,
    token: String,
}

/// A scene whose keys are known. Its clock stands still, so no case causes a fetch.
static PRIMED: LazyLock<Primed> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let scene = runtime.block_on(Scene::new());
    let token = scene.token(&FIRST_KEY);
    runtime.block_on(scene.verify(&token)).expect("a valid token");
    Primed { runtime, scene, token }
});

impl Primed {
    fn verify(&self, token: &str) -> Result<Arc<Caller>, InvalidToken> {
        self.runtime.block_on(self.scene.verify(token))
    }
}

/// Any JSON value, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("res_1")),
        Just(json!(NOW + 10)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,5}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_token_with_one_character_changed_is_rejected(
        position in any::<prop::sample::Index>(),
        character in any::<char>(),
    ) {
        let mut characters: Vec<_> = PRIMED.token.chars().collect();
        let changed = position.get_mut(&mut characters);
        prop_assume!(*changed != character);
        *changed = character;
        let token: String = characters.into_iter().collect();
        prop_assert!(PRIMED.verify(&token).is_err());
    }

    #[test]
    fn a_token_that_is_cut_or_continued_is_rejected(
        position in any::<prop::sample::Index>(),
        rest in "[A-Za-z0-9_.-]{0,40}",
    ) {
        let start = &PRIMED.token[..position.index(PRIMED.token.len())];
        let token = format!("{start}{rest}");
        prop_assume!(token != PRIMED.token);
        prop_assert!(PRIMED.verify(&token).is_err());
    }

    #[test]
    fn random_text_is_rejected(
        text in prop_oneof![".*", "[A-Za-z0-9_-]{0,99}\\.[A-Za-z0-9_-]{0,99}\\.[A-Za-z0-9_-]{0,99}"],
    ) {
        prop_assert!(PRIMED.verify(&text).is_err());
    }

    #[test]
    fn any_header_over_a_valid_payload_is_rejected(header in any_json(), alg in any_json()) {
        let (_, rest) = PRIMED.token.split_once('.').expect("three parts");
        for header in [header, json!({"alg": alg, "kid": "snk_1"})] {
            let token = format!("{}.{rest}", base64url(header.to_string()));
            prop_assert!(PRIMED.verify(&token).is_err());
        }
    }
}

proptest! {
    // Each case makes a signature, which takes a thousand times as long as rejecting one.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_signed_payload_of_any_bytes_is_rejected(payload in any::<Vec<u8>>()) {
        let token = FIRST_KEY.token_of(&FIRST_KEY.header().to_string(), payload);
        prop_assert!(PRIMED.verify(&token).is_err());
    }

    #[test]
    fn a_signed_claim_of_any_value_is_accepted_or_rejected(
        name in prop::sample::select(vec![
            "iss", "aud", "exp", "nbf", "iat", "sub", "oid", "org_id", "client_id", "azp", "scope",
            "scopes", "scp",
        ]),
        value in any_json(),
    ) {
        let mut claims = PRIMED.scene.claims();
        claims[name] = value;
        if let Ok(caller) = PRIMED.verify(&FIRST_KEY.token(&claims)) {
            prop_assert!(caller.expires_at() > PRIMED.scene.clock.now());
            prop_assert!(!caller.subject().is_empty());
        }
    }
}
