use std::collections::VecDeque;

use tokio_postgres::{Client, Error};

/// The heads of the workspaces after `$1`.
const HEADS: &str = "\
    SELECT workspace, todos FROM todo_heads WHERE workspace > $1 ORDER BY workspace LIMIT 1000";

/// Where pages of todos may end, from the numbers of todos in the heads of workspaces. These need not be
/// right: a page that ends too early is short, and one that ends too late is slow.
#[derive(Default)]
pub(super) struct PageEnds {
    /// Those of the next workspaces.
    heads: VecDeque<(Vec<u8>, usize)>,
    /// The last workspace whose head was read.
    read: Vec<u8>,
    are_all_read: bool,
}

impl PageEnds {
    /// Forgets a workspace, and those before it, as their todos are read.
    pub(super) fn pass(&mut self, workspace: &[u8]) {
        while self.heads.front().is_some_and(|(head, _)| head.as_slice() <= workspace) {
            self.heads.pop_front();
        }
    }

    /// The workspace until which there are `limit` todos. The todos before `workspace` are read. `None` if
    /// there are fewer.
    pub(super) async fn next(
        &mut self,
        client: &Client,
        workspace: &[u8],
        limit: usize,
    ) -> Result<Option<Vec<u8>>, Error> {
        while self.heads.front().is_some_and(|(head, _)| head.as_slice() < workspace) {
            self.heads.pop_front();
        }
        loop {
            let mut todos = 0;
            for (head, count) in &self.heads {
                todos += count;
                if todos >= limit {
                    return Ok(Some(head.clone()));
                }
            }
            if self.are_all_read {
                return Ok(None);
            }
            let rows = client.query(HEADS, &[&self.read]).await?;
            self.are_all_read = rows.is_empty();
            for row in rows {
                let count = usize::try_from(row.try_get::<_, i64>(1)?).unwrap_or(0);
                self.heads.push_back((row.try_get(0)?, count));
            }
            if let Some((last, _)) = self.heads.back() {
                self.read.clone_from(last);
            }
        }
    }
}
