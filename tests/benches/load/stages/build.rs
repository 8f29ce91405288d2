//! How long a build from nothing takes, with all dependencies on disk.

use std::process::Command;
use std::time::Instant;

use super::Bench;
use super::footprint::mib;
use crate::failure::{Failure, Result};

impl Bench {
    pub(super) fn build(&mut self) -> Result<()> {
        println!("\nbuild from nothing");
        let target = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let cargo = |arguments: &[&str]| -> Result<()> {
            let mut command = Command::new("cargo");
            command.args(arguments).arg("--locked").env("CARGO_TARGET_DIR", target.path());
            let cores = &self.grounds.cores;
            // In a thread of its own, as this one is bound to a core.
            let built = std::thread::scope(|scope| {
                let build =
                    scope.spawn(|| cores.free_thread().and_then(|()| Ok(command.status()?)));
                build.join().map_err(|_| Failure::new("the build was not watched"))?
            });
            built?.success().then_some(()).ok_or_else(|| Failure::new("cargo failed"))
        };
        cargo(&["fetch"])?;
        let mut figures = Vec::new();
        for (profile, arguments) in [
            ("debug", ["build", "--quiet", "--package", "todo-mcp", "--profile", "dev"]),
            ("release", ["build", "--quiet", "--package", "todo-mcp", "--profile", "release"]),
        ] {
            let began = Instant::now();
            cargo(&arguments)?;
            figures.push((
                format!("build from nothing, {profile}"),
                "s",
                began.elapsed().as_secs_f64(),
            ));
        }
        let program = target.path().join("release").join("todo-mcp");
        let bytes = std::fs::metadata(program)?.len();
        figures.push(("size of the program as released".to_owned(), "MiB", mib(bytes)));
        for (what, unit, value) in figures {
            self.figure(what, unit, vec![value]);
        }
        Ok(())
    }
}
