//! What a token can allow.

use std::fmt;

/// One thing that an authorization server can grant, written as an OAuth scope.
///
/// Writing does not imply reading: the quickstart checks each tool for exactly one of the two, and
/// a client that only adds todos (a form, a mail gateway) should not be able to read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See todos: `todo:read`.
    Read,
    /// Create, change and delete todos: `todo:write`.
    Write,
}

impl Permission {
    /// Every permission, in the order in which they are advertised.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The scope that grants it.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Read => "todo:read",
            Self::Write => "todo:write",
        }
    }

    /// The permission that a scope grants, if it is one of ours. Scopes are case-sensitive
    /// (RFC 6749 §3.3).
    pub fn from_scope(scope: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.scope() == scope)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.scope())
    }
}

/// The set of permissions a principal holds. The empty set is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Permissions(u8);

impl Permissions {
    /// Whether the set holds `permission`.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// The set with `permission` added.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission.bit())
    }

    /// What the set holds, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.contains(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_named_by_its_scope_and_by_no_other() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_scope(permission.scope()), Some(permission));
        }
        for foreign in ["", "todo", "todo:READ", "todo:read ", "todo:*", "openid"] {
            assert_eq!(Permission::from_scope(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn writing_does_not_imply_reading() {
        let writer = Permissions::from_iter([Permission::Write]);
        assert!(writer.contains(Permission::Write));
        assert!(!writer.contains(Permission::Read));
    }
}
