//! What migrations add that is computed from todos.

use todo_application::domain::{Change, ChangeNumber, Instant, Term, Todo, WorkspaceId};
use tokio_postgres::{Error, Transaction};

use super::super::change_row::{self, NewChange};
use super::super::terms;
use super::pages::Pages;

/// Adds some terms of all todos, of which there are none yet.
pub(super) async fn add_terms(
    transaction: &Transaction<'_>,
    terms_of: fn(&Todo) -> Vec<Term>,
) -> Result<(), Error> {
    let mut pages = Pages::new(transaction).await?;
    while let Some(todos) = pages.next().await? {
        terms::copy(transaction.copy_in(terms::COPY).await?, todos.iter(), terms_of).await?;
    }
    Ok(())
}

/// Adds a change for each todo, unless a server has written changes by now or has left some out.
///
/// Each workspace has as many writes as todos at least, so none of their numbers is given again.
pub(super) async fn add_baselines(transaction: &Transaction<'_>) -> Result<(), Error> {
    const HAS_CHANGES: &str = "\
        SELECT EXISTS (SELECT 1 FROM todo_changes) \
               OR EXISTS (SELECT 1 FROM todo_heads WHERE forgotten > 0)";
    const NOW: &str = "SELECT (extract(epoch FROM now()) * 1000)::bigint";
    const COUNT: &str = "\
        UPDATE todo_heads SET history_bytes = total.bytes \
        FROM (SELECT workspace, sum(bytes)::bigint AS bytes FROM todo_changes GROUP BY workspace) \
             AS total \
        WHERE total.workspace = todo_heads.workspace";
    if transaction.query_one(HAS_CHANGES, &[]).await?.try_get(0)? {
        return Ok(());
    }
    let now = transaction.query_one(NOW, &[]).await?.try_get(0)?;
    // A clock that is before 1970.
    let now = Instant::from_unix_millis(now).unwrap_or(Instant::UNIX_EPOCH);
    let mut pages = Pages::new(transaction).await?;
    let mut last: Option<(WorkspaceId, ChangeNumber)> = None;
    while let Some(todos) = pages.next().await? {
        let mut numbered = Vec::with_capacity(todos.len());
        for todo in &todos {
            let last_number = match &last {
                Some((workspace, number)) if workspace == todo.workspace() => *number,
                _ => ChangeNumber::ZERO,
            };
            let number = last_number.plus(1);
            last = Some((todo.workspace().clone(), number));
            numbered.push((todo.workspace(), number, Change::baseline(todo, now)));
        }
        let changes = numbered.iter().map(|(workspace, number, change)| NewChange {
            workspace,
            number: *number,
            change,
            batch: None,
            undoes: None,
        });
        change_row::copy(transaction.copy_in(change_row::COPY).await?, changes).await?;
    }
    transaction.execute(COUNT, &[]).await.map(drop)
}
