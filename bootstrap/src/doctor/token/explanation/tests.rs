//! What is said about each way in which a token can be wrong.

use std::sync::Arc;

use serde_json::json;
use todo_adapter_scalekit::ScalekitEnvironment;

use super::*;

fn identity(is_local: bool) -> Identity {
    let environment = ScalekitEnvironment::new("https://acme.scalekit.com", "res_1").unwrap();
    Identity { environment: Arc::new(environment), is_local }
}

/// What is seen and advised when a token with these claims is refused like this.
fn said(is_local: bool, claims: &Value, rejection: &Rejection) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let token = format!("{}.{}.", part(&json!({ "alg": "RS256" })), part(claims));
    let identity = identity(is_local);
    let now = Instant::from_unix_millis(1_795_340_000_000).unwrap();
    let contents = UnverifiedContents::read(&token);
    let explanation = Explanation { contents, identity: &identity, now };
    format!("{} | {}", explanation.seen(rejection), explanation.advice(rejection))
}

/// RFC 4648 §5, for tests only.
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
fn a_token_of_another_resource_names_both() {
    for (audience, words) in [
        (json!(["http://localhost:3002/"]), &["SCALEKIT_RESOURCE_ID", "a Server URL alone"][..]),
        (json!("http://localhost:3002/"), &["is for http://localhost:3002/"]),
        (json!(["http://x/", "res_2"]), &["the MCP server res_2", "SCALEKIT_RESOURCE_ID is res_1"]),
    ] {
        let said = said(false, &json!({ "aud": audience }), &Rejection::Audience);
        for word in words {
            assert!(said.contains(word), "{said}");
        }
    }
    let none = said(false, &json!({}), &Rejection::MissingClaim("aud"));
    assert!(none.contains("MCP Servers > your server > Clients"), "{none}");
}

#[test]
fn a_token_of_another_environment_names_both() {
    let claims = json!({ "iss": "https://other.scalekit.com" });
    for rejection in [Rejection::Issuer, Rejection::UnknownKey] {
        let said = said(false, &claims, &rejection);
        assert!(said.contains("https://other.scalekit.com"), "{said}");
        assert!(said.contains("SCALEKIT_ENVIRONMENT_URL is https://acme.scalekit.com"), "{said}");
    }
    let neighbour = json!({ "iss": "https://acme.scalekit.com/resources/res_2" });
    let said_of_neighbour = said(false, &neighbour, &Rejection::Issuer);
    assert!(said_of_neighbour.contains("SCALEKIT_RESOURCE_ID is res_1"), "{said_of_neighbour}");
    let of_scalekit = said(true, &claims, &Rejection::UnknownKey);
    assert!(of_scalekit.contains("the local identity is"), "{of_scalekit}");
}

#[test]
fn a_key_that_is_gone_is_told_from_one_of_somebody_else() {
    let claims = json!({ "iss": "https://acme.scalekit.com" });
    let said = said(false, &claims, &Rejection::UnknownKey);
    assert!(said.contains("rotated out"), "{said}");
}

#[test]
fn times_are_told_from_now() {
    let at = |millis| Instant::from_unix_millis(millis).unwrap();
    let expired = said(false, &json!({}), &Rejection::Expired(at(1_795_339_000_000)));
    assert!(expired.starts_with("expired 16 min ago, at 2026-11-22T09:16:40.000Z"), "{expired}");
    let early = said(false, &json!({}), &Rejection::NotYetValid(at(1_795_340_090_000)));
    assert!(early.starts_with("is valid only in 90 s"), "{early}");
    assert!(early.contains("clock"), "{early}");
    for (seconds, words) in [(0, "0 s"), (3_600, "60 min"), (7_200, "2 h"), (200_000, "2 days")] {
        assert_eq!(span(seconds), words);
    }
}

#[test]
fn a_claim_that_is_nobodys_business_is_not_shown() {
    let identity = identity(false);
    let now = Instant::from_unix_millis(1_795_340_000_000).unwrap();
    let claims = json!({ "sub": "usr_7", "oid": "org_7", "client_id": "m2m_7" });
    let token = format!("e30.{}.", base64url(claims.to_string().as_bytes()));
    let contents = UnverifiedContents::read(&token);
    let lines = Explanation { contents, identity: &identity, now }.passed(Step::ALL);
    assert_eq!(lines.len(), Step::ALL.len());
    assert!(lines.iter().all(|line| !line.seen().contains("_7")), "{lines:?}");
}
