//! All findings, and how they are printed.

use std::fmt::Write as _;

use super::finding::{Finding, Verdict};
use crate::console::wrap;
use crate::settings::Problem;

/// The width of a verdict and of the space after it.
const VERDICT_WIDTH: usize = 6;

/// Every finding, in the order of the checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    groups: Vec<Vec<Finding>>,
}

impl Report {
    /// The report on settings that cannot be read: nothing else can be checked then.
    pub(crate) fn of_problems(problems: &[Problem]) -> Self {
        let finding = |problem: &Problem| Finding::fail("settings", problem.to_string());
        Self { groups: vec![problems.iter().map(finding).collect()] }
    }

    /// Adds findings that are printed together.
    pub(super) fn add(&mut self, group: impl IntoIterator<Item = Finding>) {
        self.groups.push(group.into_iter().collect());
    }

    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.groups.iter().flatten()
    }

    pub fn has_failures(&self) -> bool {
        self.count(Verdict::Fail) > 0
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.findings().filter(|finding| finding.verdict() == verdict).count()
    }

    /// A line for each finding, its advice below it, and a summary at the end.
    pub fn print(&self, in_colour: bool) -> String {
        let longest =
            self.findings().map(|finding| finding.check().len()).max().unwrap_or_default();
        let column = VERDICT_WIDTH + longest + 2;
        let mut text = String::new();
        for group in self.groups.iter().filter(|group| !group.is_empty()) {
            for finding in group {
                let verdict = word(finding.verdict(), in_colour);
                let (check, seen) = (finding.check(), wrap(finding.seen(), column));
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{verdict}  {check:longest$}  {seen}");
                if let Some(advice) = finding.advice() {
                    let column = column + 2;
                    let _ = writeln!(text, "{:column$}{}", "", wrap(advice, column));
                }
            }
            text.push('\n');
        }
        text + &self.summary() + "\n"
    }

    fn summary(&self) -> String {
        let [pass, warn, fail] =
            [Verdict::Pass, Verdict::Warn, Verdict::Fail].map(|verdict| self.count(verdict));
        let checks =
            |count| if count == 1 { "1 check".to_owned() } else { format!("{count} checks") };
        let passed = format!("{} passed", checks(pass));
        let warnings = match warn {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            warn => format!(", {warn} warnings"),
        };
        match fail {
            0 if warn == 0 => format!("Everything fits together: {passed}."),
            0 => format!("Nothing failed: {passed}{warnings}."),
            1 => format!("1 check failed, {passed}{warnings}."),
            fail => {
                format!("{fail} checks failed, {passed}{warnings}. Start with the first failure.")
            }
        }
    }
}

/// The verdict as a line begins with it, if wanted in green, yellow or red (ECMA-48 SGR).
const fn word(verdict: Verdict, in_colour: bool) -> &'static str {
    match (verdict, in_colour) {
        (Verdict::Pass, false) => "pass",
        (Verdict::Warn, false) => "warn",
        (Verdict::Fail, false) => "fail",
        (Verdict::Note, _) => "note",
        (Verdict::Pass, true) => "\x1b[32mpass\x1b[0m",
        (Verdict::Warn, true) => "\x1b[33mwarn\x1b[0m",
        (Verdict::Fail, true) => "\x1b[1;31mfail\x1b[0m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: &[Verdict]) -> Report {
        let finding = |verdict: &Verdict| match verdict {
            Verdict::Pass => Finding::pass("check", "seen"),
            Verdict::Warn => Finding::warn("check", "seen"),
            Verdict::Fail => Finding::fail("check", "seen"),
            Verdict::Note => Finding::note("check", "seen"),
        };
        let mut report = Report::default();
        report.add(verdicts.iter().map(finding));
        report
    }

    #[test]
    fn lines_are_aligned_with_the_advice_below() {
        let mut report = Report::default();
        report.add([Finding::pass("settings", "valid")]);
        let long = "word ".repeat(20);
        report.add([Finding::fail("public URL", long).advise("Change MCP_URL.")]);
        let words = |count| vec!["word"; count].join(" ");
        assert_eq!(
            report.print(false),
            format!(
                "pass  settings    valid\n\
                 \n\
                 fail  public URL  {}\n                  {}\n                    Change MCP_URL.\n\
                 \n\
                 1 check failed, 1 check passed.\n",
                words(12),
                words(8)
            )
        );
    }

    #[test]
    fn the_summary_counts_verdicts() {
        use Verdict::{Fail, Pass, Warn};
        for (verdicts, summary) in [
            (&[Pass, Pass][..], "Everything fits together: 2 checks passed.\n"),
            (&[Pass, Warn], "Nothing failed: 1 check passed, 1 warning.\n"),
            (&[Fail], "1 check failed, 0 checks passed.\n"),
            (
                &[Fail, Fail, Pass, Warn, Warn],
                "2 checks failed, 1 check passed, 2 warnings. Start with the first failure.\n",
            ),
        ] {
            let report = report(verdicts);
            assert!(report.print(false).ends_with(summary), "{}", report.print(false));
            assert_eq!(report.has_failures(), verdicts.contains(&Fail));
        }
    }

    #[test]
    fn colour_changes_nothing_but_the_verdict() {
        let report = report(&[Verdict::Pass, Verdict::Warn, Verdict::Fail]);
        let plain = report.print(true).replace("\x1b[32m", "").replace("\x1b[33m", "");
        let plain = plain.replace("\x1b[1;31m", "").replace("\x1b[0m", "");
        assert_eq!(plain, report.print(false));
    }
}
