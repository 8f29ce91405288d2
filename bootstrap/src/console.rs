//! What people read in a terminal. Logs go elsewhere, through `tracing`.

use std::io::Write as _;

use crate::failure::Failure;

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has seen enough (`| head`).
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Failure::Other(error.into())),
    }
}

/// Writes a line to standard error: what a command has done whose output is something else.
pub(crate) fn note(text: &str) {
    // As with an error.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes the last words of a command that failed to standard error.
pub(crate) fn error(text: &str) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(std::io::stderr().lock(), "todo-mcp: {text}");
}
