//! What a long list costs, and what group commit gives: `cargo bench -p todo-tests --bench growth`.
//!
//! For each durable adapter, the median time of a call in a workspace of 100 todos and in one of
//! 1,000,000 (or as many as the first argument says), and the durable creates of 64 callers at once
//! against those of one caller who waits for each. PostgreSQL is started from the installed programs;
//! where there are none it is left out.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on says so at once")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use todo_adapter_storage::{PostgresTodoRepository, SqliteTodoLoader, SqliteTodoRepository};
use todo_application::domain::{Completion, Todo, TodoId, TodoRecord, Version, WorkspaceId};
use todo_application::ports::{Filter, TodoLoader, TodoRepository};
use todo_tests::postgres::Server;
use todo_tests::{todo_record, workspace};

const SHORT: u64 = 100;
const ROUNDS: u64 = 2_000;
const CALLERS: u64 = 64;
const BATCH: usize = 1_000;
const CREATING: Duration = Duration::from_secs(3);

/// The id number `number`, of `count` that are spread evenly.
fn id(number: u64) -> TodoId {
    TodoId::from_bytes((u128::from(number) << 64).to_be_bytes())
}

/// Every second one is done.
fn todo(workspace: &WorkspaceId, number: u64) -> Todo {
    let record = todo_record(workspace, id(number));
    let completion = if number.is_multiple_of(2) {
        Completion::Done { at: record.updated_at }
    } else {
        Completion::Open
    };
    Todo::restore(TodoRecord { completion, ..record }).unwrap()
}

/// Makes a workspace of a few todos and one of many.
async fn fill(name: &str, loader: &dyn TodoLoader, long: u64) {
    let began = Instant::now();
    for (workspace, count) in [(workspace("few"), SHORT), (workspace("many"), long)] {
        for first in (0..count).step_by(BATCH) {
            let batch = first..count.min(first + BATCH as u64);
            loader.load(batch.map(|number| todo(&workspace, number)).collect()).await.unwrap();
        }
    }
    println!("\n{name}: {long} todos loaded in {:.0} s", began.elapsed().as_secs_f64());
}

/// The median of what `call` takes, in microseconds, in the workspace of a few todos and in that of
/// `long`, over todos in an order that jumps about. The two take turns, so that whatever else the machine
/// does meets both.
async fn medians(long: u64, call: impl AsyncFn(&WorkspaceId, u64)) -> [f64; 2] {
    let workspaces = [(workspace("few"), SHORT), (workspace("many"), long)];
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS + ROUNDS / 10 {
        for ((workspace, count), times) in workspaces.iter().zip(&mut times) {
            let number = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) % count;
            let began = Instant::now();
            call(workspace, number).await;
            // The first tenth warms up.
            if round >= ROUNDS / 10 {
                times.push(began.elapsed());
            }
        }
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_nanos() as f64 / 1_000.0
    })
}

/// The medians of each kind of call.
async fn calls(repository: &Arc<dyn TodoRepository>, long: u64) -> Vec<(&'static str, [f64; 2])> {
    let page = async |completed: Option<bool>| {
        medians(long, async |workspace, number| {
            // Not from the end, where there is less than a page.
            let after = Some(id(number.saturating_sub(100)));
            let todos = repository.list(workspace, Filter { completed }, after, 50).await.unwrap();
            assert!(todos.len() >= 40, "{}", todos.len());
        })
        .await
    };
    let get = medians(long, async |workspace, number| {
        assert!(repository.find(workspace, id(number)).await.unwrap().is_some());
    });
    let update = medians(long, async |workspace, number| {
        let found = repository.find(workspace, id(number)).await.unwrap().unwrap();
        let version: Version = found.version();
        let next = TodoRecord { version: version.next(), ..found.record().clone() };
        repository.save(&Todo::restore(next).unwrap(), version).await.unwrap();
    });
    vec![
        ("get", get.await),
        ("update", update.await),
        ("page of all", page(None).await),
        ("page of open", page(Some(false)).await),
        ("page of done", page(Some(true)).await),
    ]
}

/// Durable creates each second, by so many callers.
async fn creates(repository: &Arc<dyn TodoRepository>, name: &str, callers: u64) -> f64 {
    let began = Instant::now();
    // As those that the program mints, each id is later than the ones before it, whoever asks.
    let next = Arc::new(AtomicU64::new(0));
    let callers = (0..callers).map(|_| {
        let (repository, workspace) = (Arc::clone(repository), workspace(name));
        let next = Arc::clone(&next);
        tokio::spawn(async move {
            while began.elapsed() < CREATING {
                let number = next.fetch_add(1, Ordering::Relaxed);
                repository.insert(&todo(&workspace, number)).await.unwrap();
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    next.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

async fn measure(repository: Arc<dyn TodoRepository>, long: u64) {
    println!("{:<14} {:>10} {:>10} {:>7}", "median, us", "few", "many", "ratio");
    for (call, [few, many]) in calls(&repository, long).await {
        println!("{call:<14} {few:>10.1} {many:>10.1} {:>7.2}", many / few);
    }
    let one = creates(&repository, "one", 1).await;
    let together = creates(&repository, "together", CALLERS).await;
    let ratio = together / one;
    println!(
        "durable creates/s: one caller {one:.0}, {CALLERS} callers {together:.0}, {ratio:.1} x"
    );
}

#[tokio::main]
async fn main() {
    let long = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("todos.db");
    fill("SQLite", &SqliteTodoLoader::open(&file).unwrap(), long).await;
    measure(Arc::new(SqliteTodoRepository::open(&file).unwrap()), long).await;
    let Some(server) = Server::prepare() else { return println!("no PostgreSQL here") };
    let server = server.start();
    let database = server.create_database().await;
    let url = server.url(&database).parse().unwrap();
    let postgres = Arc::new(PostgresTodoRepository::open(&url).await.unwrap());
    fill("PostgreSQL", &*postgres, long).await;
    // As autovacuum does by itself a minute later. Before that, whoever reads a row first notes on its
    // page that it is committed.
    let shell = server.connect(&database).await;
    shell.batch_execute("VACUUM (ANALYZE) todos").await.unwrap();
    shell.batch_execute("CHECKPOINT").await.unwrap();
    measure(postgres, long).await;
}
