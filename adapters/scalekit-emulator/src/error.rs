//! Why the emulator could not start.

use std::io;
use std::path::PathBuf;

/// Why the emulator could not start. The messages are for the person who started the program.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    #[error("port {port} on 127.0.0.1, where the local Scalekit listens, is taken")]
    PortTaken { port: u16 },

    #[error("the local Scalekit cannot listen on 127.0.0.1:{port} ({reason})")]
    PortRefused { port: u16, reason: io::Error },

    #[error(
        "`{resource_id}` is not a resource id: \
         use letters, digits, `_` and `-` only, such as res_123"
    )]
    ResourceId { resource_id: String },

    #[error("`{server_url}` is not a Server URL: use an absolute http or https URL")]
    ServerUrl { server_url: String },

    #[error(
        "the local identity in {} cannot be read ({reason}): \
         make it readable, or delete it to start with a new identity", path.display()
    )]
    StateUnreadable { path: PathBuf, reason: io::Error },

    #[error(
        "the local identity cannot be written to {} ({reason}): \
         make its directory writable, or keep it elsewhere", path.display()
    )]
    StateUnwritable { path: PathBuf, reason: io::Error },

    #[error(
        "the local identity in {} is damaged ({problem}): \
         restore it, or delete it to start with a new identity \
         (clients then register and log in again; nothing else is lost)", path.display()
    )]
    StateCorrupt {
        path: PathBuf,
        /// Where or how it is damaged, without any of its content.
        problem: String,
    },

    #[error(
        "{} is not a local identity of this program and is left alone: \
         move it away, or delete it to start with a new identity", path.display()
    )]
    StateNotOurs { path: PathBuf },

    #[error(
        "the local identity in {} has format {version}, which this version does not know: \
         use the newer version, or delete it to start with a new identity", path.display()
    )]
    StateTooNew { path: PathBuf, version: u32 },

    #[error("no signing key could be generated for the local Scalekit: try again")]
    KeyGeneration,
}
