//! The machine: what it is, and which of its cores does what.

use std::process::Command;

use serde::Serialize;
use todo_application::ports::Clock as _;

/// What the figures depend on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) system: String,
    pub(crate) rustc: String,
    /// The commit, with a `+` if files have changed since.
    pub(crate) commit: String,
    pub(crate) date: String,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kibibytes = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|total| total.split(' ').next()?.parse::<u64>().ok());
        let said = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            output.status.success().then(|| text.trim().to_owned())
        };
        let unknown = || "unknown".to_owned();
        let commit = said("git", &["rev-parse", "--short", "HEAD"]).map(|commit| {
            let changed = said("git", &["status", "--porcelain"]).is_some_and(|it| !it.is_empty());
            commit + if changed { "+" } else { "" }
        });
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            // What the kernel keeps for itself is missing from the total.
            memory_gib: kibibytes.unwrap_or_default().div_ceil(1024 * 1024),
            system: said("uname", &["-sr"]).unwrap_or_else(unknown),
            rustc: said("rustc", &["--version"]).unwrap_or_else(unknown),
            commit: commit.unwrap_or_else(unknown),
            date: todo_mcp::SystemClock.now().to_string(),
        }
    }
}

/// The version of a library that this program was built with.
pub(crate) fn locked_version(library: &str) -> &'static str {
    let lock = include_str!("../../../Cargo.lock");
    let entry = format!("name = \"{library}\"\nversion = \"");
    let version = lock.split_once(&entry).and_then(|(_, rest)| rest.split('"').next());
    version.unwrap_or("unknown")
}

/// Where the server runs, and where the load comes from, so that neither takes time from the other.
#[derive(Debug, Clone)]
pub(crate) enum Cores {
    /// The server has the first one for itself, everything else the second one.
    Apart { server: usize, rest: usize, all: Vec<usize> },
    /// Nothing is bound to a core.
    Shared { reason: &'static str },
}

#[cfg(target_os = "linux")]
mod affinity {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::Cores;
    use crate::failure::Result;

    impl Cores {
        /// Chooses two cores of those that we may use, and binds this thread, with all that it
        /// starts, to that of the load.
        pub(crate) fn split() -> Result<Self> {
            let allowed = sched_getaffinity(None)?;
            let mut ours = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
            let Some(rest) = ours.next() else {
                return Ok(Self::Shared { reason: "the cores are not known" });
            };
            // Two threads of one core take turns, which would be in the figures.
            let siblings = siblings(rest);
            let Some(server) = ours.find(|core| !siblings.contains(core)) else {
                return Ok(Self::Shared { reason: "there is only one core" });
            };
            bind(&[rest])?;
            let all = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
            Ok(Self::Apart { server, rest, all })
        }

        /// Does something, such as starting a program, on the server's core.
        pub(crate) fn on_server_core<T>(&self, action: impl FnOnce() -> T) -> Result<T> {
            let Self::Apart { server, rest, .. } = self else { return Ok(action()) };
            bind(&[*server])?;
            let done = action();
            bind(&[*rest])?;
            Ok(done)
        }

        /// Lets this thread, and what it starts, run on any core.
        pub(crate) fn free_thread(&self) -> Result<()> {
            let Self::Apart { all, .. } = self else { return Ok(()) };
            bind(all)
        }
    }

    /// Binds this thread. What it starts inherits that.
    fn bind(cores: &[usize]) -> Result<()> {
        let mut set = CpuSet::new();
        for core in cores {
            set.set(*core);
        }
        Ok(sched_setaffinity(None, &set)?)
    }

    /// The hardware threads of the core that this one is of, as Linux lists them: `0-1` or `0,4`.
    fn siblings(core: usize) -> Vec<usize> {
        let file = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        let list = std::fs::read_to_string(file).unwrap_or_default();
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let parts = list.split(',').filter_map(|part| match part.split_once('-') {
            Some((from, to)) => Some(number(from)?..=number(to)?),
            None => number(part).map(|core| core..=core),
        });
        parts.flatten().collect()
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    use super::Cores;
    use crate::failure::Result;

    impl Cores {
        pub(crate) fn split() -> Result<Self> {
            Ok(Self::Shared { reason: "programs are bound to cores on Linux only" })
        }

        pub(crate) fn on_server_core<T>(&self, action: impl FnOnce() -> T) -> Result<T> {
            Ok(action())
        }

        pub(crate) fn free_thread(&self) -> Result<()> {
            Ok(())
        }
    }
}

/// Lets this process, and what it starts, have as many connections as the system allows.
#[cfg(unix)]
pub(crate) fn allow_many_connections() -> crate::failure::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}

#[cfg(not(unix))]
pub(crate) fn allow_many_connections() -> crate::failure::Result<()> {
    Ok(())
}
