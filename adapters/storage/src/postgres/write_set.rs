//! Writes that are made together. The transaction locks what they are about, and reads it; what becomes of that is
//! decided here, and written all at once.

mod plan;

use futures_util::future::{try_join, try_join_all, try_join3};
use todo_application::domain::{ChangeNumber, TermChange, TodoId, WritePermit};
use todo_application::ports::{
    CallRequest, CreationRequest, EarlierCall, StorageError, TodoWrite, WriteSet, WriteSetError,
    Written,
};
use tokio_postgres::{Error, Row};

use super::change_row::{self, NewChange};
use super::connections::Work;
use super::creations::{self, Entry};
use super::failure::Failure;
use super::parameter::{Parameter, columns};
use super::queries::Query;
use super::session::{Session, Transaction};
use super::{row, terms};
use plan::{Found, Plan};

/// A transaction that makes all writes of a set, or none.
pub(super) struct WriteAll<'a> {
    pub(super) permit: &'a WritePermit,
    /// The [key](todo_application::domain::CallerId::key) of the caller.
    pub(super) caller: String,
    pub(super) set: &'a WriteSet,
}

impl Work for WriteAll<'_> {
    type Output = Result<Written, WriteSetError>;

    fn is_a_read(&self) -> bool {
        false
    }

    fn workspace(&self) -> Option<&[u8]> {
        Some(self.permit.workspace().as_str().as_bytes())
    }

    async fn on(&self, session: &mut Session) -> Result<Self::Output, Error> {
        let transaction = session.transaction().await?;
        let rows = self.find(&transaction).await?;
        // If nothing is to be written, dropping the transaction rolls back what is remembered.
        let found = match self.read(&rows) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error.into())),
        };
        if let Some(earlier) = found.earlier_call {
            return Ok(Ok(Written::Earlier(earlier)));
        }
        let plan = match Plan::of(self.permit, self.set, found) {
            Ok(plan) => plan,
            Err((place, refusal)) => return Ok(Err(WriteSetError::Refused { place, refusal })),
        };
        if self.set.is_trial {
            return Ok(Ok(Written::Now(plan.first)));
        }
        let forget = creations::forget(&transaction, self.permit.workspace(), &rows.expired);
        try_join(self.write(&transaction, &plan), forget).await?;
        transaction.commit().await?;
        Ok(Ok(Written::Now(plan.first)))
    }
}

/// What a set finds in the database.
struct Rows {
    head: Vec<Row>,
    todos: Vec<Row>,
    undone: Vec<Row>,
    /// The earlier ones with the keys that were used before, and the places of the writes that use these. That of
    /// the call has none.
    calls: Vec<(Option<usize>, Vec<Row>)>,
    /// The requests that are to be forgotten.
    expired: Vec<Row>,
}

