//! `todo-mcp health`

use tokio::net::TcpSocket;

use crate::installation::Installation;

/// A port that refuses connections for as long as the socket lives.
fn closed_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

#[tokio::test]
async fn it_asks_the_server_with_the_same_settings() {
    let installation = Installation::new();
    let server = installation.serve().await;
    let installation = installation.with("PORT", server.address.port());
    for (arguments, status) in [(&["health"][..], "ready\n"), (&["health", "--live"], "ok\n")] {
        let ended = installation.run(arguments).await.with_code(0);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), (status, ""));
    }
}

#[tokio::test]
async fn a_server_on_all_addresses_is_asked_on_loopback() {
    let (_ours, scalekit) = closed_port();
    let installation = Installation::new()
        .with("BIND_ADDRESS", "0.0.0.0")
        .with("SCALEKIT_ENVIRONMENT_URL", format!("http://127.0.0.1:{scalekit}"))
        .with("SCALEKIT_RESOURCE_ID", "res_1");
    let mut server = installation.spawn(&["serve"]);
    let ready = server.event("ready").await;
    let (_, port) = ready["listen.address"].as_str().unwrap().rsplit_once(':').unwrap();
    let installation = installation.with("PORT", port);
    assert_eq!(installation.run(&["health", "--live"]).await.with_code(0).stdout, "ok\n");

    // Scalekit's keys are not known.
    let ended = installation.run(&["health"]).await.with_code(1);
    let expected = format!("todo-mcp: the server at 127.0.0.1:{port} is not ready, waiting for ");
    assert!(ended.stderr.starts_with(&expected), "{ended:?}");
}

#[tokio::test]
async fn no_server_is_exit_code_1_and_names_the_settings() {
    let (_ours, port) = closed_port();
    for arguments in [&["health"][..], &["health", "--live"]] {
        let ended = Installation::new().with("PORT", port).run(arguments).await.with_code(1);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains(&format!("no server at 127.0.0.1:{port}")), "{ended:?}");
        assert!(ended.stderr.contains("PORT"), "{ended:?}");
    }
}

#[tokio::test]
async fn another_program_on_the_port_is_not_taken_for_the_server() {
    let installation = Installation::new();
    let server = installation.serve().await;
    // It answers 404, and no JSON of ours.
    let installation = installation.with("PORT", server.emulator_port());
    let ended = installation.run(&["health"]).await.with_code(1);
    assert!(ended.stderr.contains("another program answers at 127.0.0.1:"), "{ended:?}");
}

#[tokio::test]
async fn settings_that_name_no_server_are_exit_code_64() {
    for port in ["0", "none"] {
        let ended = Installation::new().with("PORT", port).run(&["health"]).await.with_code(64);
        assert!(ended.stderr.contains("PORT"), "{ended:?}");
    }
}
