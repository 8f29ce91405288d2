//! What a client asks first: which revision, which capabilities, whether the server is there.

use serde::Serialize;
use serde_json::value::RawValue;

use super::operation::Operation;
use crate::jsonrpc::{Error, Reply, string};
use crate::protocol::{CacheHints, Era, Frame, LEGACY, SUPPORTED, check_log_level};

/// What a server says about itself.
pub(crate) struct Lifecycle {
    /// Everything that there is to know about the server.
    pub(crate) description: Box<RawValue>,
    pub(crate) instructions: Option<&'static str>,
    pub(crate) has_resources: bool,
    pub(crate) has_prompts: bool,
}

/// What is served, and nothing else (MCP `ServerCapabilities`).
#[derive(Serialize)]
struct Capabilities {
    tools: Empty,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<ResourcesCapability>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompts: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completions: Option<Empty>,
    /// Deprecated since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    logging: Option<Empty>,
}

/// `{}`
#[derive(Serialize)]
struct Empty {}

/// Whether changes are announced: only 2026-07-28 has streams that need no session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourcesCapability {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    subscribe: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    list_changed: bool,
}

impl Lifecycle {
    fn capabilities(&self, era: Era) -> Capabilities {
        let announced = era == Era::Modern;
        let resources = ResourcesCapability { subscribe: announced, list_changed: announced };
        Capabilities {
            tools: Empty {},
            resources: self.has_resources.then_some(resources),
            prompts: self.has_prompts.then_some(Empty {}),
            completions: (self.has_resources || self.has_prompts).then_some(Empty {}),
            logging: (era == Era::Legacy).then_some(Empty {}),
        }
    }

    /// Answers `server/discover`.
    pub(super) fn discover(
        &self,
        operation: Operation<'_>,
        complete: &Frame,
    ) -> Result<Reply, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct DiscoverResult {
            supported_versions: [&'static str; SUPPORTED.len()],
            capabilities: Capabilities,
            #[serde(skip_serializing_if = "Option::is_none")]
            instructions: Option<&'static str>,
        }
        let Operation { era, request, .. } = operation;
        let result = DiscoverResult {
            supported_versions: SUPPORTED,
            capabilities: self.capabilities(era),
            instructions: self.instructions,
        };
        complete.result(era, request.id, &result, Some(CacheHints::PUBLIC))
    }

    /// Answers `initialize` with the requested revision if it is supported, else with the newest one
    /// that has `initialize`.
    pub(super) fn initialize(
        &self,
        operation: Operation<'_>,
        frame: &Frame,
    ) -> Result<Reply, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct InitializeResult<'a> {
            protocol_version: &'static str,
            capabilities: Capabilities,
            server_info: &'a RawValue,
            #[serde(skip_serializing_if = "Option::is_none")]
            instructions: Option<&'static str>,
        }
        let Operation { era, request, .. } = operation;
        let requested = request.params.protocol_version.and_then(string).ok_or_else(|| {
            Error::invalid_params("`initialize` needs `protocolVersion`, a string.")
        })?;
        let version = LEGACY.into_iter().find(|version| *version == requested);
        let result = InitializeResult {
            protocol_version: version.unwrap_or(LEGACY[0]),
            capabilities: self.capabilities(era),
            server_info: &self.description,
            instructions: self.instructions,
        };
        frame.result(era, request.id, &result, None)
    }
}

/// Answers `ping`.
pub(super) fn ping(operation: Operation<'_>, frame: &Frame) -> Result<Reply, Error> {
    frame.result(operation.era, operation.request.id, &Empty {}, None)
}

/// Answers `logging/setLevel`. Without sessions there is no stream for log messages, so none is sent at
/// any level; the method exists for clients that set a level on every server.
pub(super) fn set_log_level(operation: Operation<'_>, frame: &Frame) -> Result<Reply, Error> {
    let level = operation.request.params.level.ok_or_else(|| {
        Error::invalid_params("`logging/setLevel` needs `level`, a level of logging.")
    })?;
    check_log_level(level)?;
    ping(operation, frame)
}
