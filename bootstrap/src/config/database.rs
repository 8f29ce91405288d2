//! The value of `DATABASE_URL`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

#[cfg(feature = "postgres")]
use todo_adapter_storage::PostgresUrl;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// In this process, lost when it ends.
    Memory,
    Sqlite(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresUrl>),
}

impl Database {
    /// Whether this is a file that opening would create, or an empty one.
    pub(crate) fn is_new(&self) -> bool {
        match self {
            Self::Sqlite(path) => path.metadata().map_or(true, |file| file.len() == 0),
            Self::Memory => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => false,
        }
    }

    /// The path of a file beside the database; `None` for a database that is not a file.
    #[cfg(feature = "emulator")]
    pub(crate) fn companion(&self, suffix: &str) -> Option<PathBuf> {
        match self {
            Self::Memory => None,
            Self::Sqlite(path) => {
                let mut name = path.clone().into_os_string();
                name.push(".");
                name.push(suffix);
                Some(name.into())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
        }
    }
}

/// The error continues a sentence that begins with the name of the setting. It never repeats what may
/// be a password.
impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "must be `sqlite:PATH`, `postgres://..` or `memory:`";

        // Schemes are read whatever their case (RFC 3986 section 3.1).
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        let has_colon = scheme.len() < text.len();
        match (scheme.to_ascii_lowercase().as_str(), rest) {
            ("memory", "") if has_colon => Ok(Self::Memory),
            ("memory", "") => Err(format!("{FORM}: write memory:")),
            ("sqlite", path) if has_colon => sqlite(path).map_err(str::to_owned),
            (scheme @ ("postgres" | "postgresql"), rest) if has_colon => {
                postgres(&format!("{scheme}:{rest}"))
            }
            ("sqlite3" | "file", _) => Err(format!("{FORM}: write sqlite: before the path")),
            _ if is_a_file_name(text) => Err(format!("{FORM}: write sqlite:{text}")),
            _ => Err(FORM.to_owned()),
        }
    }
}

/// Whether a text is certainly the path of a database file, and no part of a password.
fn is_a_file_name(text: &str) -> bool {
    let ends_like_one = [".db", ".sqlite", ".sqlite3"].iter().any(|end| text.ends_with(end));
    ends_like_one
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'~')
        })
}

fn sqlite(path: &str) -> Result<Database, &'static str> {
    match path.strip_prefix("//").unwrap_or(path) {
        path if path.is_empty() || path.ends_with(":memory:") => {
            Err("must have a path after `sqlite:`; for a database in memory, use `memory:`")
        }
        path if path.starts_with("file:") || path.contains('?') => {
            Err("must be `sqlite:` and a path, without `file:` and without parameters")
        }
        path if path == "~" || path.starts_with("~/") => {
            Err("must not have a `~`, which only a shell replaces: write the whole path")
        }
        // The URL of a database server with the wrong scheme: the path would show its password.
        _ if is_the_url_of_a_server(path) => {
            Err("must be `sqlite:` and a path, without a user and a host")
        }
        _ if !cfg!(feature = "sqlite") => Err("is sqlite:.., which this build does not support"),
        path => Ok(Database::Sqlite(PathBuf::from(path))),
    }
}

fn is_the_url_of_a_server(path: &str) -> bool {
    let authority = path.strip_prefix("//").filter(|rest| !rest.starts_with('/'));
    let user_part = authority.and_then(|rest| rest.rsplit_once('@'));
    user_part.is_some_and(|(user_part, _)| user_part.contains(':'))
}

#[cfg(feature = "postgres")]
fn postgres(url: &str) -> Result<Database, String> {
    let url = url.parse::<PostgresUrl>().map_err(|error| error.to_string())?;
    Ok(Database::Postgres(Box::new(url)))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<Database, String> {
    Err("is postgres://.., which this build does not support".to_owned())
}

/// Without the password.
impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => formatter.write_str("in memory, lost when the server stops"),
            Self::Sqlite(path) => write!(formatter, "{}", path.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => url.fmt(formatter),
        }
    }
}
