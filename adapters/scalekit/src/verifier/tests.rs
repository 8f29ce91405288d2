use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::*;
use crate::invalid_token::InvalidToken;
use crate::test_issuer::{Answer, Scene};
use crate::test_tokens::{
    FIRST_KEY, NOW, SECOND_KEY, base64url, changed, key_set, signing_input, text_of, user_claims,
};

mod caching;
mod flood;
mod hostile;
mod model;
mod properties;

impl Scene {
    /// Verifies a token, the keys being available.
    async fn verify(&self, token: &str) -> Result<Arc<Caller>, InvalidToken> {
        match self.verifier.verify_token(token).await {
            Ok(caller) => Ok(caller),
            Err(VerificationError::Invalid(rejection)) => Err(rejection),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn claims(&self) -> Value {
        user_claims(self.environment.url())
    }

    /// A token with this header and a valid signature.
    fn token_with_header(&self, header: &Value) -> String {
        FIRST_KEY.token_of(&header.to_string(), self.claims().to_string())
    }
}

#[tokio::test]
async fn a_valid_token_is_accepted() {
    let scene = Scene::new().await;
    let caller = scene.verifier.authenticate(&scene.token(&FIRST_KEY)).await.expect("a caller");
    assert_eq!(caller.subject().as_ref(), "usr_1");
    let for_resource = scene.environment.authorization_server();
    let token = FIRST_KEY.token(&user_claims(for_resource));
    assert!(scene.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_token_that_is_not_three_parts_of_base64url_encoded_json_is_malformed() {
    let scene = Scene::new().await;
    let good = scene.token(&FIRST_KEY);
    let parts: Vec<_> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts");
    };
    let header_text = FIRST_KEY.header().to_string();
    let twice = header_text.replacen('{', "{\"alg\": \"RS256\",", 1);
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "token".to_owned(),
        "é.é.é".to_owned(),
        format!("{header}.{payload}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!(" {good}"),
        format!("{good}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.!"),
        format!("{}.{payload}.{signature}", base64url([0xff])),
        format!("{}.{payload}.{signature}", base64url("null")),
        format!("{}.{payload}.{signature}", base64url("[\"RS256\", \"snk_1\"]")),
        format!("{}.{payload}.{signature}", base64url("{\"alg\": \"RS256\"")),
        format!("{}.{payload}.{signature}", base64url("{\"alg\": 256}")),
        scene.token_with_header(&json!({"alg": "RS256", "kid": 1})),
        FIRST_KEY.token_of(&twice, scene.claims().to_string()),
        FIRST_KEY.token_of(&header_text, "not JSON"),
        FIRST_KEY.token_of(&header_text, "[]"),
        FIRST_KEY.token_of(&header_text, [b'{', 0xff, b'}']),
        format!("{header}.{payload}.{}", "A".repeat(16 * 1024)),
    ] {
        assert_eq!(scene.verify(&token).await, Err(InvalidToken::Malformed), "{token}");
    }
}

#[tokio::test]
async fn a_token_may_have_16_kib() {
    let scene = Scene::new().await;
    let header = base64url(FIRST_KEY.header().to_string());
    let token_of = |bytes: usize| format!("{header}.{}.AAAA", "A".repeat(bytes - header.len() - 6));
    for (bytes, rejection) in
        [(16 * 1024, InvalidToken::Signature), (16 * 1024 + 1, InvalidToken::Malformed)]
    {
        let token = token_of(bytes);
        assert_eq!(token.len(), bytes);
        assert_eq!(scene.verify(&token).await, Err(rejection));
    }
    let padding = json!({"roles": ["x".repeat(10_000)]});
    let long = FIRST_KEY.token(&changed(scene.claims(), &padding));
    assert!(scene.verify(&long).await.is_ok());
}

#[tokio::test]
async fn every_algorithm_but_rs256_is_rejected_before_anything_else() {
    let scene = Scene::new().await;
    let claims = scene.claims().to_string();
    let header = |alg: &str| json!({"alg": alg, "kid": "snk_1", "crit": ["b64"]}).to_string();

    let unsigned = format!("{}.", signing_input(&header("none"), &claims));
    let with_public_key_as_secret = {
        let signing_input = signing_input(&header("HS256"), &claims);
        let secret = hmac::Key::new(hmac::HMAC_SHA256, FIRST_KEY.public_der());
        let tag = hmac::sign(&secret, signing_input.as_bytes());
        format!("{signing_input}.{}", base64url(tag))
    };
    for token in [
        unsigned,
        with_public_key_as_secret,
        FIRST_KEY.ps256_token(&header("PS256"), &claims),
        FIRST_KEY.rs512_token(&header("RS512"), &claims),
        FIRST_KEY.token_of(&header("ES256"), &claims),
        FIRST_KEY.token_of(&header("rs256"), &claims),
        FIRST_KEY.token_of(&header(""), &claims),
        FIRST_KEY.token_of(&json!({"kid": "snk_1"}).to_string(), &claims),
    ] {
        assert_eq!(scene.verify(&token).await, Err(InvalidToken::Algorithm), "{token}");
    }
    assert_eq!(scene.request_count(), 0);
}

#[tokio::test]
async fn any_critical_extension_is_rejected() {
    let scene = Scene::new().await;
    for crit in [json!(["b64"]), json!([]), json!(null), json!("exp")] {
        let token = scene.token_with_header(&json!({"alg": "RS256", "kid": "snk_1", "crit": crit}));
        assert_eq!(scene.verify(&token).await, Err(InvalidToken::CriticalExtension), "{crit}");
    }
    assert_eq!(scene.request_count(), 0);
}

#[tokio::test]
async fn other_header_members_make_no_difference() {
    let scene = Scene::new().await;
    for member in ["typ", "cty", "jku", "x5u", "jwk", "extra"] {
        let token = scene
            .token_with_header(&json!({"alg": "RS256", "kid": "snk_1", member: "https://x.test"}));
        assert!(scene.verify(&token).await.is_ok(), "{member}");
    }
    assert_eq!(scene.requested(), ["/keys"]);
}

#[tokio::test]
async fn a_signature_by_another_key_scheme_or_over_another_text_is_rejected() {
    let scene = Scene::new().await;
    let claims = scene.claims().to_string();
    let header = FIRST_KEY.header().to_string();
    let good = scene.token(&FIRST_KEY);
    let (_, signature) = good.rsplit_once('.').expect("a signature");
    let other_claims = changed(scene.claims(), &json!({"sub": "usr_2"})).to_string();
    for token in [
        SECOND_KEY.token_of(&header, &claims),
        FIRST_KEY.ps256_token(&header, &claims),
        FIRST_KEY.rs512_token(&header, &claims),
        format!("{}.{signature}", signing_input(&header, other_claims)),
        format!("{}.", signing_input(&header, &claims)),
        format!("{}.AAAA", signing_input(&header, &claims)),
    ] {
        assert_eq!(scene.verify(&token).await, Err(InvalidToken::Signature), "{token}");
    }
}

#[tokio::test]
async fn a_token_without_a_key_id_is_accepted_only_while_one_key_is_known() {
    let scene = Scene::new().await;
    let token = scene.token_with_header(&json!({"alg": "RS256"}));
    assert!(scene.verify(&token).await.is_ok());
    scene.publish(&[&FIRST_KEY, &SECOND_KEY]);
    scene.clock.advance(Duration::from_secs(30));
    assert!(scene.verify(&scene.token(&SECOND_KEY)).await.is_ok());
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::UnknownKey));
    scene.clock.advance(Duration::from_secs(30));
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::UnknownKey));
    assert_eq!(scene.request_count(), 2, "a fetch would not help");
}

