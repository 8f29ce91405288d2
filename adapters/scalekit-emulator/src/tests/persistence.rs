use std::fs;

use axum::http::StatusCode;
use tempfile::TempDir;

use super::support::{World, options};
use crate::{EmulatorError, EmulatorOptions, ScalekitEmulator};

#[tokio::test]
async fn a_client_that_logged_in_before_a_restart_goes_on_after_it() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("todos.db.identity");

    let before = World::remembering(file.clone()).await;
    let client = before.public_client().await;
    let spent = before.log_in(&client).await.text("refresh_token");
    let token = before.refresh(&client, &spent).await.text("refresh_token");
    let keys = before.handle.public_jwks();
    drop(before);

    let after = World::remembering(file).await;
    assert_eq!(after.handle.public_jwks(), keys);
    assert_eq!(after.refresh(&client, &token).await.status, StatusCode::OK);
    after.refresh(&client, &spent).await.is_refused_with(400, "invalid_grant");
    assert_eq!(after.authorize(&client, &[]).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn the_file_holds_no_refresh_token_and_no_client_secret() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let world = World::remembering(file.clone()).await;

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
async fn the_file_is_its_owners_alone_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");

    let world = World::remembering(file.clone()).await;
    world.public_client().await;

    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn clients_that_register_at_once_are_all_remembered() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let world = World::remembering(file.clone()).await;

    let (first, second, third) =
        tokio::join!(world.public_client(), world.public_client(), world.public_client());

    let after = World::remembering(file).await;
    for client in [first, second, third] {
        assert_eq!(after.authorize(&client, &[]).await.status, StatusCode::FOUND);
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_written_is_not_made() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let world = World::remembering(file).await;
    let client = world.public_client().await;
    let token = world.log_in(&client).await.text("refresh_token");
    let path = directory.path().to_owned();
    drop(directory);

    world.refresh(&client, &token).await.is_refused_with(500, "server_error");

    fs::create_dir(&path).unwrap();
    assert_eq!(world.refresh(&client, &token).await.status, StatusCode::OK);
    fs::remove_dir_all(path).unwrap();
}

async fn refusal_of(content: &[u8]) -> EmulatorError {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    fs::write(&file, content).unwrap();

    let options = EmulatorOptions { state_file: Some(file.clone()), ..options() };
    let error = ScalekitEmulator::bind(options).await.unwrap_err();

    assert_eq!(fs::read(&file).unwrap(), content, "the file is left as it was");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    assert!(error.to_string().contains("delete it to start with a new identity"), "{error}");
    error
}

#[tokio::test]
async fn a_damaged_file_is_named_and_left_alone() {
    let damaged = [
        "",
        "{",
        "not JSON",
        r#"{"format":"todo-mcp local Scalekit","version":1}"#,
        r#"{"format":"todo-mcp local Scalekit","version":1,
            "signing_key":{"kid":"snk_1","private_key":"no key"},
            "records":{"clients":[],"logins":[]}}"#,
    ];
    for content in damaged {
        let error = refusal_of(content.as_bytes()).await;

        assert!(matches!(error, EmulatorError::StateCorrupt { .. }), "{content} {error}");
        assert!(!error.to_string().contains("no key"), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_another_program_is_named_and_left_alone() {
    let error = refusal_of(br#"{"name":"package","version":3}"#).await;

    assert!(matches!(error, EmulatorError::StateNotOurs { .. }), "{error}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_named_and_left_alone() {
    let error = refusal_of(br#"{"format":"todo-mcp local Scalekit","version":2}"#).await;

    assert!(matches!(error, EmulatorError::StateTooNew { version: 2, .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_named() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("missing").join("identity");

    let options = EmulatorOptions { state_file: Some(file.clone()), ..options() };
    let error = ScalekitEmulator::bind(options).await.unwrap_err();

    assert!(matches!(error, EmulatorError::StateUnwritable { .. }), "{error}");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_taken_port_names_the_setting() {
    let first = ScalekitEmulator::bind(options()).await.unwrap();
    let port = first.local_address().port();

    let error = ScalekitEmulator::bind(EmulatorOptions { port, ..options() }).await.unwrap_err();

    assert!(matches!(error, EmulatorError::PortTaken { .. }), "{error}");
    assert!(error.to_string().contains("EMULATOR_PORT"), "{error}");
}

#[tokio::test]
async fn names_that_cannot_work_are_refused_at_once() {
    let slash = EmulatorOptions { resource_id: "res/{x}".to_owned(), ..options() };
    let relative = EmulatorOptions { server_url: "localhost:3002".to_owned(), ..options() };

    for (options, expected) in [(slash, "resource id"), (relative, "Server URL")] {
        let error = ScalekitEmulator::bind(options).await.unwrap_err();

        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn it_serves_on_loopback_until_it_is_told_to_stop() {
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
    serving.await.unwrap().unwrap();
}
