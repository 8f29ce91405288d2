use todo_domain::TodoId;

/// Ids of todos that have a term of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdsByTerm {
    /// Sorted, each once.
    pub ids: Vec<TodoId>,
    /// Until where they are complete, which is at least the last of them; `None` if there are no more.
    pub through: Option<TodoId>,
}

impl IdsByTerm {
    /// The most terms of which the ids are looked up.
    pub const MAX_TERMS: usize = 64;

    /// How many ids of each term a store looks up first for `limit` in all. Of those that have more, it looks up
    /// the rest, up to the `limit`th of all that it has then.
    pub const fn first_of_each(limit: usize, terms: usize) -> usize {
        const MIN: usize = 8;
        let share = if terms > 2 { 2 * limit / terms } else { limit };
        let least = if MIN < limit { MIN } else { limit };
        if share > least { share } else { least }
    }

    /// Of the first `limit` ids of each term, or of all that are among the first `limit` of all terms.
    pub fn merge(of_terms: impl IntoIterator<Item = Vec<TodoId>>, limit: usize) -> Self {
        let mut ids: Vec<_> = of_terms.into_iter().flatten().collect();
        ids.sort_unstable();
        ids.truncate(limit);
        let through = ids.last().copied().filter(|_| ids.len() >= limit);
        ids.dedup();
        Self { ids, through }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u8]) -> Vec<TodoId> {
        numbers.iter().map(|number| TodoId::from_bytes([*number; 16])).collect()
    }

    #[test]
    fn merged_ids_are_complete_until_the_last_of_so_many() {
        for (of_terms, merged, through) in [
            (vec![], &[][..], None),
            (vec![&[1, 5][..], &[2]], &[1, 2, 5], None),
            (vec![&[1, 5][..], &[2, 7]], &[1, 2, 5, 7], Some(7)),
            (vec![&[1, 5], &[1, 5, 7]], &[1, 5], Some(5)),
            (vec![&[1, 5, 9], &[2, 3, 4], &[8]], &[1, 2, 3, 4], Some(4)),
        ] {
            let found = IdsByTerm::merge(of_terms.iter().map(|of_term| ids(of_term)), 4);
            let through = through.map(|number| TodoId::from_bytes([number; 16]));
            assert_eq!(found, IdsByTerm { ids: ids(merged), through }, "{of_terms:?}");
        }
    }

    #[test]
    fn each_of_many_terms_gets_a_share_of_the_limit() {
        assert_eq!(IdsByTerm::first_of_each(51, 1), 51);
        assert_eq!(IdsByTerm::first_of_each(51, 2), 51);
        assert_eq!(IdsByTerm::first_of_each(51, 4), 25);
        assert_eq!(IdsByTerm::first_of_each(51, 64), 8);
        assert_eq!(IdsByTerm::first_of_each(3, 64), 3);
    }
}
