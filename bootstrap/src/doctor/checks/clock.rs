//! Whether the clocks of Scalekit and of this machine agree.

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{AGE, DATE};
use todo_application::domain::Instant;

use crate::doctor::finding::Finding;
use crate::http::Answer;

const CHECK: &str = "clock";
/// A difference that is reported, in seconds.
const NOTICEABLE_SKEW: i64 = 5;
/// The leeway of the verifier, in seconds: beyond it, valid tokens are rejected.
const HARMFUL_SKEW: i64 = 60;

pub(crate) fn check(answer: &Answer) -> Finding {
    let Some(ahead) = seconds_ahead(answer) else {
        return Finding::warn(CHECK, "the response of the environment has no date to compare with");
    };
    let seconds = ahead.abs();
    if seconds <= NOTICEABLE_SKEW {
        return Finding::pass(CHECK, "agrees with Scalekit's");
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let seen = format!("this machine's clock is {seconds} s {side} Scalekit's");
    if seconds <= HARMFUL_SKEW {
        let advice = "Turn on time synchronisation (NTP), before the difference exceeds 60 s.";
        return Finding::warn(CHECK, seen).advise(advice);
    }
    let harm = if ahead > 0 {
        "valid tokens are rejected as expired"
    } else {
        "new tokens are rejected as not yet valid"
    };
    let advice = format!("Set the clock and turn on time synchronisation (NTP): {harm}.");
    Finding::fail(CHECK, seen).advise(advice)
}

/// How far our clock is ahead of the `Date` of an answer (RFC 9110 section 6.6.1), in whole seconds;
/// negative when it is behind.
fn seconds_ahead(answer: &Answer) -> Option<i64> {
    const PARSER: DateTimeParser = DateTimeParser::new();
    let date = PARSER.parse_timestamp(answer.header(DATE)?).ok()?.as_millisecond();
    // A cached answer has an age (RFC 9111 section 5.1), and the date is truncated to the second.
    let age: i64 = answer.header(AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    let theirs = date.checked_add(age.checked_mul(1000)?)?.checked_add(500)?;
    let [sent, received] = answer.between.map(Instant::as_unix_millis);
    Some((i64::midpoint(sent, received) - theirs) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;
    use crate::http::tests::answer;

    #[test]
    fn a_small_difference_is_tolerated() {
        // The answers arrive at 09:33:20.5 by our clock.
        for (date, age, verdict, word) in [
            ("Sun, 22 Nov 2026 09:33:20 GMT", "0", Verdict::Pass, "agrees"),
            ("Sun, 22 Nov 2026 09:33:15 GMT", "0", Verdict::Pass, "agrees"),
            ("Sun, 22 Nov 2026 09:33:14 GMT", "0", Verdict::Warn, "6 s ahead"),
            ("Sun, 22 Nov 2026 09:33:26 GMT", "0", Verdict::Warn, "6 s behind"),
            ("Sun, 22 Nov 2026 09:34:20 GMT", "0", Verdict::Warn, "60 s behind"),
            ("Sun, 22 Nov 2026 09:34:21 GMT", "0", Verdict::Fail, "not yet valid"),
            ("Sun, 22 Nov 2026 09:32:19 GMT", "0", Verdict::Fail, "as expired"),
            ("Sun, 22 Nov 2026 09:32:19 GMT", "60", Verdict::Pass, "agrees"),
            ("yesterday", "0", Verdict::Warn, "no date"),
        ] {
            let finding = check(&answer(200, &[(DATE, date), (AGE, age)], ""));
            assert_eq!(finding.verdict(), verdict, "{date}: {finding:?}");
            let text = format!("{} {}", finding.seen(), finding.advice().unwrap_or_default());
            assert!(text.contains(word), "{finding:?}");
        }
        assert_eq!(check(&answer(200, &[], "")).verdict(), Verdict::Warn);
    }
}
