//! What is wrong or unusual about a setting.

use std::fmt;

/// The longest value that is repeated, in characters.
const MAX_SHOWN: usize = 60;

/// A setting, and what is wrong or unusual about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    setting: String,
    rule: String,
    origin: Option<String>,
}

impl Problem {
    /// `rule` continues a sentence that begins with the name of the setting.
    pub(crate) fn new(setting: &str, rule: impl Into<String>) -> Self {
        Self { setting: setting.to_owned(), rule: rule.into(), origin: None }
    }

    /// Adds where the setting is set, or its value and where that is set.
    pub(crate) fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    pub(crate) fn setting(&self) -> &str {
        &self.setting
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.setting, self.rule)?;
        if let Some(origin) = &self.origin {
            write!(formatter, " ({origin})")?;
        }
        formatter.write_str(".")
    }
}

/// A value as it may be printed: on one line, not too long, and hidden if it may hold a password, as a
/// URL with a user does.
pub(crate) fn shown(value: &str) -> String {
    if value.contains('@') {
        return "a value that is not shown because it has an @".to_owned();
    }
    let mut cut: String = value.chars().take(MAX_SHOWN).collect();
    if cut.len() < value.len() {
        cut.push_str("..");
    }
    format!("`{}`", cut.escape_debug())
}
