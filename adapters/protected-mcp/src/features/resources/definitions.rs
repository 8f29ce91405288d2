use serde::Serialize;

/// A resource in `resources/list` (MCP `Resource`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    uri: String,
    name: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    mime_type: &'static str,
    annotations: Annotations,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<serde_json::Value>,
}

impl Resource {
    /// `name` is for programs, `title` for people.
    pub fn new(
        uri: impl Into<String>,
        name: impl Into<String>,
        title: impl Into<String>,
        mime_type: &'static str,
    ) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            title: title.into(),
            description: None,
            mime_type,
            annotations: Annotations::default(),
            meta: None,
        }
    }

    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    #[must_use]
    pub fn with_annotations(self, annotations: Annotations) -> Self {
        Self { annotations, ..self }
    }

    /// `meta` must be an object.
    #[must_use]
    pub fn with_meta(self, meta: serde_json::Value) -> Self {
        Self { meta: Some(meta), ..self }
    }
}

/// Who a resource is for, and when it last changed (MCP `Annotations`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    audience: &'static [Audience],
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    User,
    Assistant,
}

impl Default for Annotations {
    /// For people and models.
    fn default() -> Self {
        Self { audience: &[Audience::User, Audience::Assistant], last_modified: None }
    }
}

impl Annotations {
    pub fn for_audience(audience: &'static [Audience]) -> Self {
        Self { audience, last_modified: None }
    }

    /// An RFC 3339 instant.
    #[must_use]
    pub fn with_last_modified(self, instant: impl Into<String>) -> Self {
        Self { last_modified: Some(instant.into()), ..self }
    }
}

/// A family of resources (MCP `ResourceTemplate`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceTemplate {
    /// With variables in braces (RFC 6570, level 1).
    pub uri_template: &'static str,
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub mime_type: &'static str,
    pub annotations: Annotations,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<serde_json::Value>,
}

impl ResourceTemplate {
    /// Whether the template has this variable.
    pub(in crate::features) fn has_variable(&self, name: &str) -> bool {
        let mut expressions = self.uri_template.split('{').skip(1);
        expressions.any(|rest| rest.split_once('}').is_some_and(|(variable, _)| variable == name))
    }
}

/// One page of `resources/list`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourcePage {
    pub resources: Vec<Resource>,
    /// Leads to the next page; `None` on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The text of a resource (MCP `TextResourceContents`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceContents {
    pub uri: String,
    pub mime_type: &'static str,
    pub text: String,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<serde_json::Value>,
}
