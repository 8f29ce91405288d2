use serde::Deserialize;
use serde_json::value::RawValue;

/// The parameters that the methods of MCP know, each still raw. Others are ignored. All methods share
/// this type, so that a body is scanned once.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Params<'a> {
    #[serde(borrow, rename = "_meta")]
    pub(crate) meta: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) cursor: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) uri: Option<&'a RawValue>,
    #[serde(borrow, rename = "ref")]
    pub(crate) reference: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) argument: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) level: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) notifications: Option<&'a RawValue>,
    #[serde(borrow, rename = "protocolVersion")]
    pub(crate) protocol_version: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    /// The parameter that the header `Mcp-Name` repeats for `method`, and how a sentence calls it
    /// (MCP 2026-07-28, Streamable HTTP, standard headers).
    pub(super) fn mirrored_in_name_header(
        &self,
        method: &str,
    ) -> Option<(Option<&'a RawValue>, &'static str)> {
        match method {
            "tools/call" | "prompts/get" => Some((self.name, "`params.name`")),
            "resources/read" => Some((self.uri, "`params.uri`")),
            _ => None,
        }
    }
}
