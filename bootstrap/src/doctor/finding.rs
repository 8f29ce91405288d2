//! The result of one check.

use crate::escape;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// It works, or may work, but needs attention.
    Warn,
    /// Some or all clients cannot use the server.
    Fail,
    /// Cannot be checked, or is not met on purpose: for the operator to know.
    Note,
}

/// What was checked, what was found, and what to change. It may repeat texts of other programs, which have
/// passed the filter of `escape`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    check: &'static str,
    verdict: Verdict,
    seen: String,
    advice: Option<String>,
}

impl Finding {
    fn new(verdict: Verdict, check: &'static str, seen: impl AsRef<str>) -> Self {
        Self { check, verdict, seen: escape::line(seen.as_ref()).into_owned(), advice: None }
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

    pub(super) fn note(check: &'static str, seen: impl AsRef<str>) -> Self {
        Self::new(Verdict::Note, check, seen)
    }

    /// Adds what to change, with the setting or the field of the dashboard.
    #[must_use]
    pub(super) fn advise(mut self, advice: impl AsRef<str>) -> Self {
        self.advice = Some(escape::line(advice.as_ref()).into_owned());
        self
    }

    /// The title of the check, the same in every report.
    pub fn check(&self) -> &'static str {
        self.check
    }

    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    pub fn seen(&self) -> &str {
        &self.seen
    }

    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        let finding = Finding::pass("x", "a\x1b[2Jb\r\nc").advise("d\u{202e}");
        assert_eq!(finding.seen(), r"a\u{1b}[2Jb\r\nc");
        assert_eq!(finding.advice(), Some(r"d\u{202e}"));
    }
}
