use todo_domain::{Label, ReadAction, Term, TermRange};

use super::use_cases::Todos;
use crate::error::{StorageFailure, SuggestError};
use crate::ports::Principal;

/// Labels that begin with what a person has typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSuggestions {
    /// Each once, in one of the ways in which it is written, in the order of their [keys](Label::key).
    pub labels: Vec<Label>,
    /// Whether there may be more.
    pub more: bool,
}

impl Todos {
    /// Returns at most `limit` labels that todos of the caller's workspace have, done ones too, and that begin
    /// with what a person has typed, whatever its case.
    pub async fn suggest_labels(
        &self,
        principal: &dyn Principal,
        typed: &str,
        limit: usize,
    ) -> Result<LabelSuggestions, SuggestError> {
        let permit = self.permit_to_read(principal, ReadAction::List)?;
        let terms = self.repository.terms(&permit, &TermRange::of_labels(typed), limit + 1).await;
        let terms = terms.map_err(StorageFailure::from)?;
        let more = terms.len() > limit;
        let mut labels: Vec<Label> = terms.iter().take(limit).filter_map(Term::label).collect();
        // The ways in which one is written are neighbours.
        labels.dedup_by_key(|label| label.key());
        Ok(LabelSuggestions { labels, more })
    }
}
