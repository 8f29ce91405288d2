//! What an access token can grant.

use std::fmt;

/// A permission that an authorization server can grant, written as an OAuth scope.
///
/// Writing does not imply reading: a client that only adds todos (a form, a mail gateway) should not
/// be able to read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// List and get todos: `todo:read`.
    Read,
    /// Create, update and delete todos: `todo:write`.
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

    /// The permission that a scope grants, if it is one of these. Scopes are case-sensitive
    /// (RFC 6749 section 3.3).
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
    /// What these scopes grant. Scopes of other applications grant nothing here.
    pub fn from_scopes<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        scopes.into_iter().filter_map(Permission::from_scope).collect()
    }

    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission.bit())
    }

    /// In the order of [`Permission::ALL`].
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
    fn a_permission_is_granted_by_its_scope_and_by_no_other() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_scope(permission.scope()), Some(permission));
        }
        for foreign in ["", "todo", "todo:READ", "todo:read ", "todo:*", "openid"] {
            assert_eq!(Permission::from_scope(foreign), None, "{foreign:?}");
        }
        let scopes = ["openid", "todo:write", "todo:write"];
        let expected = Permissions::from_iter([Permission::Write]);
        assert_eq!(Permissions::from_scopes(scopes), expected);
    }

    #[test]
    fn writing_does_not_imply_reading() {
        let writer = Permissions::from_iter([Permission::Write]);
        assert!(writer.contains(Permission::Write));
        assert!(!writer.contains(Permission::Read));
    }
}
