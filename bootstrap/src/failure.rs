//! Why a command failed, and the exit code that follows from it.

use std::fmt::{self, Write as _};
use std::process::ExitCode;

use crate::escape;
use crate::settings::Problem;

/// What each exit code means: the table in `bootstrap/README.md`.
pub const EXIT_CODES: [(u8, &str); 4] = [
    (0, "done"),
    (
        1,
        "`doctor`: a check failed; `health`: the server cannot serve, or does not answer; `import`: not everything is in the \
         database; `erase`: there was nothing to remove; `undo`: something was left as it is, or there was \
         nothing to take back; otherwise: any other error",
    ),
    (64, "the command line or the settings are wrong"),
    (
        69,
        "something that is needed is missing or in use: the port, the database, a file, the local identity",
    ),
];

#[derive(Debug)]
pub enum Failure {
    /// The command line, or a setting in the context of a command, is wrong: exit code 64
    /// (`EX_USAGE`).
    Usage(String),
    /// The settings are wrong, with every problem found: exit code 64.
    Configuration(Vec<Problem>),
    /// Something that the command needs is missing or in use: exit code 69 (`EX_UNAVAILABLE`).
    Unavailable(anyhow::Error),
    /// Anything else: exit code 1.
    Other(anyhow::Error),
}

impl Failure {
    pub(crate) fn unavailable(error: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable(error.into())
    }

    pub(crate) fn other(error: impl Into<anyhow::Error>) -> Self {
        Self::Other(error.into())
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Configuration(_) => 64,
            Self::Unavailable(_) => 69,
            Self::Other(_) => 1,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => formatter.write_str(text.trim_end()),
            Self::Configuration(problems) => {
                formatter.write_str("The configuration has problems:")?;
                problems.iter().try_for_each(|problem| write!(formatter, "\n  {problem}"))
            }
            // The alternate form writes the chain of causes on one line, unless a cause has several: it
            // may be the text of a file, a database or another program.
            Self::Unavailable(error) | Self::Other(error) => {
                write!(escape::Line(formatter), "{error:#}")
            }
        }
    }
}
