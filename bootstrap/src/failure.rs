//! How the program ends when it cannot do what it was asked.

use std::fmt;
use std::process::ExitCode;

use crate::config::Problem;

/// Why a command failed, and so with which code the program exits.
#[derive(Debug)]
pub enum Failure {
    /// The command line or the settings are wrong: exit code 64 (`EX_USAGE`).
    Usage(String),
    /// The same, with every problem of the settings at once.
    Configuration(Vec<Problem>),
    /// Something that is needed is not there, or is in use: exit code 69 (`EX_UNAVAILABLE`).
    Unavailable(anyhow::Error),
    /// Anything else: exit code 1.
    Other(anyhow::Error),
}

impl Failure {
    /// Something that is needed is not there.
    pub fn unavailable(error: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable(error.into())
    }

    /// The code that the program exits with.
    pub fn exit_code(&self) -> ExitCode {
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
            Self::Unavailable(error) | Self::Other(error) => write!(formatter, "{error:#}"),
        }
    }
}
