//! The writes of a single statement.

use std::num::NonZeroU64;

use futures_util::future::{try_join, try_join3};
use todo_application::domain::{
    Change, ChangeNumber, Instant, Quota, TermChange, Todo, TodoId, Version, WorkspaceId,
    WritePermit,
};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row};

use super::change_row::{self, NewChange};
use super::connections::Work;
use super::parameter::{Parameter, columns};
use super::queries::Query;
use super::session::{Session, Transaction};
use super::{row, terms};

/// A statement that changes one todo, counts it in the head of its workspace, and stores the change if it is to
/// be remembered; or does nothing of it.
pub(super) enum Write {
    Insert(Insertion),
    Save(Replacement),
    Remove(Removal),
}

pub(super) struct Insertion {
    pub(super) todo: Todo,
    pub(super) terms: TermChange,
    pub(super) quota: Quota,
    pub(super) change: Option<Change>,
}

pub(super) struct Replacement {
    pub(super) before: Version,
    pub(super) todo: Todo,
    pub(super) terms: TermChange,
    pub(super) quota: Quota,
    pub(super) change: Option<Change>,
}

pub(super) struct Removal {
    pub(super) workspace: WorkspaceId,
    pub(super) id: TodoId,
    pub(super) before: Version,
    pub(super) terms: TermChange,
    pub(super) change: Option<Change>,
}

impl Write {
    pub(super) fn workspace(&self) -> &WorkspaceId {
        match self {
            Self::Insert(Insertion { todo, .. }) | Self::Save(Replacement { todo, .. }) => {
                todo.workspace()
            }
            Self::Remove(Removal { workspace, .. }) => workspace,
        }
    }

    /// The key of its workspace in the database.
    pub(super) fn key(&self) -> &[u8] {
        Self::workspace(self).as_str().as_bytes()
    }

    pub(super) fn query(&self) -> Query {
        match self {
            Self::Insert(_) => Query::Insert,
            Self::Save(_) => Query::Save,
            Self::Remove(_) => Query::Remove,
        }
    }

    pub(super) fn parameters(&self) -> Vec<Parameter<'_>> {
        match self {
            Self::Insert(insertion) => insertion.parameters(),
            Self::Save(replacement) => replacement.parameters(),
            Self::Remove(removal) => removal.parameters(),
        }
    }
}

impl Work for Write {
    /// The number that it has in its workspace, if it had its effect. Otherwise it was refused because of what
    /// is stored.
    type Output = Option<ChangeNumber>;

    fn is_a_read(&self) -> bool {
        false
    }

    fn workspace(&self) -> Option<&[u8]> {
        Some(self.key())
    }

    async fn on(&self, session: &mut Session) -> Result<Self::Output, Error> {
        if session.has_citus() {
            let transaction = session.transaction().await?;
            let number = match self {
                Self::Insert(insertion) => insertion.run(&transaction).await?,
                Self::Save(replacement) => replacement.run_in_parts(&transaction).await?,
                Self::Remove(removal) => removal.run_in_parts(&transaction).await?,
            };
            if number.is_some() {
                transaction.commit().await?;
            }
            return Ok(number);
        }
        number(session.query(self.query(), &self.parameters()).await)
    }
}

impl Insertion {
    pub(super) fn new(permit: &WritePermit, todo: &Todo) -> Self {
        Self {
            todo: todo.clone(),
            terms: TermChange::adding(todo),
            quota: permit.quota(),
            change: permit.remembers().then(|| Change::created(permit, todo)),
        }
    }

    /// Adds a todo, in a transaction that is rolled back if it was not added. Returns the number of the
    /// write: otherwise its id is taken, or the workspace does not take it.
    pub(super) async fn run(
        &self,
        transaction: &Transaction<'_>,
    ) -> Result<Option<ChangeNumber>, Error> {
        if !transaction.has_citus() {
            return number(transaction.query(Query::Insert, &self.parameters()).await);
        }
        let Self { todo, terms, quota, change } = self;
        let all_bytes = todo.bytes() + change.as_ref().map_or(0, Change::bytes);
        if quota.bytes.is_some_and(|limit| all_bytes > limit.get()) {
            return Ok(None);
        }
        let [bytes, minted] = row::counted(todo);
        let [todos_limit, bytes_limit] = [quota.todos, quota.bytes].map(limit);
        let change_bytes = change_row::bytes(change.as_ref());
        let head =
            [row::key(todo.workspace()), bytes, minted, todos_limit, bytes_limit, change_bytes];
        let admitted = transaction.query(Query::AdmitToHead, &head).await?;
        let Some(head) = admitted.first() else { return Ok(None) };
        if transaction.query(Query::Load, &row::values(todo)).await?.is_empty() {
            return Ok(None);
        }
        let change = remember(transaction, todo.workspace(), head, change.as_ref());
        try_join(terms::add(transaction, todo, &terms.added), change).await?;
        number_of(head).map(Some)
    }

    /// Those of [`Query::Insert`].
    fn parameters(&self) -> Vec<Parameter<'_>> {
        let Self { todo, terms, quota, change } = self;
        let counted = row::values(todo).into_iter().chain(row::counted(todo));
        let limits = [quota.todos, quota.bytes].map(limit);
        let terms = [Parameter::Terms(&terms.added)];
        counted.chain(limits).chain(terms).chain(created(change.as_ref())).collect()
    }
}

