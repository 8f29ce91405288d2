//! A directory and settings, as an operator has them, whether or not the program runs.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tempfile::TempDir;
use todo_tests::proxy::Port;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStdin, Command};

use crate::process::{Ended, Process};
use crate::server::Server;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_todo-mcp-under-test");

/// Where the program is started: in a directory of its own, with these settings and no other
/// environment. The directory is removed with its last user.
pub(crate) struct Installation {
    directory: Arc<TempDir>,
    settings: BTreeMap<String, String>,
}

impl Installation {
    /// An empty directory, free ports, and a JSON log.
    pub(crate) fn new() -> Self {
        Self::without_settings()
            .with("PORT", "0")
            .with("EMULATOR_PORT", "0")
            .with("LOG_FORMAT", "json")
    }

    /// An empty directory and no settings.
    pub(crate) fn without_settings() -> Self {
        Self { directory: Arc::new(tempfile::tempdir().unwrap()), settings: BTreeMap::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    pub(crate) fn with_file(self, name: &str, content: &str) -> Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The command of the program.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(PROGRAM, arguments)
    }

    /// The command of another program in the same place.
    pub(crate) fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(&self.settings)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Process {
        self.spawn_through(&[], arguments)
    }

    /// Starts the program through a command that executes it, such as `nice`.
    pub(crate) fn spawn_through(&self, command: &[&str], arguments: &[&str]) -> Process {
        let line = [command, &[PROGRAM], arguments].concat();
        self.spawn_command(self.command_of(line[0], &line[1..]))
    }

    /// Starts a command of this installation.
    pub(crate) fn spawn_command(&self, command: Command) -> Process {
        Process::spawn(command, Arc::clone(&self.directory))
    }

    /// Starts the program with a standard input that the test writes.
    pub(crate) fn spawn_reading(&self, arguments: &[&str]) -> (Process, ChildStdin) {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped());
        let mut process = self.spawn_command(command);
        let input = process.input();
        (process, input)
    }

    /// Runs a command to its end with this standard input.
    pub(crate) async fn run_reading(&self, arguments: &[&str], text: &str) -> Ended {
        let (process, mut input) = self.spawn_reading(arguments);
        // It may exit before it has read everything.
        let _ = input.write_all(text.as_bytes()).await;
        drop(input);
        process.ended().await
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.spawn(arguments).ended().await
    }

    /// Starts the server, and waits until it is ready. The port belongs to a proxy that validates
    /// every exchange against the schema; the program behind it listens on another.
    pub(crate) async fn serve(&self) -> Server {
        self.serve_through(&[]).await
    }

    /// Starts the server through a command that executes it.
    pub(crate) async fn serve_through(&self, command: &[&str]) -> Server {
        let port = self.settings.get("PORT").map_or(0, |port| port.parse().unwrap());
        let port = Port::take(port).await;
        let settings = self.settings.clone();
        let behind = Self { directory: Arc::clone(&self.directory), settings }
            .with("PORT", 0)
            .with("MCP_URL", port.url());
        Server::ready(behind.spawn_through(command, &["serve"]), port).await
    }
}
