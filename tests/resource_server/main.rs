//! What an MCP server owes its clients as an OAuth-protected resource, rule by rule.
//!
//! By default the rules are put to our own server. They can be put to any other, which then needs to
//! trust a key of yours and to have one tool for each of two scopes:
//!
//! ```sh
//! openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem   # publish its public half
//! MCP_TARGET_URL=http://localhost:8000/mcp \
//! MCP_TARGET_ISSUER=https://issuer.example MCP_TARGET_AUDIENCE=http://localhost:8000/mcp \
//! MCP_TARGET_KEY=key.pem MCP_TARGET_KEY_ID=key-1 \
//! MCP_TARGET_READ='{"tool":"list_todos","arguments":{},"scope":"todo:read"}' \
//! MCP_TARGET_WRITE='{"tool":"create_todo","arguments":{"title":"x"},"scope":"todo:write"}' \
//! cargo test -p todo-tests --test resource_server
//! ```
//!
//! The sources: MCP 2026-07-28 and 2025-11-25 (Authorization), RFC 6750 (bearer tokens), RFC 8725
//! (JWT best practice), RFC 9068 (JWT access tokens), RFC 9728 (protected-resource metadata).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so at once")]

mod challenges;
mod metadata;
mod scopes;
mod target;
mod tokens;
