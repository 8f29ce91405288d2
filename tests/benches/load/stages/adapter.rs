//! The PostgreSQL adapter against `pgbench`: the same statements, prepared, on as many connections,
//! for the same rows. Each of the two has the core to itself on which servers are measured elsewhere,
//! while PostgreSQL has the other one.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use todo_adapter_storage::PostgresTodoRepository;
use todo_application::domain::{Completion, Todo, TodoId, TodoRecord, WorkspaceId};
use todo_application::ports::{TodoLoader as _, TodoRepository as _};
use todo_tests::postgres::binary;
use todo_tests::{todo_record, workspace};
use tokio::task::JoinSet;

use super::Bench;
use crate::child::Child;
use crate::contender::{log_file, this_program};
use crate::failure::{Failure, Result};
use crate::results::median;

/// What this executable is called with to be a program around the adapter.
pub(crate) const ROLE: &str = "--as-adapter";

/// As many connections as the adapter has at most.
const CONNECTIONS: usize = 8;

/// A script of pgbench for each, of which there may be 128.
const TODOS: u64 = 128;

/// Behind the first ones, so that the table is not a page.
const MORE_TODOS: u64 = 100_000;

const WORKSPACE: &str = "bench";

/// Which of the adapter's statements: those of `adapters/storage/src/postgres/queries.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statement {
    Find,
    Save,
}

impl Statement {
    const ALL: [Self; 2] = [Self::Find, Self::Save];

    fn name(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Save => "save",
        }
    }

    /// As a script of pgbench, in which `:name` becomes a parameter. All rows differ in their ids
    /// only.
    fn script(self) -> &'static str {
        match self {
            Self::Find => {
                "SELECT id, title, description, completed_at, created_at, created_by, updated_at, \
                 updated_by, version FROM todos WHERE workspace = :workspace AND id = :{id};\n"
            }
            Self::Save => {
                "UPDATE todos SET title = :title, description = :description, \
                 completed_at = :completed_at, created_at = :created_at, \
                 created_by = :created_by, updated_at = :updated_at, updated_by = :updated_by, \
                 version = :version, \
                 open_id = CASE WHEN :completed_at::bigint IS NULL THEN :{id}::uuid END, \
                 done_id = CASE WHEN :completed_at::bigint IS NOT NULL THEN :{id}::uuid END \
                 WHERE workspace = :workspace AND id = :{id} AND version = :version RETURNING id;\n"
            }
        }
    }
}

fn todo(workspace: &WorkspaceId, number: u64) -> Result<Todo> {
    let id = TodoId::from_bytes((u128::from(number) << 64).to_be_bytes());
    let record = todo_record(workspace, id);
    // Done, and with a description: pgbench cannot pass a null.
    let completion = Completion::Done { at: record.updated_at };
    let description = "two bottles, and a bag of the round ones from the corner".try_into()?;
    Ok(Todo::restore(TodoRecord { completion, description, ..record })?)
}

