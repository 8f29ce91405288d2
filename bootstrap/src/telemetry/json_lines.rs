//! Lines of JSON without characters that act on a terminal or end a line.
//!
//! Formatting escapes only what JSON requires; this is the last step for all of a line.

use std::io::{self, Write};

use crate::escape;

/// Applies the filter to lines that come whole.
pub(super) struct JsonLines<W>(pub(super) W);

impl<W: Write> Write for JsonLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(escape::json(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_escaped_and_keeps_its_end() {
        let mut lines = JsonLines(Vec::new());
        lines.write_all("{\"message\":\"\u{9b}2J\u{202e}é\"}\n".as_bytes()).unwrap();
        let written = String::from_utf8(lines.0).unwrap();
        assert_eq!(written, "{\"message\":\"\\u009b2J\\u202eé\"}\n");
    }
}
