//! The accepted cost of each path.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, iter};

use serde::{Deserialize, Serialize};

/// Instructions may exceed the accepted count by this factor. From run to run they vary by less than
/// 1 %, rarely by 2 %, with the seeds of hash tables, the addresses that the allocator returns, the digits
/// of port numbers and the scheduling of threads. Built in another folder, the same source has had 3 %
/// more on one path: the compiler names and divides crates by their folder, and inlines differently.
const INSTRUCTIONS: f64 = 1.05;

/// The same for allocations and bytes, which hardly vary: on a busy machine a path once had a third of an
/// allocation more. A whole one shows on every path that has fewer than fifty. An update had 67 on a quiet
/// machine and 70 on a busy one, so 70 is what is accepted.
const ALLOCATIONS: f64 = 1.02;

/// Costs by the name of the path.
pub(crate) type Costs = BTreeMap<String, Cost>;

/// The cost of one request.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) instructions: u32,
    /// To one decimal: some requests make a table grow.
    pub(crate) allocations: f64,
    pub(crate) bytes: u32,
}

/// The contents of `expected.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Expected {
    /// Counts of another compiler or architecture are not comparable.
    compiler: String,
    costs: Costs,
}

impl Expected {
    fn file() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/expected.json")
    }

    pub(crate) fn read() -> Self {
        serde_json::from_str(&fs::read_to_string(Self::file()).unwrap()).unwrap()
    }

    /// Writes these costs to the file.
    pub(crate) fn accept(costs: Costs) {
        let expected = Self { compiler: compiler(), costs };
        let text = serde_json::to_string_pretty(&expected).unwrap();
        fs::write(Self::file(), text + "\n").unwrap();
        println!("accepted: {}", Self::file().display());
    }

    /// Prints accepted and current costs, and returns the regressions.
    pub(crate) fn compare(&self, now: &Costs) -> Vec<String> {
        let columns = ["instructions", "allocations", "bytes"].map(|it| format!(" {it:^24}"));
        println!("{:<34}{}", "each request:", columns.concat());
        println!("{:<34}{}", "", "   before      now  ratio".repeat(3));
        let mut regressions = Vec::new();
        for (path, now) in now {
            let Some(before) = self.costs.get(path) else {
                regressions.push(format!("{path} is not in expected.json"));
                continue;
            };
            let figures = [
                ("instructions", before.instructions.into(), now.instructions.into(), INSTRUCTIONS),
                ("allocations", before.allocations, now.allocations, ALLOCATIONS),
                ("bytes", before.bytes.into(), now.bytes.into(), ALLOCATIONS),
            ];
            print!("{path:<34}");
            for (what, before, now, tolerance) in figures {
                print!(" {before:>8} {now:>8} {:>6.3}", now / before);
                if now > before * tolerance {
                    regressions.push(format!("{path}: {now} {what}, expected {before}"));
                }
            }
            println!();
        }
        let removed = self.costs.keys().filter(|path| !now.contains_key(*path));
        regressions.extend(removed.map(|path| format!("{path} is no longer measured")));
        let here = compiler();
        if here == self.compiler {
            return regressions;
        }
        println!(
            "\nnot compared: expected.json was written with {}, this is {here}",
            self.compiler
        );
        Vec::new()
    }
}

/// The compiler in `PATH`, which cargo uses by default, and the architecture.
fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    version.split_whitespace().take(2).chain(iter::once(ARCH)).collect::<Vec<_>>().join(" ")
}
