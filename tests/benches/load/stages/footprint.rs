//! How big the program is, how much memory it takes when nobody asks anything, and how soon it
//! answers.

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::json;
use todo_tests::postgres::free_port;

use super::Bench;
use crate::child::Child;
use crate::connection::Connection;
use crate::contender::{Kind, PROGRAM, log_file, ours_command, sqlite_url};
use crate::failure::{Failure, Result};
use crate::messages::{self, Endpoint, Era, Prepared};

const STARTS: u32 = 10;

impl Bench {
    pub(super) async fn footprint(&mut self) -> Result<()> {
        println!("\nsize, memory and start");
        let bytes = std::fs::metadata(PROGRAM)?.len();
        self.figure("size of the program as measured, all features", "MiB", vec![mib(bytes)]);
        for kind in Kind::MCP {
            if self.grounds.lack(kind).is_none() {
                self.idle_memory(kind).await?;
            }
        }
        self.start().await
    }

    /// After one request, as nothing has been used before.
    async fn idle_memory(&mut self, kind: Kind) -> Result<()> {
        let contender = self.grounds.start(kind).await?;
        let list = first_list(&contender.endpoint);
        contender.ask(&list, |answer| messages::todos(answer, &[])).await?;
        if let Some((now, _)) = contender.resident_kib() {
            let what = format!("{}: resident memory at idle", kind.name());
            self.figure(what, "MiB", vec![mib(now * 1024)]);
        }
        Ok(())
    }

    /// From before the program is started to the first answered request, with its local identity and
    /// an SQLite file.
    async fn start(&mut self) -> Result<()> {
        let directory = tempfile::tempdir()?;
        // The same ports again, as a token is good for one issuer only.
        let (port, identity) = (free_port(), free_port());
        let settings = vec![
            ("PORT", port.to_string()),
            ("EMULATOR_PORT", identity.to_string()),
            ("DATABASE_URL", sqlite_url(&directory.path().join("todos.db"))),
        ];
        let began = Instant::now();
        let log = tempfile::tempdir()?;
        let first = crate::contender::start_ours(&self.grounds, &settings, None, log).await?;
        let list = first_list(&first.endpoint);
        first.ask(&list, |answer| messages::todos(answer, &[])).await?;
        let very_first = began.elapsed();
        let token = first.tokens[0].clone();
        drop(first);
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let began = Instant::now();
            let command = ours_command(directory.path(), &settings);
            let log = log_file(directory.path());
            let mut child = Child::start(command, &self.grounds.cores, &log)?;
            answered(&mut child, ([127, 0, 0, 1], port).into(), &list, &token).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        let what =
            "todo-mcp, SQLite: the very first start, which makes files and keys, and a token";
        self.figure(what, "ms", vec![very_first.as_secs_f64() * 1_000.0]);
        self.figure("todo-mcp, SQLite: from start to the first answered request", "ms", times);
        Ok(())
    }
}

fn first_list(endpoint: &Endpoint) -> Prepared {
    Prepared::call(endpoint, Era::Modern, "list_todos", &json!({}), "\"todos\"")
}

/// Knocks until somebody opens, and asks.
async fn answered(
    child: &mut Child,
    address: SocketAddr,
    prepared: &Prepared,
    token: &str,
) -> Result<()> {
    let mut connection = loop {
        if let Ok(connection) = Connection::open(address).await {
            break connection;
        }
        if child.has_ended()? {
            return Err(Failure::new(format!("the program ended: {}", child.log())));
        }
        tokio::task::yield_now().await;
    };
    let mut request = Vec::new();
    prepared.write(token, &mut request);
    let answer = connection.exchange(&request).await?;
    prepared.check(answer)
}

#[expect(clippy::cast_precision_loss, reason = "a size")]
pub(super) fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