#[tokio::test]
async fn a_key_that_is_not_published_is_unknown_until_it_is() {
    let scene = Scene::new().await;
    let token = scene.token(&SECOND_KEY);
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::UnknownKey));
    scene.publish(&[&SECOND_KEY]);
    scene.clock.advance(Duration::from_secs(30));
    assert!(scene.verify(&token).await.is_ok());
}

#[tokio::test]
async fn without_any_key_no_token_is_rejected_and_recovery_takes_seconds() {
    let scene = Scene::new().await;
    scene.answer_keys(Answer::status(503));
    let token = scene.token(&FIRST_KEY);
    let error = scene.verifier.verify_token(&token).await.expect_err("no keys");
    assert!(matches!(error, VerificationError::KeysUnavailable(_)), "{error}");
    scene.publish(&[&FIRST_KEY]);
    scene.clock.advance(Duration::from_secs(1));
    assert!(scene.verify(&token).await.is_ok());
}

#[tokio::test]
async fn the_claims_are_checked_at_the_time_of_the_clock() {
    let scene = Scene::new().await;
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    for (changes, rejection) in [
        (json!({"iss": "https://example.com"}), InvalidToken::Issuer),
        (json!({"aud": "http://localhost:3002/"}), InvalidToken::Audience),
        (json!({"exp": NOW}), InvalidToken::Expired(at(NOW))),
        (json!({"nbf": NOW + 61}), InvalidToken::NotYetValid(at(NOW + 61))),
        (json!({"sub": null}), InvalidToken::MissingClaim("sub")),
        (json!({"oid": 1}), InvalidToken::MalformedClaim("oid")),
    ] {
        let token = FIRST_KEY.token(&changed(scene.claims(), &changes));
        assert_eq!(scene.verify(&token).await, Err(rejection), "{changes}");
    }
    let token = scene.token(&FIRST_KEY);
    assert!(scene.verify(&token).await.is_ok());
    scene.clock.advance(Duration::from_hours(1));
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::Expired(at(NOW + 3600))));
}

