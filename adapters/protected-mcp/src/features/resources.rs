//! Resources: what a person attaches to a conversation.

mod definitions;
mod provider;

use std::sync::Arc;

use serde::Serialize;

pub use definitions::{
    Annotations, Audience, Resource, ResourceContents, ResourcePage, ResourceTemplate,
};
pub(crate) use provider::{AnyResources, TemplateVariable};
pub use provider::{ResourceChanges, Resources, ResourcesChanged};

use super::authorization::Authorization;
use super::operation::Operation;
use crate::jsonrpc::{Error, Reply, needs, string};
use crate::oauth::Scope as _;
use crate::observation::RequestRecord;
use crate::protocol::{CacheHints, Frame, errors};

/// Answers `resources/list`, page by page.
pub(super) async fn list(
    resources: &dyn AnyResources,
    operation: Operation<'_>,
    authorization: &Authorization,
    frame: &Frame,
    record: &mut RequestRecord,
) -> Result<Reply, Error> {
    let Operation { era, request, .. } = operation;
    let cursor = match request.params.cursor {
        None => None,
        Some(raw) => Some(string(raw).ok_or_else(errors::invalid_cursor)?),
    };
    let page = resources.list(authorization.access(operation), cursor.as_deref()).await;
    let page = page.map_err(|failure| authorization.list_error(failure, operation, record))?;
    frame.result(era, request.id, &page, Some(CacheHints::PRIVATE))
}

/// Answers `resources/templates/list`: the same for everyone.
pub(super) fn templates(
    resources: &dyn AnyResources,
    operation: Operation<'_>,
    frame: &Frame,
) -> Result<Reply, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ListResourceTemplatesResult {
        resource_templates: Vec<ResourceTemplate>,
    }
    let Operation { era, request, .. } = operation;
    if request.params.cursor.is_some() {
        return Err(errors::invalid_cursor());
    }
    let result = ListResourceTemplatesResult { resource_templates: resources.templates() };
    frame.result(era, request.id, &result, Some(CacheHints::PUBLIC))
}

/// Answers `resources/read`. A resource that is hidden from the caller, one that does not exist and a URI
/// that cannot exist look the same.
pub(super) async fn read(
    resources: &dyn AnyResources,
    operation: Operation<'_>,
    authorization: &Authorization,
    frame: &Frame,
    record: &mut RequestRecord,
) -> Result<Reply, Error> {
    #[derive(Serialize)]
    struct ReadResourceResult {
        contents: Vec<ResourceContents>,
    }
    let Operation { era, request, .. } = operation;
    let uri = request.params.uri;
    let uri = uri.and_then(string).ok_or_else(|| {
        Error::invalid_params(needs("`resources/read` needs `uri`, the URI of a resource.", uri))
    })?;
    let contents =
        resources.read(authorization.access(operation), &uri).await.map_err(|failure| {
            let not_found = || errors::resource_not_found(era, &uri);
            authorization.error(failure, not_found, operation, record)
        })?;
    let result = ReadResourceResult { contents: vec![contents] };
    frame.result(era, request.id, &result, Some(CacheHints::PRIVATE))
}

/// Resources without their type, and the scope that they require.
pub(crate) fn registered<R: Resources>(resources: R) -> (&'static str, Arc<dyn AnyResources>) {
    (R::Scope::NAME, Arc::new(resources))
}
