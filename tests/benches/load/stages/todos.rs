//! How cost grows with the number of todos in a list: every kind of request, in lists of several
//! lengths that are in one database, in SQLite and in PostgreSQL.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use todo_adapter_storage::{PostgresTodoRepository, SqliteTodoLoader};
use todo_application::domain::{
    Completion, Organization, Sharing, Subject, Todo, TodoId, TodoRecord, WorkspaceId,
};
use todo_application::ports::TodoLoader;
use todo_tests::issuer::TestIssuer;
use todo_tests::todo_record;

use super::Bench;
use super::footprint::mib;
use crate::contender::{
    Contender, Kind, Settings, Storage, issuer_settings, sample, sqlite_url, start_ours,
};
use crate::failure::{Failure, Result};
use crate::load::{Load, Pace};
use crate::messages::{self, Era, Prepared};
use crate::results::{Curve, Line};

const CONNECTIONS: usize = 32;
const COUNTS: [u64; 4] = [100, 10_000, 100_000, 1_000_000];
const COUNTS_TO_TRY: [u64; 2] = [100, 10_000];
const BATCH: u64 = 1_000;
/// How many todos of a list are asked for and changed, spread over all of it. A multiple of the
/// number of connections, and no more than the shortest list has.
const SAMPLED: u64 = 96;
/// What a page of open todos needs behind its beginning.
const TWO_PAGES: u64 = 100;

/// What is asked of each list. Those that change something come last.
const KINDS: [Ask; 5] =
    [Ask::Get, Ask::Page(None), Ask::Page(Some(false)), Ask::Page(Some(true)), Ask::Update];

#[derive(Debug, Clone, Copy)]
enum Ask {
    Get,
    /// 50 todos: all, the open ones or the done ones.
    Page(Option<bool>),
    Update,
}

impl Ask {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Page(None) => "50 of all",
            Self::Page(Some(false)) => "50 open",
            Self::Page(Some(true)) => "50 done",
            Self::Update => "update",
        }
    }
}

/// Someone with so many todos.
struct Owner {
    count: u64,
    workspace: WorkspaceId,
    token: String,
}

impl Owner {
    fn new(issuer: &TestIssuer, count: u64) -> Result<Self> {
        let (subject, organization) = (format!("usr_{count}"), "org_1");
        let workspace = Sharing::Personal.workspace(
            &Subject::try_from(subject.as_str())?,
            Some(&Organization::try_from(organization)?),
        )?;
        let claims = issuer.claims(&subject, Some(organization), "todo:read todo:write");
        Ok(Self { count, workspace, token: issuer.sign(&claims) })
    }

    /// Numbers of todos that are spread over the list, in an order that jumps about, none among the
    /// last `margin`.
    fn sample(&self, margin: u64) -> Vec<u64> {
        let range = self.count - margin;
        let place = |number: u64| number * 37 % SAMPLED * range / SAMPLED;
        (0..SAMPLED).map(place).collect()
    }

    async fn fill(&self, loader: &dyn TodoLoader) -> Result<()> {
        for first in (0..self.count).step_by(usize::try_from(BATCH)?) {
            let batch = first..self.count.min(first + BATCH);
            let todos: Result<Vec<Todo>> =
                batch.map(|number| todo(&self.workspace, number)).collect();
            loader.load(todos?).await?;
        }
        Ok(())
    }
}

fn id(number: u64) -> TodoId {
    TodoId::from_bytes((u128::from(number) << 64).to_be_bytes())
}

/// Every second one is done.
fn is_done(number: u64) -> bool {
    number.is_multiple_of(2)
}

fn todo(workspace: &WorkspaceId, number: u64) -> Result<Todo> {
    let record = todo_record(workspace, id(number));
    let completion =
        if is_done(number) { Completion::Done { at: record.updated_at } } else { Completion::Open };
    Ok(Todo::restore(TodoRecord { completion, ..record })?)
}

