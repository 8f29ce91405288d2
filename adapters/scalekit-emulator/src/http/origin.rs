//! From which web pages a request may come.
//!
//! A browser adds `Origin` to every request that is not a GET, and a page cannot change it. Programs that
//! are not browsers send none.

use axum::http::{HeaderMap, header};
use url::Url;

use crate::loopback::is_loopback_host;

/// Whether a client on this machine sent a request, and not a page of a website: a program without an
/// origin, a page that this machine serves, such as the Inspector, or an application with a scheme of its
/// own, such as an editor or a browser extension.
pub(crate) fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let origins = headers.get_all(header::ORIGIN).iter();
    let origins: Vec<_> = origins.map(|value| value.to_str().unwrap_or_default()).collect();
    match origins.as_slice() {
        [] => true,
        [origin] => Url::parse(origin).is_ok_and(|origin| match origin.scheme() {
            "http" | "https" => origin.host_str().is_some_and(is_loopback_host),
            _ => true,
        }),
        _ => false,
    }
}
