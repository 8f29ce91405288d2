//! The one place where adapters meet.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context as _;
use todo_adapter_mcp::{AllowedHosts, AllowedOrigins, McpOptions, McpPorts, PublicUrl, Server};
use todo_adapter_scalekit::{
    ScalekitAuthorizationServer, ScalekitEnvironment, ScalekitHttp, ScalekitKeys,
    ScalekitTokenVerifier,
};
use todo_adapter_storage::{InProcessChangeFeed, MemoryTodoRepository};
#[cfg(feature = "postgres")]
use todo_adapter_storage::{PostgresChangeFeed, PostgresSnapshot, PostgresTodoRepository};
#[cfg(feature = "sqlite")]
use todo_adapter_storage::{SqliteSnapshot, SqliteTodoLoader, SqliteTodoRepository};
use todo_application::Todos;
use todo_application::ports::{
    ChangeFeed, Clock, Readiness, TodoLoader, TodoRepository, TodoSnapshot,
};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::SystemClock;
use crate::config::{Config, Database, Identity};
use crate::failure::Failure;
use crate::ids::UuidV7Source;

/// A server that is ready to run: sockets bound, storage open.
pub struct Composition {
    /// Where MCP is served.
    pub listener: TcpListener,
    /// What is served there.
    pub server: Server,
    /// Where the world reaches it.
    pub public_url: PublicUrl,
    /// The issuer of access tokens.
    pub authorization_server: String,
    /// The issuer's signing keys, to be refreshed while the server runs.
    pub keys: ScalekitKeys,
    /// Told `true`, or dropped, it ends the answers that go on for long.
    pub stop: watch::Sender<bool>,
    /// The local identity, if callers are vouched for by ourselves.
    pub local_identity: Option<LocalIdentity>,
}

/// What runs beside the server: it serves until the future it is given is ready.
pub type LocalIdentity = Box<dyn FnOnce(Stop) -> Running + Send>;
/// Ready when it is time to stop.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Ready when it has stopped.
pub type Running = Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>;

/// Opens the storage, binds the sockets and puts everything together.
pub async fn compose(config: &Config) -> Result<Composition, Failure> {
    compose_with_clock(config, Arc::new(SystemClock)).await
}

/// The same on another clock, for tests in which hours pass.
pub async fn compose_with_clock(
    config: &Config,
    clock: Arc<dyn Clock>,
) -> Result<Composition, Failure> {
    let Storage { repository, readiness, changes } = open_storage(&config.database).await?;

    let listener = TcpListener::bind(config.listen).await;
    let listener = listener
        .with_context(|| {
            format!(
                "cannot listen on {}: set PORT to another port, or stop what uses it",
                config.listen
            )
        })
        .map_err(Failure::Unavailable)?;
    let port = listener.local_addr().map_err(|error| Failure::Other(error.into()))?.port();
    let public_url = match &config.public_url {
        Some(url) => url.clone(),
        None => own_url(config.listen.ip(), port)
            .parse()
            .map_err(|error| Failure::Other(anyhow::Error::new(error)))?,
    };

    let (environment, local_identity) = identity(config, &public_url, &clock).await?;
    let environment = Arc::new(environment);
    let http = ScalekitHttp::new(&environment).map_err(|error| Failure::Other(error.into()))?;
    let keys = ScalekitKeys::new(&environment, http.clone(), Arc::clone(&clock));
    let authorization_server =
        ScalekitAuthorizationServer::new(&environment, http, Arc::clone(&clock));
    let verifier =
        ScalekitTokenVerifier::new(Arc::clone(&environment), keys.clone(), Arc::clone(&clock));

    let ids = Arc::new(UuidV7Source::new());
    let options = McpOptions {
        allowed_hosts: AllowedHosts::new(&public_url, config.allowed_hosts.clone()),
        allowed_origins: AllowedOrigins::new(&public_url, config.allowed_origins.clone()),
        public_url: public_url.clone(),
        authorization_server: environment.authorization_server().to_owned(),
        scope_denial: config.scope_denial,
        rate_limit: config.rate_limit,
    };
    let (stop, stopping) = watch::channel(false);
    let ports = McpPorts {
        todos: Arc::new(Todos::new(repository, changes, clock, ids, config.sharing)),
        verifier: Arc::new(verifier),
        authorization_server: Arc::new(authorization_server),
        readiness: vec![readiness, Arc::new(keys.clone())],
        stopping,
    };
    Ok(Composition {
        listener,
        server: todo_adapter_mcp::server(options, ports),
        public_url,
        authorization_server: environment.authorization_server().to_owned(),
        keys,
        stop,
        local_identity,
    })
}

/// The address of this server where no setting names another: `localhost` means 127.0.0.1 or `::1`.
fn own_url(listen: IpAddr, port: u16) -> String {
    let named = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    if listen.is_loopback() && !named.contains(&listen) {
        format!("http://{}/", SocketAddr::new(listen, port))
    } else {
        format!("http://localhost:{port}/")
    }
}

/// Opens the database, which brings it to the current schema, and closes it again.
pub async fn migrate(config: &Config) -> Result<(), Failure> {
    open_storage(&config.database).await?;
    crate::console::print(&format!("The database is up to date: {}\n", config.database))
}

/// The ports that a database is behind.
struct Storage {
    repository: Arc<dyn TodoRepository>,
    readiness: Arc<dyn Readiness>,
    changes: Arc<dyn ChangeFeed>,
}

