//! The filter for text on its way to a terminal or into the log.
//!
//! What callers, files, databases and other programs wrote may be part of it, and must neither act on a
//! terminal nor pass for something that this program wrote. `console` applies the filter to all that it
//! prints, and `telemetry` to all that is logged, so that nothing else has to think of it.

use std::borrow::Cow;
use std::fmt::{self, Write};

use todo_application::domain::is_ignorable;

/// Whether a character is there for something else than to be seen: control characters (C0 and C1), line
/// and paragraph separators, and the format characters that change the direction of text or are invisible.
fn acts(c: char) -> bool {
    // Unicode does not call the marks of interlinear annotations (U+FFF9 to U+FFFB) ignorable.
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}')
        || is_ignorable(c)
}

/// Whether it acts although lines and columns are wanted.
fn acts_in_lines(c: char) -> bool {
    !matches!(c, '\n' | '\t') && acts(c)
}

/// A text from outside as a part of one line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, acts, write_escape)
}

/// A text whose lines and columns are of this program.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, acts_in_lines, write_escape)
}

/// A line of JSON, which stays the same JSON: what is escaped can occur in strings only.
pub(crate) fn json(line: &str) -> Cow<'_, str> {
    escaped(line, acts_in_lines, |json, c| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(json, "\\u{unit:04x}"))
    })
}

/// Writes what it gets as [`line()`] returns it.
pub(crate) struct Line<W>(pub(crate) W);

impl<W: Write> Write for Line<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(&line(text))
    }
}

fn escaped(
    text: &str,
    acts: impl Fn(char) -> bool,
    write_escape: impl Fn(&mut String, char) -> fmt::Result,
) -> Cow<'_, str> {
    // Nearly every text.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(&acts) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            // Writing to a string cannot fail.
            let _ = write_escape(&mut escaped, c);
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// As a string of Rust has it.
fn write_escape(text: &mut String, c: char) -> fmt::Result {
    match c {
        '\n' => text.write_str("\\n"),
        '\r' => text.write_str("\\r"),
        '\t' => text.write_str("\\t"),
        c => write!(text, "{}", c.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        let text =
            "a\u{1b}[2J\u{9b}\u{7f}\r\u{202e}\u{2066}\u{2028}\u{200b}\u{ad}\u{fff9}\u{e0041}\tb\n";
        let escaped =
            r"a\u{1b}[2J\u{9b}\u{7f}\r\u{202e}\u{2066}\u{2028}\u{200b}\u{ad}\u{fff9}\u{e0041}";
        assert_eq!(line(text), format!(r"{escaped}\tb\n"));
        assert_eq!(lines(text), format!("{escaped}\tb\n"));
    }

    #[test]
    fn what_is_seen_is_left_alone() {
        for text in ["", "request status=200", "Titel: „Öl“ 🎉 שלום \u{a0}字 e\u{301}"]
        {
            assert!(matches!(line(text), Cow::Borrowed(_)), "{text}");
            assert!(matches!(lines(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn no_character_that_acts_is_left() {
        let all: String = ('\0'..=char::MAX).collect();
        assert!(!line(&all).contains(acts));
        assert!(!lines(&all).contains(acts_in_lines));
        let mut written = String::new();
        write!(Line(&mut written), "{all}").unwrap();
        assert!(written == line(&all), "however it is written");
    }

    #[test]
    fn json_stays_the_same() {
        let all: String = ('\0'..=char::MAX).collect();
        let text = serde_json::to_string(&all).unwrap();
        let escaped = json(&text);
        assert!(!escaped.contains(acts_in_lines));
        assert!(serde_json::from_str::<String>(&escaped).unwrap() == all, "the same value");
    }
}
