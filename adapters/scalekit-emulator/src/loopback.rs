//! Which hosts are this machine.

use std::net::IpAddr;

/// Whether a host, as it stands in a URL, is this machine: `localhost` and the names below it (RFC 6761
/// section 6.3), 127.0.0.0/8, and `::1`. What the engine takes for loopback, a login must lead back to.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_localhost = |name: &str| name.eq_ignore_ascii_case("localhost");
    let address = host.trim_start_matches('[').trim_end_matches(']');
    is_localhost(name)
        || name
            .rsplit_once('.')
            .is_some_and(|(label, last)| !label.is_empty() && is_localhost(last))
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback_host;

    #[test]
    fn every_name_of_this_machine_is_loopback_and_no_other() {
        for host in
            ["localhost", "LOCALHOST.", "a.localhost", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"]
        {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["", ".localhost", "localhost.evil.com", "notlocalhost", "128.0.0.1", "[::2]"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
