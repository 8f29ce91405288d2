//! Where settings come from: the environment, and a `.env` file.

mod env_file;
mod problem;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use problem::Problem;
pub(crate) use problem::shown;

/// Names and values: the environment, and below it a `.env` file.
///
/// An empty value counts as unset, so that `PORT=` means the default.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, Value>,
    not_unicode: BTreeSet<String>,
    /// The `.env` file that was looked for.
    file: PathBuf,
}

#[derive(Debug, Clone)]
struct Value {
    text: String,
    source: Source,
}

/// Where a value is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Environment,
    File {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

impl Settings {
    /// The environment of this process, and the `.env` file of the current directory for what the
    /// environment does not set. The error holds every problem of that file.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads them")]
    pub(crate) fn from_environment() -> Result<Self, Vec<Problem>> {
        let path = std::path::absolute(".env").unwrap_or_else(|_| ".env".into());
        let mut settings = Self { file: path.clone(), ..Self::default() };
        for (name, value) in std::env::vars_os() {
            // No setting has a name that is not Unicode.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(text) => settings.insert(name, text, Source::Environment),
                Err(_) => {
                    settings.not_unicode.insert(name);
                }
            }
        }
        for entry in read_file(&path, &settings)? {
            if settings.source(&entry.name) != Some(&Source::Environment) {
                let source = Source::File { path: path.clone(), line: entry.line };
                settings.values.remove(&entry.name);
                settings.insert(entry.name, entry.value, source);
            }
        }
        Ok(settings)
    }

    fn insert(&mut self, name: String, text: String, source: Source) {
        if is_set(&text) {
            self.values.insert(name, Value { text, source });
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.trim())
    }

    pub(crate) fn source(&self, name: &str) -> Option<&Source> {
        self.values.get(name).map(|value| &value.source)
    }

    /// The names of everything that is set to a Unicode text.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The names of variables whose values are not valid Unicode.
    pub(crate) fn not_unicode(&self) -> impl Iterator<Item = &str> {
        self.not_unicode.iter().map(String::as_str)
    }

    /// The absolute path of the `.env` file, whether or not it exists.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

/// As if the environment set them.
impl<'a> FromIterator<(&'a str, &'a str)> for Settings {
    /// Of two values for one name, the later one counts.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut settings = Self::default();
        for (name, text) in pairs {
            settings.insert(name.to_owned(), text.to_owned(), Source::Environment);
        }
        settings
    }
}

/// Continues a sentence such as "is set in".
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => formatter.write_str("the environment"),
            Self::File { path, line } => write!(formatter, "{}, line {line}", path.display()),
        }
    }
}

fn is_set(value: &str) -> bool {
    !value.trim().is_empty()
}

fn read_file(path: &Path, environment: &Settings) -> Result<Vec<env_file::Entry>, Vec<Problem>> {
    let name = path.display().to_string();
    let problem = |cause: String| Problem::new(&name, format!("cannot be read: {cause}"));
    let content = match std::fs::read(path) {
        Ok(content) => content,
        // A virtual environment of Python may have this name.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(vec![problem(error.to_string())]),
    };
    let lookup = |name: &str| environment.get(name).map(str::to_owned);
    env_file::parse(&content, lookup).map_err(|causes| causes.into_iter().map(problem).collect())
}
