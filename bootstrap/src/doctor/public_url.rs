//! The public URL, and how it goes with ports, hosts and origins. Nothing is asked over the network.

use todo_adapter_mcp::{AllowedHosts, AllowedOrigins, PublicUrl};
use url::Url;

use super::Finding;
use crate::config::Config;
use crate::settings::Settings;

/// The public URL as the server derives it, unless it depends on a port that is not known yet.
pub(super) fn of(config: &Config) -> Option<PublicUrl> {
    match (&config.public_url, config.listen.port()) {
        (Some(url), _) => Some(url.clone()),
        (None, 0) => None,
        (None, port) => format!("http://localhost:{port}/").parse().ok(),
    }
}

pub(super) fn findings(
    settings: &Settings,
    config: &Config,
    url: Option<&PublicUrl>,
) -> Vec<Finding> {
    let Some(url) = url else {
        let seen = "depends on the port, and PORT is 0: any free one";
        return vec![Finding::warn("public URL", seen).advise("Set PORT to check more.")];
    };
    let hosts = AllowedHosts::new(url, config.allowed_hosts.clone());
    let origins = AllowedOrigins::new(url, config.allowed_origins.clone());
    let mut findings = vec![scheme(url, written(settings))];
    findings.extend(listening(config, url));
    findings.push(Finding::pass("hosts", format!("requests may name {hosts}")));
    findings.push(Finding::pass("origins", format!("pages that may send requests: {origins}")));
    findings
}

/// The setting as it was written.
fn written(settings: &Settings) -> Option<&str> {
    ["MCP_URL", "BASE_URL", "MCP_BASE_URL"].into_iter().find_map(|name| settings.get(name))
}

/// RFC 9728 §1.2 wants https; loopback is what every client makes an exception for.
fn scheme(url: &PublicUrl, written: Option<&str>) -> Finding {
    let resource = url.resource();
    if !url.is_https() && !url.is_loopback() {
        let advice = "Set MCP_URL to the https:// URL of the proxy in front. Clients refuse plain \
                      HTTP, and everyone on the way can read access tokens.";
        return Finding::fail("public URL", format!("{resource} is not https")).advise(advice);
    }
    let finding = Finding::pass("public URL", &resource);
    if written.is_some_and(|written| written.trim_end_matches('/').ends_with("/mcp")) {
        let advice = "MCP_URL ends with /mcp, which is forgiven: the base URL is enough.";
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

/// Whether what is sent to the public URL can arrive where the server listens.
fn listening(config: &Config, url: &PublicUrl) -> Option<Finding> {
    let listen = config.listen;
    let here = listen.ip().is_loopback();
    match (url.is_loopback(), here) {
        (true, _) if listen.port() != 0 && port(url) != Some(listen.port()) => {
            let seen = format!("MCP_URL is {}, and PORT is {}", url.origin(), listen.port());
            let advice = "Unless something forwards one port to the other, set MCP_URL or PORT so \
                          that they agree.";
            Some(Finding::warn("port", seen).advise(advice))
        }
        (true, true) => None,
        (true, false) => {
            let seen = format!("listens on {listen}, but answers to names of this machine only");
            let advice = "Fine in a container whose port is published to this machine. For others \
                          to use it, set MCP_URL to the URL that they use.";
            Some(Finding::warn("listening", seen).advise(advice))
        }
        (false, true) => {
            let seen = format!(
                "on {listen}, this machine only: a proxy here must forward {}",
                url.origin()
            );
            Some(Finding::pass("listening", seen))
        }
        (false, false) => {
            let seen = format!("on {listen}: what {} leads to must forward it there", url.origin());
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
    use crate::doctor::Verdict::{self, Fail, Pass, Warn};

    const SCALEKIT: [(&str, &str); 2] = [
        ("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com"),
        ("SCALEKIT_RESOURCE_ID", "res_1"),
    ];

    fn examined(pairs: &[(&'static str, &'static str)]) -> Vec<Finding> {
        let settings: Settings = SCALEKIT.into_iter().chain(pairs.iter().copied()).collect();
        let config = Config::from_settings(&settings).unwrap();
        findings(&settings, &config, of(&config).as_ref())
    }

    /// Settings, the check to look at, its verdict, and a word of what it says.
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
        (&[("MCP_URL", "https://h.example/mcp/")], "public URL", Pass, "forgiven"),
        (
            &[("MCP_URL", "https://h.example/apps/todo")],
            "public URL",
            Pass,
            "https://h.example/.well-known/oauth-protected-resource/apps/todo/mcp",
        ),
        (&[("PORT", "0")], "public URL", Warn, "PORT"),
        (&[("MCP_URL", "http://localhost:4000"), ("PORT", "4001")], "port", Warn, "PORT is 4001"),
        (&[("MCP_URL", "https://h.example")], "listening", Pass, "a proxy here must forward"),
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
    fn each_setting_is_judged_and_named() {
        for (pairs, check, verdict, word) in CASES {
            let findings = examined(pairs);
            let finding = findings.iter().find(|finding| finding.check() == *check);
            let finding = finding.unwrap_or_else(|| panic!("{pairs:?}: {findings:?}"));
            assert_eq!(finding.verdict(), *verdict, "{pairs:?}: {finding:?}");
            let said = format!("{} {}", finding.seen(), finding.advice().unwrap_or_default());
            assert!(said.contains(word), "{pairs:?}: {said}");
        }
    }

    #[test]
    fn ports_that_agree_are_not_worth_a_line() {
        for pairs in [&[("MCP_URL", "http://localhost:3002/")][..], &[("PORT", "4001")]] {
            assert!(examined(pairs).iter().all(|finding| finding.check() != "port"));
        }
    }
}
