use std::fs;
use std::time::SystemTime;

use axum::http::StatusCode;
use tempfile::TempDir;

use super::support::{World, options};
use crate::{EmulatorError, EmulatorOptions, ScalekitEmulator};

#[tokio::test]
async fn a_login_survives_a_restart() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("notes.db.identity");

    let before = World::with_state_file(file.clone()).await;
    let client = before.public_client().await;
    let spent = before.log_in(&client).await.text("refresh_token");
    let token = before.refresh(&client, &spent).await.text("refresh_token");
    let keys = before.handle.public_jwks();
    drop(before);

    let after = World::with_state_file(file).await;
    assert_eq!(after.handle.public_jwks(), keys);
    assert_eq!(after.refresh(&client, &token).await.status, StatusCode::OK);
    after.refresh(&client, &spent).await.has_error(400, "invalid_grant");
    assert_eq!(after.authorize(&client, &[]).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_login_of_a_version_without_families_stays_valid() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let before = World::with_state_file(file.clone()).await;
    let client = before.public_client().await;
    let token = before.log_in(&client).await.text("refresh_token");
    drop(before);
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let login = state["records"]["logins"][0].as_object_mut().unwrap();
    for added in ["family", "code"] {
        login.remove(added).unwrap();
    }
    fs::write(&file, state.to_string()).unwrap();

    let after = World::with_state_file(file).await;
    let next = after.refresh(&client, &token).await.text("refresh_token");
    assert_eq!(after.refresh(&client, &next).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_file_holds_no_refresh_token_and_no_client_secret() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let world = World::with_state_file(file.clone()).await;

    let (client, secret) = world.confidential_client().await;
    let code = world.code(&client).await;
    let login = world.exchange(&client, &code, &[("client_secret", &secret)]).await;

    let content = fs::read_to_string(file).unwrap();
    assert!(content.contains(&client));
    assert!(!content.contains(&secret));
    assert!(!content.contains(&login.text("refresh_token")));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_private_and_no_temporary_file_remains() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");

    let world = World::with_state_file(file.clone()).await;
    world.public_client().await;

    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn concurrent_registrations_are_all_kept() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let world = World::with_state_file(file.clone()).await;

    let (first, second, third) =
        tokio::join!(world.public_client(), world.public_client(), world.public_client());

    let after = World::with_state_file(file).await;
    for client in [first, second, third] {
        assert_eq!(after.authorize(&client, &[]).await.status, StatusCode::FOUND);
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_written_is_not_applied() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let world = World::with_state_file(file).await;
    let client = world.public_client().await;
    let token = world.log_in(&client).await.text("refresh_token");
    let path = directory.path().to_owned();
    drop(directory);

    world.refresh(&client, &token).await.has_error(500, "server_error");

    fs::create_dir(&path).unwrap();
    assert_eq!(world.refresh(&client, &token).await.status, StatusCode::OK);
    fs::remove_dir_all(path).unwrap();
}

async fn error_for(content: &[u8]) -> EmulatorError {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    fs::write(&file, content).unwrap();

    let options = options().state_file(file.clone());
    let error = ScalekitEmulator::bind(options).await.unwrap_err();

    assert_eq!(fs::read(&file).unwrap(), content, "the file is unchanged");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    assert!(error.to_string().contains("delete it to start with a new identity"), "{error}");
    error
}

#[tokio::test]
async fn a_damaged_file_is_reported_and_left_alone() {
    let damaged = [
        "",
        "{",
        "not JSON",
        r#"{"format":"notes local Scalekit","version":1}"#,
        r#"{"format":"notes local Scalekit","version":1,
            "signing_key":{"kid":"snk_1","private_key":"no key"},
            "records":{"clients":[],"logins":[]}}"#,
    ];
    for content in damaged {
        let error = error_for(content.as_bytes()).await;

        assert!(matches!(error, EmulatorError::StateCorrupt { .. }), "{content} {error}");
        assert!(!error.to_string().contains("no key"), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_another_program_is_reported_and_left_alone() {
    for content in [
        &br#"{"name":"package","version":3}"#[..],
        br#"{"format":"other local Scalekit","version":1}"#,
    ] {
        let error = error_for(content).await;

        assert!(matches!(error, EmulatorError::StateNotOurs { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_reported_and_left_alone() {
    let error = error_for(br#"{"format":"notes local Scalekit","version":2}"#).await;

    assert!(matches!(error, EmulatorError::StateTooNew { version: 2, .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_created_is_reported() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("missing").join("identity");

    let options = options().state_file(file.clone());
    let error = ScalekitEmulator::bind(options).await.unwrap_err();

    assert!(matches!(error, EmulatorError::StateUnwritable { .. }), "{error}");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_taken_port_is_reported() {
    let first = ScalekitEmulator::bind(options()).await.unwrap();
    let port = first.local_address().port();

    let error = ScalekitEmulator::bind(options().port(port)).await.unwrap_err();

    assert!(matches!(error, EmulatorError::PortTaken { .. }), "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

#[tokio::test]
async fn an_invalid_resource_id_or_server_url_is_rejected() {
    let slash = options().resource_id("res/{x}");
    let relative = EmulatorOptions::new("localhost:3002", || SystemTime::UNIX_EPOCH);

    for (options, expected) in [(slash, "resource id"), (relative, "Server URL")] {
        let error = ScalekitEmulator::bind(options).await.unwrap_err();

        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn the_emulator_serves_on_loopback_until_the_shutdown() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let emulator = ScalekitEmulator::bind(options()).await.unwrap();
    let address = emulator.local_address();
    assert!(address.ip().is_loopback());
    assert_eq!(emulator.environment_url(), format!("http://{address}"));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(emulator.serve(async {
        let _ = stopped.await;
    }));

    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET /keys HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    connection.read_to_string(&mut reply).await.unwrap();

    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    stop.send(()).unwrap();
    serving.await.unwrap();
}
