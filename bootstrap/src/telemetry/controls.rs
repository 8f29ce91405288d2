//! Lines of the log without characters that act on a terminal or end a line.
//!
//! Text from outside can be in an event, such as an error of a database. Formatting escapes some of it;
//! this is the last step for all of it.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::LogFormat;

/// Escapes control characters, line separators and what changes the direction of text, in lines that come
/// whole.
pub(super) struct Escaping<W> {
    pub(super) lines: W,
    pub(super) format: LogFormat,
    /// Whether colours are in the lines, which consist of control characters.
    pub(super) colours: bool,
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.escaped(line) {
            None => self.lines.write_all(line),
            Some(escaped) => self.lines.write_all(escaped.as_bytes()),
        }?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }
}

impl<W> Escaping<W> {
    /// `None` if there is nothing to escape, as in nearly every line.
    fn escaped(&self, line: &[u8]) -> Option<String> {
        if line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
            return None;
        }
        let line = String::from_utf8_lossy(line);
        if !line.contains(|c| self.acts(c)) {
            return None;
        }
        let mut escaped = String::with_capacity(line.len() + 16);
        for c in line.chars() {
            let code = u32::from(c);
            // Writing to a string cannot fail.
            let _ = match (self.acts(c), self.format) {
                (false, _) => escaped.write_char(c),
                (true, LogFormat::Json) => write!(escaped, "\\u{code:04x}"),
                (true, LogFormat::Text) => write!(escaped, "\\u{{{code:x}}}"),
            };
        }
        Some(escaped)
    }

    fn acts(&self, c: char) -> bool {
        match c {
            '\n' | '\t' => false,
            '\u{1b}' => !self.colours,
            '\u{61c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
            c => c.is_control(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str, format: LogFormat, colours: bool) -> String {
        let mut writer = Escaping { lines: Vec::new(), format, colours };
        writer.write_all(line.as_bytes()).unwrap();
        String::from_utf8(writer.lines).unwrap()
    }

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        let line = "a\u{1b}[2J\u{9b}\u{7f}\u{202e}\u{2066}\u{2028}é\n";
        let text = written(line, LogFormat::Text, false);
        assert_eq!(text, "a\\u{1b}[2J\\u{9b}\\u{7f}\\u{202e}\\u{2066}\\u{2028}é\n");
        let coloured = written("\u{1b}[2mINFO\u{1b}[0m \u{85}\n", LogFormat::Text, true);
        assert_eq!(coloured, "\u{1b}[2mINFO\u{1b}[0m \\u{85}\n");
    }

    #[test]
    fn a_line_of_json_stays_the_same_json() {
        let value = "\u{1b}\u{9b}\u{7f}\u{202e}\u{2028}\u{2029}é\u{10ffff}";
        let line = serde_json::to_string(value).unwrap();
        let json = written(&line, LogFormat::Json, false);
        assert!(!json.contains(['\u{9b}', '\u{202e}', '\u{2028}', '\u{2029}']), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
    }

    #[test]
    fn other_lines_are_written_as_they_are() {
        for line in ["request status=200\n", "\tTitel: „Öl“ 🎉 שלום\n"] {
            assert_eq!(written(line, LogFormat::Text, false), line);
        }
    }
}
