//! Standard output and standard error of commands. The log goes through `tracing` instead.
//!
//! What is printed passes the filter of `escape`.

use std::io::Write as _;

use crate::escape;
use crate::failure::Failure;

/// The width of the narrowest usual terminal.
pub(crate) const WIDTH: usize = 80;

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_styled(&escape::lines(text))
}

/// Writes to standard output a text with the control characters of colours: all else in it has passed the
/// filter already.
pub(crate) fn print_styled(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has closed the pipe, as `head` does.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::other),
    }
}

/// Writes a line to standard error: the report of a command whose standard output may hold data.
pub(crate) fn note(text: &str) {
    write_to_stderr(text);
}

/// Writes the error that a command failed with to standard error.
pub(crate) fn error(text: &str) {
    write_to_stderr(&format!("todo-mcp: {text}"));
}

fn write_to_stderr(line: &str) {
    // If standard error is gone, there is nowhere to report that.
    let _ = writeln!(std::io::stderr().lock(), "{}", escape::lines(line));
}

/// Wraps a text that starts at `column`. A word is never broken: it may be a URL to copy.
pub(crate) fn wrap(text: &str, column: usize) -> String {
    let mut wrapped = String::new();
    let mut used = column;
    for (position, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if position > 0 {
            if used + 1 + length > WIDTH {
                wrapped.push('\n');
                wrapped.extend(std::iter::repeat_n(' ', column));
                used = column;
            } else {
                wrapped.push(' ');
                used += 1;
            }
        }
        wrapped.push_str(word);
        used += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_start_at_the_column_and_stay_within_the_width() {
        let words = |count| vec!["word"; count].join(" ");
        assert_eq!(wrap(&words(20), 18), format!("{}\n{:18}{}", words(12), "", words(8)));
    }

    #[test]
    fn a_word_is_never_broken() {
        let url = "x".repeat(150);
        assert_eq!(wrap(&format!("see {url}"), 9), format!("see\n         {url}"));
    }
}
