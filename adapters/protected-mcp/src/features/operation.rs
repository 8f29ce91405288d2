use std::sync::Arc;

use axum::http::HeaderValue;

use crate::limits::Share;
use crate::oauth::Caller;
use crate::observation::Observed;
use crate::protocol::{Era, Request};

/// One request of a caller.
#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub(crate) era: Era,
    pub(crate) request: &'a Request<'a>,
    pub(crate) caller: &'a Arc<Caller>,
    /// What is held for the request.
    pub(crate) share: &'a Arc<Share>,
    pub(crate) observed: &'a Observed,
    /// The `Host` header.
    pub(crate) host: Option<&'a HeaderValue>,
}
