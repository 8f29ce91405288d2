//! The duties of an MCP server as an OAuth-protected resource, rule by rule.
//!
//! By default against our own server; `README.md` describes how to run it against any other.
//!
//! The sources: MCP 2026-07-28 and 2025-11-25 (Authorization), RFC 6750 (bearer tokens), RFC 8725
//! (JWT best practice), RFC 9068 (JWT access tokens), RFC 9728 (protected-resource metadata), RFC 9110, RFC 9112
//! and RFC 6585 (HTTP).
#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

mod challenges;
mod connections;
mod example;
mod metadata;
mod scopes;
mod target;
mod tokens;
