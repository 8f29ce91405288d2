use std::sync::Arc;

use protected_mcp::{Call, Failure, Hints, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use todo_application::domain::{ChangeAction, DueError, TodoId, WrittenDue};
use todo_application::{ChangeId, ChangeSelection, HistoryPageSize, PageSize, Since, Todos};

use super::arguments::{self, Number, Text};
use crate::affected::shown_by;
use crate::cursor::ChangeCursorText;
use crate::failure::IntoFailure;
use crate::principal::CallerPrincipal;
use crate::scopes::ReadTodos;
use crate::view::{ChangeList, history_page};

pub(crate) struct ListChanges(pub(crate) Arc<Todos>);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// Only changes of this todo.
    #[schemars(length(equal = TodoId::CHARACTERS))]
    todo_id: Option<String>,
    /// Only created, updated, deleted or restored.
    action: Option<Text<ChangeAction>>,
    /// `latest` of an earlier call, another change's id, or an instant (2026-12-24T16:30:00Z): only
    /// what came after it, oldest first.
    since: Option<Text<SinceText>>,
    /// The most changes to return.
    #[schemars(range(min = 1, max = PageSize::MAX), extend("default" = PageSize::DEFAULT))]
    limit: Option<Number<HistoryPageSize>>,
    /// `next_cursor` of the previous page, without since.
    cursor: Option<Text<ChangeCursorText>>,
}

/// Where to begin, as it is written.
pub(crate) struct SinceText(Since);

impl TryFrom<&str> for SinceText {
    type Error = String;

    fn try_from(text: &str) -> Result<Self, String> {
        const FORM: &str = "must be the id of a change, or an instant such as 2026-12-24T16:30:00Z";
        if let Some(id) = ChangeId::parse(text) {
            return Ok(Self(Since::Change(id)));
        }
        match WrittenDue::try_from(text) {
            Ok(WrittenDue::At(at, _)) => Ok(Self(Since::Instant(at))),
            Ok(WrittenDue::Day(_) | WrittenDue::Local(_)) | Err(DueError::Form) => {
                Err(FORM.to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Tool for ListChanges {
    type Scope = ReadTodos;
    type Arguments = Arguments;
    type Output = ChangeList;

    const NAME: &'static str = "list_changes";
    const TITLE: &'static str = "List changes";
    const DESCRIPTION: &'static str = "Shows what was changed in the user's todos, by whom and through which agent, newest first: to \
         explain what happened, to find a deleted todo (action: deleted), or a change to undo. To see only \
         what is new since you looked, pass the latest of then as since.";
    const HINTS: Hints = Hints::READS;

    async fn call(
        &self,
        call: Call<ReadTodos>,
        arguments: Arguments,
    ) -> Result<ChangeList, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let Arguments { todo_id, action, since, limit, cursor } = arguments;
        let since = match (since, cursor) {
            (None, None) => Since::Newest,
            (Some(Text(SinceText(since))), None) => since,
            (None, Some(Text(ChangeCursorText(cursor)))) => Since::Cursor(cursor),
            (Some(_), Some(_)) => {
                let rule = "it cannot be combined with `cursor`, which goes on by itself";
                return Err(Failure::invalid_argument("since", rule));
            }
        };
        let selection = ChangeSelection {
            todo: todo_id.map(|id| arguments::todo_id(&id)).transpose()?,
            action: action.map(|action| action.0),
        };
        let size = history_page(limit.map_or_else(HistoryPageSize::default, |limit| limit.0));
        let page = self.0.list_changes(&principal, selection, size, since).await;
        let page = page.map_err(IntoFailure::into_failure)?;
        call.affects(|| shown_by(&page));
        Ok(page.into())
    }

    fn size_hint(list: &ChangeList) -> usize {
        list.size_hint()
    }
}
