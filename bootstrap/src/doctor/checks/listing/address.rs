//! Whether the public URL is one that strangers on the internet can reach.

use std::net::IpAddr;

use protected_mcp::PublicUrl;
use url::{Host, Url};

use crate::doctor::finding::Finding;

const CHECK: &str = "listing: URL";
const ADVICE: &str = "Set MCP_URL to the https:// URL under which the internet reaches the server.";

/// Ends of names that no public DNS resolves (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`).
const PRIVATE_ENDS: [&str; 7] =
    ["localhost", "local", "internal", "home.arpa", "test", "invalid", "example"];

/// The finding where there is no public URL yet.
pub(crate) fn unknown() -> Finding {
    Finding::fail(CHECK, "unknown: it depends on the port, and PORT is 0").advise(ADVICE)
}

pub(crate) fn check(url: &PublicUrl) -> Finding {
    let resource = url.resource();
    if !url.is_https() {
        return Finding::fail(CHECK, format!("{resource} is not https")).advise(ADVICE);
    }
    if is_public(url) {
        Finding::pass(CHECK, format!("{resource} is https, with a public name"))
    } else {
        Finding::fail(CHECK, format!("{resource} has no public host")).advise(ADVICE)
    }
}

fn is_public(url: &PublicUrl) -> bool {
    let Ok(origin) = Url::parse(url.origin()) else { return false };
    match origin.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let ends_with = |end: &&str| name.strip_suffix(end).is_some_and(|it| it.ends_with('.'));
            name.contains('.') && !PRIVATE_ENDS.iter().any(ends_with)
        }
        Some(Host::Ipv4(address)) => is_public_address(address.into()),
        Some(Host::Ipv6(address)) => is_public_address(address.into()),
        None => false,
    }
}

fn is_public_address(address: IpAddr) -> bool {
    let is_within = match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    };
    !is_within && !address.is_loopback() && !address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Pass};

    #[test]
    fn a_public_url_is_https_and_has_a_public_host() {
        for (url, verdict) in [
            ("https://todo.acme.com", Pass),
            ("https://203.0.113.7", Pass),
            ("http://todo.acme.com", Fail),
            ("https://localhost:3002", Fail),
            ("https://todo", Fail),
            ("https://todo.cluster.local", Fail),
            ("https://10.0.0.7", Fail),
            ("https://[fd00::7]", Fail),
        ] {
            let finding = check(&url.parse().unwrap());
            assert_eq!(finding.verdict(), verdict, "{finding:?}");
        }
    }
}
