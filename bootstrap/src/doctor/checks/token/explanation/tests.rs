use std::time::{Duration, SystemTime};

use serde_json::json;

use super::*;
use crate::doctor::issuer::tests::issuer;

/// The explanation of the rejection of a token with these claims.
fn explained(is_local: bool, claims: &Value, rejection: &InvalidToken) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let token = format!("{}.{}.", part(&json!({ "alg": "RS256" })), part(claims));
    let issuer = issuer(is_local);
    let now = Instant::from_unix_millis(1_795_340_000_000).unwrap();
    let unverified = UnverifiedClaims::parse(&token);
    let explanation = Explanation { claims: unverified, issuer: &issuer, now };
    format!("{} | {}", explanation.seen(rejection), explanation.advice(rejection))
}

/// RFC 4648 section 5.
fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sextets = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        let digits = (0..=chunk.len()).map(move |at| DIGITS[bits >> (18 - 6 * at) & 63] as char);
        digits.collect::<String>()
    };
    bytes.chunks(3).map(sextets).collect()
}

#[test]
fn a_token_for_another_resource_is_explained_with_both_ids() {
    for (audience, words) in [
        (json!(["http://localhost:3002/"]), &["SCALEKIT_RESOURCE_ID", "a Server URL alone"][..]),
        (json!("http://localhost:3002/"), &["is http://localhost:3002/ |"]),
        (json!(["http://x/", "res_2"]), &["the MCP server res_2", "SCALEKIT_RESOURCE_ID is res_1"]),
    ] {
        let text = explained(false, &json!({ "aud": audience }), &InvalidToken::Audience);
        for word in words {
            assert!(text.contains(word), "{text}");
        }
    }
    let none = explained(false, &json!({}), &InvalidToken::MissingClaim("aud"));
    assert!(none.contains("MCP Servers > your server > Clients"), "{none}");
}

#[test]
fn a_token_of_another_environment_is_explained_with_both_urls() {
    let claims = json!({ "iss": "https://other.scalekit.com" });
    for rejection in [InvalidToken::Issuer, InvalidToken::UnknownKey] {
        let text = explained(false, &claims, &rejection);
        assert!(text.contains("https://other.scalekit.com"), "{text}");
        assert!(text.contains("SCALEKIT_ENVIRONMENT_URL is https://acme.scalekit.com"), "{text}");
    }
    let neighbour = json!({ "iss": "https://acme.scalekit.com/resources/res_2" });
    let neighbour_text = explained(false, &neighbour, &InvalidToken::Issuer);
    assert!(neighbour_text.contains("SCALEKIT_RESOURCE_ID is res_1"), "{neighbour_text}");
    let of_scalekit = explained(true, &claims, &InvalidToken::UnknownKey);
    assert!(of_scalekit.contains("the local identity is"), "{of_scalekit}");
}

#[test]
fn an_unknown_key_of_the_right_issuer_was_rotated_out() {
    let claims = json!({ "iss": "https://acme.scalekit.com" });
    let text = explained(false, &claims, &InvalidToken::UnknownKey);
    assert!(text.contains("rotated out"), "{text}");
}

#[test]
fn times_are_relative_to_now() {
    let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
    let expired = explained(false, &json!({}), &InvalidToken::Expired(at(1_795_339_000_000)));
    assert!(expired.starts_with("expired 16 min ago, at 2026-11-22T09:16:40.000Z"), "{expired}");
    let early = explained(false, &json!({}), &InvalidToken::NotYetValid(at(1_795_340_090_000)));
    assert!(early.starts_with("not valid for another 90 s"), "{early}");
    assert!(early.contains("clock"), "{early}");
    for (seconds, words) in [(0, "0 s"), (3_600, "60 min"), (7_200, "2 h"), (200_000, "2 days")] {
        assert_eq!(span(seconds), words);
    }
}

#[test]
fn other_claims_are_not_shown() {
    let issuer = issuer(false);
    let now = Instant::from_unix_millis(1_795_340_000_000).unwrap();
    let claims = json!({ "sub": "usr_7", "oid": "org_7", "client_id": "m2m_7" });
    let token = format!("e30.{}.", base64url(claims.to_string().as_bytes()));
    let unverified = UnverifiedClaims::parse(&token);
    let lines = Explanation { claims: unverified, issuer: &issuer, now }.passed(Step::ALL);
    assert_eq!(lines.len(), Step::ALL.len());
    assert!(lines.iter().all(|line| !line.seen().contains("_7")), "{lines:?}");
}
