//! What the directories of assistants, OpenAI's and Anthropic's, demand of a public deployment.
//!
//! | module | looks at |
//! |---|---|
//! | `address` | whether the public URL is one that they can reach |
//! | `documents` | the metadata of the server, and the token of OpenAI |
//! | `login` | whether their clients can register and log in |
//! | `pages` | the pages on privacy, terms and support |
//! | `tools` | the tools, one by one |
//! | `by_hand` | what cannot be checked from here, or is not met on purpose |

pub(crate) mod address;
pub(crate) mod by_hand;
pub(crate) mod documents;
pub(crate) mod login;
pub(crate) mod pages;
pub(crate) mod tools;
