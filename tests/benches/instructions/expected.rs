//! What the paths are expected to cost.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, iter};

use serde::{Deserialize, Serialize};

/// How far above the expected instructions may be. From run to run they wander by less than one in a
/// hundred, and now and then by two, with the seeds of hash tables, the addresses that the allocator
/// gives, the digits of port numbers and the order of threads.
const INSTRUCTIONS: f64 = 1.05;

/// The same for allocations and bytes, which hardly wander: one allocation more shows up to a hundred.
const ALLOCATIONS: f64 = 1.01;

/// The costs of paths by their names.
pub(crate) type Costs = BTreeMap<String, Cost>;

/// What one request costs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) instructions: u32,
    /// To a tenth: some requests make a table grow.
    pub(crate) allocations: f64,
    pub(crate) bytes: u32,
}

/// What was accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Expected {
    /// What made the program: another compiler makes another one.
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

    /// Makes these the expected costs.
    pub(crate) fn accept(costs: Costs) {
        let expected = Self { compiler: compiler(), costs };
        let text = serde_json::to_string_pretty(&expected).unwrap();
        fs::write(Self::file(), text + "\n").unwrap();
        println!("Accepted: {}", Self::file().display());
    }

    /// Prints what is and what was, and gives what is too much.
    pub(crate) fn compare(&self, now: &Costs) -> Vec<String> {
        let columns = ["instructions", "allocations", "bytes"].map(|it| format!(" {it:^24}"));
        println!("{:<34}{}", "each request:", columns.concat());
        println!("{:<34}{}", "", "   before      now  ratio".repeat(3));
        let mut complaints = Vec::new();
        for (path, now) in now {
            let Some(before) = self.costs.get(path) else {
                complaints.push(format!("{path} is new"));
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
                    complaints.push(format!("{path}: {now} {what}, where {before} are expected"));
                }
            }
            println!();
        }
        let gone = self.costs.keys().filter(|path| !now.contains_key(*path));
        complaints.extend(gone.map(|path| format!("{path} is gone")));
        let here = compiler();
        if here == self.compiler {
            return complaints;
        }
        println!("\nNo verdict: the expected figures are of {}, this is {here}.", self.compiler);
        Vec::new()
    }
}

/// The compiler on the path, which cargo has used unless it was told otherwise, and for what.
fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    version.split_whitespace().take(2).chain(iter::once(ARCH)).collect::<Vec<_>>().join(" ")
}
