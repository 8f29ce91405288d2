//! The statements of a group. One adds the todos of many workspaces, as a statement costs more than what it
//! inserts.

use std::collections::HashMap;

use todo_application::domain::{ChangeNumber, WorkspaceId};
use tokio_postgres::{Error, Row};

use super::super::parameter::Parameter;
use super::super::queries::Query;
use super::super::write::{self, Insertion, Write};

pub(super) struct Statements<'a> {
    pub(super) list: Vec<(Query, Vec<Parameter<'a>>)>,
    /// The writes of each statement, as places in the group.
    places: Vec<Vec<usize>>,
}

impl<'a> Statements<'a> {
    /// Of writes of which those of a workspace are in a row. They stay in their order.
    pub(super) fn of(writes: &[&'a Write]) -> Self {
        let (list, places) = Default::default();
        let mut statements = Self { list, places };
        for round in rounds(writes) {
            statements.add_round(writes, round);
        }
        statements
    }

    /// Adds writes to different workspaces.
    fn add_round(&mut self, writes: &[&'a Write], round: Vec<usize>) {
        let quota = round.iter().find_map(|place| insertion(writes[*place])).map(|it| it.quota);
        let (mut together, mut apart): (Vec<_>, Vec<_>) = round
            .into_iter()
            .partition(|place| insertion(writes[*place]).is_some_and(|it| Some(it.quota) == quota));
        if together.len() == 1 {
            apart.append(&mut together);
        }
        if !together.is_empty() {
            // So that two servers do not wait for each other's locks.
            together.sort_by_key(|place| writes[*place].key());
            let added: Vec<_> =
                together.iter().filter_map(|place| insertion(writes[*place])).collect();
            self.list.push((Query::InsertAll, write::all_inserted(&added)));
            self.places.push(together);
        }
        for place in apart {
            self.list.push((writes[place].query(), writes[place].parameters()));
            self.places.push(vec![place]);
        }
    }

    /// The number of each write that had its effect, from the rows of each statement.
    pub(super) fn numbers(
        &self,
        writes: &[&Write],
        rows: &[Vec<Row>],
    ) -> Result<Vec<Option<ChangeNumber>>, Error> {
        let mut numbers = vec![None; writes.len()];
        for (places, rows) in self.places.iter().zip(rows) {
            if let [place] = places[..] {
                numbers[place] = rows.first().map(write::number_of).transpose()?;
                continue;
            }
            let workspaces = rows.iter().map(|row| Ok((row.try_get(1)?, write::number_of(row)?)));
            let workspaces = workspaces.collect::<Result<HashMap<&[u8], _>, Error>>()?;
            for place in places {
                numbers[*place] = workspaces.get(writes[*place].key()).copied();
            }
        }
        Ok(numbers)
    }
}

/// The places of the first writes of all workspaces, then of the second ones, and so on.
fn rounds(writes: &[&Write]) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut last: Option<(&WorkspaceId, usize)> = None;
    for (place, write) in writes.iter().enumerate() {
        let round = match last {
            Some((workspace, round)) if workspace == write.workspace() => round + 1,
            _ => 0,
        };
        if round == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[round].push(place);
        last = Some((write.workspace(), round));
    }
    rounds
}

fn insertion(write: &Write) -> Option<&Insertion> {
    match write {
        Write::Insert(insertion) => Some(insertion),
        Write::Save(_) | Write::Remove(_) => None,
    }
}
