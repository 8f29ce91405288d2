//! `todo-mcp doctor`: whether the settings, the database, Scalekit, the public URL and a token fit together,
//! and what to change where they do not.
//!
//! [`examine`] lists the checks in their order; each is a file in `checks`. A check is a pure function
//! from what was seen to a [`Finding`]; the requests are made here. Nothing is changed anywhere, and a
//! token is never part of a finding.

mod checks;
mod finding;
mod issuer;
mod listing;
mod report;

use std::sync::Arc;

use protected_mcp::PublicUrl;
#[cfg(feature = "postgres")]
use todo_adapter_storage::PostgresReport;
use todo_application::ports::Clock;
use url::Url;

use crate::clock::SystemClock;
use crate::config::Config;
#[cfg(feature = "postgres")]
use crate::config::Database;
use crate::http::Http;
use crate::settings::Settings;
#[cfg(feature = "postgres")]
use checks::database;
use checks::{
    authorization_server, challenge, clock, environment, keys, metadata, public_url, server,
    settings, token,
};
use issuer::Issuer;

pub use finding::{Finding, Verdict};
pub use report::Report;

/// Makes every check that these settings allow, and those of the token if there is one.
///
/// If the settings cannot be read, the report holds nothing else.
pub async fn examine(settings: &Settings, unverified_token: Option<&str>) -> Report {
    let config = match Config::from_settings(settings) {
        Ok(config) => config,
        Err(problems) => return Report::of_problems(&problems),
    };
    let system_clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let issuer = Issuer::of(&config);
    let public_url = public_url::of(&config);

    let mut report = Report::default();
    report.add(settings::check(&config));
    report.add(public_url::check(settings, &config, public_url.as_ref()));
    #[cfg(feature = "postgres")]
    if let Database::Postgres(url) = &config.database {
        report.add(database::check(&PostgresReport::of(url).await, config.postgres_pool));
    }
    if let Some(issuer) = &issuer {
        report.add(examine_issuer(issuer, system_clock.as_ref()).await);
    }
    if let Some(token) = unverified_token {
        report.add(token::check(token, issuer.as_ref(), &config, &system_clock).await);
    }
    if let Some(url) = &public_url {
        report.add(examine_server(url, issuer.as_ref(), system_clock.as_ref()).await);
    }
    report
}

/// The same, and whether the deployment at the public URL is what the directories of assistants demand.
pub async fn examine_for_listing(settings: &Settings, unverified_token: Option<&str>) -> Report {
    let mut report = examine(settings, unverified_token).await;
    let Ok(config) = Config::from_settings(settings) else { return report };
    let url = public_url::of(&config);
    let groups = listing::examine(&config, url.as_ref(), unverified_token, &SystemClock).await;
    for group in groups {
        report.add(group);
    }
    report
}

/// What the issuer publishes, fetched as clients fetch it.
async fn examine_issuer(issuer: &Issuer, system_clock: &dyn Clock) -> Vec<Finding> {
    let scalekit = &issuer.environment;
    let http = match Http::towards(scalekit.keys_url(), system_clock) {
        Ok(http) => http,
        Err(reason) => return vec![environment::check(issuer, &Err(reason))],
    };
    let mut discovery_url = scalekit.keys_url().clone();
    discovery_url.set_path("/.well-known/openid-configuration");
    let discovery = http.get(&discovery_url).await;
    let reached = environment::check(issuer, &discovery);
    let (Verdict::Pass, Ok(discovery)) = (reached.verdict(), &discovery) else {
        // The other documents of a wrong server would only repeat that.
        return vec![reached];
    };
    let (keys, (metadata, document)) =
        tokio::join!(http.get(scalekit.keys_url()), metadata::fetch(&http, scalekit));
    let mut findings = vec![reached, clock::check(discovery), keys::check(&keys), metadata];
    if let Some(document) = document {
        findings.extend(authorization_server::CHECKS.map(|check| check(scalekit, &document)));
    }
    findings
}

/// The server at the public URL, asked as a client asks it before it has a token.
async fn examine_server(
    url: &PublicUrl,
    issuer: Option<&Issuer>,
    system_clock: &dyn Clock,
) -> Vec<Finding> {
    const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let (Ok(metadata_url), Ok(endpoint)) =
        (Url::parse(&url.resource_metadata()), Url::parse(&url.resource()))
    else {
        return Vec::new();
    };
    let http = match Http::towards(&endpoint, system_clock) {
        Ok(http) => http,
        Err(reason) => return vec![server::check(url, issuer, &Err(reason))],
    };
    let server = server::check(url, issuer, &http.get(&metadata_url).await);
    if server.verdict() != Verdict::Pass {
        return vec![server];
    }
    vec![server, challenge::check(url, &http.post(&endpoint, PING.to_owned()).await)]
}
