//! Listening, and stopping in good order.

mod connections;
#[cfg(unix)]
mod open_files;

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::compose::{Composition, compose};
use crate::config::{Config, Database, Identity, LogFormat, shared};
use crate::failure::Failure;
use crate::signals::StopSignals;
use crate::{console, telemetry};

/// How long requests in flight may take to finish once we are told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until SIGINT or SIGTERM. What is in flight is finished; a second signal does not wait.
pub async fn serve(config: Config) -> Result<(), Failure> {
    let _log = telemetry::start(&config)?;
    for note in &config.notes {
        tracing::warn!("{note}");
    }
    #[cfg(unix)]
    open_files::allow_enough();
    let composition = compose(&config).await?;
    // Whoever reads that we are ready may tell us to stop at once.
    let mut signals = StopSignals::listen().map_err(|error| Failure::Other(error.into()))?;
    announce(&config, &composition)?;

    let stop = composition.stop;
    let stopped = || {
        let mut stop = stop.subscribe();
        Box::pin(async move {
            // An error means that the sender is gone, and so are we.
            let _ = stop.wait_for(|stop| *stop).await;
        })
    };
    let mut identity = composition.local_identity.map(|serve| tokio::spawn(serve(stopped())));
    tokio::spawn(composition.keys.refresh_until(stopped()));
    let server = composition.server;
    let answer = move |request| {
        let server = server.clone();
        async move { server.answer(request).await }
    };
    let connections =
        connections::serve(composition.listener, connections::MOST_CONNECTIONS, answer, stopped());
    let mut server = tokio::spawn(connections);

    tokio::select! {
        () = signals.received() => {}
        error = lost(&mut identity) => return Err(error),
    }
    tracing::info!("stopping: finishing what is in flight");
    stop.send_replace(true);
    let all = async {
        let ended = (&mut server).await;
        if let Some(identity) = &mut identity {
            // It had nothing else to do than to serve us, and cannot fail us any more.
            let _ = identity.await;
        }
        ended
    };
    tokio::select! {
        ended = all => ended.map_err(|error| Failure::Other(error.into()))?,
        () = tokio::time::sleep(GRACE) => tracing::warn!("some requests took too long and are cut off"),
        () = signals.received() => tracing::warn!("told again: not waiting for requests in flight"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Ready when the local identity has ended without having been told to: nobody could log in then.
async fn lost(identity: &mut Option<JoinHandle<std::io::Result<()>>>) -> Failure {
    let Some(identity) = identity else { return std::future::pending().await };
    let cause = match identity.await {
        Ok(Ok(())) => anyhow::anyhow!("it stopped"),
        Ok(Err(error)) => error.into(),
        Err(error) => error.into(),
    };
    Failure::Unavailable(cause.context("the local identity is gone"))
}

/// Says that we are there: a few lines for a person, or one event for a machine.
fn announce(config: &Config, composition: &Composition) -> Result<(), Failure> {
    let endpoint = composition.public_url.resource();
    let address = composition.listener.local_addr();
    let address = address.map_err(|error| Failure::Other(error.into()))?;
    tracing::info!(
        mcp.url = endpoint,
        // What a proxy in front needs to know, and nobody else can say when `PORT` is 0.
        listen.address = %address,
        authorization_server = composition.authorization_server,
        storage = %config.database,
        sharing = config.sharing.as_str(),
        "ready"
    );
    if config.log_format == LogFormat::Json {
        return Ok(());
    }
    let identity = match config.identity {
        Identity::Scalekit(_) => composition.authorization_server.clone(),
        Identity::Local { .. } => {
            let (environment, _) =
                composition.authorization_server.split_once("/resources/").unwrap_or_default();
            format!("local, for development: {environment} lets you in as a test user")
        }
    };
    let todos = match &config.database {
        Database::Memory => config.database.to_string(),
        Database::Sqlite(path) => {
            std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => config.database.to_string(),
    };
    let shared = shared(config.sharing);
    console::print(&format!(
        "\n  todo-mcp {version}\n\
         \n  MCP endpoint  {endpoint}\
         \n  Identity      {identity}\
         \n  Todos         {todos}, {shared}\n\
         \n  Next, in another terminal, one of:\
         \n    claude mcp add --transport http todo {endpoint}\
         \n    npx @modelcontextprotocol/inspector --transport http --server-url {endpoint}\n\
         \n  Ctrl-C stops the server.\n\n",
        version = env!("CARGO_PKG_VERSION"),
    ))
}
