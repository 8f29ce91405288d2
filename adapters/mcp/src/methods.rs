//! The methods, and which era knows which.
//!
//! What is not here is not advertised, and is answered with -32601.

use std::sync::Arc;

use axum::response::Response;
use serde::Serialize;
use todo_application::ports::Principal;

use crate::endpoint::Service;
use crate::envelope::{Request, string};
use crate::era::{Era, LEGACY};
use crate::request_log::RequestLog;
use crate::rpc::{self, RpcError};
use crate::server_info::{CacheHints, DiscoverResult, Empty, InitializeResult, ResultFrame};
use crate::tools;

/// Answers one request.
pub(crate) async fn answer(
    service: &Service,
    principal: Arc<dyn Principal>,
    era: Era,
    request: &Request<'_>,
    log: &mut RequestLog,
) -> Result<Response, RpcError> {
    match (era, &*request.method) {
        (_, "tools/call") => tools::call(service, &*principal, era, request, log).await,
        (_, "tools/list") => list_tools(service, era, request),
        (Era::Modern, "server/discover") => Ok(rpc::result(request.id, &DiscoverResult::new())),
        (Era::Legacy, "initialize") => initialize(request),
        (Era::Legacy, "ping") => Ok(rpc::result(request.id, &Empty {})),
        (era, method) => Err(RpcError::method_not_found(era.method_not_found_status(), method)),
    }
}

/// The same for every caller: a tool that a token does not allow is listed, and calling it leads to
/// the scope it needs.
fn list_tools(service: &Service, era: Era, request: &Request<'_>) -> Result<Response, RpcError> {
    #[derive(Serialize)]
    struct ListToolsResult<'a> {
        tools: &'a serde_json::value::RawValue,
        #[serde(flatten)]
        cache: Option<CacheHints>,
        #[serde(flatten)]
        frame: ResultFrame,
    }
    if request.params.cursor.is_some() {
        return Err(RpcError::invalid_params("The list of tools has one page and no cursors."));
    }
    let cache = (era == Era::Modern).then_some(CacheHints::PUBLIC);
    let tools = service.tools.as_json();
    Ok(rpc::result(request.id, &ListToolsResult { tools, cache, frame: ResultFrame::of(era) }))
}

/// Answers with the revision that was asked for if we speak it, else with the newest that begins
/// with `initialize`.
fn initialize(request: &Request<'_>) -> Result<Response, RpcError> {
    let requested = request.params.protocol_version.and_then(string).ok_or_else(|| {
        RpcError::invalid_params("`initialize` needs `protocolVersion`, a string.")
    })?;
    let version = LEGACY.into_iter().find(|version| *version == requested).unwrap_or(LEGACY[0]);
    Ok(rpc::result(request.id, &InitializeResult::new(version)))
}
