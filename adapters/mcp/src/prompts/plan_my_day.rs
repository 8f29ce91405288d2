use super::{Argument, Prompt, PromptArguments, Suggested};

pub(super) static PROMPT: Prompt = Prompt {
    name: "plan_my_day",
    title: "Plan my day",
    description: "Picks what fits into today, and puts it in order.",
    arguments: &[
        Argument {
            name: "available_time",
            title: "Available time",
            description: "How much time there is today: 2 hours, for instance.",
            required: false,
            suggestions: Suggested::These(&[
                "30 minutes",
                "1 hour",
                "2 hours",
                "half a day",
                "the whole day",
            ]),
        },
        Argument {
            name: "focus",
            title: "Focus",
            description: "What matters most today, such as a project or a todo.",
            required: false,
            suggestions: Suggested::Titles,
        },
    ],
    opening,
};

fn opening(arguments: &PromptArguments<'_>) -> String {
    let time = arguments.written("available_time", |time| format!(" I have {time}."));
    let focus = arguments.written("focus", |focus| format!(" What matters most today: {focus}."));
    format!(
        "Help me plan my day from my todo list.{time}{focus}\n\n\
         1. Choose what is worth doing today, five todos at most, and say in half a sentence why \
         each.\n\
         2. Put them in order, with a guess how long each takes and a first step that takes two \
         minutes.\n\
         3. Name what can wait, and what looks finished, outdated or double.\n\n\
         Ask me before you change anything. Once I agree, use update_todo to rename todos or tick \
         them off and create_todo to add what is missing."
    )
}
