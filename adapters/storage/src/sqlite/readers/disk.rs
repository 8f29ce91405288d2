//! Whether a query waited for the disk.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The longest that a query takes whose pages are in memory: a page of many todos, with a wide margin.
/// Reading one page from an SSD takes about as long, from a hard disk tens of times as long.
const FAST: Duration = Duration::from_micros(250);

/// Distinguishes a query that waited for the disk from one whose thread was preempted, which is frequent
/// on a busy machine and says nothing about the next query.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// The bytes read by the process when they were last checked.
    seen: AtomicU64,
}

impl Disk {
    /// Whether a query with this duration probably waited for the disk.
    pub(super) fn delayed(&self, duration: Duration) -> bool {
        duration > FAST && self.was_read(bytes_read())
    }

    /// Whether the disk was read since the last check. `None`, an unknown count, counts as read.
    fn was_read(&self, now: Option<u64>) -> bool {
        now.is_none_or(|now| self.seen.swap(now, Relaxed) != now)
    }
}

/// The bytes that this process has fetched from disks, where the system reports them (Linux).
fn bytes_read() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("read_bytes: "))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slow_query_during_disk_reads_was_delayed_by_the_disk() {
        let disk = Disk::default();
        assert!(!disk.delayed(FAST));
        assert!(disk.was_read(Some(4_096)));
        assert!(!disk.was_read(Some(4_096)), "something else was slow");
        assert!(disk.was_read(Some(8_192)));
        assert!(disk.was_read(None), "the count is unknown");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_reports_the_bytes_read() {
        assert!(bytes_read().is_some());
    }
}
