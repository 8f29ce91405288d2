//! The local identity: the emulated Scalekit environment that comes with the server.

use std::sync::Arc;

use protected_mcp::Clock;
use scalekit_emulator::{EmulatorError, EmulatorOptions, ScalekitEmulator, User};

use crate::config::Database;
use crate::failure::Failure;

/// The subject of the local identity. Constant, because todos belong to it.
const LOCAL_USER: &str = "usr_70412586931045387";
/// The organization of [`LOCAL_USER`]. Constant, because todos belong to it.
const LOCAL_ORGANIZATION: &str = "org_70412586914268162";
/// The id of this server in the local identity.
pub const LOCAL_RESOURCE_ID: &str = "res_70412587064811530";

/// The resource, the user and the texts of the local identity of a server at `server_url`.
pub fn emulator_options(server_url: impl Into<String>, clock: Arc<dyn Clock>) -> EmulatorOptions {
    let user = User {
        subject: LOCAL_USER.to_owned(),
        organization: LOCAL_ORGANIZATION.to_owned(),
        ..User::default()
    };
    EmulatorOptions::new(server_url, move || clock.now())
        .program("todo-mcp")
        .resource_id(LOCAL_RESOURCE_ID)
        .scope("todo:read", "See your todos")
        .scope("todo:write", "Create, change and delete your todos")
        .user(user)
        .server_name("todo server")
        .purpose("use your todos")
        .token_command("cargo run -- token")
}

pub(crate) async fn start(
    server_url: String,
    database: &Database,
    port: u16,
    auto_consent: bool,
    clock: Arc<dyn Clock>,
) -> Result<ScalekitEmulator, Failure> {
    let options = emulator_options(server_url, clock).port(port).auto_consent(auto_consent);
    let options = match database.companion("identity.json") {
        Some(path) => options.state_file(path),
        None => options,
    };
    ScalekitEmulator::bind(options).await.map_err(|error| {
        let advice = match error {
            EmulatorError::PortTaken { .. } => {
                ": stop what uses it, or set EMULATOR_PORT to another port"
            }
            EmulatorError::PortRefused { .. } => ": set EMULATOR_PORT to another port",
            EmulatorError::ResourceId { .. }
            | EmulatorError::ServerUrl { .. }
            | EmulatorError::StateUnreadable { .. }
            | EmulatorError::StateUnwritable { .. }
            | EmulatorError::StateCorrupt { .. }
            | EmulatorError::StateNotOurs { .. }
            | EmulatorError::StateTooNew { .. }
            | EmulatorError::KeyGeneration => "",
        };
        Failure::Unavailable(anyhow::anyhow!("{error}{advice}"))
    })
}
