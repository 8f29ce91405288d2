use std::sync::Arc;

use protected_mcp::{
    Call, Failure, Prompt, PromptArgument, PromptArguments, PromptMessage, Suggestions,
};
use todo_application::Todos;

use super::{quoted, with_open_todos};
use crate::scopes::ReadTodos;

pub(crate) struct WeeklyReview(pub(crate) Arc<Todos>);

impl Prompt for WeeklyReview {
    type Scope = ReadTodos;

    const NAME: &'static str = "weekly_review";
    const TITLE: &'static str = "Weekly review";
    const DESCRIPTION: &'static str = "Sees what got done, and clears up what is left.";
    const ARGUMENTS: &'static [PromptArgument] = &[PromptArgument {
        name: "since",
        title: "Since",
        description: "Where to begin: Monday or 2026-11-16, for instance; a week ago when left out.",
        required: false,
        suggestions: Suggestions::Fixed(&["Monday", "a week ago", "two weeks ago", "a month ago"]),
    }];

    async fn messages(
        &self,
        call: Call<ReadTodos>,
        arguments: PromptArguments,
    ) -> Result<Vec<PromptMessage>, Failure> {
        let since = quoted(&arguments, "since", "a week ago");
        let opening = format!(
            "Let us review my todo list, looking back to: {since}.\n\n\
             1. Call list_todos with completed true, page by page, and tell me what got done since \
             then, by completed_at. Be glad with me, briefly.\n\
             2. Go through what is open: what has not moved for long (updated_at), what is vague and \
             needs a clearer title, what is double, what should be dropped.\n\
             3. Propose the three todos that would make the next week a good one.\n\n\
             Ask me before you change anything. Once I agree, use update_todo to rename todos or tick \
             them off, and delete_todo only for what I say should go."
        );
        with_open_todos(&self.0, &call, opening).await
    }
}
