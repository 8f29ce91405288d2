//! The fuzz targets without libFuzzer: their corpus, and variations on it that are the same in
//! every run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests panic on failure")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[path = "fuzz/checks.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets are other crates")]
mod checks;

/// Enough to vary every seed many times, in a few seconds of a debug build.
const VARIATIONS: usize = 50_000;
/// As in `.ci/fuzz`.
const LONGEST: usize = 4096;

const TELLING: &[&[u8]] = &[
    b"",
    b"\n",
    b"\n\n",
    b"\0",
    b"\xff",
    b"\xc2\xa0",
    b" ",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b".",
    b"=",
    b"null",
    b"-1",
    b"1e999",
    b"253402300800",
    b"99999999999999999999",
    b"Bearer ",
];

/// A generator with the same numbers in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number up to `last`.
    fn up_to(&mut self, last: usize) -> usize {
        usize::try_from(self.roll() % (u64::try_from(last).unwrap() + 1)).unwrap()
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.up_to(choices.len() - 1)]
    }

    fn range_in(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let (one, other) = (self.up_to(bytes.len()), self.up_to(bytes.len()));
        one.min(other)..one.max(other)
    }

    fn vary(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.one_of(seeds).clone();
        for _ in 0..=self.up_to(3) {
            let position = self.up_to(bytes.len());
            match self.up_to(6) {
                0 => bytes.truncate(position),
                1 => drop(bytes.drain(self.range_in(&bytes))),
                2 => {
                    let again = bytes[self.range_in(&bytes)].to_vec();
                    bytes.splice(position..position, again);
                }
                3 => {
                    let other = self.one_of(seeds);
                    let piece = &other[self.range_in(other)];
                    bytes.splice(self.range_in(&bytes), piece.iter().copied());
                }
                4 => {
                    let piece = *self.one_of(TELLING);
                    bytes.splice(position..position, piece.iter().copied());
                }
                5 => {
                    let piece = *self.one_of(TELLING);
                    let end = bytes.len().min(position + piece.len());
                    bytes.splice(position..end, piece.iter().copied());
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(position) {
                        *byte ^= 1 << self.up_to(7);
                    }
                }
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The files with an extension, which are the seeds made by hand.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some()).collect();
    files.sort();
    files
}

fn hold(target: &str, check: fn(&[u8])) {
    let seeds = files(&folder().join("corpus").join(target));
    let seeds: Vec<_> = seeds.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!((3..10).contains(&seeds.len()), "{target}: {} seeds", seeds.len());
    let mut dice = Dice(1);
    let variations = std::iter::repeat_with(|| dice.vary(&seeds)).take(VARIATIONS);
    for bytes in seeds.iter().cloned().chain(variations) {
        if let Err(panic) = std::panic::catch_unwind(|| check(&bytes)) {
            // In a form that can be pasted into a test.
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            panic!("{target}: {message:?} for b\"{}\"", bytes.escape_ascii());
        }
    }
}

#[test]
fn a_bearer_header_never_panics() {
    hold("bearer_header", checks::bearer_header);
}

#[test]
fn a_token_never_panics() {
    hold("token", checks::token);
}

#[test]
fn a_key_set_never_panics() {
    hold("key_set", checks::key_set);
}

#[test]
fn an_envelope_is_accepted_or_rejected_with_a_code() {
    hold("envelope", checks::envelope);
}

#[test]
fn arguments_are_accepted_or_rejected_with_a_sentence_for_each() {
    hold("tool_arguments", checks::tool_arguments);
}

#[test]
fn every_fuzz_target_has_a_test_here() {
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let targets: BTreeSet<_> = files(&folder().join("fuzz_targets")).iter().map(name).collect();
    let here = ["bearer_header", "envelope", "key_set", "token", "tool_arguments"];
    assert_eq!(targets, BTreeSet::from(here.map(str::to_owned)));
}