#[tokio::test]
async fn a_client_that_is_not_allowed_is_told_so_and_not_that_its_token_is_invalid() {
    let scene = Scene::new().await;
    let allowed = |ids: &[&str]| Some(ids.iter().map(ToString::to_string).collect());
    let verifier = scene.verifier.clone().allowed_clients(allowed(&["m2m_2"]));
    let token = scene.token(&FIRST_KEY);
    let message = "The client `m2m_1` is not allowed to use this server. Ask the server's operator to \
                   allow it.";
    for _ in 0..2 {
        match verifier.authenticate(&token).await {
            Err(AuthenticationError::Forbidden(sentence)) => assert_eq!(sentence, message),
            other => panic!("{other:?}"),
        }
        assert_eq!(verifier.cache.len(), 1, "the second time nothing is verified");
    }
    let expired = FIRST_KEY.token(&changed(scene.claims(), &json!({"exp": NOW})));
    let error = verifier.verify_token(&expired).await.expect_err("an expired token");
    assert!(matches!(error, VerificationError::Invalid(InvalidToken::Expired(_))), "{error}");
    let both = verifier.allowed_clients(allowed(&["m2m_1", "m2m_2"]));
    assert!(both.verify_token(&token).await.is_ok());
}

#[tokio::test]
async fn a_cached_token_becomes_too_old() {
    let scene = Scene::new().await;
    let verifier = scene.verifier.clone().max_token_age(Some(Duration::from_mins(5)));
    let token = scene.token(&FIRST_KEY);
    assert!(verifier.verify_token(&token).await.is_ok());
    scene.clock.advance_almost(Duration::from_mins(5));
    assert!(verifier.verify_token(&token).await.is_ok());
    scene.clock.advance(Duration::from_millis(1));
    let error = verifier.verify_token(&token).await.expect_err("an old token");
    assert_eq!(
        error.to_string(),
        "it was issued at 2026-11-22T09:33:20.000Z, and this server accepts tokens for 300 s"
    );
}

#[tokio::test]
async fn neither_an_error_nor_a_caller_shows_the_token() {
    let scene = Scene::new().await;
    let good = scene.token(&FIRST_KEY);
    let forged = SECOND_KEY.token_of(&FIRST_KEY.header().to_string(), scene.claims().to_string());
    let shown =
        [format!("{:?}", scene.verify(&good).await), format!("{:?}", scene.verify(&forged).await)];
    for part in good.split('.').chain(forged.split('.')) {
        assert!(shown.iter().all(|text| !text.contains(part)), "{shown:?}");
    }
}

#[tokio::test]
async fn a_verifier_keeps_the_claims_that_it_is_asked_to() {
    let scene = Scene::new().await;
    let claims = changed(scene.claims(), &json!({"zoneinfo": "Europe/Berlin"}));
    let token = FIRST_KEY.token(&claims);
    let without = scene.verify(&token).await.expect("a caller");
    assert_eq!(without.claim("zoneinfo"), None);
    let keeping = scene.verifier.clone().keep_claims(["zoneinfo", "locale"]);
    for _ in 0..2 {
        let caller = keeping.verify_token(&token).await.expect("a caller");
        assert_eq!(caller.claim("zoneinfo"), Some(&json!("Europe/Berlin")));
        assert_eq!((caller.claim("locale"), caller.claim("roles")), (None, None));
    }
}
