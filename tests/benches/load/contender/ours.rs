//! Our program as it is installed: verification, policy, request log and storage are on, only the
//! limit of requests for each caller is off.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use todo_tests::client::Client;
use todo_tests::issuer::{RESOURCE_ID, TestIssuer};

use super::{Contender, Grounds, Storage, log_file};
use crate::child::Child;
use crate::failure::{Failure, Result};

/// The program with its own `main`, as cargo has just built it.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_todo-mcp-under-test");

/// Settings beside those that all have.
pub(crate) type Settings = Vec<(&'static str, String)>;

/// With its local identity, and a token from there.
pub(super) async fn start_fresh(grounds: &Grounds, storage: Storage) -> Result<Contender> {
    let directory = tempfile::tempdir()?;
    let database = match storage {
        Storage::Memory => "memory:".to_owned(),
        Storage::Sqlite => sqlite_url(&directory.path().join("todos.db")),
        Storage::Postgres => match &grounds.postgres {
            Some(server) => server.fresh().await,
            None => return Err(Failure::new("PostgreSQL is not installed")),
        },
    };
    let settings = vec![("DATABASE_URL", database), ("EMULATOR_PORT", "0".to_owned())];
    start(grounds, &settings, None, directory).await
}

/// With these settings. Without a token, its local identity gives one.
pub(crate) async fn start(
    grounds: &Grounds,
    settings: &Settings,
    token: Option<String>,
    directory: TempDir,
) -> Result<Contender> {
    let command = command(directory.path(), settings);
    let mut child = Child::start(command, &grounds.cores, &log_file(directory.path()))?;
    let address = child.listens().await?;
    let token = match token {
        Some(token) => token,
        None => local_token(&child.said("authorization_server").await?).await?,
    };
    Ok(Contender::new((child, address), "/mcp", token, directory))
}

/// The program, to be started in a directory where it finds no settings of somebody else.
pub(crate) fn command(directory: &Path, settings: &Settings) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(directory).env_clear();
    command.envs([("PORT", "0"), ("TODO_RATE_LIMIT", "off")]);
    command.envs(settings.iter().map(|(name, value)| (*name, value)));
    command
}

/// The settings that make it trust an issuer of ours.
pub(crate) fn issuer_settings(issuer: &TestIssuer) -> Settings {
    vec![
        ("SCALEKIT_ENVIRONMENT_URL", issuer.url().to_owned()),
        ("SCALEKIT_RESOURCE_ID", RESOURCE_ID.to_owned()),
    ]
}

pub(crate) fn sqlite_url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// What `todo-mcp token` prints.
async fn local_token(authorization_server: &str) -> Result<String> {
    let (base, _) = authorization_server
        .split_once("/resources/")
        .ok_or_else(|| Failure::new("the local identity does not say where it is"))?;
    let answer = Client::new(format!("{base}/emulator/token"), None).post("{}").await;
    let answer: Value = serde_json::from_str(&answer.text)?;
    let token = answer["access_token"].as_str();
    Ok(token.ok_or_else(|| Failure::new("the local identity gives no token"))?.to_owned())
}
