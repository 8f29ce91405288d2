//! Standard output and standard error of commands. The log goes through `tracing` instead.
//!
//! What is printed passes the filter of `escape`.

use std::io::Write as _;

use terminal_size::{Height, Width, terminal_size_of};

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

/// Writes lines to standard output, wrapped if it is a terminal.
pub(crate) fn print_lines(text: &str) -> Result<(), Failure> {
    print(&fit(text, width(terminal_size_of(std::io::stdout()))))
}

/// Writes a line to standard error: the report of a command whose standard output may hold data.
pub(crate) fn note(text: &str) {
    write_to_stderr(&fit(text, width(terminal_size_of(std::io::stderr()))));
}

/// Writes the error that a command failed with to standard error.
pub(crate) fn error(text: &str) {
    note(&format!("todo-mcp: {text}"));
}

fn write_to_stderr(line: &str) {
    // If standard error is gone, there is nowhere to report that.
    let _ = writeln!(std::io::stderr().lock(), "{}", escape::lines(line));
}

/// The lines as a terminal of this width shows them; without a width they stay as they are.
///
/// A line that is too long continues below its second column, as in a table, or with an indent. A line that begins
/// with four spaces is a command to copy, and stays whole.
fn fit(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let lines = text.split('\n').map(|line| fit_line(line, width));
    lines.collect::<Vec<_>>().join("\n")
}

fn fit_line(line: &str, width: usize) -> String {
    if line.chars().count() <= width || line.starts_with("    ") {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let second = line[indent..].find("  ").map(|gap| {
        let after = line[indent + gap..].trim_start_matches(' ');
        line.len() - after.len()
    });
    let columns = |at: usize| line[..at].chars().count();
    let (start, column) = match second {
        Some(second) if columns(second) <= width / 2 => (second, columns(second)),
        _ => (indent, indent + 2),
    };
    let rest = wrap_within(width, &line[start..], columns(start), column);
    format!("{}{rest}", &line[..start])
}

/// The width of a terminal; `None` for anything else. What goes elsewhere is not wrapped: another program may
/// read it.
fn width(terminal: Option<(Width, Height)>) -> Option<usize> {
    terminal.map(|(Width(width), _)| width.into()).filter(|width| *width > 0)
}

/// Wraps a text that starts at `column`. A word is never broken: it may be a URL to copy.
pub(crate) fn wrap(text: &str, column: usize) -> String {
    wrap_within(WIDTH, text, column, column)
}

/// The same with another width. The first line starts at `start`, the others at `column`.
fn wrap_within(width: usize, text: &str, start: usize, column: usize) -> String {
    let mut wrapped = String::new();
    let mut used = start;
    for (position, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if position > 0 {
            if used + 1 + length > width {
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
    fn lines_that_are_too_long_for_a_terminal_continue_below_their_text() {
        let text = "note: one two three four\n  PORT is not a number at all\n  Todos  one two three four\n\
                    \x20   a command that stays in one line\nshort\n";
        let narrow = "note: one two three\n  four\n  PORT is not a\n    number at all\n  Todos  one two\n\
                      \x20        three four\n    a command that stays in one line\nshort\n";
        assert_eq!(fit(text, Some(20)), narrow);
        assert_eq!(fit(text, Some(80)), text);
        assert_eq!(fit(text, None), text);
        let far = "  a long first column  and a second";
        assert_eq!(fit(far, Some(24)), "  a long first column\n    and a second");
    }

    #[test]
    fn a_word_is_never_broken() {
        let url = "x".repeat(150);
        assert_eq!(wrap(&format!("see {url}"), 9), format!("see\n         {url}"));
    }
}