impl Storage {
    fn new(
        storage: Arc<impl TodoRepository + Readiness + 'static>,
        changes: Arc<dyn ChangeFeed>,
    ) -> Self {
        Self { repository: storage.clone(), readiness: storage, changes }
    }
}

#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unused_async, reason = "what is here is opened without waiting")
)]
async fn open_storage(database: &Database) -> Result<Storage, Failure> {
    // Memory and a file have one process that writes, so its own changes are all there are.
    let in_process = || Arc::new(InProcessChangeFeed::default());
    match database {
        Database::Memory => {
            Ok(Storage::new(Arc::new(MemoryTodoRepository::default()), in_process()))
        }
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => {
            let repository = SqliteTodoRepository::open(path).map_err(Failure::unavailable)?;
            Ok(Storage::new(Arc::new(repository), in_process()))
        }
        #[cfg(not(feature = "sqlite"))]
        Database::Sqlite(path) => Err(lacking(path)),
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => {
            let repository = PostgresTodoRepository::open(url).await;
            let repository = repository.map_err(Failure::unavailable)?;
            let changes = PostgresChangeFeed::start(url);
            let changes =
                changes.map_err(|error| Failure::Unavailable(anyhow::Error::from_boxed(error)))?;
            Ok(Storage::new(Arc::new(repository), Arc::new(changes)))
        }
    }
}

/// Opens all todos as they are now, to read them. A server may be running.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unused_async, reason = "what is here is opened without waiting")
)]
pub(crate) async fn open_snapshot(database: &Database) -> Result<Box<dyn TodoSnapshot>, Failure> {
    match database {
        Database::Memory => Err(nothing_to_move()),
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => {
            Ok(Box::new(SqliteSnapshot::open(path).map_err(Failure::unavailable)?))
        }
        #[cfg(not(feature = "sqlite"))]
        Database::Sqlite(path) => Err(lacking(path)),
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => {
            Ok(Box::new(PostgresSnapshot::open(url).await.map_err(Failure::unavailable)?))
        }
    }
}

/// Opens the storage to add todos to it.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unused_async, reason = "what is here is opened without waiting")
)]
pub(crate) async fn open_loader(database: &Database) -> Result<Box<dyn TodoLoader>, Failure> {
    match database {
        Database::Memory => Err(nothing_to_move()),
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => {
            Ok(Box::new(SqliteTodoLoader::open(path).map_err(Failure::unavailable)?))
        }
        #[cfg(not(feature = "sqlite"))]
        Database::Sqlite(path) => Err(lacking(path)),
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => {
            Ok(Box::new(PostgresTodoRepository::open(url).await.map_err(Failure::unavailable)?))
        }
    }
}

pub(crate) fn nothing_to_move() -> Failure {
    Failure::Usage(
        "DATABASE_URL is memory:, and what a server keeps there nobody else can reach: set it to a \
         database"
            .to_owned(),
    )
}

#[cfg(not(feature = "sqlite"))]
fn lacking(path: &std::path::Path) -> Failure {
    Failure::Usage(format!("DATABASE_URL is sqlite:{}, which this build lacks", path.display()))
}

/// Who vouches for callers: the same Scalekit adapter either way, pointed at Scalekit or at our own
/// emulation of it.
async fn identity(
    config: &Config,
    public_url: &PublicUrl,
    clock: &Arc<dyn Clock>,
) -> Result<(ScalekitEnvironment, Option<LocalIdentity>), Failure> {
    match &config.identity {
        Identity::Scalekit(environment) => Ok((ScalekitEnvironment::clone(environment), None)),
        Identity::Local { port, auto_consent } => {
            local_identity(config, *port, *auto_consent, public_url, clock).await
        }
    }
}

#[cfg(feature = "emulator")]
async fn local_identity(
    config: &Config,
    port: u16,
    auto_consent: bool,
    public_url: &PublicUrl,
    clock: &Arc<dyn Clock>,
) -> Result<(ScalekitEnvironment, Option<LocalIdentity>), Failure> {
    use todo_adapter_scalekit_emulator::{EmulatorOptions, LOCAL_RESOURCE_ID, ScalekitEmulator};

    let clock = Arc::clone(clock);
    let emulator = ScalekitEmulator::bind(EmulatorOptions {
        port,
        resource_id: LOCAL_RESOURCE_ID.to_owned(),
        server_url: public_url.base(),
        state_file: config.database.companion("identity.json"),
        auto_consent,
        clock: Arc::new(move || clock.now().as_unix_seconds()),
    })
    .await
    .map_err(Failure::unavailable)?;
    let environment = ScalekitEnvironment::new(&emulator.environment_url(), LOCAL_RESOURCE_ID)
        .map_err(|error| Failure::Other(error.into()))?;
    Ok((environment, Some(Box::new(|stop| Box::pin(emulator.serve(stop))))))
}

#[cfg(not(feature = "emulator"))]
#[expect(clippy::unused_async, reason = "it stands in for the one with the emulator")]
async fn local_identity(
    _: &Config,
    _: u16,
    _: bool,
    _: &PublicUrl,
    _: &Arc<dyn Clock>,
) -> Result<(ScalekitEnvironment, Option<LocalIdentity>), Failure> {
    Err(Failure::Usage("this build has no local identity".to_owned()))
}
