//! What cannot be checked from here, or is not met on purpose.

use crate::doctor::finding::Finding;

/// For the operator, with the reason or with what to do.
pub(crate) fn notes() -> [Finding; 7] {
    [
        (
            "listing: ids",
            "results hold ids, versions and instants, which OpenAI wants left out unless they are needed",
            "They stay: update_todo and delete_todo take the id and the version, undo_change the id of a \
             change, and instants show what is recent. Say so when you submit. \"detail: short\" leaves out \
             what a list does not need.",
        ),
        (
            "listing: demo login",
            "not checked: the login is Scalekit's",
            "Reviewers need a user with some todos, a password and no second factor: create one in the \
             dashboard, and try it in a private window.",
        ),
        (
            "listing: prompts",
            "not checked: they need an assistant",
            "Five that work and three that are refused are in bootstrap/listing.md, with the tool calls to \
             expect. Try them in each assistant.",
        ),
        (
            "listing: manual",
            "not checked: it is yours to write",
            "Anthropic wants a page that explains the server to its users. GET / in a browser shows how to \
             connect; the README of the project names the tools.",
        ),
        (
            "listing: redirects",
            "not checked: which redirect URIs the authorization server accepts",
            "Clients that register themselves bring theirs. If you register ChatGPT by hand, allow \
             https://chatgpt.com/connector_platform_oauth_redirect and \
             https://platform.openai.com/apps-manage/oauth.",
        ),
        (
            "listing: firewall",
            "not checked: this request came from here",
            "Anthropic's requests come from 160.79.104.0/21, for all of its users. Limit per address nowhere \
             in front of the server; TODO_RATE_LIMIT counts per user.",
        ),
        (
            "listing: screenshots",
            "not checked: they are yours to take",
            "Anthropic wants three to five of at least 1000 pixels for a server with an app.",
        ),
    ]
    .map(|(check, seen, advice)| Finding::note(check, seen).advise(advice))
}
