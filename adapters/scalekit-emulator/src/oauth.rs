//! Rules of the RFCs, free of I/O, time and storage.

pub(crate) mod authorization_response;
pub(crate) mod error;
pub(crate) mod parameters;
pub(crate) mod pkce;
pub(crate) mod redirect_uri;
pub(crate) mod resource_indicator;
pub(crate) mod scope;
