use std::sync::Arc;

use protected_mcp::{
    Call, Completion, Failure, Prompt, PromptArgument, PromptArguments, PromptMessage, Suggestions,
};
use todo_application::Todos;

use super::{complete_title, quoted, sentence, with_open_todos};
use crate::scopes::ReadTodos;

pub(crate) struct BreakDownGoal(pub(crate) Arc<Todos>);

impl Prompt for BreakDownGoal {
    type Scope = ReadTodos;

    const NAME: &'static str = "break_down_goal";
    const TITLE: &'static str = "Break down a goal";
    const DESCRIPTION: &'static str = "Turns a goal into todos small enough to begin with.";
    const ARGUMENTS: &'static [PromptArgument] = &[
        PromptArgument {
            name: "goal",
            title: "Goal",
            description: "What is to be reached, in your own words or by the title of a todo.",
            required: true,
            suggestions: Suggestions::OfTheCaller,
        },
        PromptArgument {
            name: "deadline",
            title: "Deadline",
            description: "By when: Friday, for instance.",
            required: false,
            suggestions: Suggestions::Fixed(&[
                "today",
                "tomorrow",
                "Friday",
                "the end of the month",
            ]),
        },
    ];

    async fn messages(
        &self,
        call: Call<ReadTodos>,
        arguments: PromptArguments,
    ) -> Result<Vec<PromptMessage>, Failure> {
        let goal = quoted(&arguments, "goal", "");
        let deadline =
            sentence(&arguments, "deadline", |it| format!("\nIt should be reached by: {it}."));
        let opening = format!(
            "Help me break this goal down into todos: {goal}{deadline}\n\n\
             1. If the goal is unclear, ask me at most three questions first.\n\
             2. Propose three to eight todos in the order in which they are done. Each begins with a \
             verb, takes an hour or less and can be seen to be finished. Leave out what is on my list \
             already.\n\
             3. Once I agree, add them with create_todo in that order, with what is worth remembering \
             in the description. If the goal is itself a todo of mine, ask whether to tick it off."
        );
        with_open_todos(&self.0, &call, opening).await
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
