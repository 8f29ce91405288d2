//! The local identity: the emulated Scalekit environment that comes with the server.

use std::path::PathBuf;
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

/// The program that the state file belongs to.
const PROGRAM: &str = "todo-mcp";

/// The resource, the user and the texts of the local identity of a server at `server_url`.
pub fn emulator_options(server_url: impl Into<String>, clock: Arc<dyn Clock>) -> EmulatorOptions {
    let user = User {
        subject: LOCAL_USER.to_owned(),
        organization: LOCAL_ORGANIZATION.to_owned(),
        ..User::default()
    };
    EmulatorOptions::new(server_url, move || clock.now())
        .program(PROGRAM)
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
    let options = match state_file(database) {
        Some(path) => options.state_file(path),
        None => options,
    };
    ScalekitEmulator::bind(options).await.map_err(failure)
}

/// Fails if the state file is unusable, and creates nothing.
pub(crate) fn check(database: &Database) -> Result<(), Failure> {
    let Some(path) = state_file(database) else { return Ok(()) };
    ScalekitEmulator::check_state_file(&path, PROGRAM).map_err(failure)
}

fn state_file(database: &Database) -> Option<PathBuf> {
    database.companion("identity.json")
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failure(error: EmulatorError) -> Failure {
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
}
