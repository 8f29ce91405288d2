//! The programs that are measured. Each ends when its value does, however a benchmark ends.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::failure::{During as _, Failure, Result};
use crate::machine::Cores;

/// How long a program may take until it can be used.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Child {
    process: std::process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts a program on the server's core. What it says goes to a file, as that of a service does.
    pub(crate) fn start(mut command: Command, cores: &Cores, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let process = cores.on_server_core(|| command.spawn())?;
        let process = process.during(|| format!("cannot start {command:?}"))?;
        Ok(Self { process, log: log.to_owned() })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_some())
    }

    /// All that it has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it has said `name=value`, and gives the value.
    pub(crate) async fn said(&mut self, name: &str) -> Result<String> {
        let began = Instant::now();
        loop {
            let ended = self.has_ended()?;
            let log = self.log();
            let found = log.split_once(name).and_then(|(_, rest)| rest.strip_prefix('='));
            // Up to the end of the word, which must have been written too.
            if let Some((value, _)) = found.and_then(|rest| rest.split_once([' ', '\n'])) {
                return Ok(value.trim_matches('"').to_owned());
            }
            if ended || began.elapsed() > PATIENCE {
                return Err(Failure::new(format!("a program does not start, it said: {log}")));
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until it has said where it listens.
    pub(crate) async fn listens(&mut self) -> Result<SocketAddr> {
        Ok(self.said("listen.address").await?.parse()?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already, and then there is nobody left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The memory of a process that is not swapped out, in KiB: now, and the most that it has been.
/// `None` where Linux does not tell.
pub(crate) fn resident_kib(process: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}

/// How long a process, with all its threads, has kept cores busy since it was started. `None` where
/// Linux does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn busy(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in parentheses, which may hold anything; the 14th and the 15th are
    // the time in user mode and in the kernel.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11).map_while(|field| field.parse::<u64>().ok());
    let ticks = times.next()? + times.next()?;
    Some(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn busy(_: u32) -> Option<Duration> {
    None
}
