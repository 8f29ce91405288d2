//! Where settings come from.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use crate::config::Problem;
use crate::failure::Failure;

/// Every setting there is, in the order of the README's table.
pub const SETTINGS: [&str; 20] = [
    "PORT",
    "BIND_ADDRESS",
    "MCP_URL",
    "BASE_URL",
    "MCP_BASE_URL",
    "SCALEKIT_ENVIRONMENT_URL",
    "SK_ENV_URL",
    "SCALEKIT_RESOURCE_ID",
    "MCP_SERVER_ID",
    "SCALEKIT_CLIENT_ID",
    "DATABASE_URL",
    "TODO_SHARING",
    "TODO_SCOPE_DENIAL",
    "TODO_RATE_LIMIT",
    "ALLOWED_HOSTS",
    "ALLOWED_ORIGINS",
    "LOG_FORMAT",
    "RUST_LOG",
    "EMULATOR_PORT",
    "EMULATOR_AUTO_CONSENT",
];

/// Named texts: the environment, and below it a `.env` file.
///
/// An empty value counts as unset, so that `PORT=` means the default.
#[derive(Debug, Clone, Default)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The environment of this process, and the `.env` file of the current directory for what the
    /// environment does not name.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads them")]
    pub fn from_environment() -> Result<Self, Failure> {
        let mut settings = Self::from_file(Path::new(".env"))?;
        for (name, value) in std::env::vars_os() {
            // A name that is not Unicode is none of ours.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) if is_set(&value) => {
                    settings.0.insert(name, value);
                }
                Err(_) if SETTINGS.contains(&name.as_str()) => {
                    let problem = Problem::new(&name, "is not valid Unicode");
                    return Err(Failure::Configuration(vec![problem]));
                }
                Ok(_) | Err(_) => {}
            }
        }
        settings.0.retain(|_, value| is_set(value));
        Ok(settings)
    }

    fn from_file(path: &Path) -> Result<Self, Failure> {
        let problem = |rule: String| Failure::Configuration(vec![Problem::new(".env", rule)]);
        let text = match std::fs::read(path) {
            // Some editors begin a file with a mark that it is UTF-8.
            Ok(text) => text.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(problem(format!("cannot be read: {error}"))),
        };
        // The line that cannot be read may hold a secret: it is named and not repeated.
        dotenvy::from_read_iter(text.as_slice()).collect::<Result<_, _>>().map(Self).map_err(
            |error| {
                let line = unreadable_line(&text, &error);
                let line = line.map_or("a line".to_owned(), |number| format!("line {number}"));
                problem(format!("cannot be read: {line} is not of the form NAME=value"))
            },
        )
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(SETTINGS.contains(&name), "{name} is not in the list of settings");
        self.0.get(name).map(|value| value.trim())
    }

    /// Every name that is set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// An empty value counts as unset.
fn is_set(value: &str) -> bool {
    !value.trim().is_empty()
}

/// The number of the line that an error is about, counted from 1.
fn unreadable_line(text: &[u8], error: &dotenvy::Error) -> Option<usize> {
    let dotenvy::Error::LineParse(unreadable, _) = error else { return None };
    let unreadable = unreadable.lines().next()?;
    let number = text
        .split(|byte| *byte == b'\n')
        .position(|line| line.trim_ascii() == unreadable.trim().as_bytes())?;
    Some(number + 1)
}

impl<'a> FromIterator<(&'a str, &'a str)> for Settings {
    /// Of two settings with one name the later counts.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().filter(|(_, value)| is_set(value));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
