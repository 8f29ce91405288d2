//! `todo-mcp serve`: listening, and stopping gracefully.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::audit::{AuditLog, AuditTarget};
use crate::compose::{Composition, compose};
use crate::config::{Config, Database, Identity, LogFormat, sharing_text};
use crate::failure::Failure;
use crate::signals::StopSignals;
use crate::{console, telemetry};

/// Between two parts of a command that is too long for a line of 80 columns.
const CONTINUED: &str = if cfg!(windows) { " " } else { " \\\n      " };

/// For requests in flight, after a signal to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until SIGINT, SIGTERM or SIGHUP, then completes the requests in flight. A second signal ends them.
pub(crate) async fn serve(config: &Config) -> Result<(), Failure> {
    let _log = telemetry::start(config.log_format, &config.log_filter)?;
    #[cfg(unix)]
    crate::open_files::raise_limit();
    let composition = compose(config).await.inspect_err(|_| log_notes(config))?;
    // Before the announcement: a signal may follow it at once.
    let mut signals = StopSignals::listen().map_err(Failure::other)?;
    #[cfg(unix)]
    AuditLog::reopen_on_signal(composition.audit.as_ref()).map_err(Failure::other)?;
    announce(config, &composition);

    // Written to its end when everything else has ended.
    let _audit = composition.audit;
    let (stop, _) = watch::channel(false);
    let stopped = || {
        let mut stop = stop.subscribe();
        Box::pin(async move {
            // An error means that the sender is gone: stop, too.
            let _ = stop.wait_for(|stop| *stop).await;
        })
    };
    let mut identity = composition.local_identity.map(|serve| tokio::spawn(serve(stopped())));
    tokio::spawn(composition.keys.refresh_until(stopped()));
    tokio::spawn(composition.forgetting.run_until(stopped()));
    let mut server = tokio::spawn(composition.server.serve(composition.listeners, stopped()));

    tokio::select! {
        () = signals.received() => {}
        error = lost(&mut identity) => return Err(error),
        ended = &mut server => {
            ended.map_err(Failure::other)?;
            return Err(Failure::other(anyhow::anyhow!("the server has ended by itself")));
        }
    }
    tracing::info!("stopping: waiting for requests in flight");
    stop.send_replace(true);
    let all = async {
        let ended = (&mut server).await;
        if let Some(identity) = &mut identity {
            // Only the server needed it: how it ends no longer matters.
            let _ = identity.await;
        }
        ended
    };
    tokio::select! {
        ended = all => ended.map_err(Failure::other)?,
        () = tokio::time::sleep(GRACE) => tracing::warn!("stopping: requests still in flight are aborted"),
        () = signals.received() => tracing::warn!("second signal: not waiting for requests in flight"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Ready when the local identity has ended on its own: no client could log in any more.
async fn lost(identity: &mut Option<JoinHandle<()>>) -> Failure {
    let Some(identity) = identity else { return std::future::pending().await };
    let cause = match identity.await {
        Ok(()) => anyhow::anyhow!("it ended"),
        Err(error) => error.into(),
    };
    Failure::Unavailable(cause.context("the local identity has failed"))
}

fn log_notes(config: &Config) {
    for note in &config.notes {
        tracing::warn!("{note}");
    }
}

/// Logs that the server is ready. With a log in text, first prints where it is and what to do next, unless
/// records go to standard output: whether that succeeds matters to no client.
fn announce(config: &Config, composition: &Composition) {
    let endpoint = composition.public_url.resource();
    if config.log_format == LogFormat::Text
        && config.audit_log != AuditTarget::StandardOutput
        && let Err(error) = banner(config, composition, &endpoint)
    {
        tracing::warn!(%error, "the banner cannot be printed");
    }
    log_notes(config);
    tracing::info!(
        mcp.url = endpoint,
        // Where a proxy must forward to. With `PORT` 0 the port is reported only here.
        listen.address = %composition.address,
        authorization_server = composition.issuer,
        storage = %config.database,
        sharing = config.sharing.as_str(),
        "ready"
    );
}

fn banner(config: &Config, composition: &Composition, endpoint: &str) -> Result<(), Failure> {
    let identity = match config.identity {
        Identity::Scalekit(_) => composition.issuer.clone(),
        Identity::Local { .. } => {
            let (environment, _) = composition.issuer.split_once("/resources/").unwrap_or_default();
            format!("local, for development: a test user of {environment}")
        }
    };
    let todos = match &config.database {
        Database::Memory => config.database.to_string(),
        Database::Sqlite(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let new = if composition.database_is_new { " (new)" } else { "" };
            format!("{}{new}", path.display())
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => config.database.to_string(),
    };
    let sharing = sharing_text(config.sharing);
    console::print_lines(&format!(
        "\n  todo-mcp {version}\n\
         \n  MCP endpoint  {endpoint}\
         \n  Identity      {identity}\
         \n  Todos         {todos}, {sharing}\n\
         \n  Next, in another terminal, one of:\
         \n    claude mcp add --transport http todo {endpoint}\
         \n    npx @modelcontextprotocol/inspector@2.12.0 --transport http{CONTINUED}--server-url {endpoint}\n\
         \n  Ctrl-C stops the server.\n\n",
        version = env!("CARGO_PKG_VERSION"),
    ))
}
