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

    /// How many ids of each term a store looks up for `limit` in all.
    pub const fn limit_of_each(limit: usize, terms: usize) -> usize {
        /// If one term has most of them, a few of it are too few.
        const MIN: usize = 8;
        let share = if terms > 1 { 2 * limit / terms } else { limit };
        if share > MIN { share } else { MIN }
    }

    /// Of the ids of each term, in their order. Where `limit` are given, there may be more.
    pub fn merge(of_terms: impl IntoIterator<Item = Vec<TodoId>>, limit: usize) -> Self {
        let (mut ids, mut through) = (Vec::new(), None);
        for of_term in of_terms {
            if of_term.len() >= limit {
                let last = of_term.last().copied();
                through = through.into_iter().chain(last).min();
            }
            ids.extend(of_term);
        }
        ids.retain(|id| through.is_none_or(|through| *id <= through));
        ids.sort_unstable();
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
    fn merged_ids_are_complete_until_the_first_term_that_may_have_more() {
        for (of_terms, merged, through) in [
            (vec![], &[][..], None),
            (vec![&[1, 5][..], &[2]], &[1, 2, 5], None),
            (vec![&[1, 5], &[1, 5, 7]], &[1, 5, 7], Some(7)),
            (vec![&[1, 5, 9], &[2, 3, 4], &[8]], &[1, 2, 3, 4], Some(4)),
        ] {
            let found = IdsByTerm::merge(of_terms.iter().map(|of_term| ids(of_term)), 3);
            let through = through.map(|number| TodoId::from_bytes([number; 16]));
            assert_eq!(found, IdsByTerm { ids: ids(merged), through }, "{of_terms:?}");
        }
    }

    #[test]
    fn each_of_many_terms_gets_a_share_of_the_limit() {
        assert_eq!(IdsByTerm::limit_of_each(51, 1), 51);
        assert_eq!(IdsByTerm::limit_of_each(51, 4), 25);
        assert_eq!(IdsByTerm::limit_of_each(51, 64), 8);
    }
}
