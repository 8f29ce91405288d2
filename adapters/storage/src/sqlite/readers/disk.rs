//! Whether a read waited for the disk.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What a read takes at most that finds its pages in memory: a page of many todos, with much to
/// spare. One page from a disk takes about as long, from one that turns tens of times.
const QUICK: Duration = Duration::from_micros(250);

/// Tells a read that waited for the disk from one whose thread had to make room for others, which on
/// a busy machine happens all the time and says nothing about the next read.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// How much had been read when it was last looked at, in bytes.
    seen: AtomicU64,
}

impl Disk {
    /// Whether a read that took so long most likely waited for the disk.
    pub(super) fn kept_waiting(&self, took: Duration) -> bool {
        took > QUICK && self.was_read(bytes_read())
    }

    /// Whether anything was read since it was last looked at. Where nobody counts it, it may have been.
    fn was_read(&self, now: Option<u64>) -> bool {
        now.is_none_or(|now| self.seen.swap(now, Relaxed) != now)
    }
}

/// How much this process has fetched from disks so far, where the system says so (Linux).
fn bytes_read() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("read_bytes: "))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_long_while_the_disk_is_read_has_waited_for_it() {
        let disk = Disk::default();
        assert!(!disk.kept_waiting(QUICK));
        assert!(disk.was_read(Some(4_096)));
        assert!(!disk.was_read(Some(4_096)), "something else took long");
        assert!(disk.was_read(Some(8_192)));
        assert!(disk.was_read(None), "nobody knows");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_counts_what_is_read() {
        assert!(bytes_read().is_some());
    }
}
