//! Which hosts are this machine.

use std::net::IpAddr;

/// Whether a host, as it stands in a URL, is this machine: `localhost` and the names below it (RFC 6761
/// section 6.3), or a loopback address.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let last_label = host.rsplit('.').next().unwrap_or(host);
    (last_label.eq_ignore_ascii_case("localhost") && !host.starts_with('.'))
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
