//! The environment through its router.

mod authorization;
mod client_credentials;
mod consent;
mod discovery;
mod guards;
mod pages;
mod persistence;
mod quirks;
mod registration;
mod replay;
mod support;
mod tokens;
