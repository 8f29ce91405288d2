//! The quickstart that this project grew out of: Scalekit's own FastMCP server, in Python.
//!
//! It keeps its todos in memory and writes no log; it verifies tokens as ours does, RS256 against the
//! issuer's key set. All of what it needs but Python itself and pip comes into the target directory.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

use todo_tests::issuer::{RESOURCE_ID, TestIssuer};
use tokio::net::TcpStream;
use tokio::time::sleep;

const REQUIREMENTS: &str = include_str!("quickstart/requirements.txt");
const SERVER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/contenders/quickstart/server.py");

/// Longer than it takes to start on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is needed to start the server.
pub(crate) struct Quickstart {
    /// An access token that may do everything, for an hour.
    pub(crate) token: String,
    issuer: TestIssuer,
    python: PathBuf,
}

/// The versions of what it is made of.
pub(crate) fn version() -> String {
    let of = |package: &str| {
        let mut lines = REQUIREMENTS.lines();
        lines.find_map(|line| line.strip_prefix(package)?.strip_prefix("==")).unwrap_or("?")
    };
    format!("FastMCP {}, mcp {}, uvicorn {}", of("fastmcp"), of("mcp"), of("uvicorn"))
}

impl Quickstart {
    /// Gets all of it: the first time, what the server requires from the Python package index. The
    /// issuer of the token runs on the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// Says in one sentence what there is not, or what went wrong.
    pub(crate) async fn prepare() -> Result<Self, String> {
        let python = environment().await?;
        let issuer = TestIssuer::start().await;
        let claims = issuer.claims("usr_owner", Some("org_1"), "todo:read todo:write");
        Ok(Self { token: issuer.sign(&claims), issuer, python })
    }

    /// How to start the server, to listen at `address`.
    pub(crate) fn command(&self, address: SocketAddr) -> Command {
        let port = address.port();
        let mut command = Command::new(&self.python);
        command
            .arg(SERVER)
            .env("FASTMCP_HOST", address.ip().to_string())
            .env("PORT", port.to_string())
            .env("MCP_URL", format!("http://localhost:{port}/"))
            .env("SCALEKIT_ENVIRONMENT_URL", self.issuer.url())
            .env("SCALEKIT_CLIENT_ID", "skc_1")
            .env("SCALEKIT_RESOURCE_ID", RESOURCE_ID)
            // It would ask the package index for a newer version of itself.
            .env("FASTMCP_CHECK_FOR_UPDATES", "off")
            .env("FASTMCP_SHOW_SERVER_BANNER", "false")
            // It would complain of the arguments that its own quickstart gives.
            .env("FASTMCP_LOG_LEVEL", "ERROR")
            .env("NO_PROXY", "127.0.0.1");
        command
    }
}

/// An address that is free now, and most likely still is when the server takes it: it cannot be told
/// to choose one and to say which.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Waits until a server that was started accepts connections at `address`. `has_ended` tells whether
/// there is nobody left to wait for.
///
/// # Errors
///
/// Says in one sentence that it will not.
pub(crate) async fn until_it_answers(
    address: SocketAddr,
    mut has_ended: impl FnMut() -> bool,
) -> Result<(), String> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        // It takes connections once it can answer requests.
        if TcpStream::connect(address).await.is_ok() {
            return Ok(());
        }
        if has_ended() {
            return Err("The quickstart's server ended while it started.".to_owned());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(format!("The quickstart's server did not answer within {PATIENCE:?}."))
}

/// The Python of a virtual environment with the requirements, made once for each state of them.
async fn environment() -> Result<PathBuf, String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("quickstart");
    let python = directory.join("bin/python");
    let installed = directory.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|it| it == REQUIREMENTS) && python.exists() {
        return Ok(python);
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&directory);
    succeed(venv, "Python 3 with its module `venv` is not there").await?;
    let requirements = directory.join("wanted.txt");
    fs::write(&requirements, REQUIREMENTS)
        .map_err(|error| format!("`{}` cannot be written: {error}.", requirements.display()))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    pip.arg(&requirements);
    succeed(pip, "What the quickstart requires cannot be installed").await?;
    // Only now: what was left half done is made anew.
    fs::rename(&requirements, &installed)
        .map_err(|error| format!("`{}` cannot be written: {error}.", installed.display()))?;
    Ok(python)
}

/// Runs a command to its end; where that is not a good one, says `failure` and the command's last words.
async fn succeed(mut command: Command, failure: &str) -> Result<(), String> {
    command.stdin(Stdio::null());
    let output = tokio::process::Command::from(command).output().await;
    let output = output.map_err(|error| format!("{failure}: {error}."))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no word why");
    Err(format!("{failure}: {}.", last.trim().trim_end_matches('.')))
}
