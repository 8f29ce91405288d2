//! JSON-RPC 2.0: bytes to messages, and answers to bytes.

mod encoding;
mod error;
mod message;
mod raw;
mod reply;

pub(crate) use encoding::compressed;
pub(crate) use error::Error;
pub(crate) use message::{Message, Payload, Request, read, read_message};
pub(crate) use raw::{
    Members, broken_character, excerpt, half_surrogate, is_object, needs, not_a_string, object,
    repeated_member, string,
};
pub(crate) use reply::{Reply, no_store};