impl Bench {
    pub(super) async fn todos(&mut self) -> Result<()> {
        let issuer = TestIssuer::start().await;
        let counts = if self.options.quick { &COUNTS_TO_TRY[..] } else { &COUNTS };
        let owners: Result<Vec<Owner>> =
            counts.iter().map(|count| Owner::new(&issuer, *count)).collect();
        let owners = owners?;
        for storage in [Storage::Sqlite, Storage::Postgres] {
            if self.grounds.lack(Kind::Ours(storage)).is_none() {
                self.long_lists(storage, &issuer, &owners).await?;
            }
        }
        Ok(())
    }

    /// A database with all these lists.
    async fn fill(&self, storage: Storage, directory: &Path, owners: &[Owner]) -> Result<String> {
        if storage == Storage::Sqlite {
            let file = directory.join("todos.db");
            fill(owners, &SqliteTodoLoader::open(&file)?).await?;
            return Ok(sqlite_url(&file));
        }
        let server = self.grounds.postgres.as_ref();
        let server = server.ok_or_else(|| Failure::new("PostgreSQL is not installed"))?;
        let name = server.create_database().await;
        let url = server.url(&name);
        fill(owners, &PostgresTodoRepository::open(&url.parse()?).await?).await?;
        // What autovacuum does by itself a minute later.
        let shell = server.connect(&name).await;
        shell.batch_execute("VACUUM (ANALYZE) todos").await?;
        shell.batch_execute("CHECKPOINT").await?;
        Ok(url)
    }

    async fn long_lists(
        &mut self,
        storage: Storage,
        issuer: &TestIssuer,
        owners: &[Owner],
    ) -> Result<()> {
        println!("\ngrowth with the number of todos, {}", storage.name());
        let directory = tempfile::tempdir()?;
        let began = Instant::now();
        let database = self.fill(storage, directory.path(), owners).await?;
        println!("todos loaded in {:.0} s", began.elapsed().as_secs_f64());
        let mut settings = issuer_settings(issuer);
        settings.push(("DATABASE_URL", database));
        let token = Some(owners[0].token.clone());
        let contender = start_ours(&self.grounds, &settings, token, directory).await?;
        let cursors = Cursors::start(self, issuer, owners).await?;
        let mut lines = KINDS.map(|ask| Line {
            name: format!("{}, {}", storage.name(), ask.name()),
            samples: vec![],
        });
        for owner in owners {
            for (ask, line) in KINDS.into_iter().zip(&mut lines) {
                let requests: Arc<[Prepared]> = match ask {
                    Ask::Get => gets(&contender, owner),
                    Ask::Page(completed) => cursors.pages(&contender, owner, completed).await?,
                    Ask::Update => updates(&contender, owner),
                }
                .into();
                let load = Load {
                    address: contender.address,
                    requests,
                    tokens: [owner.token.clone()].into(),
                    connections: CONNECTIONS,
                    pace: Pace::Closed,
                    span: self.options.span(),
                };
                line.push(owner.count, "todos", sample(&contender, load).await?);
            }
        }
        if let Some((_, most)) = contender.resident_kib() {
            let what =
                format!("todo-mcp, {}: most resident memory, with all these todos", storage.name());
            self.figure(what, "MiB", vec![mib(most * 1024)]);
        }
        self.results.curves.push(Curve {
            name: format!("todos-{}", storage.name().to_lowercase()),
            title: format!("lists in {}", storage.name()),
            axis: "todos in the list",
            values: owners.iter().map(|owner| owner.count).collect(),
            lines: lines.into(),
        });
        Ok(())
    }
}

async fn fill(owners: &[Owner], loader: &dyn TodoLoader) -> Result<()> {
    for owner in owners {
        owner.fill(loader).await?;
    }
    Ok(())
}

fn gets(contender: &Contender, owner: &Owner) -> Vec<Prepared> {
    let get = |number| {
        let id = id(number).to_string();
        let arguments = json!({ "todo_id": id });
        Prepared::call(&contender.endpoint, Era::Modern, "get_todo", &arguments, &id)
    };
    owner.sample(0).into_iter().map(get).collect()
}

