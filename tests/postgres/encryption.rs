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