impl WriteAll<'_> {
    /// Locks and reads what the writes are about, in one round trip unless a key was used before.
    ///
    /// In the order in which other writes lock it: keys, todos, then the head. With that locked, what is read
    /// stays as it is, and the numbers that are given follow each other.
    async fn find(&self, transaction: &Transaction<'_>) -> Result<Rows, Error> {
        let Self { permit, caller: _, set } = self;
        let writes = || set.writes.iter();
        let mut ids: Vec<_> = writes().map(|it| it.write.todo().id()).collect();
        ids.sort_unstable();
        ids.dedup();
        let numbers: Vec<_> =
            writes().filter_map(|it| it.undoes).map(ChangeNumber::as_i64).collect();
        let exist =
            writes().any(|it| matches!(it.write, TodoWrite::Save { .. } | TodoWrite::Remove(_)));
        let requests = self.requests();

        let workspace = || row::key(permit.workspace());
        let todos = [workspace(), Parameter::Ids(&ids)];
        let undone = [workspace(), Parameter::Numbers(&numbers)];
        let expired = creations::expired_before(permit.workspace(), set.at);
        let head = [workspace()];
        let remember =
            async |values: Vec<Parameter<'_>>| transaction.query(Query::Remember, &values).await;
        let remember = requests.iter().map(|(_, entry)| remember(entry.values()));
        // Pipelined, and executed in this order.
        let ((remembered, _, head), (todos, undone, expired)) = try_join(
            try_join3(
                try_join_all(remember),
                transaction.query_if(exist, Query::LockAll, &todos),
                transaction.query(Query::LockHead, &head),
            ),
            try_join3(
                transaction.query(Query::FindAll, &todos),
                transaction.query_if(!numbers.is_empty(), Query::FindChanges, &undone),
                transaction.query_if(!requests.is_empty(), Query::ListExpired, &expired),
            ),
        )
        .await?;

        let used = requests.iter().zip(remembered).filter(|(_, rows)| rows.is_empty());
        let calls = used.map(async |((place, entry), _)| {
            Ok::<_, Error>((*place, transaction.query(Query::FindCreation, &entry.key()).await?))
        });
        let calls = try_join_all(calls).await?;
        Ok(Rows { head, todos, undone, calls, expired })
    }

    /// The requests with a key and the places of their writes, sorted by the key so that two sets do not wait for
    /// each other. The call itself has no place.
    fn requests(&self) -> Vec<(Option<usize>, Entry<'_>)> {
        let Self { permit, caller, set } = self;
        let call = set.call.iter().map(|call| {
            // What came of it is not known yet.
            let CallRequest { key, fingerprint, forget_at, outcome: _ } = call;
            (None, (key, *fingerprint, *forget_at, TodoId::from_bytes([0; 16])))
        });
        let creations = set.writes.iter().enumerate().filter_map(|(place, planned)| {
            let TodoWrite::Insert { todo, request: Some(request) } = &planned.write else {
                return None;
            };
            let CreationRequest { key, fingerprint, forget_at } = request;
            Some((Some(place), (key, *fingerprint, *forget_at, todo.id())))
        });
        let entry = |(place, (key, fingerprint, forget_at, todo))| {
            let (workspace, at) = (permit.workspace(), set.at);
            (place, Entry { workspace, caller, key, fingerprint, todo, at, forget_at })
        };
        let mut requests: Vec<_> = call.chain(creations).map(entry).collect();
        requests.sort_by(|(_, one), (_, other)| one.key.as_str().cmp(other.key.as_str()));
        requests
    }

    fn read(&self, rows: &Rows) -> Result<Found, StorageError> {
        let workspace = self.permit.workspace();
        let head = rows.head.first().map(row::read_head).transpose().map_err(Failure::from)?;
        let todo = |row| row::read(row, workspace).map(|todo| (todo.id(), todo));
        let undone = rows.undone.iter().map(change_row::read);
        let mut found = Found {
            head: head.unwrap_or_default(),
            todos: rows.todos.iter().map(todo).collect::<Result<_, _>>()?,
            undone: undone.filter_map(Result::transpose).collect::<Result<_, _>>()?,
            ..Found::default()
        };
        for (place, rows) in &rows.calls {
            let call = earlier(rows)?;
            match place {
                None => found.earlier_call = Some(call),
                Some(place) => drop(found.earlier.insert(*place, call)),
            }
        }
        Ok(found)
    }

    /// Writes what was decided, in one round trip.
    async fn write(&self, transaction: &Transaction<'_>, plan: &Plan) -> Result<(), Error> {
        let workspace = self.permit.workspace();
        let changes = plan.changes.iter().map(|it| NewChange {
            workspace,
            number: it.number,
            change: &it.change,
            batch: self.set.is_batch.then_some(plan.first),
            undoes: it.undoes,
        });
        let changes: Vec<_> = changes.collect();
        let undone = plan.undone.iter().map(async |(undone, by)| {
            let numbers = [undone, by].map(|number| Parameter::Number(Some(number.as_i64())));
            let [undone, by] = numbers;
            transaction.query(Query::MarkUndone, &[row::key(workspace), undone, by]).await
        });
        let head: Vec<_> = [row::key(workspace)].into_iter().chain(row::head(&plan.head)).collect();
        try_join(
            try_join3(
                put(transaction, plan),
                drop_all(transaction, plan),
                change_terms(transaction, plan),
            ),
            try_join3(
                add_changes(transaction, &changes),
                try_join(try_join_all(undone), self.set_outcome(transaction, plan.first)),
                transaction.query(Query::SetHead, &head),
            ),
        )
        .await
        .map(drop)
    }

    async fn set_outcome(
        &self,
        transaction: &Transaction<'_>,
        first: ChangeNumber,
    ) -> Result<(), Error> {
        let Some(call) = &self.set.call else { return Ok(()) };
        let key = creations::key(self.permit.workspace(), &self.caller, &call.key);
        let outcome = [Parameter::OwnedText(Some(call.stored(first)))];
        let outcome: Vec<_> = key.into_iter().chain(outcome).collect();
        transaction.query(Query::SetOutcome, &outcome).await.map(drop)
    }
}

