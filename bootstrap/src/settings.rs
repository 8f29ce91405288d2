//! Where settings come from.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::Problem;
use crate::failure::Failure;

/// Named texts: the environment, and below it a `.env` file.
///
/// An empty value counts as unset, so that `PORT=` in a file means the default.
#[derive(Debug, Clone, Default)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The environment of this process, and the `.env` file of the current directory for what the
    /// environment does not name.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads them")]
    pub fn from_environment() -> Result<Self, Failure> {
        let mut settings = Self::from_file(Path::new(".env"))?;
        settings.0.extend(std::env::vars_os().filter_map(|(name, value)| {
            // What is not Unicode cannot be one of ours.
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }));
        settings.0.retain(|_, value| !value.trim().is_empty());
        Ok(settings)
    }

    fn from_file(path: &Path) -> Result<Self, Failure> {
        let problem = |error: dotenvy::Error| {
            Failure::Configuration(vec![Problem::new(".env", format!("cannot be read: {error}"))])
        };
        match dotenvy::from_path_iter(path) {
            Ok(pairs) => pairs.collect::<Result<_, _>>().map(Self).map_err(problem),
            Err(error) if error.not_found() => Ok(Self::default()),
            Err(error) => Err(problem(error)),
        }
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim())
    }

    /// Every name that is set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Settings {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let pairs = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty());
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
