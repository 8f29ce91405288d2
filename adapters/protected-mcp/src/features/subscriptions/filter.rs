use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::jsonrpc::{Error, object};

/// The most resources that one stream can announce.
const MOST_RESOURCES: usize = 1_000;

/// The part of the requested notifications that this server sends. It serializes as a
/// `SubscriptionFilter` again (MCP 2026-07-28), for the acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Filter {
    list_changes: bool,
    /// By canonical URI, with the URI as the client wrote it.
    resources: BTreeMap<String, String>,
}

impl Filter {
    /// Reads `params.notifications`. Notifications that this server never sends are left out, and so are
    /// resources that cannot exist (`canonical` is `None`); others are kept, whether they exist or not.
    pub(super) fn read(
        raw: Option<&RawValue>,
        canonical: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
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
        let requested: SubscriptionFilter =
            raw.and_then(|raw| object(raw).ok()).ok_or_else(|| {
                Error::invalid_params(
                    "`subscriptions/listen` needs `notifications`, an object that says what to \
                     announce: `resourcesListChanged` and `resourceSubscriptions`, a list of URIs.",
                )
            })?;
        let uris = requested.resource_subscriptions.unwrap_or_default();
        if uris.len() > MOST_RESOURCES {
            return Err(Error::invalid_params(format!(
                "`resourceSubscriptions` may have at most {MOST_RESOURCES} URIs."
            )));
        }
        let resources = uris.into_iter().filter_map(|uri| Some((canonical(&uri)?, uri))).collect();
        Ok(Self { list_changes: requested.resources_list_changed.unwrap_or(false), resources })
    }

    pub(super) fn wants_list_changes(&self) -> bool {
        self.list_changes
    }

    /// Canonical URIs, each with the URI as the client wrote it.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.resources.iter().map(|(canonical, uri)| (canonical.as_str(), uri.as_str()))
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
