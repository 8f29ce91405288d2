//! What a listener wants to be told of.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::envelope::object;
use crate::resources::ResourceUri;
use crate::rpc::RpcError;

/// As many resources as one stream can be about.
const MOST_RESOURCES: usize = 1_000;

/// The part of what was asked for that we have: changes of resources. Written out it is a
/// `SubscriptionFilter` again (MCP 2026-07-28), for the acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Filter {
    list_changes: bool,
    /// By what they name, with the text that the client knows them by.
    resources: BTreeMap<ResourceUri, String>,
}

impl Filter {
    /// Reads `params.notifications`. What we never tell of is left out, and so are resources that
    /// could not exist; those that could are in, whether they do or not.
    pub(super) fn read(raw: Option<&RawValue>) -> Result<Self, RpcError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct SubscriptionFilter {
            resources_list_changed: Option<bool>,
            resource_subscriptions: Option<Vec<String>>,
            #[serde(rename = "toolsListChanged")]
            _tools_list_changed: Option<bool>,
            #[serde(rename = "promptsListChanged")]
            _prompts_list_changed: Option<bool>,
        }
        let wanted: SubscriptionFilter = raw.and_then(|raw| object(raw).ok()).ok_or_else(|| {
            RpcError::invalid_params(
                "`subscriptions/listen` needs `notifications`, an object that says what to tell of: \
                 `resourcesListChanged` and `resourceSubscriptions`, a list of URIs.",
            )
        })?;
        let uris = wanted.resource_subscriptions.unwrap_or_default();
        if uris.len() > MOST_RESOURCES {
            return Err(RpcError::invalid_params(format!(
                "`resourceSubscriptions` may have at most {MOST_RESOURCES} URIs."
            )));
        }
        let resources =
            uris.into_iter().filter_map(|text| Some((ResourceUri::parse(&text)?, text))).collect();
        Ok(Self { list_changes: wanted.resources_list_changed.unwrap_or(false), resources })
    }

    pub(super) fn wants_list_changes(&self) -> bool {
        self.list_changes
    }

    pub(super) fn resources(&self) -> impl Iterator<Item = ResourceUri> {
        self.resources.keys().copied()
    }

    /// How the client writes a URI.
    pub(super) fn text_of(&self, uri: ResourceUri) -> Option<&str> {
        self.resources.get(&uri).map(String::as_str)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.list_changes {
            map.serialize_entry("resourcesListChanged", &true)?;
        }
        if !self.resources.is_empty() {
            let uris: Vec<&String> = self.resources.values().collect();
            map.serialize_entry("resourceSubscriptions", &uris)?;
        }
        map.end()
    }
}
