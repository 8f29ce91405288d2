use super::{Argument, Prompt, PromptArguments, Suggested};

pub(super) static PROMPT: Prompt = Prompt {
    name: "break_down_goal",
    title: "Break down a goal",
    description: "Turns a goal into todos small enough to begin with.",
    arguments: &[
        Argument {
            name: "goal",
            title: "Goal",
            description: "What is to be reached, in your own words or by the title of a todo.",
            required: true,
            suggestions: Suggested::Titles,
        },
        Argument {
            name: "deadline",
            title: "Deadline",
            description: "By when: Friday, for instance.",
            required: false,
            suggestions: Suggested::These(&["today", "tomorrow", "Friday", "the end of the month"]),
        },
    ],
    opening,
};

fn opening(arguments: &PromptArguments<'_>) -> String {
    let goal = arguments.quoted("goal", "");
    let deadline =
        arguments.written("deadline", |deadline| format!("\nIt should be reached by: {deadline}."));
    format!(
        "Help me break this goal down into todos: {goal}{deadline}\n\n\
         1. If the goal is unclear, ask me at most three questions first.\n\
         2. Propose three to eight todos in the order in which they are done. Each begins with a \
         verb, takes an hour or less and can be seen to be finished. Leave out what is on my list \
         already.\n\
         3. Once I agree, add them with create_todo in that order, with what is worth remembering \
         in the description. If the goal is itself a todo of mine, ask whether to tick it off."
    )
}
