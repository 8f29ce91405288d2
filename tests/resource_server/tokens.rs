//! Which tokens are accepted and which are rejected.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::issuer::{foreign_key, now, unsigned};

use crate::target::Target;

/// MCP Authorization, "Access Token Usage".
#[tokio::test]
async fn a_valid_token_is_accepted() {
    let target = Target::new().await;
    target.accepts("a good token", &target.token(&target.claims())).await;
}

/// RFC 7519 section 4.1.3: `aud` is a string or an array of strings.
#[tokio::test]
async fn the_audience_may_be_a_string_or_one_of_many() {
    let target = Target::new().await;
    let mut many: Vec<Value> = vec!["https://other.example/mcp".into()];
    many.extend(target.audience.iter().cloned().map(Value::from));
    target.accepts("one of many", &target.token(&target.claims_with("aud", many))).await;
    if let [only] = target.audience.as_slice() {
        target.accepts("a string", &target.token(&target.claims_with("aud", only.clone()))).await;
    }
}

/// MCP Authorization: a server MUST reject tokens that were not issued for it (RFC 8707 section 2).
#[tokio::test]
async fn a_token_for_another_resource_is_rejected() {
    let target = Target::new().await;
    let similar = format!("{}x", target.audience[0]);
    for (what, audience) in [
        ("another resource", json!(["https://other.example/mcp"])),
        ("a resource whose name starts alike", json!([similar])),
        ("an empty list", json!([])),
        ("a number", json!(7)),
        ("null", Value::Null),
    ] {
        target.refuses(what, &target.token(&target.claims_with("aud", audience))).await;
    }
    target.refuses("no audience", &target.token(&target.claims_without("aud"))).await;
}

/// RFC 9068 section 4: the issuer must be exactly the configured one.
#[tokio::test]
async fn a_token_of_another_issuer_is_rejected() {
    let target = Target::new().await;
    for (what, issuer) in [
        ("another issuer", "https://evil.example".to_owned()),
        ("a slash more", format!("{}/", target.issuer)),
        ("a path more", format!("{}/evil", target.issuer)),
        ("upper case", target.issuer.to_uppercase()),
        ("empty", String::new()),
    ] {
        target.refuses(what, &target.token(&target.claims_with("iss", issuer))).await;
    }
    target.refuses("no issuer", &target.token(&target.claims_without("iss"))).await;
}

/// RFC 7519 sections 4.1.4 and 4.1.5; RFC 9068 section 2.2 makes `exp` required.
#[tokio::test]
async fn a_token_outside_its_lifetime_is_rejected() {
    let target = Target::new().await;
    for (what, name, value) in [
        ("expired a minute ago", "exp", json!(now() - 61)),
        ("expired long ago", "exp", json!(1)),
        ("an expiry that is text", "exp", json!("2099-01-01")),
        ("an expiry that is null", "exp", Value::Null),
        ("not valid before the next hour", "nbf", json!(now() + 3600)),
    ] {
        target.refuses(what, &target.token(&target.claims_with(name, value))).await;
    }
    target.refuses("no expiry", &target.token(&target.claims_without("exp"))).await;
}

/// RFC 9068 section 2.2: `sub` is required.
#[tokio::test]
async fn a_token_without_a_subject_is_rejected() {
    let target = Target::new().await;
    target.refuses("no subject", &target.token(&target.claims_without("sub"))).await;
    target.refuses("empty", &target.token(&target.claims_with("sub", ""))).await;
    target.refuses("a number", &target.token(&target.claims_with("sub", 7))).await;
}

/// RFC 8725 sections 3.1 and 3.2: the server chooses the algorithm, not the token.
#[tokio::test]
async fn a_token_that_chooses_its_own_algorithm_is_rejected() {
    let target = Target::new().await;
    let claims = target.claims();
    for algorithm in ["none", "None", "NONE", "nOnE"] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": target.key_id });
        target.refuses(algorithm, &unsigned(&header, &claims)).await;
    }
    let public = target.key().public_pem();
    for (what, secret) in [("the public key", public.as_bytes()), ("an empty secret", b"")] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = todo_tests::issuer::header(algorithm, &target.key_id);
            let key = EncodingKey::from_secret(secret);
            let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
            target.refuses(&format!("{algorithm:?} with {what}"), &token).await;
        }
    }
    let unlabelled = BASE64.encode(json!({ "typ": "JWT", "kid": target.key_id }).to_string());
    let token = target.token(&claims);
    let (_, rest) = token.split_once('.').unwrap();
    target.refuses("no algorithm", &format!("{unlabelled}.{rest}")).await;
}

