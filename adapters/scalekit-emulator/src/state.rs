//! The state of the environment: for minutes in memory, for days in a file.

pub(crate) mod fingerprint;
pub(crate) mod key_ring;
pub(crate) mod ledger;
pub(crate) mod records;
pub(crate) mod refresh_token;
pub(crate) mod signing_key;
pub(crate) mod state_file;
pub(crate) mod tickets;
