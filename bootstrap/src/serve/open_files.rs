//! How many files, and with them connections, the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::connections::MOST_CONNECTIONS;

/// The files that are no connections of clients: the database, its readers, the log, Tokio's own.
const OTHERS: u64 = 1_000;

/// Allows this process as many open files as it may need and the system lets it have. Many systems
/// start a process with room for 1,024.
pub(super) fn allow_enough() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = MOST_CONNECTIONS as u64 + OTHERS;
    let wanted = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the number of open files cannot be raised to {wanted}");
        }
    }
}
