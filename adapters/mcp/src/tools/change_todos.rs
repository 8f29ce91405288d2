//! Several creates, updates and deletes in one call.

mod change;

use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use todo_application::domain::IdempotencyKey;
use todo_application::{ChangeFailure, MAX_CHANGES, ManyChanges, Outcome, RequestedChange, Todos};

use change::Change;

use super::arguments::Text;
use crate::affected::changed_and_shown;
use crate::failure::IntoFailure;
use crate::principal::CallerPrincipal;
use crate::scopes::WriteTodos;
use crate::view::ManyResults;

pub(crate) struct ChangeTodos(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// 1 to 50, made in this order.
    changes: Changes,
    /// If one fails, make none.
    all_or_nothing: Option<bool>,
    /// Make none; the answer is as if, but its ids do not last.
    dry_run: Option<bool>,
    /// As for `create_todo`, for the whole call.
    idempotency_key: Option<Text<IdempotencyKey>>,
}

#[derive(JsonSchema)]
#[schemars(transparent)]
struct Changes(Vec<Change>);

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let changes = Vec::deserialize(deserializer)?;
        if !(1..=MAX_CHANGES).contains(&changes.len()) {
            let found = changes.len();
            let rule = format!("must have 1 to {MAX_CHANGES} changes, has {found}");
            return Err(D::Error::custom(rule));
        }
        Ok(Self(changes))
    }
}

/// The most violations that one answer names.
const MOST_VIOLATIONS: usize = 16;

impl Changes {
    /// The changes that are asked for; if some of them are wrong, what is wrong with each of those.
    fn into_requested(
        self,
        todos: &Todos,
        principal: &CallerPrincipal,
    ) -> Result<Vec<RequestedChange>, Failure> {
        let (mut requested, mut violations) = (Vec::with_capacity(self.0.len()), Vec::new());
        for (index, change) in self.0.into_iter().enumerate() {
            match change.into_requested(todos, principal) {
                Ok(change) => requested.push(change),
                Err(invalid) => {
                    let path = format!("changes[{index}].{}", invalid.argument);
                    violations.push((path, invalid.rule.into_owned()));
                }
            }
        }
        violations.truncate(MOST_VIOLATIONS);
        if violations.is_empty() {
            Ok(requested)
        } else {
            Err(Failure::invalid_arguments(&violations))
        }
    }
}

impl Tool for ChangeTodos {
    type Scope = WriteTodos;
    type Arguments = Arguments;
    type Output = ManyResults;

    const NAME: &'static str = "change_todos";
    const TITLE: &'static str = "Change several todos";
    const DESCRIPTION: &'static str = "Creates, updates and deletes up to 50 todos in one call, with a result for each change: use it \
         instead of calling those tools one by one. A change that fails leaves the others alone unless \
         all_or_nothing. undo_change takes batch_id.";
    const HINTS: Hints = Hints::CHANGES;

    async fn call(
        &self,
        call: Call<WriteTodos>,
        arguments: Arguments,
    ) -> Result<ManyResults, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let Arguments { changes, all_or_nothing, dry_run, idempotency_key } = arguments;
        let dry_run = dry_run.unwrap_or_default();
        let asked = ManyChanges {
            changes: changes.into_requested(&self.0, &principal)?,
            all_or_nothing: all_or_nothing.unwrap_or_default(),
            dry_run,
            key: idempotency_key.map(|key| key.0),
        };
        let made =
            self.0.change_many(&principal, asked).await.map_err(IntoFailure::into_failure)?;
        call.affects(|| {
            let shown = made.outcomes.iter().filter_map(|outcome| match outcome {
                // The ids of a dry run do not last.
                Outcome::Created(record) => (!dry_run).then_some(record.id),
                Outcome::Updated(id, todo) => todo.as_ref().map(|_| *id),
                Outcome::Failed(ChangeFailure::Conflict(current)) => Some(current.id()),
                Outcome::Deleted(_) | Outcome::Failed(_) | Outcome::Skipped => None,
            });
            changed_and_shown(&made.effects.all(), shown)
        });
        Ok(ManyResults::new(made, IntoFailure::into_failure))
    }

    /// Each change costs as much as a request.
    fn further_cost(arguments: &Arguments) -> usize {
        arguments.changes.0.len().saturating_sub(1)
    }

    fn size_hint(results: &ManyResults) -> usize {
        results.size_hint()
    }
}
