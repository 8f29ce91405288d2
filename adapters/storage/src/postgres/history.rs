//! Reading what is remembered of writes, and forgetting it.

mod erasure;
mod forgetting;

use async_trait::async_trait;
use todo_application::domain::{
    ChangeNumber, Instant, OperatorPermit, ReadPermit, Recorded, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeRef, Direction, Erased, Forgotten, HistoryPart, Span, StorageError, TodoHistory,
};
use tokio_postgres::{Error, Row};

use super::change_row;
use super::failure::Failure;
use super::parameter::Parameter;
use super::queries::Query;
use super::repository::PostgresTodoRepository;
use super::row;

/// How many changes of a batch are read at once: more than most have.
const PAGE: usize = 64;

#[async_trait]
impl TodoHistory for PostgresTodoRepository {
    async fn changes(&self, permit: &ReadPermit, span: &Span) -> Result<HistoryPart, StorageError> {
        self.part_of(permit.workspace(), span).await
    }

    async fn find_changes(
        &self,
        permit: &WritePermit,
        changes: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError> {
        match changes {
            ChangeRef::One(number) => {
                let numbers = [number.as_i64()];
                let found = [row::key(permit.workspace()), Parameter::Numbers(&numbers)];
                let rows = self.connections.run(Query::FindChanges, &found).await?;
                rows.iter().filter_map(|row| change_row::read(row).transpose()).collect()
            }
            ChangeRef::Batch(first) => self.batch(permit.workspace(), first).await,
        }
    }

    async fn forget(
        &self,
        _: &OperatorPermit,
        until: Instant,
        after: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError> {
        forgetting::forget(&self.connections, until, after).await
    }

    async fn erase(
        &self,
        _: &OperatorPermit,
        workspace: &WorkspaceId,
    ) -> Result<Erased, StorageError> {
        Ok(erasure::erase(&self.connections, workspace).await?)
    }
}

impl PostgresTodoRepository {
    async fn part_of(
        &self,
        workspace: &WorkspaceId,
        span: &Span,
    ) -> Result<HistoryPart, StorageError> {
        let is_negated = span.todo.is_some() || span.deletions;
        let place = match span.direction {
            Direction::Back(None) if is_negated => i64::MIN,
            Direction::Back(None) => i64::MAX,
            Direction::Back(Some(number)) | Direction::On(number) if is_negated => -number.as_i64(),
            Direction::Back(Some(number)) | Direction::On(number) => number.as_i64(),
        };
        let mut wanted = vec![
            row::key(workspace),
            Parameter::Number(Some(place)),
            Parameter::Number(Some(i64::try_from(span.limit).unwrap_or(i64::MAX))),
        ];
        wanted.extend(span.todo.map(Parameter::Id));
        let rows = self.connections.run(Query::changes(span), &wanted).await?;

        let (latest, forgotten) =
            rows.first().map_or(Ok((0, 0)), numbers).map_err(Failure::from)?;
        let changes = rows.iter().filter_map(|row| change_row::read(row).transpose());
        let mut changes = changes.collect::<Result<Vec<_>, _>>()?;
        changes.sort_by_key(|it| it.number);
        if matches!(span.direction, Direction::Back(_)) {
            changes.reverse();
        }
        let number = |number| ChangeNumber::ZERO.plus(number);
        Ok(HistoryPart { changes, latest: number(latest), forgotten: number(forgotten) })
    }

    /// Reads on until a change is of another call.
    async fn batch(
        &self,
        workspace: &WorkspaceId,
        first: ChangeNumber,
    ) -> Result<Vec<Recorded>, StorageError> {
        let mut batch: Vec<Recorded> = Vec::new();
        loop {
            let last = batch.last().map_or(first.plus(-1), |it| it.number);
            let direction = Direction::On(last);
            let span = Span { direction, todo: None, deletions: false, limit: PAGE };
            let found = self.part_of(workspace, &span).await?.changes;
            let own = found.into_iter().take_while(|it| it.batch == Some(first));
            let before = batch.len();
            batch.extend(own);
            if batch.len() < before + PAGE {
                return Ok(batch);
            }
        }
    }
}

/// What the head says in a row with a change.
fn numbers(row: &Row) -> Result<(i64, i64), Error> {
    Ok((row.try_get("last_number")?, row.try_get("forgotten")?))
}
