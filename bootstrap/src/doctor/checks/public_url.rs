//! The public URL, and how it goes with ports, hosts and origins.

use protected_mcp::PublicUrl;
use url::Url;

use crate::compose::{allowed_hosts, allowed_origins};
use crate::config::{Config, public_url_text};
use crate::doctor::finding::Finding;
use crate::settings::Settings;

/// `None` if the public URL depends on a port that is not known yet.
pub(crate) fn of(config: &Config) -> Option<PublicUrl> {
    let port = config.listen.port();
    if config.public_url.is_none() && port == 0 {
        return None;
    }
    config.public_url_at(config.listen).ok()
}

pub(crate) fn check(settings: &Settings, config: &Config, url: Option<&PublicUrl>) -> Vec<Finding> {
    let Some(url) = url else {
        let seen = "unknown: it depends on the port, and PORT is 0";
        let advice = "To check more, set PORT to the port that the server chose.";
        return vec![Finding::warn("public URL", seen).advise(advice)];
    };
    let hosts = allowed_hosts(config, url);
    let origins = allowed_origins(config, url);
    let mut findings = vec![scheme(url, public_url_text(settings))];
    findings.extend(listening(config, url));
    findings.push(Finding::pass("hosts", format!("requests may name {hosts}")));
    findings.push(Finding::pass("origins", format!("web pages that may send requests: {origins}")));
    findings
}

/// RFC 9728 section 1.2 requires https; all clients make an exception for loopback. `text` is the
/// setting as it is written.
fn scheme(url: &PublicUrl, text: Option<&str>) -> Finding {
    let resource = url.resource();
    if !url.is_https() && !url.is_loopback() {
        let advice = "Set MCP_URL to the https:// URL of the proxy in front. Clients reject plain \
                      HTTP, and anyone on the network path can read access tokens.";
        return Finding::fail("public URL", format!("{resource} is not https")).advise(advice);
    }
    let finding = Finding::pass("public URL", &resource);
    if text.is_some_and(|text| text.trim_end_matches('/').ends_with("/mcp")) {
        let advice = "MCP_URL ends with /mcp, which is ignored: the base URL is enough.";
        return finding.advise(advice);
    }
    if !url.path().is_empty() {
        let advice = format!(
            "MCP_URL has a path, so a proxy must also forward {} to this server.",
            url.resource_metadata()
        );
        return finding.advise(advice);
    }
    finding
}

/// Whether requests to the public URL can reach the address that the server listens on.
fn listening(config: &Config, url: &PublicUrl) -> Option<Finding> {
    let listen = config.listen;
    match (url.is_loopback(), listen.ip().is_loopback()) {
        (true, _) if listen.port() != 0 && port(url) != Some(listen.port()) => {
            let seen = format!("MCP_URL is {}, and PORT is {}", url.origin(), listen.port());
            let advice = "Set MCP_URL or PORT so that the ports agree, unless one port is forwarded \
                          to the other.";
            Some(Finding::warn("port", seen).advise(advice))
        }
        (true, true) => None,
        (true, false) => {
            let seen = format!("on {listen}, but only for requests to a loopback host");
            let advice = "This is right in a container whose port is published to this machine. For \
                          clients on other machines, set MCP_URL to the URL that they use.";
            Some(Finding::warn("listening", seen).advise(advice))
        }
        (false, true) => {
            let seen = format!(
                "on {listen}, this machine only: a proxy on it must forward {}",
                url.origin()
            );
            Some(Finding::pass("listening", seen))
        }
        (false, false) => {
            let seen = format!("on {listen}: a proxy must forward {} to it", url.origin());
            Some(Finding::pass("listening", seen))
        }
    }
}

fn port(url: &PublicUrl) -> Option<u16> {
    Url::parse(url.origin()).ok()?.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{self, Fail, Pass, Warn};

    const SCALEKIT: [(&str, &str); 2] = [
        ("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com"),
        ("SCALEKIT_RESOURCE_ID", "res_1"),
    ];

    fn examined(pairs: &[(&'static str, &'static str)]) -> Vec<Finding> {
        let settings: Settings = SCALEKIT.into_iter().chain(pairs.iter().copied()).collect();
        let config = Config::from_settings(&settings).unwrap();
        check(&settings, &config, of(&config).as_ref())
    }

    /// Settings, the title of a check, its verdict, and a part of its text.
    type Case = (&'static [(&'static str, &'static str)], &'static str, Verdict, &'static str);

    const CASES: &[Case] = &[
        (&[], "public URL", Pass, "http://localhost:3002/mcp"),
        (
            &[("MCP_URL", "https://todo.example.com")],
            "public URL",
            Pass,
            "https://todo.example.com/mcp",
        ),
        (&[("MCP_URL", "http://todo.example.com")], "public URL", Fail, "MCP_URL"),
        (&[("MCP_URL", "https://h.example/mcp/")], "public URL", Pass, "ignored"),
        (
            &[("MCP_URL", "https://h.example/apps/todo")],
            "public URL",
            Pass,
            "https://h.example/.well-known/oauth-protected-resource/apps/todo/mcp",
        ),
        (&[("PORT", "0")], "public URL", Warn, "PORT"),
        (&[("MCP_URL", "http://localhost:4000"), ("PORT", "4001")], "port", Warn, "PORT is 4001"),
        (&[("MCP_URL", "https://h.example")], "listening", Pass, "a proxy on it must forward"),
        (
            &[("MCP_URL", "https://h.example"), ("BIND_ADDRESS", "0.0.0.0")],
            "listening",
            Pass,
            "0.0.0.0:3002",
        ),
        (&[("BIND_ADDRESS", "0.0.0.0")], "listening", Warn, "set MCP_URL"),
        (
            &[("ALLOWED_HOSTS", "inside:8443")],
            "hosts",
            Pass,
            "localhost, 127.0.0.1, [::1], inside:8443",
        ),
        (
            &[("MCP_URL", "https://h.example"), ("ALLOWED_ORIGINS", "https://app.example")],
            "origins",
            Pass,
            "https://h.example, https://app.example",
        ),
    ];

    #[test]
    fn each_setting_is_checked() {
        for (pairs, check, verdict, word) in CASES {
            let findings = examined(pairs);
            let finding = findings.iter().find(|finding| finding.check() == *check);
            let finding = finding.unwrap_or_else(|| panic!("{pairs:?}: {findings:?}"));
            assert_eq!(finding.verdict(), *verdict, "{pairs:?}: {finding:?}");
            let text = format!("{} {}", finding.seen(), finding.advice().unwrap_or_default());
            assert!(text.contains(word), "{pairs:?}: {text}");
        }
    }

    #[test]
    fn ports_that_agree_are_not_reported() {
        for pairs in [&[("MCP_URL", "http://localhost:3002/")][..], &[("PORT", "4001")]] {
            assert!(examined(pairs).iter().all(|finding| finding.check() != "port"));
        }
    }
}
