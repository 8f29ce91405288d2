//! The PostgreSQL adapter without anything around it, to be compared with pgbench.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use todo_adapter_storage::PostgresTodoRepository;
use todo_application::domain::{ReadPermit, Todo, TodoId, TodoRecord, WorkspaceId, WritePermit};
use todo_application::ports::TodoRepository as _;
use todo_tests::{read_permit, write_permit};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::{Result, runtime};

/// The size of the adapter's pool.
const CONNECTIONS: usize = 8;

/// How many callers create todos: more than there are connections, so that their writes are grouped.
const CREATORS: usize = 64;

/// How many todos are read or written.
const TODOS: u32 = 64;

/// The first part does not count: connections are opened and statements prepared.
const WARM_UP: Duration = Duration::from_secs(1);

/// What is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Statement {
    Find,
    Save,
    /// In one workspace.
    Create,
    /// Each caller in a workspace of its own.
    CreateApart,
}

/// Prints the calls per second of [`CONNECTIONS`] concurrent callers, or of [`CREATORS`].
///
/// The workspace is that of an organization, and holds the todos that `load/` imports.
pub(crate) fn call(url: &str, name: &str, statement: &str, seconds: &str) -> Result<()> {
    let (statement, callers_count) = match statement {
        "find" => (Statement::Find, CONNECTIONS),
        "save" => (Statement::Save, CONNECTIONS),
        "create" => (Statement::Create, CREATORS),
        "create-apart" => (Statement::CreateApart, CREATORS),
        _ => return Err("the statement is `find`, `save`, `create` or `create-apart`".into()),
    };
    let measured = Duration::from_secs_f64(seconds.parse()?);
    let rate = runtime()?.block_on(async {
        let repository = Arc::new(PostgresTodoRepository::open(&url.parse()?).await?);
        let workspace = WorkspaceId::try_from(name)?;
        let todos = Arc::new(todos(&repository, &read_permit(&workspace)).await?);
        let calls = Arc::new(AtomicU64::new(0));
        let mut callers = JoinSet::new();
        for number in 0..callers_count {
            let (repository, todos) = (Arc::clone(&repository), Arc::clone(&todos));
            let workspace = match statement {
                Statement::CreateApart => {
                    WorkspaceId::try_from(format!("{name}{number}").as_str())?
                }
                Statement::Find | Statement::Save | Statement::Create => workspace.clone(),
            };
            let permits = (read_permit(&workspace), write_permit(&workspace));
            let calls = Arc::clone(&calls);
            callers.spawn(async move {
                keep_calling(&repository, &permits, &todos, statement, &calls).await
            });
        }
        let rate = async {
            sleep(WARM_UP).await;
            let (before, started) = (calls.load(Ordering::Relaxed), Instant::now());
            sleep(measured).await;
            per_second(calls.load(Ordering::Relaxed) - before, started.elapsed())
        };
        tokio::select! {
            rate = rate => Ok(rate),
            // A caller stops only with an error.
            stopped = callers.join_next() => match stopped {
                Some(Ok(Err(error))) => Err(error),
                _ => Err("a caller stopped".into()),
            },
        }
    });
    println!("{:.1}", rate?);
    Ok(())
}

async fn todos(repository: &PostgresTodoRepository, permit: &ReadPermit) -> Result<Vec<Todo>> {
    let mut todos = Vec::new();
    for number in 0..TODOS {
        // Every second one is done.
        let id = format!("{:08x}-0000-7000-8000-000000000000", 2 * number);
        let todo = repository.find(permit, id.parse()?).await?;
        todos.push(todo.ok_or("the database does not hold the todos of this benchmark")?);
    }
    Ok(todos)
}

async fn keep_calling(
    repository: &PostgresTodoRepository,
    (read, write): &(ReadPermit, WritePermit),
    todos: &[Todo],
    statement: Statement,
    calls: &AtomicU64,
) -> Result<()> {
    loop {
        let todo = &todos[fastrand::usize(..todos.len())];
        match statement {
            Statement::Find => {
                if repository.find(read, todo.id()).await?.as_ref() != Some(todo) {
                    return Err("find returned another todo".into());
                }
            }
            // Under its own version, so that every call can do the same.
            Statement::Save => {
                repository.save(write, todo, todo).await?;
            }
            Statement::Create | Statement::CreateApart => {
                // Of version 4: those of version 7 would have to come in their order.
                let random = (fastrand::u128(..) & !(0xf << 76)) | (4 << 76);
                let id = TodoId::from_bytes(random.to_be_bytes());
                let workspace = write.workspace().clone();
                let record = TodoRecord { id, workspace, ..todo.record().clone() };
                repository.insert(write, &Todo::restore(record)?).await?;
            }
        }
        calls.fetch_add(1, Ordering::Relaxed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of calls")]
fn per_second(calls: u64, time: Duration) -> f64 {
    calls as f64 / time.as_secs_f64()
}
