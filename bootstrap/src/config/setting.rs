//! The declaration of one setting.

/// A setting whose value is a `T`.
pub(super) struct Setting<T: 'static> {
    pub(super) about: About,
    /// Reads a value. The error continues a sentence that begins with the name of the setting, and
    /// repeats nothing that may be a secret.
    pub(super) parse: fn(&str) -> Result<T, String>,
}

/// What an operator needs to know about a setting: a row of the table in `bootstrap/README.md`.
#[derive(Debug, Clone, Copy)]
pub struct About {
    pub name: &'static str,
    /// Other names for it, in the order in which they are looked up.
    pub aliases: &'static [&'static str],
    pub default: DefaultValue,
    pub meaning: &'static str,
    /// Whether its text may hold a password, and is never repeated.
    pub(crate) is_secret: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum DefaultValue {
    /// Read like a value that is set.
    Text(&'static str),
    /// Depends on other settings, as these words describe; empty where there is none.
    Derived(&'static str),
}

impl<T> Setting<T> {
    pub(super) const fn new(
        name: &'static str,
        default: DefaultValue,
        meaning: &'static str,
        parse: fn(&str) -> Result<T, String>,
    ) -> Self {
        Self { about: About { name, aliases: &[], default, meaning, is_secret: false }, parse }
    }

    pub(super) const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.about.aliases = aliases;
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.about.is_secret = true;
        self
    }
}

impl About {
    /// The name and the aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

impl DefaultValue {
    /// As the documentation shows it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Text(text) | Self::Derived(text) => text,
        }
    }
}
