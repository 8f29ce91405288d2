//! Finding todos through the terms that stores keep of them.

use todo_domain::{ReadPermit, TermRange, Todo, TodoId};

use crate::error::StorageFailure;
use crate::ports::{IdsByTerm, TodoRepository};

/// The todos of a workspace that have some terms, in the order of their ids, and some others, so that each has to
/// be checked.
pub(super) struct ByTerms<'a> {
    pub(super) repository: &'a dyn TodoRepository,
    pub(super) permit: &'a ReadPermit,
    /// Each todo has a term of one of the ranges of each.
    wanted: Vec<Vec<TermRange>>,
    /// How many ids are still looked up, in chunks.
    chunks: usize,
}

/// A part of the ids, in their order.
pub(super) struct Ids {
    pub(super) ids: Vec<TodoId>,
    /// Where the part ends; `None` at the end.
    pub(super) stopped_at: Option<TodoId>,
}

impl<'a> ByTerms<'a> {
    /// How many ids are looked up at a time if each has to have several terms.
    const CHUNK: usize = 256;

    /// How many chunks of them a page looks up.
    const CHUNKS: usize = 64;

    pub(super) fn new(
        repository: &'a dyn TodoRepository,
        permit: &'a ReadPermit,
        wanted: Vec<Vec<TermRange>>,
    ) -> Self {
        Self { repository, permit, wanted, chunks: Self::CHUNKS }
    }

    /// Whether terms lead to the todos. They do not if there are too many of each.
    pub(super) fn can_lead(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// At most `limit` ids after one. `None` if terms do not lead to them.
    pub(super) async fn ids(
        &mut self,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<Ids>, StorageFailure> {
        let mut found = Ids { ids: Vec::new(), stopped_at: after };
        loop {
            let Some(next) = self.look_up(found.stopped_at, limit).await? else { return Ok(None) };
            found.ids.extend(next.ids);
            found.stopped_at = next.stopped_at;
            if found.ids.len() > limit {
                found.ids.truncate(limit);
                found.stopped_at = found.ids.last().copied();
            }
            if found.stopped_at.is_none() || found.ids.len() >= limit || self.is_spent() {
                return Ok(Some(found));
            }
        }
    }

    /// Whether no more ids are to be looked up for this page.
    pub(super) fn is_spent(&self) -> bool {
        self.chunks < self.wanted.len()
    }

    /// Looks up ids of all once.
    async fn look_up(
        &mut self,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<Ids>, StorageFailure> {
        let mut found: Vec<IdsByTerm> = Vec::with_capacity(self.wanted.len());
        while let Some(ranges) = self.wanted.get(found.len()) {
            let limit = if self.wanted.len() > 1 { limit.max(Self::CHUNK) } else { limit };
            self.chunks = self.chunks.saturating_sub(limit.div_ceil(Self::CHUNK));
            match self.repository.ids_by_term(self.permit, ranges, after, limit).await? {
                Some(IdsByTerm { ids, through: None }) if ids.is_empty() => {
                    return Ok(Some(Ids { ids, stopped_at: None }));
                }
                Some(ids) => found.push(ids),
                // Of so many terms that the word selects little: the others lead to the todos.
                None => drop(self.wanted.remove(found.len())),
            }
        }
        Ok(intersection(found))
    }

    /// At most so many of all todos, if they are not more.
    pub(super) async fn all(&mut self, limit: usize) -> Result<Option<Vec<Todo>>, StorageFailure> {
        match self.ids(None, limit).await? {
            Some(Ids { ids, stopped_at: None }) => Ok(Some(self.todos(&ids).await?)),
            _ => Ok(None),
        }
    }

    /// Those that exist.
    pub(super) async fn todos(&self, ids: &[TodoId]) -> Result<Vec<Todo>, StorageFailure> {
        Ok(self.repository.find_all(self.permit, ids).await?)
    }
}

/// The ids of one look-up that are not known to be missing in another. It is the one whose ids reach farthest, and
/// so the one with the fewest. `None` if there is none.
fn intersection(mut found: Vec<IdsByTerm>) -> Option<Ids> {
    let reach = |it: &IdsByTerm| (it.through.is_none(), it.through);
    let farthest = (0..found.len()).max_by_key(|place| reach(&found[*place]))?;
    let IdsByTerm { mut ids, through } = found.swap_remove(farthest);
    ids.retain(|id| {
        let is_beyond = |other: &IdsByTerm| other.through.is_some_and(|through| *id > through);
        found.iter().all(|other| is_beyond(other) || other.ids.binary_search(id).is_ok())
    });
    Some(Ids { ids, stopped_at: through })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u8]) -> Vec<TodoId> {
        numbers.iter().map(|number| id(*number)).collect()
    }

    fn id(number: u8) -> TodoId {
        TodoId::from_bytes(u128::from(number).to_be_bytes())
    }

    #[test]
    fn the_rarest_leads_and_the_others_only_exclude() {
        type Case = (&'static [(&'static [u8], Option<u8>)], &'static [u8], Option<u8>);
        let cases: [Case; 6] = [
            (&[(&[1, 2, 3], Some(3))], &[1, 2, 3], Some(3)),
            (&[(&[1, 2, 3], Some(3)), (&[2, 9], Some(9))], &[2, 9], Some(9)),
            (&[(&[1, 2, 3], Some(3)), (&[2, 9], None)], &[2, 9], None),
            (&[(&[1, 2, 3], Some(3)), (&[9], None), (&[2, 3, 4], Some(4))], &[9], None),
            (&[(&[1, 2, 3], Some(3)), (&[7, 8], Some(8))], &[7, 8], Some(8)),
            (&[(&[1, 2, 3], Some(3)), (&[2], Some(2)), (&[1, 3], Some(3))], &[3], Some(3)),
        ];
        for (found, expected, stopped_at) in cases {
            let by_term = |(numbers, through): &(&[u8], Option<u8>)| IdsByTerm {
                ids: ids(numbers),
                through: through.map(id),
            };
            let common = intersection(found.iter().map(by_term).collect()).unwrap();
            assert_eq!(common.ids, ids(expected), "{found:?}");
            assert_eq!(common.stopped_at, stopped_at.map(id), "{found:?}");
        }
        assert!(intersection(Vec::new()).is_none());
    }
}
