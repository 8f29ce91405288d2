//! The methods, and which era knows which.
//!
//! What is not here is not advertised, and is answered with -32601. `subscriptions/listen`, whose
//! answer is a stream, is in `subscriptions`.

use std::sync::Arc;

use serde::Serialize;
use todo_application::ports::Principal;

use crate::endpoint::Service;
use crate::envelope::{Request, string};
use crate::era::{self, Era, LEGACY};
use crate::request_log::RequestLog;
use crate::rpc::{Reply, RpcError};
use crate::server_info::{CacheHints, DiscoverResult, Empty, InitializeResult, ResultFrame};
use crate::{completions, failure, prompts, resources, tools};

/// One request, and what it takes to answer it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Service,
    pub(crate) principal: &'a Arc<dyn Principal>,
    pub(crate) era: Era,
    pub(crate) request: &'a Request<'a>,
}

impl<'a> Call<'a> {
    /// Who asks.
    pub(crate) fn caller(self) -> &'a dyn Principal {
        &**self.principal
    }
}

/// Answers one request.
pub(crate) async fn answer(call: Call<'_>, log: &mut RequestLog) -> Result<Reply, RpcError> {
    let Call { service, era, request, .. } = call;
    match (era, &*request.method) {
        (_, "tools/call") => tools::call(call, log).await,
        (_, "tools/list") => list_tools(call),
        (_, "resources/read") => resources::read(call, log).await,
        (_, "resources/list") => resources::list(call, log).await,
        (_, "resources/templates/list") => resources::templates(call),
        (_, "prompts/get") => prompts::get(call, log).await,
        (_, "prompts/list") => prompts::list(call),
        (_, "completion/complete") => completions::complete(call, log).await,
        (Era::Modern, "server/discover") => {
            Ok(Reply::result(request.id, &DiscoverResult::new(&service.introduction)))
        }
        (Era::Legacy, "initialize") => initialize(call),
        (Era::Legacy, "logging/setLevel") => set_log_level(request),
        (Era::Legacy, "ping") => Ok(Reply::result(request.id, &Empty {})),
        (era, method) => Err(RpcError::method_not_found(era.method_not_found_status(), method)),
    }
}

/// The same for every caller: a tool that a token does not allow is listed, and calling it leads to
/// the scope it needs.
fn list_tools(call: Call<'_>) -> Result<Reply, RpcError> {
    #[derive(Serialize)]
    struct ListToolsResult<'a> {
        tools: &'a serde_json::value::RawValue,
        #[serde(flatten)]
        cache: Option<CacheHints>,
        #[serde(flatten)]
        frame: ResultFrame,
    }
    let Call { service, era, request, .. } = call;
    // The list has one page, so no cursor is one of ours.
    if request.params.cursor.is_some() {
        return Err(failure::invalid_cursor());
    }
    let (cache, frame) = (CacheHints::PUBLIC.in_era(era), ResultFrame::of(era));
    let tools = service.tools.as_json();
    Ok(Reply::result(request.id, &ListToolsResult { tools, cache, frame }))
}

/// Answers with the revision that was asked for if we speak it, else with the newest that begins
/// with `initialize`.
fn initialize(call: Call<'_>) -> Result<Reply, RpcError> {
    let Call { service, request, .. } = call;
    let requested = request.params.protocol_version.and_then(string).ok_or_else(|| {
        RpcError::invalid_params("`initialize` needs `protocolVersion`, a string.")
    })?;
    let version = LEGACY.into_iter().find(|version| *version == requested).unwrap_or(LEGACY[0]);
    let result = InitializeResult::new(version, &service.introduction);
    Ok(Reply::result(request.id, &result))
}

/// There is no stream for log messages where there is no session, so none is sent, at any level.
/// The method is there for clients that set a level whatever a server offers.
fn set_log_level(request: &Request<'_>) -> Result<Reply, RpcError> {
    let level = request.params.level.ok_or_else(|| {
        RpcError::invalid_params("`logging/setLevel` needs `level`, a level of logging.")
    })?;
    era::check_log_level(level)?;
    Ok(Reply::result(request.id, &Empty {}))
}