/// Each is turned into what it is not, and back, and so on.
fn updates(contender: &Contender, owner: &Owner) -> Vec<Prepared> {
    let update = |number: u64, completed: bool| {
        let id = id(number).to_string();
        let arguments = json!({ "todo_id": id, "completed": completed });
        Prepared::call(&contender.endpoint, Era::Modern, "update_todo", &arguments, &id)
    };
    let sample = owner.sample(0);
    let there = sample.iter().map(|number| update(*number, !is_done(*number)));
    there.chain(sample.iter().map(|number| update(*number, is_done(*number)))).collect()
}

/// A server that knows nothing but the todos that pages are to begin after, and so can tell their
/// cursors: what a cursor is, is the server's own business.
struct Cursors(Contender);

impl Cursors {
    async fn start(bench: &Bench, issuer: &TestIssuer, owners: &[Owner]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("todos.db");
        let loader = SqliteTodoLoader::open(&file)?;
        for owner in owners {
            // The one at the end is what makes the one before have a cursor.
            let mut numbers = beginnings(owner);
            numbers.extend([owner.count - 2, owner.count - 1]);
            let todos: Result<Vec<Todo>> =
                numbers.into_iter().map(|number| todo(&owner.workspace, number)).collect();
            loader.load(todos?).await?;
        }
        drop(loader);
        let mut settings: Settings = issuer_settings(issuer);
        settings.push(("DATABASE_URL", sqlite_url(&file)));
        let token = Some(owners[0].token.clone());
        Ok(Self(start_ours(&bench.grounds, &settings, token, directory).await?))
    }

    /// Pages of 50 that begin in many places of the list; of a short list, the first one.
    async fn pages(
        &self,
        contender: &Contender,
        owner: &Owner,
        completed: Option<bool>,
    ) -> Result<Vec<Prepared>> {
        let mut pages = Vec::new();
        let mut cursor = Value::Null;
        for number in beginnings(owner) {
            if completed.is_some_and(|completed| completed != is_done(number)) {
                continue;
            }
            let arguments = arguments(completed, &cursor, 1);
            let one = id(number).to_string();
            let ask = Prepared::call(&self.0.endpoint, Era::Modern, "list_todos", &arguments, &one);
            let page = ask_as(&self.0, owner, &ask).await?;
            cursor = page["next_cursor"].clone();
            pages.push(page_after(contender, owner, completed, Some(number), &cursor).await?);
        }
        if pages.is_empty() {
            pages.push(page_after(contender, owner, completed, None, &Value::Null).await?);
        }
        Ok(pages)
    }
}

/// What pages begin after, in their order; nothing in a list that has no room for it.
fn beginnings(owner: &Owner) -> Vec<u64> {
    if owner.count <= 2 * TWO_PAGES {
        return Vec::new();
    }
    let mut numbers = owner.sample(TWO_PAGES + 2);
    // Neighbours, so that there are open ones and done ones.
    let neighbours: Vec<u64> = numbers.iter().map(|number| number + 1).collect();
    numbers.extend(neighbours);
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn arguments(completed: Option<bool>, cursor: &Value, limit: u64) -> Value {
    let mut arguments = json!({ "limit": limit });
    if let Some(completed) = completed {
        arguments["completed"] = completed.into();
    }
    if !cursor.is_null() {
        arguments["cursor"] = cursor.clone();
    }
    arguments
}

/// A request for a page of 50, which has been seen to list what it should.
async fn page_after(
    contender: &Contender,
    owner: &Owner,
    completed: Option<bool>,
    after: Option<u64>,
    cursor: &Value,
) -> Result<Prepared> {
    let first = after.map_or(0, |after| after + 1);
    let listed = (first..owner.count)
        .filter(|number| completed.is_none_or(|completed| completed == is_done(*number)));
    let ids: Vec<String> = listed.take(50).map(|number| id(number).to_string()).collect();
    let arguments = arguments(completed, cursor, 50);
    let last = ids.last().ok_or_else(|| Failure::new("a page with nothing on it"))?;
    let page = Prepared::call(&contender.endpoint, Era::Modern, "list_todos", &arguments, last);
    contender.ask_as(&owner.token, &page, |answer| messages::todos(answer, &ids)).await?;
    Ok(page)
}

async fn ask_as(contender: &Contender, owner: &Owner, ask: &Prepared) -> Result<Value> {
    contender.ask_as(&owner.token, ask, messages::structured).await
}
