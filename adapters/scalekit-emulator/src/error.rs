//! Why the emulator could not start.

use std::{io, path::PathBuf};

/// Why the emulator could not start, and what to do about it.
///
/// Each message is a whole sentence for the person who started the program.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Something else listens on the port.
    #[error(
        "port {port} on 127.0.0.1, where the local Scalekit listens, is taken: \
         stop what uses it, or set EMULATOR_PORT to another port"
    )]
    PortTaken {
        /// The port that was asked for.
        port: u16,
    },

    /// The operating system does not let us listen there.
    #[error(
        "the local Scalekit cannot listen on 127.0.0.1:{port} ({reason}): \
         set EMULATOR_PORT to another port"
    )]
    PortRefused {
        /// The port that was asked for.
        port: u16,
        /// What the operating system said.
        reason: io::Error,
    },

    /// The resource id does not fit into a URL path.
    #[error(
        "`{resource_id}` is no resource id: it looks like `res_` and digits, \
         and holds letters, digits, `_` and `-` only"
    )]
    ResourceId {
        /// What was given.
        resource_id: String,
    },

    /// The Server URL is not a URL.
    #[error("`{server_url}` is no Server URL: give an absolute http or https URL in MCP_URL")]
    ServerUrl {
        /// What was given.
        server_url: String,
    },

    /// The state file is there and cannot be read.
    #[error(
        "the local identity in {} cannot be read ({reason}): \
         make it readable, or delete it to start with a new identity", path.display()
    )]
    StateUnreadable {
        /// The state file.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// The state file cannot be written.
    #[error(
        "the local identity cannot be written to {} ({reason}): \
         make its directory writable, or keep the database elsewhere", path.display()
    )]
    StateUnwritable {
        /// The state file.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// The state file is damaged.
    #[error(
        "the local identity in {} is damaged ({problem}): \
         restore it, or delete it to start with a new identity \
         (clients then register and log in again; todos stay)", path.display()
    )]
    StateCorrupt {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it, without any of its content.
        problem: String,
    },

    /// The file was written by some other program.
    #[error(
        "{} is not a local identity of this program and is left alone: \
         move it away, or delete it to start with a new identity", path.display()
    )]
    StateNotOurs {
        /// The file.
        path: PathBuf,
    },

    /// The state file was written by a newer version of this program.
    #[error(
        "the local identity in {} has format {version}, which this version does not know: \
         use the newer version, or delete it to start with a new identity", path.display()
    )]
    StateTooNew {
        /// The state file.
        path: PathBuf,
        /// The format that it says it has.
        version: u32,
    },

    /// No key could be made.
    #[error("no signing key could be made for the local Scalekit: try again")]
    KeyGeneration,
}
