//! `todo-mcp doctor` against a Scalekit with one fault at a time.
//!
//! | module | holds |
//! |---|---|
//! | `misconfigurations` | the most common mistakes: each is found alone, and its setting named |
//! | `tokens` | the checks of a token, in the order in which the verifier makes them |
//! | `listing` | what the directories of assistants demand of a deployment |
//! | `prompts` | the calls that `bootstrap/listing.md` tells reviewers to expect |
//! | `command` | the command: output, standard input, exit codes |
//! | `stand_in` | a Scalekit whose documents the test chooses |
//! | `proxy` | a proxy in front of the server that changes requests or responses |
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests panic on failure")]

mod command;
mod listing;
mod misconfigurations;
mod prompts;
mod proxy;
mod stand_in;
mod tokens;
