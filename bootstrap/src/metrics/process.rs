//! The figures of the process, under the names that Prometheus has for them.

use std::time::SystemTime;

use protected_mcp::{Clock as _, SystemClock};

use super::figures::{Seconds, number, optional};
use super::registry::Metrics;

/// Those that the system has are read; of the others there is no series.
pub(super) fn add_to(metrics: &mut Metrics) {
    let started = SystemClock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    metrics.figure(
        "process_start_time_seconds",
        "When the server was started, in seconds since 1970",
        move || started.as_secs_f64(),
    );
    let cpu = || optional(cpu_seconds().map(Seconds));
    metrics.figures("process_cpu_seconds", "CPU time of the process", cpu);
    metrics.figures(
        "process_resident_memory_bytes",
        "Memory of the process that is in RAM (Linux)",
        || optional(resident_bytes().map(number)),
    );
    metrics.figures("process_open_fds", "Open files and sockets (Linux)", || {
        optional(open_files().map(number))
    });
    metrics.figures("process_max_fds", "The most files and sockets that may be open", || {
        optional(most_files().map(number))
    });
}

#[cfg(unix)]
fn cpu_seconds() -> Option<f64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    std::time::Duration::try_from(time).ok().map(|time| time.as_secs_f64())
}

#[cfg(unix)]
fn most_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn cpu_seconds() -> Option<f64> {
    None
}

#[cfg(not(unix))]
fn most_files() -> Option<u64> {
    None
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn open_files() -> Option<u64> {
    let entries = std::fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is that of the folder.
    u64::try_from(entries).ok()?.checked_sub(1)
}
