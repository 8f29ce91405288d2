//! The URIs of the resources.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use todo_application::domain::{Label, TodoId};

/// The caller's open todos.
const TODOS: &str = "todo://todos";

/// What the caller has to do today.
const TODAY: &str = "todo://today";

/// What was changed today.
const CHANGES: &str = "todo://changes";

/// The caller's open todos with a label, without the label.
const LABELS: &str = "todo://labels";

/// One todo (RFC 6570).
pub(crate) const TODO_TEMPLATE: &str = "todo://todos/{id}";

/// The open todos with a label (RFC 6570).
pub(crate) const LABEL_TEMPLATE: &str = "todo://labels/{label}";

/// What an expansion encodes (RFC 6570 section 3.2.2): all but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a URI identifies. It never says whose todos: that is in the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ResourceUri {
    Todos,
    Today,
    Changes,
    Todo(TodoId),
    Label(Label),
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
        if rest == "://changes" {
            return Some(Self::Changes);
        }
        if let Some(label) = rest.strip_prefix("://labels/") {
            let label = percent_decode_str(label).decode_utf8().ok()?;
            return Label::try_from(label.as_ref()).ok().map(Self::Label);
        }
        match rest.strip_prefix("://todos")? {
            "" => Some(Self::Todos),
            rest => rest.strip_prefix('/')?.parse().ok().map(Self::Todo),
        }
    }

    /// The URI under which its changes are reported: for all labels the same one.
    pub(crate) fn reported(&self) -> String {
        match self {
            Self::Label(_) => LABELS.to_owned(),
            Self::Todos | Self::Today | Self::Changes | Self::Todo(_) => self.to_string(),
        }
    }

    /// Those under which a change of any todo is reported.
    pub(crate) fn of_lists() -> [String; 4] {
        [TODOS, TODAY, CHANGES, LABELS].map(str::to_owned)
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Todos => formatter.write_str(TODOS),
            Self::Today => formatter.write_str(TODAY),
            Self::Changes => formatter.write_str(CHANGES),
            Self::Todo(id) => write!(formatter, "{TODOS}/{id}"),
            Self::Label(label) => {
                write!(formatter, "{LABELS}/{}", utf8_percent_encode(label.as_str(), ENCODED))
            }
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
        assert_eq!(ResourceUri::parse("TODO://changes"), Some(ResourceUri::Changes));
        assert_eq!(ResourceUri::Changes.to_string(), CHANGES);
    }

    #[test]
    fn a_label_is_encoded_in_its_uri() {
        for (uri, label) in [
            ("todo://labels/home", "home"),
            ("todo://labels/tax%20return", "tax return"),
            ("Todo://labels/B%C3%BCro%2F7%3F", "Büro/7?"),
        ] {
            let label = ResourceUri::Label(Label::try_from(label).unwrap());
            assert_eq!(ResourceUri::parse(uri), Some(label.clone()));
            assert_eq!(label.to_string(), uri.replace("Todo:", "todo:"));
            assert_eq!(label.reported(), "todo://labels");
        }
        // As written by hand.
        let spaced = ResourceUri::parse("todo://labels/ tax return").unwrap();
        assert_eq!(spaced.to_string(), "todo://labels/tax%20return");
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
            "todo://changes/1-00000000",
            "todo://labels",
            "todo://labels/",
            "todo://labels/%20",
            "todo://labels/%ff",
            "todo://labels/a%0Ab",
            "todo://others",
            "töd://todos",
            "file:///etc/passwd",
            "https://todos",
        ] {
            assert_eq!(ResourceUri::parse(other), None, "{other}");
        }
    }
}