/// The earlier call of rows of [`Query::FindCreation`].
fn earlier(rows: &[Row]) -> Result<EarlierCall, StorageError> {
    let forgotten = || StorageError::Unavailable(creations::JUST_FORGOTTEN.into());
    rows.first().map_or_else(|| Err(forgotten()), creations::read)
}

/// Adds and replaces todos, without their terms.
async fn put(transaction: &Transaction<'_>, plan: &Plan) -> Result<(), Error> {
    let changed = plan.todos.values().filter(|it| it.before != it.after);
    let todos: Vec<_> = changed.filter_map(|it| it.after.as_ref()).map(row::values).collect();
    match todos.len() {
        0 => return Ok(()),
        1 => {}
        _ if transaction.has_citus() => {}
        _ => return transaction.query(Query::PutItems, &columns(todos)).await.map(drop),
    }
    let put = async |values: &[Parameter<'_>; 14]| transaction.query(Query::PutItem, values).await;
    try_join_all(todos.iter().map(put)).await.map(drop)
}

/// Removes todos, without their terms.
async fn drop_all(transaction: &Transaction<'_>, plan: &Plan) -> Result<(), Error> {
    let removed = plan.todos.values().filter(|it| it.after.is_none());
    let removed = removed.filter_map(|it| it.before.as_ref()).map(async |todo| {
        let key = [row::key(todo.workspace()), Parameter::Id(todo.id())];
        transaction.query(Query::DropItem, &key).await
    });
    try_join_all(removed).await.map(drop)
}

/// Changes the terms of todos.
async fn change_terms(transaction: &Transaction<'_>, plan: &Plan) -> Result<(), Error> {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for plan::Outcome { before, after } in plan.todos.values() {
        let (todo, TermChange { removed, added }) = match (before, after) {
            (Some(before), Some(after)) => (after, TermChange::between(before, after)),
            (None, Some(after)) => (after, TermChange::adding(after)),
            (Some(before), None) => (before, TermChange::removing(before)),
            (None, None) => continue,
        };
        if !removed.is_empty() {
            gone.push((todo, removed));
        }
        new.push((todo, added));
    }
    let gone = gone.iter().map(|(todo, gone)| terms::remove(transaction, todo, gone));
    try_join(try_join_all(gone), terms::add_of_all(transaction, &new)).await.map(drop)
}

async fn add_changes(
    transaction: &Transaction<'_>,
    changes: &[NewChange<'_>],
) -> Result<(), Error> {
    if changes.len() > 1 && !transaction.has_citus() {
        let mut columns = columns(changes.iter().map(NewChange::values));
        // All have the same workspace.
        columns[0] = row::key(changes[0].workspace);
        return transaction.query(Query::AddChanges, &columns).await.map(drop);
    }
    try_join_all(changes.iter().map(|change| change.add(transaction))).await.map(drop)
}
