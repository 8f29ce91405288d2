//! The limit on open files, and with them connections, of the process.

use protected_mcp::ConnectionLimit;
#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are not connections of MCP clients: the database and its readers, the log, the
/// connections of the local identity, Tokio's own.
const OTHER_FILES: usize = 256;

/// Raises the limit to what the process may need, as far as the system allows. Many systems start a
/// process with a limit of 1,024.
#[cfg(unix)]
pub(crate) fn raise_limit(connections: ConnectionLimit) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = connections.files().saturating_add(OTHER_FILES) as u64;
    let wanted = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, wanted, "the limit on open files cannot be raised");
        }
    }
}

/// As many of these connections as the process may have beside its other files.
pub(crate) fn within_limit(connections: ConnectionLimit) -> ConnectionLimit {
    #[cfg(unix)]
    if let Some(files) = getrlimit(Resource::Nofile).current {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        return connections.within_open_files(files - OTHER_FILES.min(files / 2));
    }
    connections
}
