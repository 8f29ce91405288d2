//! Where settings come from: the environment, and a `.env` file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

/// Names and values: the environment, and below it a `.env` file.
///
/// An empty value counts as unset, so that `PORT=` means the default.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    not_unicode: BTreeSet<String>,
}

impl Settings {
    /// The environment of this process, and the `.env` file of the current directory for what the
    /// environment does not set.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads them")]
    pub(crate) fn from_environment() -> Result<Self, Problem> {
        let mut settings = Self { values: read_file(Path::new(".env"))?, ..Self::default() };
        for (name, value) in std::env::vars_os() {
            // No setting has a name that is not Unicode.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) if is_set(&value) => {
                    settings.values.insert(name, value);
                }
                Ok(_) => {}
                Err(_) => {
                    settings.not_unicode.insert(name);
                }
            }
        }
        settings.values.retain(|_, value| is_set(value));
        Ok(settings)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.trim())
    }

    /// The names of everything that is set to a Unicode text.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The names of variables whose values are not valid Unicode.
    pub(crate) fn not_unicode(&self) -> impl Iterator<Item = &str> {
        self.not_unicode.iter().map(String::as_str)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Settings {
    /// Of two values for one name, the later one counts.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().filter(|(_, value)| is_set(value));
        let values = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { values, ..Self::default() }
    }
}

/// A setting, and what is wrong or unusual about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    setting: String,
    rule: String,
}

impl Problem {
    /// `rule` continues a sentence that begins with the name of the setting.
    pub(crate) fn new(setting: &str, rule: impl Into<String>) -> Self {
        Self { setting: setting.to_owned(), rule: rule.into() }
    }

    pub(crate) fn setting(&self) -> &str {
        &self.setting
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}.", self.setting, self.rule)
    }
}

fn is_set(value: &str) -> bool {
    !value.trim().is_empty()
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, Problem> {
    let problem = |cause: String| Problem::new(".env", format!("cannot be read: {cause}"));
    let text = match std::fs::read(path) {
        // Some editors begin a file with a byte order mark.
        Ok(text) => text.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(problem(error.to_string())),
    };
    dotenvy::from_read_iter(text.as_slice()).collect::<Result<_, _>>().map_err(|error| {
        // The line may hold a secret: only its number is reported.
        let line = match line_number(&text, &error) {
            Some(number) => format!("line {number}"),
            None => "a line".to_owned(),
        };
        problem(format!("{line} is not of the form NAME=value"))
    })
}

/// The number of the line that an error is about, counted from 1.
fn line_number(text: &[u8], error: &dotenvy::Error) -> Option<usize> {
    let dotenvy::Error::LineParse(unreadable, _) = error else { return None };
    let unreadable = unreadable.lines().next()?;
    let index = text
        .split(|byte| *byte == b'\n')
        .position(|line| line.trim_ascii() == unreadable.trim().as_bytes())?;
    Some(index + 1)
}
