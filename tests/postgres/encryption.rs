//! How each `sslmode` treats the certificate of the server.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use todo_tests::postgres::Server;

use super::*;

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn only_verify_full_checks_the_host_name() {
    let server = Server::new();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("ca.pem");
    std::fs::write(&authority, cert.pem()).unwrap();
    let server = server
        .with("ssl=on")
        .with_file("ssl_cert_file", &cert.pem())
        .with_file("ssl_key_file", &signing_key.serialize_pem())
        .start();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    // A connection without encryption is rejected.
    let role = format!("CREATE ROLE private LOGIN; ALTER DATABASE {database} OWNER TO private");
    shell.batch_execute(&role).await.unwrap();
    let port = server.address().port();
    let url = |host: &str, parameters: &str| {
        format!("postgres://private@{host}:{port}/{database}?{parameters}")
    };
    let trusted = format!("sslmode=verify-full&sslrootcert={}", authority.display());

    let plain = refusal(&url("localhost", "sslmode=disable")).await;
    assert!(plain.contains("rejects this user"), "{plain}");
    for parameters in ["", "sslmode=prefer", "sslmode=require", &trusted] {
        let repository = open(&url("localhost", parameters)).await;
        assert_eq!(everything(&repository).await, [], "{parameters}");
    }
    let stranger = refusal(&url("localhost", "sslmode=verify-full")).await;
    assert!(stranger.contains("invalid peer certificate"), "{stranger}");
    let other_name = refusal(&url("127.0.0.1", &trusted)).await;
    assert!(other_name.contains("not valid for name"), "{other_name}");
}

/// Certificates of X.509 version 1, and their keys.
const VERSION_1: [(&str, &str); 2] = [
    (
        include_str!("../../adapters/storage/src/postgres/tls/version_1/rsa.crt"),
        include_str!("../../adapters/storage/src/postgres/tls/version_1/rsa.key"),
    ),
    (
        include_str!("../../adapters/storage/src/postgres/tls/version_1/ecdsa.crt"),
        include_str!("../../adapters/storage/src/postgres/tls/version_1/ecdsa.key"),
    ),
];

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_certificate_of_version_1_encrypts_and_cannot_be_verified() {
    for (certificate, key) in VERSION_1 {
        for version in ["TLSv1.2", "TLSv1.3"] {
            let server = Server::new()
                .with("ssl=on")
                .with(&format!("ssl_min_protocol_version={version}"))
                .with(&format!("ssl_max_protocol_version={version}"))
                .with_file("ssl_cert_file", certificate)
                .with_file("ssl_key_file", key)
                .start();
            let url = guarded(&server).await.replace("127.0.0.1", "localhost");
            for parameters in [
                "sslmode=prefer",
                "sslmode=require",
                // The certificate is a part of the proof of the password.
                "sslmode=require&channel_binding=require",
                "sslmode=require&channel_binding=disable",
            ] {
                let repository = open(&format!("{url}?{parameters}")).await;
                assert_eq!(everything(&repository).await, [], "{version} {parameters}");
            }
            let directory = tempfile::tempdir().unwrap();
            let authority = directory.path().join("ca.pem");
            std::fs::write(&authority, certificate).unwrap();
            let trusted = format!("sslrootcert={}", authority.display());
            for parameters in ["", &trusted] {
                let sentence = refusal(&format!("{url}?sslmode=verify-full&{parameters}")).await;
                assert!(sentence.contains("X.509 version 1"), "{sentence}");
                assert!(sentence.contains("subjectAltName"), "{sentence}");
                assert!(sentence.contains("set sslmode=require"), "{sentence}");
            }
        }
    }
}
