//! The one place where the adapters are put together.

mod ports;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use protected_mcp::{AllowedHosts, AllowedOrigins, NotReady, PublicUrl, Readiness, Server};
use scalekit::{Scalekit, ScalekitEnvironment, ScalekitKeys};
use todo_adapter_storage::{InProcessChangeFeed, MemoryTodoRepository};
#[cfg(feature = "postgres")]
use todo_adapter_storage::{
    PostgresChangeFeed, PostgresPool, PostgresSnapshot, PostgresTodoRepository, PostgresUrl,
};
#[cfg(feature = "sqlite")]
use todo_adapter_storage::{SqliteSnapshot, SqliteTodoLoader, SqliteTodoRepository};
use todo_application::Todos;
use todo_application::ports::{
    ChangeFeed, Clock, StorageError, StorageHealth, TodoHistory, TodoLoader, TodoRepository,
    TodoSnapshot, in_one_line,
};
use tokio::net::TcpListener;

use crate::audit::AuditLog;
use crate::clock::{EngineClock, SystemClock};
use crate::config::{Config, Database, Identity};
use crate::failure::Failure;
use crate::forgetting::Forgetting;
use crate::ids::UuidV7Source;
use crate::metrics::{Admin, Metrics, Sources};
use crate::open_files::within_limit;
use crate::passed_sockets::PassedSockets;
use crate::storage_calls::{Observed, StorageObserver};
use crate::telemetry::{Parents, StorageSpans};
use ports::Taken;

/// A server that is ready to run: sockets bound, storage open.
pub struct Composition {
    pub listeners: Vec<TcpListener>,
    /// That of the first listener.
    pub address: SocketAddr,
    pub server: Server,
    pub(crate) public_url: PublicUrl,
    /// The issuer of access tokens.
    pub(crate) issuer: String,
    /// The issuer's signing keys, to be refreshed while the server runs.
    pub(crate) keys: ScalekitKeys,
    /// Removes changes that are old, while the server runs.
    pub forgetting: Forgetting,
    /// What monitoring reads, if it may.
    pub(crate) admin: Option<Admin>,
    /// `None` if it is off. Records are made while it is kept.
    pub audit: Option<AuditLog>,
    /// Runs beside the server. `None` with Scalekit.
    pub(crate) local_identity: Option<LocalIdentity>,
    /// Whether the file of the database was created.
    pub(crate) database_is_new: bool,
}

/// Serves until the given future is ready.
pub(crate) type LocalIdentity = Box<dyn FnOnce(Stop) -> Running + Send>;
pub(crate) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;
pub(crate) type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Opens the storage, binds the sockets and composes the server.
pub(crate) async fn compose(
    config: &Config,
    passed: PassedSockets,
) -> Result<Composition, Failure> {
    compose_all(config, passed, Arc::new(SystemClock)).await
}

/// `compose` with another clock, for tests in which hours pass.
pub async fn compose_with_clock(
    config: &Config,
    clock: Arc<dyn Clock>,
) -> Result<Composition, Failure> {
    compose_all(config, PassedSockets::default(), clock).await
}