impl Bench {
    pub(super) async fn pgbench(&mut self) -> Result<()> {
        println!("\nthe PostgreSQL adapter against pgbench");
        let Some(server) = &self.grounds.postgres else { return Ok(()) };
        let Some(pgbench) = binary("pgbench") else {
            self.note("left out: pgbench, which is not installed".to_owned());
            return Ok(());
        };
        let name = server.create_database().await;
        let url = server.url(&name);
        let repository = PostgresTodoRepository::open(&url.parse()?).await?;
        let workspace = workspace(WORKSPACE);
        for first in (0..TODOS + MORE_TODOS).step_by(1_000) {
            let todos: Result<Vec<Todo>> =
                (first..first + 1_000).map(|number| todo(&workspace, number)).collect();
            repository.load(todos?).await?;
        }
        drop(repository);
        let shell = server.connect(&name).await;
        shell.batch_execute("VACUUM (ANALYZE) todos").await?;
        shell.batch_execute("CHECKPOINT").await?;
        // pgbench counts in whole seconds. The first one is for warming up: both prepare all that they
        // send, and pgbench does it for each of its scripts.
        let seconds = self.options.seconds.ceil() + 1.0;
        for statement in Statement::ALL {
            let (mut theirs, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..self.options.rounds {
                let directory = tempfile::tempdir()?;
                let command =
                    pgbench_command(&pgbench, directory.path(), &url, statement, seconds)?;
                let said = self.watch(command, directory.path()).await?;
                let pgbench = calls_per_second(&said)?;
                let mut command = this_program(ROLE)?;
                command.arg(&url).arg(statement.name()).arg(seconds.to_string());
                let said = self.watch(command, directory.path()).await?;
                let adapter = calls_per_second(&said)?;
                theirs.push(pgbench);
                ours.push(adapter);
                ratios.push(adapter / pgbench);
            }
            let name = statement.name();
            self.figure(format!("{name}: pgbench, {CONNECTIONS} connections"), "1/s", theirs);
            self.figure(format!("{name}: the adapter, {CONNECTIONS} connections"), "1/s", ours);
            self.figure(format!("{name}: the adapter as part of pgbench"), "", ratios);
        }
        Ok(())
    }

    /// Runs a program to its end on the server's core.
    async fn watch(&self, command: Command, directory: &Path) -> Result<String> {
        let began = Instant::now();
        let mut child = Child::start(command, &self.grounds.cores, &log_file(directory))?;
        while !child.has_ended()? {
            if began.elapsed().as_secs_f64() > self.options.seconds + 60.0 {
                return Err(Failure::new(format!("a program does not end: {}", child.log())));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(child.log())
    }
}

/// A script for each todo, as a variable can hold an id but not choose one.
fn pgbench_command(
    pgbench: &Path,
    directory: &Path,
    url: &str,
    statement: Statement,
    seconds: f64,
) -> Result<Command> {
    let mut command = Command::new(pgbench);
    command.args([
        "--no-vacuum",
        "--protocol",
        "prepared",
        "--jobs",
        "1",
        "--progress",
        "1",
        "--client",
    ]);
    command.arg(CONNECTIONS.to_string()).arg("--time").arg(seconds.to_string());
    let sample = todo(&workspace(WORKSPACE), 0)?;
    let record = sample.record();
    let mut workspace = "\\x".to_owned();
    for byte in WORKSPACE.bytes() {
        write!(workspace, "{byte:02x}")?;
    }
    let completed_at = record.completion.at().unwrap_or(record.updated_at);
    for (name, value) in [
        ("workspace", workspace),
        ("title", record.title.as_str().to_owned()),
        ("description", record.description.as_deref().unwrap_or_default().to_owned()),
        ("completed_at", completed_at.as_unix_millis().to_string()),
        ("created_at", record.created_at.as_unix_millis().to_string()),
        ("created_by", record.created_by.as_str().to_owned()),
        ("updated_at", record.updated_at.as_unix_millis().to_string()),
        ("updated_by", record.updated_by.as_str().to_owned()),
        ("version", record.version.as_i64().to_string()),
    ] {
        command.arg("--define").arg(format!("{name}={value}"));
    }
    for number in 0..TODOS {
        let name = format!("id{number}");
        let file = directory.join(&name);
        std::fs::write(&file, statement.script().replace("{id}", &name))?;
        let id = todo(&record.workspace, number)?.id();
        command.arg("--define").arg(format!("{name}={id}")).arg("--file").arg(file);
    }
    command.arg(url);
    Ok(command)
}

/// The median of what was said second by second, the first one left out.
fn calls_per_second(said: &str) -> Result<f64> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("progress: "));
    let rates = lines.filter_map(|line| line.split_once(" s, ")?.1.split(' ').next()?.parse().ok());
    let rates: Vec<f64> = rates.skip(1).collect();
    if rates.is_empty() {
        return Err(Failure::new(format!("no figure in: {said}")));
    }
    Ok(median(rates))
}

/// What this program does in place of a benchmark when it is called as [`ROLE`] with a database, a
/// statement and a time: as many callers as there are connections, each with the next call as soon as
/// the one before is answered.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let [url, statement, seconds] = arguments else {
        return Err(Failure::new("a database, a statement and a time are missing"));
    };
    let statement = Statement::ALL.into_iter().find(|it| it.name() == statement);
    let statement = statement.ok_or_else(|| Failure::new("an unknown statement"))?;
    let time = Duration::from_secs_f64(seconds.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let repository = Arc::new(PostgresTodoRepository::open(&url.parse()?).await?);
        let calls = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let mut callers = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (repository, calls) = (Arc::clone(&repository), Arc::clone(&calls));
            callers.spawn(async move { call(&repository, statement, &calls).await });
        }
        let (mut before, mut at) = (0, began);
        while began.elapsed() < time {
            // A caller ends only when something is wrong.
            tokio::select! {
                ended = callers.join_next() => ended.unwrap_or(Ok(Ok(())))??,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            let (now, so_far) = (Instant::now(), calls.load(Ordering::Relaxed));
            let rate = rate(so_far - before, now - at);
            // In the words of pgbench.
            let seconds = began.elapsed().as_secs_f64();
            writeln!(std::io::stdout(), "progress: {seconds:.1} s, {rate:.1} tps")?;
            (before, at) = (so_far, now);
        }
        Ok(())
    })
}

#[expect(clippy::cast_precision_loss, reason = "a count of calls")]
fn rate(calls: u64, time: Duration) -> f64 {
    calls as f64 / time.as_secs_f64()
}

/// Calls until the program ends.
async fn call(
    repository: &PostgresTodoRepository,
    statement: Statement,
    calls: &AtomicU64,
) -> Result<()> {
    let workspace = workspace(WORKSPACE);
    let todos: Result<Vec<Todo>> = (0..TODOS).map(|number| todo(&workspace, number)).collect();
    let todos = todos?;
    loop {
        // Any of them, as pgbench takes any of its scripts.
        let todo = &todos[fastrand::usize(..todos.len())];
        match statement {
            Statement::Find => {
                let found = repository.find(&workspace, todo.id()).await?;
                if found.as_ref() != Some(todo) {
                    return Err(Failure::new("another todo than the one that was asked for"));
                }
            }
            // With the version that it has: the next one can do the same.
            Statement::Save => repository.save(todo, todo.version()).await?,
        }
        calls.fetch_add(1, Ordering::Relaxed);
    }
}
