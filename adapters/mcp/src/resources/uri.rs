//! The URIs of the resources.

use std::fmt;

use todo_application::domain::TodoId;

/// The caller's open todos.
const TODOS: &str = "todo://todos";

/// What the caller has to do today.
const TODAY: &str = "todo://today";

/// One todo (RFC 6570).
pub(crate) const TODO_TEMPLATE: &str = "todo://todos/{id}";

/// What a URI identifies. It never says whose todos: that is in the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ResourceUri {
    Todos,
    Today,
    Todo(TodoId),
}

impl ResourceUri {
    /// Reads a URI. The case of its scheme (RFC 3986 section 3.1) and of an id does not matter. A URI with
    /// anything else, such as a query, identifies nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        const SCHEME: &str = "todo";
        let (scheme, rest) = text.split_at_checked(SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        if rest == "://today" {
            return Some(Self::Today);
        }
        match rest.strip_prefix("://todos")? {
            "" => Some(Self::Todos),
            rest => rest.strip_prefix('/')?.parse().ok().map(Self::Todo),
        }
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Todos => formatter.write_str(TODOS),
            Self::Today => formatter.write_str(TODAY),
            Self::Todo(id) => write!(formatter, "{TODOS}/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_identifies_the_list_or_one_todo() {
        let id = "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b";
        let todo = ResourceUri::parse(&format!("{TODOS}/{id}")).unwrap();
        assert_eq!(todo, ResourceUri::Todo(id.parse().unwrap()));
        assert_eq!(
            ResourceUri::parse(&todo.to_string().to_uppercase().replace("TODOS", "todos")),
            Some(todo)
        );
        assert_eq!(ResourceUri::parse("TODO://todos"), Some(ResourceUri::Todos));
        assert_eq!(ResourceUri::Todos.to_string(), TODOS);
        assert_eq!(ResourceUri::parse("Todo://today"), Some(ResourceUri::Today));
        assert_eq!(ResourceUri::Today.to_string(), TODAY);
    }

    #[test]
    fn other_uris_identify_nothing() {
        for other in [
            "",
            "todo",
            "todo:",
            "todo://",
            "todo://todos/",
            "todo://todos/x",
            "todo://todos/{id}",
            "todo://todos?completed=true",
            "todo://todos/0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b/",
            "todo://todos/../todos",
            "todo://today/",
            "todo://others",
            "töd://todos",
            "file:///etc/passwd",
            "https://todos",
        ] {
            assert_eq!(ResourceUri::parse(other), None, "{other}");
        }
    }
}
