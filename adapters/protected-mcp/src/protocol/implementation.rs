//! What a server says about itself.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Name and version of a server, and how clients show it (MCP `Implementation`).
#[derive(Debug, Clone, Serialize)]
pub struct Implementation {
    name: &'static str,
    title: &'static str,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    icons: Vec<Icon>,
    /// Since 2025-11-25.
    #[serde(rename = "websiteUrl", skip_serializing_if = "Option::is_none")]
    website: Option<String>,
}

/// An image for clients that show one (MCP `Icon`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    /// A `data:` URI, or an https URL on the server's own origin.
    pub src: String,
    /// Such as `image/png`.
    pub mime_type: &'static str,
    /// Such as `96x96`, or `any` for a drawing.
    pub sizes: [&'static str; 1],
}

impl Implementation {
    /// `name` is for programs, `title` for people.
    pub fn new(name: &'static str, title: &'static str, version: &'static str) -> Self {
        Self { name, title, version, description: None, icons: Vec::new(), website: None }
    }

    #[must_use]
    pub fn with_description(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }

    /// Adds an icon; clients use the first one whose format they know.
    #[must_use]
    pub fn with_icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    pub(crate) fn with_website(self, website: Option<String>) -> Self {
        Self { website, ..self }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn title(&self) -> &'static str {
        self.title
    }

    pub(crate) fn description(&self) -> &'static str {
        self.description.unwrap_or_default()
    }

    pub(crate) fn icons(&self) -> &[Icon] {
        &self.icons
    }
}

/// The JSON of an [`Implementation`], written once.
#[derive(Debug)]
pub(crate) struct ServerDescription {
    /// Everything, for `initialize` and `server/discover`.
    pub(crate) complete: Box<RawValue>,
    /// Name, title and version, for every other result.
    pub(crate) short: Box<RawValue>,
}

impl From<&Implementation> for ServerDescription {
    fn from(implementation: &Implementation) -> Self {
        let Implementation { name, title, version, .. } = *implementation;
        let short = Implementation::new(name, title, version);
        Self {
            complete: to_raw_value(implementation).unwrap_or_default(),
            short: to_raw_value(&short).unwrap_or_default(),
        }
    }
}
