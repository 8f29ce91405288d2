//! Findings, and how they are printed.

use std::fmt::Write as _;

/// How wide a line may be.
const WIDTH: usize = 100;
/// The verdict, and the space after it.
const VERDICT: usize = 6;

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// It works, or may; worth a look.
    Warn,
    /// Some or all clients cannot use the server.
    Fail,
}

impl Verdict {
    /// The word at the start of a line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// The same in green, yellow or red (ECMA-48 SGR).
    const fn coloured(self) -> &'static str {
        match self {
            Self::Pass => "\x1b[32mpass\x1b[0m",
            Self::Warn => "\x1b[33mwarn\x1b[0m",
            Self::Fail => "\x1b[1;31mfail\x1b[0m",
        }
    }
}

/// One check: what was looked at, what was seen, and what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    check: &'static str,
    verdict: Verdict,
    seen: String,
    advice: Option<String>,
}

impl Finding {
    fn new(verdict: Verdict, check: &'static str, seen: impl AsRef<str>) -> Self {
        Self { check, verdict, seen: printable(seen.as_ref()), advice: None }
    }

    pub(super) fn pass(check: &'static str, seen: impl AsRef<str>) -> Self {
        Self::new(Verdict::Pass, check, seen)
    }

    pub(super) fn warn(check: &'static str, seen: impl AsRef<str>) -> Self {
        Self::new(Verdict::Warn, check, seen)
    }

    pub(super) fn fail(check: &'static str, seen: impl AsRef<str>) -> Self {
        Self::new(Verdict::Fail, check, seen)
    }

    /// What to change, naming the setting or the field of the dashboard.
    #[must_use]
    pub(super) fn advise(mut self, advice: impl AsRef<str>) -> Self {
        self.advice = Some(printable(advice.as_ref()));
        self
    }

    /// What was looked at: a word or two, the same in every report.
    pub fn check(&self) -> &'static str {
        self.check
    }

    /// What the check came to.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What was seen, in half a sentence.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    /// What to change, if anything.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

/// Texts come from other machines too: none of them may move the cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The start of a text that someone else wrote: what is worth repeating.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// Every finding, in the order of the checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    groups: Vec<Vec<Finding>>,
}

impl Report {
    /// Adds findings that belong together.
    pub(super) fn add(&mut self, group: impl IntoIterator<Item = Finding>) {
        self.groups.push(group.into_iter().collect());
    }

    /// Every finding.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.groups.iter().flatten()
    }

    /// Whether a check failed.
    pub fn has_failures(&self) -> bool {
        self.count(Verdict::Fail) > 0
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.findings().filter(|finding| finding.verdict == verdict).count()
    }

    /// One line a finding, below it what to change, and a sentence at the end.
    pub fn print(&self, in_colour: bool) -> String {
        let longest = self.findings().map(|finding| finding.check.len()).max().unwrap_or_default();
        let column = VERDICT + longest + 2;
        let mut text = String::new();
        for group in self.groups.iter().filter(|group| !group.is_empty()) {
            for Finding { check, verdict, seen, advice } in group {
                let word = if in_colour { verdict.coloured() } else { verdict.as_str() };
                // Writing to a string cannot fail.
                let _ = write!(text, "{word}  {check:longest$}  ");
                wrap(&mut text, column, seen);
                if let Some(advice) = advice {
                    let column = column + 2;
                    let _ = write!(text, "{:column$}", "");
                    wrap(&mut text, column, advice);
                }
            }
            text.push('\n');
        }
        text + &self.summary() + "\n"
    }

    /// How it stands, in a sentence.
    fn summary(&self) -> String {
        let [pass, warn, fail] =
            [Verdict::Pass, Verdict::Warn, Verdict::Fail].map(|verdict| self.count(verdict));
        let passed = match pass {
            1 => "1 check passed".to_owned(),
            pass => format!("{pass} checks passed"),
        };
        match (fail, warn) {
            (0, 0) => format!("All is well: {passed}."),
            (0, warn) => format!("Nothing failed: {passed}, {warn} worth a look."),
            (1, 0) => format!("1 check failed, {passed}."),
            (1, warn) => format!("1 check failed, {warn} worth a look, {passed}."),
            (fail, 0) => format!("{fail} checks failed, {passed}. Start with the first."),
            (fail, warn) => format!(
                "{fail} checks failed, {warn} worth a look, {passed}. Start with the first failure."
            ),
        }
    }
}

/// Adds a text that starts at `column`, in as many lines as it takes. A word is never broken: it
/// may be a URL to copy.
fn wrap(to: &mut String, column: usize, text: &str) {
    let mut used = column;
    for (position, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if position > 0 {
            if used + 1 + length > WIDTH {
                let _ = write!(to, "\n{:column$}", "");
                used = column;
            } else {
                to.push(' ');
                used += 1;
            }
        }
        to.push_str(word);
        used += length;
    }
    to.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: &[Verdict]) -> Report {
        let mut report = Report::default();
        report.add(verdicts.iter().map(|verdict| Finding::new(*verdict, "check", "seen")));
        report
    }

    #[test]
    fn lines_are_aligned_and_advice_stands_below() {
        let mut report = Report::default();
        report.add([Finding::pass("settings", "fine")]);
        let long = "word ".repeat(20);
        report.add([Finding::fail("public URL", long).advise("Change MCP_URL.")]);
        let words = |count| vec!["word"; count].join(" ");
        assert_eq!(
            report.print(false),
            format!(
                "pass  settings    fine\n\
                 \n\
                 fail  public URL  {}\n                  {}\n                    Change MCP_URL.\n\
                 \n\
                 1 check failed, 1 check passed.\n",
                words(16),
                words(4)
            )
        );
    }

    #[test]
    fn a_word_is_never_broken() {
        let mut report = Report::default();
        let url = "x".repeat(150);
        report.add([Finding::pass("a", format!("see {url}"))]);
        assert!(report.print(false).contains(&format!("see\n         {url}\n")));
    }

    #[test]
    fn the_summary_says_how_it_stands() {
        use Verdict::{Fail, Pass, Warn};
        for (verdicts, summary) in [
            (&[Pass, Pass][..], "All is well: 2 checks passed.\n"),
            (&[Pass, Warn], "Nothing failed: 1 check passed, 1 worth a look.\n"),
            (&[Fail], "1 check failed, 0 checks passed.\n"),
            (&[Fail, Fail, Pass], "2 checks failed, 1 check passed. Start with the first.\n"),
        ] {
            let report = report(verdicts);
            assert!(report.print(false).ends_with(summary), "{}", report.print(false));
            assert_eq!(report.has_failures(), verdicts.contains(&Fail));
        }
    }

    #[test]
    fn what_others_wrote_cannot_move_the_cursor_and_is_cut() {
        let finding = Finding::pass("x", "a\x1b[2Jb\r\nc");
        assert_eq!(finding.seen(), "a [2Jb  c");
        assert_eq!(excerpt(&"ü".repeat(500)).chars().count(), 122);
    }

    #[test]
    fn colour_changes_nothing_but_the_verdict() {
        let report = report(&[Verdict::Pass, Verdict::Warn, Verdict::Fail]);
        let plain = report.print(true).replace("\x1b[32m", "").replace("\x1b[33m", "");
        let plain = plain.replace("\x1b[1;31m", "").replace("\x1b[0m", "");
        assert_eq!(plain, report.print(false));
    }
}
