//! `todo-mcp serve`: listening, and stopping gracefully.

use std::future::pending;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::audit::{AuditCounters, AuditLog, AuditTarget};
use crate::compose::{Composition, compose};
use crate::config::{Config, Database, Identity, LogFormat, sharing_text};
use crate::failure::Failure;
use crate::metrics::Admin;
use crate::passed_sockets::PassedSockets;
use crate::signals::StopSignals;
use crate::telemetry::Telemetry;
use crate::{console, service_manager, telemetry};

/// Between two parts of a command that is too long for a line of 80 columns.
const CONTINUED: &str = if cfg!(windows) { " " } else { " \\\n      " };

/// For requests in flight, after a signal to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until SIGINT, SIGTERM or SIGHUP, is not ready for as long as `TODO_DRAIN_SECONDS` says, then completes
/// the requests in flight. A second signal ends them.
pub(crate) async fn serve(config: &Config, passed: PassedSockets) -> Result<(), Failure> {
    let telemetry =
        telemetry::start(config.log_format, &config.log_filter, config.traces.as_ref())?;
    #[cfg(unix)]
    crate::open_files::raise_limit(config.connections);
    let mut composition = compose(config, passed).await.inspect_err(|_| log_notes(config))?;
    // Before the announcement: a signal may follow it at once.
    let mut signals = StopSignals::listen().map_err(Failure::other)?;
    #[cfg(unix)]
    AuditLog::reopen_on_signal(composition.audit.as_ref()).map_err(Failure::other)?;
    let monitored = composition.admin.take();
    let monitored = monitored.map(|admin| monitor(admin, &composition, &telemetry));
    announce(config, &composition, monitored);

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
    let serving = composition.server.clone().serve(composition.listeners, stopped());
    let mut server = tokio::spawn(serving);
    service_manager::ready(&format!("serving at {}", composition.public_url.resource()));
    tokio::spawn(service_manager::keep_watchdog());

    tokio::select! {
        () = signals.received() => {}
        error = lost(&mut identity) => return Err(error),
        ended = &mut server => {
            ended.map_err(Failure::other)?;
            return Err(Failure::other(anyhow::anyhow!("the server has ended by itself")));
        }
    }
    service_manager::stopping("stopping");
    composition.server.drain();
    let stopping = async {
        if !config.drain.is_zero() {
            let seconds = config.drain.as_secs();
            tracing::info!(seconds, "stopping: not ready, and still serving");
            tokio::time::sleep(config.drain).await;
        }
        tracing::info!("stopping: waiting for requests in flight");
        stop.send_replace(true);
        let deadline = Instant::now() + GRACE;
        let all = async {
            let ended = (&mut server).await;
            if let Some(identity) = &mut identity {
                // Only the server needed it: how it ends no longer matters.
                let _ = identity.await;
            }
            telemetry.flush_until(deadline).await;
            ended
        };
        let ended = tokio::time::timeout(GRACE, all).await;
        ended.unwrap_or_else(|_| {
            tracing::warn!("stopping: requests still in flight are aborted");
            Ok(())
        })
    };
    tokio::select! {
        ended = stopping => ended.map_err(Failure::other)?,
        () = signals.received() => tracing::warn!("second signal: not waiting for requests in flight"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Starts to serve what monitoring reads, and returns where.
fn monitor(mut admin: Admin, composition: &Composition, telemetry: &Telemetry) -> SocketAddr {
    admin.metrics.figure(
        "todo_mcp_log_lines_dropped",
        "Lines of the log that were dropped because standard error was too slow",
        telemetry.dropped_lines(),
    );
    let audit = composition.audit.as_ref().map(AuditLog::counters);
    let (written, lost) = (audit.clone(), audit);
    admin.metrics.figure(
        "todo_mcp_audit_records_written",
        "Records of the audit log that were written",
        move || written.as_ref().map_or(0, AuditCounters::written),
    );
    admin.metrics.figure(
        "todo_mcp_audit_records_lost",
        "Records of the audit log that were lost because it could not be written fast enough, or at all",
        move || lost.as_ref().map_or(0, AuditCounters::lost),
    );
    let address = admin.address;
    // Until the process ends: it also shows what the server does until it has stopped.
    tokio::spawn(admin.serve(composition.server.clone(), pending()));
    address
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
fn announce(config: &Config, composition: &Composition, monitored: Option<SocketAddr>) {
    let endpoint = composition.public_url.resource();
    if config.log_format == LogFormat::Text
        && config.audit_log != AuditTarget::StandardOutput
        && let Err(error) = banner(config, composition, &endpoint, monitored)
    {
        tracing::warn!(%error, "the banner cannot be printed");
    }
    log_notes(config);
    tracing::info!(
        mcp.url = endpoint,
        // Where a proxy must forward to. With `PORT` 0 the port is reported only here.
        listen.address = %composition.address,
        admin.address = monitored.map(tracing::field::display),
        authorization_server = composition.issuer,
        storage = %config.database,
        sharing = config.sharing.as_str(),
        "ready"
    );
}

fn banner(
    config: &Config,
    composition: &Composition,
    endpoint: &str,
    monitored: Option<SocketAddr>,
) -> Result<(), Failure> {
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
    let metrics = monitored.map(|it| format!("\n  Metrics       http://{it}/metrics"));
    console::print_lines(&format!(
        "\n  todo-mcp {version}\n\
         \n  MCP endpoint  {endpoint}\
         \n  Identity      {identity}\
         \n  Todos         {todos}, {sharing}{metrics}\n\
         \n  Next, in another terminal, one of:\
         \n    claude mcp add --transport http todo {endpoint}\
         \n    npx @modelcontextprotocol/inspector@2.12.0 --transport http{CONTINUED}--server-url {endpoint}\n\
         \n  Ctrl-C stops the server.\n\n",
        metrics = metrics.unwrap_or_default(),
        version = env!("CARGO_PKG_VERSION"),
    ))
}
