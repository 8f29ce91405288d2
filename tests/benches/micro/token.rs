//! Verifying an access token.

use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use divan::{Bencher, black_box};
use protected_mcp::SystemClock;
use scalekit::{ScalekitEnvironment, ScalekitHttp, ScalekitKeys, ScalekitTokenVerifier};
use todo_tests::issuer::{RESOURCE_ID, TestIssuer, published_key};

use crate::runtime;

/// Few, as signing a token takes a hundred times as long as verifying it.
const TOKENS: u32 = 100;

/// A verifier that has fetched the keys of its issuer.
async fn verifier() -> (ScalekitTokenVerifier, TestIssuer) {
    let issuer = TestIssuer::start().await;
    let environment = Arc::new(ScalekitEnvironment::new(issuer.url(), RESOURCE_ID).unwrap());
    let http = ScalekitHttp::new(&environment).unwrap();
    let clock = Arc::new(SystemClock);
    let keys = ScalekitKeys::new(&environment, http, clock.clone());
    let verifier = ScalekitTokenVerifier::new(environment, keys, clock);
    verifier.verify_token(&token(&issuer, 0)).await.unwrap();
    (verifier, issuer)
}

fn token(issuer: &TestIssuer, number: u32) -> String {
    let mut claims = issuer.claims("usr_owner", Some("org_1"), "todo:read todo:write");
    claims["jti"] = format!("tkn_{number:06}").into();
    issuer.sign(&claims)
}

#[divan::bench]
fn cached(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let (verifier, issuer) = runtime.block_on(verifier());
    let token = token(&issuer, 0);
    let verify = || runtime.block_on(verifier.verify_token(black_box(&token))).unwrap();
    verify();
    bencher.bench_local(verify);
}

#[divan::bench(sample_size = 1, sample_count = TOKENS)]
fn new(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let (verifier, issuer) = runtime.block_on(verifier());
    let mut number = 0;
    let next = || {
        number += 1;
        token(&issuer, number)
    };
    let verify = |token: &mut String| runtime.block_on(verifier.verify_token(token)).unwrap();
    bencher.with_inputs(next).bench_local_refs(verify);
}

/// Over the same token, with the key parsed beforehand.
#[divan::bench]
fn bare_rs256(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let token = token(&runtime.block_on(TestIssuer::start()), 0);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let pem = published_key().public_pem();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(der).unwrap();
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).unwrap();
    let verify = || key.verify_sig(black_box(signed.as_bytes()), &signature).unwrap();
    bencher.bench_local(verify);
}