async fn compose_all(
    config: &Config,
    passed: PassedSockets,
    clock: Arc<dyn Clock>,
) -> Result<Composition, Failure> {
    let Taken { listeners, address, admin } = ports::take(config, passed).await?;
    #[cfg(feature = "emulator")]
    if matches!(config.identity, Identity::Local { .. }) {
        // Before the database is created: a start that fails leaves no files behind.
        crate::local_identity::check(&config.database)?;
    }
    let audit = AuditLog::start(&config.audit_log, config.audit_is_strict, Arc::clone(&clock))?;
    let database_is_new = config.database.is_new();
    let storage = open_storage(config).await?;
    let mut metrics = admin.is_some().then(Metrics::default);
    let observer = metrics.as_mut().map(Metrics::observer);
    let mut storage_observers = Vec::new();
    if let Some(metrics) = &mut metrics {
        storage_observers.push(metrics.storage_observer());
    }
    if config.traces.is_some() {
        storage_observers.push(storage_spans(&config.database));
    }
    let storage = storage.observed(storage_observers);
    let public_url = config.public_url_at(address).map_err(Failure::other)?;

    let engine_clock: Arc<dyn protected_mcp::Clock> = Arc::new(EngineClock(Arc::clone(&clock)));
    let (environment, local_identity) = identity(config, &public_url, &engine_clock).await?;
    let scalekit = Scalekit::new(environment, USER_AGENT, &engine_clock)
        .map_err(Failure::other)?
        .keep_claims([todo_adapter_mcp::TIME_ZONE_CLAIM])
        .allowed_clients(config.allowed_clients.clone())
        .max_token_age(config.max_token_age)
        .cached_tokens(config.cached_tokens);
    let protection = scalekit.protection(public_url.clone());
    let issuer = protection.issuer.clone();
    let keys = scalekit.keys();

    let forgetting =
        Forgetting::new(Arc::clone(&storage.history), Arc::clone(&clock), config.history_days);
    let health = Arc::clone(&storage.health);
    let todos = Arc::new(storage.into_todos(config, clock));
    let mut server = todo_adapter_mcp::server(&todos, protection)
        .allowed_hosts(allowed_hosts(config, &public_url))
        .allowed_origins(allowed_origins(config, &public_url))
        .scope_denial(config.scope_denial)
        .rate_limit(config.rate_limit)
        .connection_limit(within_limit(config.connections))
        .links(config.links.clone())
        .readiness(Arc::new(StorageReadiness(Arc::clone(&health))))
        .readiness(Arc::new(keys.clone()))
        .clock(engine_clock);
    if let Some(token) = &config.openai_challenge {
        server = server.well_known(OPENAI_CHALLENGE, token);
    }
    if config.traces.is_some() {
        server = server.observer(Arc::new(Parents));
    }
    if let Some(observer) = observer {
        server = server.observer(observer);
    }
    if let Some(audit) = &audit {
        server = server.observer(audit.observer());
    }
    let server = server.build().map_err(Failure::other)?;
    if let Some(metrics) = &mut metrics {
        let (server, forgotten) = (server.clone(), forgetting.removed());
        metrics.add(Sources { server, scalekit, storage: health, forgotten });
    }
    let admin = admin.zip(metrics);
    let admin = admin.map(|((listener, address), metrics)| Admin { listener, address, metrics });
    Ok(Composition {
        listeners,
        address,
        server,
        public_url,
        issuer,
        keys,
        forgetting,
        admin,
        audit,
        local_identity,
        database_is_new,
    })
}

/// Makes a span of each call of the storage.
fn storage_spans(database: &Database) -> Arc<dyn StorageObserver> {
    Arc::new(StorageSpans::new(match database {
        Database::Memory => None,
        Database::Sqlite(_) => Some("sqlite"),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => Some("postgresql"),
    }))
}

/// The hosts that requests may address, and what to change if one is missing.
pub(crate) fn allowed_hosts(config: &Config, public_url: &PublicUrl) -> AllowedHosts {
    AllowedHosts::new(public_url, config.allowed_hosts.clone())
        .with_remedy("set MCP_URL to the public URL or add the host to ALLOWED_HOSTS")
}

/// The origins whose pages may send requests, and what to change if one is missing.
pub(crate) fn allowed_origins(config: &Config, public_url: &PublicUrl) -> AllowedOrigins {
    AllowedOrigins::new(public_url, config.allowed_origins.clone())
        .with_remedy("add the origin to ALLOWED_ORIGINS")
}

/// Where OpenAI looks for the token of `TODO_OPENAI_CHALLENGE`, below `/.well-known/`.
pub(crate) const OPENAI_CHALLENGE: &str = "openai-apps-challenge";

/// How this program identifies itself to Scalekit.
pub(crate) const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The ports that a database implements.
pub(crate) struct Storage {
    repository: Arc<dyn TodoRepository>,
    health: Arc<dyn StorageHealth>,
    pub(crate) history: Arc<dyn TodoHistory>,
    changes: Arc<dyn ChangeFeed>,
}

impl Storage {
    fn new(
        storage: Arc<impl TodoRepository + StorageHealth + TodoHistory + 'static>,
        changes: Arc<dyn ChangeFeed>,
    ) -> Self {
        Self { repository: storage.clone(), health: storage.clone(), history: storage, changes }
    }

    /// The same storage, with observers of its calls.
    fn observed(mut self, observers: Vec<Arc<dyn StorageObserver>>) -> Self {
        if !observers.is_empty() {
            let observers = observers.into();
            self.repository = Arc::new(Observed::new(self.repository, &observers));
            self.history = Arc::new(Observed::new(self.history, &observers));
        }
        self
    }

    /// The use cases of callers.
    pub(crate) fn into_todos(self, config: &Config, clock: Arc<dyn Clock>) -> Todos {
        let Self { repository, health: _, history, changes } = self;
        let ids = Arc::new(UuidV7Source::new());
        let todos = Todos::new(repository, changes, clock, ids, config.sharing);
        let todos = todos.with_quota(config.quota).with_time_zone(config.time_zone.clone());
        if config.remembers_changes() { todos.with_history(history) } else { todos }
    }
}

/// The storage as one of the parts that must work before requests are served.
struct StorageReadiness(Arc<dyn StorageHealth>);

