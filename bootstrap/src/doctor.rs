//! `todo-mcp doctor`: whether the settings, Scalekit, the public URL and a token fit together, and
//! what to change where they do not.
//!
//! | module | looks at | over the network |
//! |---|---|---|
//! | `configuration` | the settings, and who vouches for callers | no |
//! | `public_url` | the public URL, ports, hosts and origins | no |
//! | `environment` | Scalekit: reachable, clocks, keys | yes |
//! | `metadata` | what Scalekit tells clients about the MCP server | yes |
//! | `token` | an access token, check by check | keys only |
//! | `own_server` | our own server, as a client finds it at the public URL | yes |
//! | `http` | requests, bounded in time and size, and failures in words | |
//! | `report` | findings, and how they are printed | |
//! | `command` | arguments, standard input, exit code | |
//!
//! Every judgement is a pure function from what was seen to a [`Finding`]; requests are made around
//! them. Nothing is changed anywhere, and a token is never part of a finding.

mod command;
mod configuration;
mod environment;
mod http;
mod metadata;
mod own_server;
mod public_url;
mod report;
mod token;

use std::sync::Arc;

use todo_adapter_scalekit::ScalekitEnvironment;
use todo_application::ports::Clock;

use crate::SystemClock;
use crate::config::Config;
use crate::settings::Settings;

pub(crate) use command::run;
pub use report::{Finding, Report, Verdict};

/// Who vouches for callers, as far as the settings say where to find them.
struct Identity {
    environment: Arc<ScalekitEnvironment>,
    /// Ourselves, and so not a matter of the dashboard.
    is_local: bool,
}

/// Makes every check that can be made with these settings, and with the token if there is one.
///
/// Settings that cannot be read are all that is reported: nothing else is known then.
pub async fn examine(settings: &Settings, unverified_token: Option<&str>) -> Report {
    let mut report = Report::default();
    let config = match Config::from_settings(settings) {
        Ok(config) => config,
        Err(problems) => {
            report.add(configuration::problems(&problems));
            return report;
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (identity, about_identity) = configuration::identity(&config);
    report.add(configuration::read(&config).into_iter().chain([about_identity]));

    let public_url = public_url::of(&config);
    report.add(public_url::findings(settings, &config, public_url.as_ref()));
    if let Some(identity) = &identity {
        report.add(environment::findings(identity, clock.as_ref()).await);
    }
    if let Some(token) = unverified_token {
        report.add(token::findings(token, identity.as_ref(), config.sharing, &clock).await);
    }
    if let Some(url) = &public_url {
        report.add(own_server::findings(url, identity.as_ref(), clock.as_ref()).await);
    }
    report
}
