use super::{Argument, Prompt, PromptArguments, Suggested};

pub(super) static PROMPT: Prompt = Prompt {
    name: "weekly_review",
    title: "Weekly review",
    description: "Sees what got done, and clears up what is left.",
    arguments: &[Argument {
        name: "since",
        title: "Since",
        description: "Where to begin: Monday or 2026-11-16, for instance; a week ago when left out.",
        required: false,
        suggestions: Suggested::These(&["Monday", "a week ago", "two weeks ago", "a month ago"]),
    }],
    opening,
};

fn opening(arguments: &PromptArguments<'_>) -> String {
    let since = arguments.quoted("since", "a week ago");
    format!(
        "Let us review my todo list, looking back to: {since}.\n\n\
         1. Call list_todos with completed true, page by page, and tell me what got done since \
         then, by completed_at. Be glad with me, briefly.\n\
         2. Go through what is open: what has not moved for long (updated_at), what is vague and \
         needs a clearer title, what is double, what should be dropped.\n\
         3. Propose the three todos that would make the next week a good one.\n\n\
         Ask me before you change anything. Once I agree, use update_todo to rename todos or tick \
         them off, and delete_todo only for what I say should go."
    )
}