#[async_trait]
impl Readiness for StorageReadiness {
    fn name(&self) -> &'static str {
        "storage"
    }

    async fn ready(&self) -> Result<(), NotReady> {
        self.0.check().await.map_err(|error| match error {
            StorageError::Unavailable(cause) => NotReady(in_one_line(&*cause)),
            StorageError::Corrupt { .. } | StorageError::Damaged(_) => {
                NotReady(in_one_line(&error))
            }
        })
    }
}

/// Opens a database and brings it to the current schema.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unused_async, reason = "only PostgreSQL is opened asynchronously")
)]
pub(crate) async fn open_storage(config: &Config) -> Result<Storage, Failure> {
    // Only this process writes to memory and to a file, so its own changes are all changes.
    let in_process = || Arc::new(InProcessChangeFeed::default());
    match &config.database {
        Database::Memory => {
            Ok(Storage::new(Arc::new(MemoryTodoRepository::default()), in_process()))
        }
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => {
            let repository = SqliteTodoRepository::open(path).map_err(Failure::unavailable)?;
            let repository = repository.keep_recent_reads(config.recent_reads);
            Ok(Storage::new(Arc::new(repository), in_process()))
        }
        #[cfg(not(feature = "sqlite"))]
        Database::Sqlite(path) => Err(lacking(path)),
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => {
            let repository = open_postgres(url, config).await?;
            let changes = PostgresChangeFeed::start(url);
            let changes =
                changes.map_err(|error| Failure::Unavailable(anyhow::Error::from_boxed(error)))?;
            Ok(Storage::new(Arc::new(repository), Arc::new(changes)))
        }
    }
}

/// Opens a snapshot of all todos. A server may be running.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unused_async, reason = "only PostgreSQL is opened asynchronously")
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

/// Opens a database for an import.
#[cfg_attr(
    not(feature = "postgres"),
    expect(clippy::unused_async, reason = "only PostgreSQL is opened asynchronously")
)]
pub(crate) async fn open_loader(config: &Config) -> Result<Box<dyn TodoLoader>, Failure> {
    match &config.database {
        Database::Memory => Err(nothing_to_move()),
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => {
            Ok(Box::new(SqliteTodoLoader::open(path).map_err(Failure::unavailable)?))
        }
        #[cfg(not(feature = "sqlite"))]
        Database::Sqlite(path) => Err(lacking(path)),
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => Ok(Box::new(open_postgres(url, config).await?)),
    }
}

#[cfg(feature = "postgres")]
async fn open_postgres(
    url: &PostgresUrl,
    config: &Config,
) -> Result<PostgresTodoRepository, Failure> {
    let pool = PostgresPool { size: config.postgres_pool, ..PostgresPool::default() };
    PostgresTodoRepository::open_with(url, pool).await.map_err(Failure::unavailable)
}

pub(crate) fn nothing_to_move() -> Failure {
    Failure::Usage(
        "DATABASE_URL is memory:, which only the server process can reach: set it to a database file \
         or server"
            .to_owned(),
    )
}

#[cfg(not(feature = "sqlite"))]
fn lacking(path: &std::path::Path) -> Failure {
    Failure::Usage(format!(
        "DATABASE_URL is sqlite:{}, which this build does not support",
        path.display()
    ))
}

/// The environment whose tokens are accepted: Scalekit's, or the emulated one of this process. The
/// adapter is the same for both.
async fn identity(
    config: &Config,
    public_url: &PublicUrl,
    clock: &Arc<dyn protected_mcp::Clock>,
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
    clock: &Arc<dyn protected_mcp::Clock>,
) -> Result<(ScalekitEnvironment, Option<LocalIdentity>), Failure> {
    use crate::local_identity::{self, LOCAL_RESOURCE_ID};

    let (url, clock) = (public_url.base(), Arc::clone(clock));
    let emulator = local_identity::start(url, &config.database, port, auto_consent, clock).await?;
    let environment = ScalekitEnvironment::new(&emulator.environment_url(), LOCAL_RESOURCE_ID)
        .map_err(Failure::other)?;
    Ok((environment, Some(Box::new(|stop| Box::pin(emulator.serve(stop))))))
}

#[cfg(not(feature = "emulator"))]
#[expect(clippy::unused_async, reason = "the variant with the emulator is asynchronous")]
async fn local_identity(
    _: &Config,
    _: u16,
    _: bool,
    _: &PublicUrl,
    _: &Arc<dyn protected_mcp::Clock>,
) -> Result<(ScalekitEnvironment, Option<LocalIdentity>), Failure> {
    Err(Failure::Usage("this build has no local identity".to_owned()))
}
