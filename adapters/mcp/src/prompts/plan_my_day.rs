use std::sync::Arc;

use protected_mcp::{
    Call, Completion, Failure, Prompt, PromptArgument, PromptArguments, PromptMessage, Suggestions,
};
use todo_application::Todos;

use super::{complete_title, sentence, with_due_and_open_todos};
use crate::scopes::ReadTodos;

pub(crate) struct PlanMyDay(pub(crate) Arc<Todos>);

impl Prompt for PlanMyDay {
    type Scope = ReadTodos;

    const NAME: &'static str = "plan_my_day";
    const TITLE: &'static str = "Plan my day";
    const DESCRIPTION: &'static str = "Picks what fits into today, and puts it in order.";
    const ARGUMENTS: &'static [PromptArgument] = &[
        PromptArgument {
            name: "available_time",
            title: "Available time",
            description: "How much time there is today: 2 hours, for instance.",
            required: false,
            suggestions: Suggestions::Fixed(&[
                "30 minutes",
                "1 hour",
                "2 hours",
                "half a day",
                "the whole day",
            ]),
        },
        PromptArgument {
            name: "focus",
            title: "Focus",
            description: "What matters most today, such as a project or a todo.",
            required: false,
            suggestions: Suggestions::OfTheCaller,
        },
    ];

    async fn messages(
        &self,
        call: Call<ReadTodos>,
        arguments: PromptArguments,
    ) -> Result<Vec<PromptMessage>, Failure> {
        let time = sentence(&arguments, "available_time", |it| format!(" I have {it}."));
        let focus = sentence(&arguments, "focus", |it| format!(" What matters most today: {it}."));
        let opening = format!(
            "Help me plan my day from my todo list.{time}{focus}\n\n\
             1. Choose what is worth doing today, five todos at most, beginning with what is overdue \
             or due today, and say in half a sentence why each.\n\
             2. Put them in order, with a guess how long each takes and a first step that takes two \
             minutes.\n\
             3. Name what can wait, and what looks finished, outdated or double.\n\n\
             Ask me before you change anything. Once I agree, use update_todo to rename todos, move \
             their due dates or tick them off and create_todo to add what is missing."
        );
        with_due_and_open_todos(&self.0, &call, opening).await
    }

    async fn complete(
        &self,
        call: Call<ReadTodos>,
        _argument: &str,
        typed: &str,
    ) -> Result<Completion, Failure> {
        complete_title(&self.0, &call, typed).await
    }
}
