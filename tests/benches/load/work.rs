//! The kinds of requests that are measured, and the todos that they need.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::contender::{Contender, Grounds, Kind, Storage, new_todo, sample};
use crate::failure::Result;
use crate::load::{Load, Pace};
use crate::messages::{self, Era, Prepared};
use crate::options::Options;
use crate::results::Sample;

/// How many todos a list has, which is also how many a page of ours has.
const LISTED: usize = 50;

/// How many different todos are asked for or changed: as many as there are connections at most, so
/// that each connection changes todos of its own.
const SEEDED: usize = 64;

/// How long a description is, where that is not what is varied.
pub(crate) const BYTES: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Get,
    List,
    Create,
    Update,
}

impl Task {
    pub(crate) fn tool(self) -> &'static str {
        match self {
            Self::Get => "get_todo",
            Self::List => "list_todos",
            Self::Create => "create_todo",
            Self::Update => "update_todo",
        }
    }

    /// Makes the todos that are needed, and the requests. The first answer is taken apart and
    /// compared field by field with what was asked for.
    pub(crate) async fn prepare(
        self,
        contender: &Contender,
        era: Era,
        bytes: usize,
    ) -> Result<Vec<Prepared>> {
        match self {
            Self::Get => gets(contender, era, bytes).await,
            Self::List => lists(contender, era, bytes).await,
            Self::Create => creates(contender, era, bytes).await,
            Self::Update => updates(contender, era, bytes).await,
        }
    }

    /// What an echo is to send back: the requests themselves; for a list, which is little in and
    /// much out, its answer.
    pub(crate) async fn echo_bodies(self, grounds: &Grounds, bytes: usize) -> Result<Vec<Vec<u8>>> {
        let sample = grounds.start(Kind::Ours(Storage::Memory)).await?;
        let prepared = self.prepare(&sample, Era::Modern, bytes).await?;
        if self != Self::List {
            return Ok(prepared.iter().map(|it| it.body().to_vec()).collect());
        }
        Ok(vec![sample.ask(&prepared[0], |answer| Ok(answer.body.to_vec())).await?])
    }
}

async fn gets(contender: &Contender, era: Era, bytes: usize) -> Result<Vec<Prepared>> {
    let ids = contender.seed(era, SEEDED, bytes).await?;
    let get = |id: &String| call(contender, era, Task::Get, &json!({ "todo_id": id }), id);
    let gets: Vec<Prepared> = ids.iter().map(get).collect();
    contender.ask(&gets[0], |answer| messages::todo(answer, &new_todo(0, bytes))).await?;
    Ok(gets)
}

async fn lists(contender: &Contender, era: Era, bytes: usize) -> Result<Vec<Prepared>> {
    let ids = contender.seed(era, LISTED, bytes).await?;
    let list = call(contender, era, Task::List, &json!({}), &ids[LISTED - 1]);
    contender.ask(&list, |answer| messages::todos(answer, &ids)).await?;
    Ok(vec![list])
}

async fn creates(contender: &Contender, era: Era, bytes: usize) -> Result<Vec<Prepared>> {
    let create = |number| {
        let fields = new_todo(number, bytes);
        let title = fields["title"].as_str().unwrap_or_default().to_owned();
        call(contender, era, Task::Create, &fields, &title)
    };
    let creates: Vec<Prepared> = (0..SEEDED).map(create).collect();
    contender.ask(&creates[0], |answer| messages::todo(answer, &new_todo(0, bytes))).await?;
    Ok(creates)
}

/// All todos are done, then opened again, and so on: each request changes something.
async fn updates(contender: &Contender, era: Era, bytes: usize) -> Result<Vec<Prepared>> {
    let ids = contender.seed(era, SEEDED, bytes).await?;
    let update = |id: &String, completed: bool| {
        let arguments = json!({ "todo_id": id, "completed": completed });
        call(contender, era, Task::Update, &arguments, id)
    };
    for completed in [true, false] {
        let once = update(&ids[0], completed);
        let fields = json!({ "id": ids[0], "completed": completed });
        contender.ask(&once, |answer| messages::todo(answer, &fields)).await?;
    }
    let both = [true, false].into_iter();
    Ok(both.flat_map(|completed| ids.iter().map(move |id| update(id, completed))).collect())
}

fn call(contender: &Contender, era: Era, task: Task, arguments: &Value, holds: &str) -> Prepared {
    Prepared::call(&contender.endpoint, era, task.tool(), arguments, holds)
}

/// A measurement of a server with nothing in it but what the task needs.
pub(crate) struct Measurement<'a> {
    pub(crate) kind: Kind,
    pub(crate) era: Era,
    pub(crate) task: Task,
    pub(crate) connections: usize,
    pub(crate) bytes: usize,
    /// See [`Task::echo_bodies`].
    pub(crate) echo_bodies: &'a [Vec<u8>],
}

impl Measurement<'_> {
    pub(crate) async fn make(&self, grounds: &Grounds, options: &Options) -> Result<Sample> {
        let contender = grounds.start(self.kind).await?;
        let load = Load {
            address: contender.address,
            requests: self.requests(&contender).await?,
            tokens: Arc::clone(&contender.tokens),
            connections: self.connections,
            pace: Pace::Closed,
            span: options.span(),
        };
        sample(&contender, load).await
    }

    pub(crate) async fn requests(&self, contender: &Contender) -> Result<Arc<[Prepared]>> {
        let requests = if self.kind == Kind::Echo {
            let tool = self.task.tool();
            let echo = |body: &Vec<u8>| Prepared::echo(&contender.endpoint, self.era, tool, body);
            self.echo_bodies.iter().map(echo).collect()
        } else {
            self.task.prepare(contender, self.era, self.bytes).await?
        };
        Ok(requests.into())
    }
}
