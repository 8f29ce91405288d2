use protected_mcp::Failure;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use todo_application::domain::{Todo, TodoId, TodoRecord};
use todo_application::{ChangeFailure, ChangeId, ChangesMade, MAX_CHANGES, Outcome, Undone};

use super::{ANSWER_BYTES, ROOM, TodoView, at_most, display_some, fitting, json_bytes};

/// `{"results": [{..}], "succeeded", "failed", "batch_id"?}`: what came of several changes.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ManyResults {
    /// One for each change.
    #[schemars(length(max = MAX_CHANGES))]
    results: Vec<ChangeResult>,
    /// How many were made.
    succeeded: usize,
    /// How many were not, because of themselves.
    failed: usize,
    /// Undoes all of them, as `change_id`.
    #[serde(serialize_with = "display_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    batch_id: Option<ChangeId>,
}

#[derive(Serialize, JsonSchema)]
struct ChangeResult {
    /// Its place in changes, from 0.
    index: usize,
    /// created, updated, deleted, failed, or skipped because of another.
    status: &'static str,
    /// As `get_todo` returns it; absent if it is gone or the answer is full.
    #[serde(serialize_with = "some_view", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AnyTodo", default)]
    todo: Option<TodoRecord>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    error: Option<String>,
    /// The stable word for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    code: Option<&'static str>,
}

/// What a result has in JSON beside its todo and the text of its error, at most, in bytes.
const RESULT_BYTES_BESIDE_TEXTS: usize = 128;

/// The schema of a todo where that would be the longest part of a list of tools.
#[derive(JsonSchema)]
struct AnyTodo {}

impl ChangeResult {
    fn new(index: usize, outcome: Outcome, explain: fn(ChangeFailure) -> Failure) -> Self {
        let result = |status, todo| Self { index, status, todo, error: None, code: None };
        match outcome {
            Outcome::Created(record) => result("created", Some(record)),
            Outcome::Updated(_, todo) => result("updated", todo.map(Todo::into_record)),
            Outcome::Deleted(_) => result("deleted", None),
            Outcome::Skipped => result("skipped", None),
            Outcome::Failed(failure) => {
                let current = match &failure {
                    ChangeFailure::Conflict(current) => Some(current.record().clone()),
                    ChangeFailure::NotFound(_)
                    | ChangeFailure::TooManyLabels(_)
                    | ChangeFailure::QuotaExceeded(_)
                    | ChangeFailure::KeyReused => None,
                };
                let failure = explain(failure);
                Self {
                    error: Some(failure.sentence().to_owned()),
                    code: Some(failure.code()),
                    ..result("failed", current)
                }
            }
        }
    }
}

impl ManyResults {
    pub(crate) fn new(
        ChangesMade { outcomes, batch, effects: _ }: ChangesMade,
        explain: fn(ChangeFailure) -> Failure,
    ) -> Self {
        let result = |(index, outcome)| ChangeResult::new(index, outcome, explain);
        let results: Vec<_> = outcomes.into_iter().enumerate().map(result).collect();
        let count = |is_counted: fn(&ChangeResult) -> bool| {
            results.iter().filter(|result| is_counted(result)).count()
        };
        let failed = count(|result| result.status == "failed");
        let succeeded = count(|result| !matches!(result.status, "failed" | "skipped"));
        let mut results = Self { results, succeeded, failed, batch_id: batch };
        results.leave_out_what_does_not_fit();
        results
    }

    /// The todos beyond what has room in one answer.
    fn leave_out_what_does_not_fit(&mut self) {
        // Most often that is known without writing anything.
        let beside_todos = |it: &ChangeResult| {
            RESULT_BYTES_BESIDE_TEXTS + 2 * it.error.as_ref().map_or(0, String::len)
        };
        let todos = self.results.iter().filter_map(|it| it.todo.as_ref());
        let beside_todos: usize = self.results.iter().map(beside_todos).sum();
        if todos.map(at_most).sum::<u64>() + beside_todos as u64 <= ROOM as u64 {
            return;
        }
        let todos =
            self.results.iter_mut().filter_map(|it| it.todo.take().map(|todo| (it.index, todo)));
        let todos: Vec<(usize, TodoRecord)> = todos.collect();
        let room = ANSWER_BYTES.saturating_sub(json_bytes(self));
        let fitting = fitting(
            &todos,
            room,
            |(_, todo)| at_most(todo),
            |(_, todo)| Named { todo: todo.into() },
        );
        for (index, todo) in todos.into_iter().take(fitting) {
            self.results[index].todo = Some(todo);
        }
    }

    /// About how many bytes it has as JSON.
    pub(crate) fn size_hint(&self) -> usize {
        128 + 400 * self.results.len()
    }
}

/// A todo as a result has it.
#[derive(Serialize)]
struct Named<'a> {
    todo: TodoView<'a>,
}

/// `{"todos": [{..}], "deleted": ["<id>"]}`: the todos of changes that were taken back.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UndoneView {
    /// As they are now, those that there is room for.
    #[serde(serialize_with = "views")]
    #[schemars(with = "Vec<AnyTodo>", length(max = MAX_CHANGES))]
    todos: Vec<Todo>,
    /// The ids of those that are gone.
    #[serde(serialize_with = "ids")]
    #[schemars(with = "Vec<String>", length(max = MAX_CHANGES))]
    deleted: Vec<TodoId>,
}

impl From<Undone> for UndoneView {
    fn from(Undone { mut todos, deleted, effects: _ }: Undone) -> Self {
        let room =
            ROOM.saturating_sub(json_bytes(&Self { todos: Vec::new(), deleted: deleted.clone() }));
        todos.truncate(fitting(&todos, room, |todo| at_most(todo.record()), TodoView::from));
        Self { todos, deleted }
    }
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn some_view<S: Serializer>(todo: &Option<TodoRecord>, serializer: S) -> Result<S::Ok, S::Error> {
    todo.as_ref().map(TodoView::from).serialize(serializer)
}

fn views<S: Serializer>(todos: &[Todo], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(todos.iter().map(TodoView::from))
}

fn ids<S: Serializer>(ids: &[TodoId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(TodoId::to_string))
}
