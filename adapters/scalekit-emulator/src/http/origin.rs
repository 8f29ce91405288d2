//! From which web pages a request may come.
//!
//! A browser adds `Origin` to every request that is not a GET, and a page cannot change it. Programs that
//! are not browsers send none.

use axum::http::{HeaderMap, HeaderName, header};
use url::Url;

use crate::loopback::is_loopback_host;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of this server sent a form, or no page did (RFC 9700 section 4.7: against forms of other
/// sites, CSRF).
///
/// `Sec-Fetch-Site` is sent by current browsers, and `same-site` is not enough: every port of this machine
/// is of the same site. It also tells an `Origin` that the browser withholds from one that is foreign.
pub(crate) fn is_own(headers: &HeaderMap) -> bool {
    let is_known_as_own = match all(headers, SEC_FETCH_SITE).as_slice() {
        [] => false,
        ["same-origin" | "none"] => true,
        _ => return false,
    };
    match all(headers, header::ORIGIN).as_slice() {
        [] => true,
        ["null"] => is_known_as_own,
        [origin] => all(headers, header::HOST).first().is_some_and(|host| {
            origin
                .strip_prefix("http://")
                .is_some_and(|authority| authority.eq_ignore_ascii_case(host))
        }),
        _ => false,
    }
}

/// Whether a client on this machine sent a request, and not a page of a website: a program without an
/// origin, a page that this machine serves, such as the Inspector, or an application with a scheme of its
/// own, such as an editor or a browser extension.
pub(crate) fn is_of_this_machine(headers: &HeaderMap) -> bool {
    match all(headers, header::ORIGIN).as_slice() {
        [] => true,
        [origin] => Url::parse(origin).is_ok_and(|origin| match origin.scheme() {
            "http" | "https" => origin.host_str().is_some_and(is_loopback_host),
            _ => true,
        }),
        _ => false,
    }
}

/// The values of a header; one that is not text is empty, which nothing equals.
fn all(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect()
}