/// The parameters of [`Query::InsertAll`]. All have the quota of the first.
pub(super) fn all_inserted<'a>(insertions: &[&'a Insertion]) -> Vec<Parameter<'a>> {
    let todos = columns(insertions.iter().map(|it| row::values(&it.todo)));
    let counted = columns(insertions.iter().map(|it| row::counted(&it.todo)));
    let changes = columns(insertions.iter().map(|it| created(it.change.as_ref())));
    let terms = insertions.iter().map(|it| terms::lines(&it.terms.added)).collect();
    let quota = insertions.first().map_or(Quota::OFF, |it| it.quota);
    let limits = [quota.todos, quota.bytes].map(limit);
    let terms = [Parameter::Array(terms)];
    todos.into_iter().chain(counted).chain(limits).chain(terms).chain(changes).collect()
}

/// What [`Query::Insert`] stores of a change beside what it stores of the todo.
fn created(change: Option<&Change>) -> [Parameter<'_>; 5] {
    let [subject, organization, client] = change_row::author(change);
    let [_, after] = change_row::before_and_after(change);
    [change_row::bytes(change), subject, organization, client, after]
}

impl Replacement {
    pub(super) fn new(permit: &WritePermit, before: &Todo, after: &Todo) -> Self {
        Self {
            before: before.version(),
            todo: after.clone(),
            terms: TermChange::between(before, after),
            quota: permit.quota(),
            change: permit.remembers().then(|| Change::updated(permit, before, after)),
        }
    }

    /// Runs in a transaction that is rolled back if it had no effect.
    async fn run_in_parts(
        &self,
        transaction: &Transaction<'_>,
    ) -> Result<Option<ChangeNumber>, Error> {
        let Self { todo, terms, change, .. } = self;
        let item: Vec<_> = self.item().collect();
        let saved = transaction.query(Query::SaveItem, &item).await?;
        let Some(head) = saved.first() else { return Ok(None) };
        try_join3(
            terms::remove(transaction, todo, &terms.removed),
            terms::add(transaction, todo, &terms.added),
            remember(transaction, todo.workspace(), head, change.as_ref()),
        )
        .await?;
        number_of(head).map(Some)
    }

    /// The parameters of [`Query::SaveItem`].
    fn item(&self) -> impl Iterator<Item = Parameter<'_>> {
        let Self { before, todo, terms: _, quota, change } = self;
        let before = Parameter::Number(Some(before.as_i64()));
        let bytes = Parameter::Number(Some(todo.bytes().cast_signed()));
        let change = change.as_ref();
        // Without a change, a todo that becomes no longer is taken whatever the quota.
        let most = change.and(quota.bytes).map(Quota::with_reserve);
        let counted = [before, bytes, limit(quota.bytes), change_row::bytes(change), limit(most)];
        row::values(todo).into_iter().chain(counted)
    }

    fn parameters(&self) -> Vec<Parameter<'_>> {
        let change = self.change.as_ref();
        let terms = [&self.terms.removed, &self.terms.added].map(|terms| Parameter::Terms(terms));
        let author = change_row::author(change);
        let fields = change_row::before_and_after(change);
        self.item().chain(terms).chain(author).chain(fields).collect()
    }
}

impl Removal {
    pub(super) fn new(permit: &WritePermit, todo: &Todo, at: Instant) -> Self {
        Self {
            workspace: permit.workspace().clone(),
            id: todo.id(),
            before: todo.version(),
            terms: TermChange::removing(todo),
            change: permit.remembers().then(|| Change::deleted(permit, todo, at)),
        }
    }

    async fn run_in_parts(
        &self,
        transaction: &Transaction<'_>,
    ) -> Result<Option<ChangeNumber>, Error> {
        let removed = transaction.query(Query::RemoveItem, &self.item()).await?;
        let Some(head) = removed.first() else { return Ok(None) };
        remember(transaction, &self.workspace, head, self.change.as_ref()).await?;
        number_of(head).map(Some)
    }

    /// The parameters of [`Query::RemoveItem`].
    fn item(&self) -> [Parameter<'_>; 5] {
        let Self { workspace, id, before, terms, change } = self;
        [
            row::key(workspace),
            Parameter::Id(*id),
            Parameter::Number(Some(before.as_i64())),
            Parameter::Terms(&terms.removed),
            change_row::bytes(change.as_ref()),
        ]
    }

    fn parameters(&self) -> Vec<Parameter<'_>> {
        let change = self.change.as_ref();
        let author = change_row::author(change);
        let [before, _] = change_row::before_and_after(change);
        let at = Parameter::Number(change.map(|change| change.at.as_unix_millis()));
        self.item().into_iter().chain(author).chain([before, at]).collect()
    }
}

/// Stores a change, if there is one, with the number of this row of its head.
async fn remember(
    transaction: &Transaction<'_>,
    workspace: &WorkspaceId,
    head: &Row,
    change: Option<&Change>,
) -> Result<(), Error> {
    let Some(change) = change else { return Ok(()) };
    NewChange::single(workspace, number_of(head)?, change).add(transaction).await
}

/// The number of a write, from the row of its head.
pub(super) fn number_of(head: &Row) -> Result<ChangeNumber, Error> {
    Ok(ChangeNumber::ZERO.plus(head.try_get("last_number")?))
}

/// A limit as a number that is compared.
fn limit(limit: Option<NonZeroU64>) -> Parameter<'static> {
    let limit = limit.map_or(i64::MAX, |limit| i64::try_from(limit.get()).unwrap_or(i64::MAX));
    Parameter::Number(Some(limit))
}

/// The number of a write that had its effect, from what its statement returned: a row, or that the id is taken.
fn number(answer: Result<Vec<Row>, Error>) -> Result<Option<ChangeNumber>, Error> {
    match answer {
        Ok(rows) => rows.first().map(number_of).transpose(),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}
