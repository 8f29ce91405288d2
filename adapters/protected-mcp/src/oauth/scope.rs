use std::fmt;

/// A scope of this resource, as a type: what an operation requires is part of its type. See
/// [`scopes!`](crate::scopes).
pub trait Scope: Send + Sync + 'static {
    /// As OAuth writes it (RFC 6749 section 3.3).
    const NAME: &'static str;
}

/// Declares scopes:
///
/// ```
/// use protected_mcp::{Scope, scopes};
///
/// scopes!(ReadNotes = "notes:read", pub WriteNotes = "notes:write");
/// assert_eq!(ReadNotes::NAME, "notes:read");
/// ```
#[macro_export]
macro_rules! scopes {
    ($($visibility:vis $scope:ident = $name:expr),+ $(,)?) => {$(
        $visibility struct $scope;

        impl $crate::Scope for $scope {
            const NAME: &'static str = $name;
        }
    )+};
}

/// The scopes that a token grants, whatever they mean (RFC 6749 section 3.3). Compared byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Box<str>);

impl Scopes {
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|granted| granted == scope)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }
}

/// Reads the form in which OAuth writes scopes: separated by spaces.
impl From<&str> for Scopes {
    fn from(text: &str) -> Self {
        text.split_ascii_whitespace().collect()
    }
}

/// Each scope once, in the order of their first occurrence. A text that is no scope grants nothing: an entry
/// of a list that holds a space is not two scopes.
impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        let mut distinct: Vec<&str> = Vec::new();
        for scope in scopes.into_iter().filter(|scope| is_scope(scope)) {
            if !distinct.contains(&scope) {
                distinct.push(scope);
            }
        }
        Self(distinct.join(" ").into())
    }
}

/// RFC 6749 section 3.3: printable ASCII without space, quotation mark and backslash.
pub(crate) fn is_scope(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    !text.is_empty() && text.bytes().all(is_allowed)
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written_as_oauth_does() {
        let scopes = Scopes::from(" openid  notes:read openid\tnotes:write ");
        assert_eq!(scopes.to_string(), "openid notes:read notes:write");
        assert!(scopes.contains("notes:read"));
        for other in ["notes:rea", "notes", "NOTES:READ", "openid notes:read", ""] {
            assert!(!scopes.contains(other), "{other:?}");
        }
        assert!(!Scopes::default().contains(""));
    }

    #[test]
    fn a_text_that_is_no_scope_grants_nothing() {
        let entries =
            ["notes:read notes:write", "", "notes:\"write\"", "notes:re\u{e4}d", "openid"];
        assert_eq!(entries.into_iter().collect::<Scopes>().to_string(), "openid");
    }
}
