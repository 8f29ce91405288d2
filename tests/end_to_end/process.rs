//! A running program: its output as it is written, signals, its end.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a test waits for something that should happen at once. Reached only when it does not
/// happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A program that is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    stdout: Output,
    stderr: Output,
    _directory: Arc<TempDir>,
}

/// The exit code and the output of a program.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts it. The directory is kept while it runs.
    pub(crate) fn spawn(mut command: Command, directory: Arc<TempDir>) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program under test starts");
        let stdout = Output::read(child.stdout.take().unwrap());
        let stderr = Output::read(child.stderr.take().unwrap());
        Self { child, stdout, stderr, _directory: directory }
    }

    /// Its standard input, if that is a pipe.
    pub(crate) fn input(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("the input is a pipe")
    }

    /// Waits until the JSON log has an event with this message.
    pub(crate) async fn event(&mut self, message: &str) -> Value {
        let text = self.stderr.text.wait_for(|text| event(text, message).is_some());
        let found = match timeout(PATIENCE, text).await {
            Ok(Ok(text)) => event(&text, message),
            _ => None,
        };
        found.unwrap_or_else(|| {
            panic!(
                "no event {message:?} in {}\n{}",
                *self.stderr.text.borrow(),
                *self.stdout.text.borrow()
            )
        })
    }

    /// Waits until it has printed this, and returns everything printed.
    pub(crate) async fn printed(&mut self, words: &str) -> String {
        let text = self.stdout.text.wait_for(|text| text.contains(words));
        match timeout(PATIENCE, text).await {
            Ok(Ok(text)) => text.clone(),
            _ => panic!("no {words:?}, but {}", *self.stderr.text.borrow()),
        }
    }

    #[cfg(unix)]
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("a running program")
    }

    /// Sends a signal, such as `TERM`.
    ///
    /// Through the shell: its `kill` exists on every Unix, while the standard library sends one
    /// signal only.
    #[cfg(unix)]
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent =
            Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &id]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Waits for the end.
    pub(crate) async fn ended(mut self) -> Ended {
        let Ok(status) = timeout(PATIENCE, self.child.wait()).await else {
            panic!("still running, having said {}", *self.stderr.text.borrow());
        };
        let status: ExitStatus = status.unwrap();
        let (stdout, stderr) = (self.stdout.all().await, self.stderr.all().await);
        Ended { code: status.code(), stdout, stderr }
    }
}

impl Ended {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// The output of a program on one of its streams.
struct Output {
    text: watch::Receiver<String>,
    reader: JoinHandle<()>,
}

impl Output {
    fn read(stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, text) = watch::channel(String::new());
        let mut lines = BufReader::new(stream).lines();
        let reader = tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                sender.send_modify(|text| {
                    text.push_str(&line);
                    text.push('\n');
                });
            }
        });
        Self { text, reader }
    }

    async fn all(self) -> String {
        timeout(PATIENCE, self.reader).await.expect("the stream ends").unwrap();
        self.text.borrow().clone()
    }
}

fn event(log: &str, message: &str) -> Option<Value> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|event| event["message"] == message)
}
