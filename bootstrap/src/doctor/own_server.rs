//! Our own server at the public URL, found and asked as a client does it before it has a token.

use reqwest::header::WWW_AUTHENTICATE;
use serde_json::Value;
use todo_adapter_mcp::PublicUrl;
use todo_application::ports::Clock;
use url::Url;

use super::http::{Answer, Http, Unreachable};
use super::report::excerpt;
use super::{Finding, Identity, Verdict};

const CHECK: &str = "server";

pub(super) async fn findings(
    url: &PublicUrl,
    identity: Option<&Identity>,
    clock: &dyn Clock,
) -> Vec<Finding> {
    let (Ok(metadata_url), Ok(endpoint)) =
        (Url::parse(&url.resource_metadata()), Url::parse(&url.resource()))
    else {
        return Vec::new();
    };
    let http = match Http::towards(&endpoint, clock) {
        Ok(http) => http,
        Err(failure) => return vec![discovery(url, identity, &Err(failure))],
    };
    let discovery = discovery(url, identity, &http.get(&metadata_url).await);
    if discovery.verdict() != Verdict::Pass {
        return vec![discovery];
    }
    vec![discovery, challenge(url, &http.ping(&endpoint).await)]
}

/// Whether the protected resource's metadata (RFC 9728) is there, and is what these settings make.
fn discovery(
    url: &PublicUrl,
    identity: Option<&Identity>,
    answer: &Result<Answer, Unreachable>,
) -> Finding {
    let address = url.resource_metadata();
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason @ Unreachable::Certificate(_)) => {
            let advice = "Clients refuse it too: give the proxy in front a certificate for the host \
                          of MCP_URL.";
            return Finding::fail(CHECK, format!("{}: {reason}", url.origin())).advise(advice);
        }
        Err(reason) => {
            let seen = format!("not running at {}: {reason}", url.origin());
            let advice = "Fine if you have not started it. Otherwise compare MCP_URL and PORT with \
                          where it listens.";
            return Finding::warn(CHECK, seen).advise(advice);
        }
    };
    if let Some(refused) = refused_host(answer) {
        return refused;
    }
    if matches!(answer.status, 502..=504) {
        let seen = format!("not running behind {} (status {})", url.origin(), answer.status);
        let advice = "Fine if you have not started it. Otherwise the proxy must forward to \
                      BIND_ADDRESS and PORT.";
        return Finding::warn(CHECK, seen).advise(advice);
    }
    let Some(metadata) = answer.document() else {
        let seen = format!("something else answers at {address} (status {})", answer.status);
        let advice = "A proxy must forward paths below /.well-known/oauth-protected-resource too. \
                      Without a proxy, another program has the port: set PORT and MCP_URL.";
        return Finding::fail(CHECK, seen).advise(advice);
    };
    let ours = url.resource();
    if metadata["resource"] != ours.as_str() {
        let seen = format!("calls itself {}, and not {ours}", name(&metadata["resource"]));
        let advice = "It was started with another MCP_URL: start it with these settings.";
        return Finding::fail(CHECK, seen).advise(advice);
    }
    let theirs = &metadata["authorization_servers"][0];
    match identity.map(|identity| identity.environment.authorization_server()) {
        Some(ours) if theirs != ours => {
            let seen = format!("sends clients to {}, and not to {ours}", name(theirs));
            let advice = "It was started with another SCALEKIT_ENVIRONMENT_URL or \
                          SCALEKIT_RESOURCE_ID: start it with these settings.";
            Finding::fail(CHECK, seen).advise(advice)
        }
        _ => Finding::pass(CHECK, format!("runs at {ours}, with these settings")),
    }
}

/// Whether a request without a token is told where to get one (RFC 9728 §5.1).
fn challenge(url: &PublicUrl, answer: &Result<Answer, Unreachable>) -> Finding {
    const CHECK: &str = "challenge";
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason) => return Finding::fail(CHECK, format!("{}: {reason}", url.resource())),
    };
    if let Some(refused) = refused_host(answer) {
        return refused;
    }
    if answer.status != 401 {
        let seen = format!(
            "{} answers with status {} without a token, and not with 401",
            url.resource(),
            answer.status
        );
        let advice = "Something between here and the server answers in its place: a proxy must \
                      forward POST /mcp and hand answers on as they are.";
        return Finding::fail(CHECK, seen).advise(advice);
    }
    match answer.header(WWW_AUTHENTICATE) {
        None => {
            let advice = "Clients cannot find out where to log in. The proxy in front must hand on \
                          the WWW-Authenticate header of answers with status 401.";
            Finding::fail(CHECK, "401 comes without WWW-Authenticate").advise(advice)
        }
        Some(challenge) if challenge.contains(&format!("\"{}\"", url.resource_metadata())) => {
            Finding::pass(CHECK, "401 leads to the metadata and from there to a token")
        }
        Some(challenge) => {
            let seen = format!("401 leads elsewhere: {}", excerpt(challenge));
            let advice = "The proxy in front must leave the WWW-Authenticate header alone.";
            Finding::fail(CHECK, seen).advise(advice)
        }
    }
}

/// A 403, which is ours if it names the setting: the proxy has put another name into `Host`.
fn refused_host(answer: &Answer) -> Option<Finding> {
    if answer.status != 403 {
        return None;
    }
    let error: Option<Value> = serde_json::from_str(&answer.body).ok();
    let sentence = error.as_ref().and_then(|error| error["error"]["message"].as_str());
    Some(match sentence {
        Some(sentence) if sentence.contains("ALLOWED_HOSTS") => {
            let says = excerpt(sentence.split(". ").next().unwrap_or(sentence));
            let advice = format!(
                "It says: {says}. The proxy in front names that host: let it hand on the Host header \
                 as it came, or add the host to ALLOWED_HOSTS."
            );
            Finding::fail(CHECK, "refuses the host that the proxy names").advise(advice)
        }
        _ => {
            let advice = "A firewall or proxy in front of the server must let requests to it pass.";
            Finding::fail(CHECK, "something refuses the request (status 403)").advise(advice)
        }
    })
}

fn name(value: &Value) -> String {
    value.as_str().map_or_else(|| "nothing".to_owned(), excerpt)
}

#[cfg(test)]
mod tests;
