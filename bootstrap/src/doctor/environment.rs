//! The Scalekit environment: whether it is one, whether its clock and ours agree, and whether it
//! publishes a key. Then what it says about the MCP server.

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{AGE, DATE, LOCATION};
use todo_adapter_scalekit::PublishedKeys;
use todo_application::domain::Instant;
use todo_application::ports::Clock;

use super::http::{Answer, Http, Unreachable};
use super::report::excerpt;
use super::{Finding, Identity, Verdict, metadata};

/// A difference between clocks that is worth a look, in seconds.
const NOTICEABLE_SKEW: i64 = 5;
/// A difference between clocks that makes the verifier refuse good tokens, in seconds: its leeway.
const HARMFUL_SKEW: i64 = 60;

pub(super) async fn findings(identity: &Identity, clock: &dyn Clock) -> Vec<Finding> {
    let environment = &identity.environment;
    let http = match Http::towards(environment.keys_url(), clock) {
        Ok(http) => http,
        Err(failure) => return vec![reached(identity, &Err(failure))],
    };
    let mut discovery_url = environment.keys_url().clone();
    discovery_url.set_path("/.well-known/openid-configuration");
    let discovery = http.get(&discovery_url).await;
    let reached = reached(identity, &discovery);
    let is_one = reached.verdict() == Verdict::Pass;
    let mut findings = vec![reached];
    // What is no Scalekit environment has nothing else to say.
    if !is_one {
        return findings;
    }
    if let Ok(answer) = &discovery {
        findings.push(clocks(answer));
    }
    let (keys, metadata) =
        tokio::join!(http.get(environment.keys_url()), metadata::ask(&http, environment));
    findings.push(published_keys(&keys));
    findings.extend(metadata);
    findings
}

/// Whether the environment URL leads to a Scalekit environment, and to the one that it says.
fn reached(identity: &Identity, discovery: &Result<Answer, Unreachable>) -> Finding {
    const CHECK: &str = "environment";
    let url = identity.environment.url();
    let setting = if identity.is_local {
        "EMULATOR_PORT must be the port at which the running server has its local identity, and \
         nothing else may listen there."
    } else {
        "SCALEKIT_ENVIRONMENT_URL must be the environment URL of the Scalekit dashboard, Settings > \
         API Credentials."
    };
    let answer = match discovery {
        Ok(answer) => answer,
        Err(Unreachable::Refused) if identity.is_local => {
            let advice = "The local identity runs with the server: start `todo-mcp` to check more.";
            return Finding::warn(CHECK, format!("{url} is not running")).advise(advice);
        }
        Err(reason @ Unreachable::TimedOut) => {
            let advice = format!("{setting} If it is, a firewall may be in the way.");
            return Finding::fail(CHECK, format!("{url}: {reason}")).advise(advice);
        }
        Err(reason) => {
            return Finding::fail(CHECK, format!("{url}: {reason}")).advise(setting);
        }
    };
    if let Some(document) = answer.document() {
        return match document["issuer"].as_str() {
            Some(issuer) if issuer.trim_end_matches('/') == url => {
                Finding::pass(CHECK, format!("{url} answers"))
            }
            Some(issuer) if !identity.is_local => {
                let issuer = excerpt(issuer);
                let advice = format!(
                    "Set SCALEKIT_ENVIRONMENT_URL to {issuer}: tokens name it as their issuer."
                );
                Finding::fail(CHECK, format!("{url} calls itself {issuer}")).advise(advice)
            }
            _ => Finding::fail(CHECK, format!("{url} is something else")).advise(setting),
        };
    }
    match answer.status {
        429 | 500..=599 => {
            let seen = format!("{url} answers with status {}", answer.status);
            let advice = "Scalekit is overloaded or down: wait, and see its status page.";
            Finding::fail(CHECK, seen).advise(advice)
        }
        300..=399 => {
            let target = answer.header(LOCATION).map(excerpt).unwrap_or_default();
            Finding::fail(CHECK, format!("{url} redirects to {target}")).advise(setting)
        }
        status => {
            let seen = format!("{url} is no Scalekit environment (status {status})");
            Finding::fail(CHECK, seen).advise(setting)
        }
    }
}

/// Whether the clocks of Scalekit and of this machine agree (RFC 9110 §6.6.1 `Date`).
fn clocks(answer: &Answer) -> Finding {
    const CHECK: &str = "clock";
    let Some(ahead) = seconds_ahead(answer) else {
        return Finding::warn(CHECK, "the environment's answer has no date to compare with");
    };
    let seconds = ahead.abs();
    if seconds <= NOTICEABLE_SKEW {
        return Finding::pass(CHECK, "agrees with Scalekit's");
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let seen = format!("this machine's clock is {seconds} s {side} Scalekit's");
    if seconds <= HARMFUL_SKEW {
        let advice = "Turn on time synchronisation (NTP), before it becomes more than 60 s.";
        return Finding::warn(CHECK, seen).advise(advice);
    }
    let harm = if ahead > 0 {
        "tokens are refused as expired while they are still good"
    } else {
        "new tokens are refused as not yet valid"
    };
    let advice =
        format!("Set the clock and turn on time synchronisation (NTP): until then {harm}.");
    Finding::fail(CHECK, seen).advise(advice)
}

/// How far our clock is ahead, in whole seconds; negative when it is behind.
fn seconds_ahead(answer: &Answer) -> Option<i64> {
    const PARSER: DateTimeParser = DateTimeParser::new();
    let date = PARSER.parse_timestamp(answer.header(DATE)?).ok()?.as_millisecond();
    // An answer from a cache is as old as it says (RFC 9111 §5.1), and a date is cut to the second.
    let age: i64 = answer.header(AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    let theirs = date.checked_add(age.checked_mul(1000)?)?.checked_add(500)?;
    let [sent, received] = answer.between.map(Instant::as_unix_millis);
    Some((i64::midpoint(sent, received) - theirs) / 1000)
}

/// Whether there is a key that access tokens can be checked with.
fn published_keys(keys: &Result<Answer, Unreachable>) -> Finding {
    const CHECK: &str = "keys";
    let bad = |seen: String| {
        let advice = "No token can be checked. SCALEKIT_ENVIRONMENT_URL must be the environment URL \
                      of the dashboard; if it is, tell Scalekit's support.";
        Finding::fail(CHECK, seen).advise(advice)
    };
    match keys {
        Err(reason) => bad(format!("cannot be fetched: {reason}")),
        Ok(answer) if answer.status != 200 => {
            bad(format!("/keys answers with status {}", answer.status))
        }
        Ok(answer) => match PublishedKeys::read(&answer.body) {
            Err(_) => bad("/keys has no RS256 signing key".to_owned()),
            Ok(PublishedKeys { usable, passed_over }) => {
                let keys = if usable == 1 { "key" } else { "keys" };
                let others = match passed_over {
                    0 => String::new(),
                    others => format!(", and {others} for other uses"),
                };
                Finding::pass(CHECK, format!("{usable} RS256 signing {keys}{others}"))
            }
        },
    }
}

#[cfg(test)]
mod tests;
