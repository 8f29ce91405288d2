//! `todo-mcp doctor` against a Scalekit that has one thing wrong at a time.
//!
//! | module | holds |
//! |---|---|
//! | `misconfigurations` | the most common mistakes: each is found, alone, and its setting named |
//! | `tokens` | the checks of a token, held against the order in which the verifier makes them |
//! | `command` | the command: output, standard input, exit codes |
//! | `stand_in` | a Scalekit that publishes what it is told |
//! | `proxy` | a proxy in front of the server that does not hand things on as they are |
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says so at once")]

mod command;
mod misconfigurations;
mod proxy;
mod stand_in;
mod tokens;