/// RFC 8725 section 3.10: a key that comes with the token proves nothing.
#[tokio::test]
async fn a_token_that_brings_its_own_key_is_rejected() {
    let target = Target::new().await;
    let claims = target.claims();
    let mut embedded = target.header();
    embedded.jwk = Some(serde_json::from_value(foreign_key().jwk()).unwrap());
    target.refuses("an embedded key", &foreign_key().sign(&embedded, &claims)).await;
    let mut linked = target.header();
    linked.jku = Some("http://127.0.0.1:9/keys".to_owned());
    target.refuses("a link to a key", &foreign_key().sign(&linked, &claims)).await;
    target.refuses("a known key id", &foreign_key().sign(&target.header(), &claims)).await;
    for id in ["unknown", "", "../../../etc/passwd", "' OR 1=1 --"] {
        let header = todo_tests::issuer::header(Algorithm::RS256, id);
        target.refuses(&format!("the key id {id:?}"), &foreign_key().sign(&header, &claims)).await;
    }
}

/// RFC 7515 section 4.1.11: an unknown critical extension must not be ignored.
#[tokio::test]
async fn a_token_with_an_unknown_critical_extension_is_rejected() {
    let target = Target::new().await;
    let mut header = target.header();
    header.crit = Some(vec!["x-unknown".to_owned()]);
    target.refuses("crit", &target.key().sign(&header, &target.claims())).await;
}

/// RFC 9449 section 7.2 and RFC 8705 section 3: a token that is bound to a key is no bearer token, and is
/// accepted from the holder of that key only.
#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_rejected_without_a_proof() {
    let target = Target::new().await;
    let thumbprint = BASE64.encode([7; 32]);
    for method in ["jkt", "x5t#S256"] {
        let claims = target.claims_with("cnf", json!({ method: thumbprint }));
        target.refuses(method, &target.token(&claims)).await;
    }
}

/// RFC 7515 section 5.2: the signature covers every part.
#[tokio::test]
async fn a_modified_token_is_rejected() {
    let target = Target::new().await;
    let token = target.token(&target.claims_with("scope", target.read.scope.clone()));
    let [header, payload, signature]: [&str; 3] =
        token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let more = BASE64.encode(target.claims().to_string());
    for (what, touched) in [
        ("other claims", format!("{header}.{more}.{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("half a signature", format!("{header}.{payload}.{}", &signature[..signature.len() / 2])),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{token}.{signature}")),
        ("five parts", format!("{token}.{signature}.{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("padding", format!("{header}.{payload}.{signature}=")),
        ("not base64", format!("{header}.{payload}.!!!!")),
    ] {
        target.refuses(what, &touched).await;
    }
    for what in ["x", "..", "a.b.c", "Bearer", "null", "{}", "=", &"a".repeat(6000)] {
        target.refuses(what, what).await;
    }
}

/// MCP Authorization: tokens MUST NOT be in the query string (RFC 6750 section 2.3), and only the
/// `Authorization` header counts.
#[tokio::test]
async fn a_token_outside_the_authorization_header_is_ignored() {
    let target = Target::new().await;
    let token = target.token(&target.claims());
    let query = Client::new(format!("{}?access_token={token}", target.endpoint), None);
    assert_eq!(target.call(&query, &target.read).await.status, 401);

    let anonymous = target.anonymous();
    for (name, value) in [
        ("cookie", format!("access_token={token}")),
        ("x-access-token", token.clone()),
        ("proxy-authorization", format!("Bearer {token}")),
        ("authorization", format!("Basic {token}")),
        ("authorization", token.clone()),
    ] {
        let mut headers = anonymous.headers();
        headers.insert(name, value.parse().unwrap());
        let answer = anonymous.send(headers, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
    }
}

/// RFC 9110 section 11.1: the name of the scheme is case-insensitive.
#[tokio::test]
async fn the_scheme_is_case_insensitive() {
    let target = Target::new().await;
    let client = target.anonymous();
    let mut headers = client.headers();
    let token = target.token(&target.claims());
    headers.insert("authorization", format!("bEARER {token}").parse().unwrap());
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": target.read.tool, "arguments": target.read.arguments },
    });
    assert_eq!(client.send(headers, body.to_string()).await.status, 200);
}
