//! The limit on open files, and with them connections, of the process.

use protected_mcp::MAX_CONNECTIONS;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are not connections of clients: the database, its readers, the log, Tokio's own.
const OTHER_FILES: u64 = 1_000;

/// Raises the limit to what the process may need, as far as the system allows. Many systems start a
/// process with a limit of 1,024.
pub(super) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = MAX_CONNECTIONS as u64 + OTHER_FILES;
    let wanted = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, wanted, "the limit on open files cannot be raised");
        }
    }
}
