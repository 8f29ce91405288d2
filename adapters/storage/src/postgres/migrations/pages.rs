//! All todos, a page at a time, for migrations that add what is computed from them.

use todo_application::domain::{Todo, TodoId};
use tokio_postgres::{Error, Statement, Transaction};

use super::super::parameter::{Parameter, to_sql};
use super::super::row::{self, select};

const PAGE: &str =
    select!(workspace, "WHERE (workspace, id) > ($1, $2) ORDER BY workspace, id LIMIT 2000");

/// The todos in the order of workspace and id, without those that cannot be read.
pub(super) struct Pages<'a> {
    transaction: &'a Transaction<'a>,
    page: Statement,
    /// The key of the last row that was read. No workspace key is empty: every todo sorts after the first.
    last: (Vec<u8>, TodoId),
}

impl<'a> Pages<'a> {
    pub(super) async fn new(transaction: &'a Transaction<'a>) -> Result<Self, Error> {
        let page = transaction.prepare(PAGE).await?;
        Ok(Self { transaction, page, last: (Vec::new(), TodoId::from_bytes([0; 16])) })
    }

    /// `None` after the last page.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Todo>>, Error> {
        let (workspace, id) = (Parameter::Bytes(&self.last.0), Parameter::Id(self.last.1));
        let rows = self.transaction.query(&self.page, &to_sql(&[workspace, id])).await?;
        let Some(row) = rows.last() else { return Ok(None) };
        self.last = (row.try_get(13)?, TodoId::from_uuid(row.try_get(0)?));
        Ok(Some(rows.iter().filter_map(|row| row::read_any(row).ok()).collect()))
    }
}
