//! Runs this program again under valgrind and reads the counts.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::expected::{Cost, Costs};
use crate::paths::Allocated;

/// The function during which instructions are counted, in every thread.
const MEASURED: &str = "instructions::paths::measured";

/// Makes the C library copy memory with vector instructions. It would otherwise choose `rep movsb` by size
/// and address, and callgrind counts every byte of that one instruction.
const COPIES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1000000000");

/// The directory of the profiles.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("instructions")
}

/// The cost of a request on each path; `None` if valgrind is not installed.
pub(crate) fn count(argument: &str) -> Option<Costs> {
    let directory = directory();
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir_all(&directory).unwrap();
    let profile = directory.join("profile");
    let run = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--dump-before={MEASURED}"))
        .arg(format!("--dump-after={MEASURED}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(std::env::current_exe().unwrap())
        .arg(argument)
        .env(COPIES.0, COPIES.1)
        .stderr(Stdio::piped())
        .output();
    let run = match run {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        run => run.unwrap(),
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let lines = String::from_utf8(run.stdout).unwrap();
    let cost = |(index, line): (usize, &str)| {
        let allocated: Allocated = serde_json::from_str(line).unwrap();
        // Dumps are numbered from 1; the odd ones cover what runs between the paths.
        let dump = directory.join(format!("profile.{}", 2 * index + 2));
        let each = |count: u64| {
            u32::try_from((count + allocated.requests / 2) / allocated.requests).unwrap()
        };
        let cost = Cost {
            instructions: each(instructions(&fs::read_to_string(&dump).unwrap())),
            allocations: f64::from(each(allocated.allocations * 10)) / 10.0,
            bytes: each(allocated.bytes),
        };
        let name = allocated.path.replace(['/', ' ', ','], "_");
        fs::rename(dump, directory.join(format!("{name}.callgrind"))).unwrap();
        (allocated.path, cost)
    };
    let costs = lines.lines().enumerate().map(cost).collect();
    for dump in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
        // Those between the paths.
        if dump.extension().is_none_or(|extension| extension != "callgrind") {
            fs::remove_file(dump).unwrap();
        }
    }
    Some(costs)
}

/// The total of a dump, which must be one made at the end of [`MEASURED`].
fn instructions(dump: &str) -> u64 {
    let after = format!("desc: Trigger: --dump-after={MEASURED}");
    assert!(dump.lines().any(|line| line == after), "not a dump of the measured function");
    let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
    total.unwrap().parse().unwrap()
}
