//! Binding and serving.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use tokio::{net::TcpListener, task};

use crate::{
    client_documents::ClientDocuments,
    environment::Environment,
    error::EmulatorError,
    handle::EmulatorHandle,
    http,
    oauth::resource_indicator::ServerUrl,
    quirks::switchboard::Switchboard,
    state::{
        key_ring::KeyRing,
        ledger::Ledger,
        records::Records,
        signing_key::SigningKey,
        state_file::{self, StateFile},
        tickets::Tickets,
    },
};

/// Seconds that an authorization code is good for, and that a person has to decide.
const AUTHORIZATION_LIFETIME: i64 = 600;
const MOST_PENDING: usize = 100;
const MOST_CODES: usize = 1000;

/// How to set up the environment.
#[derive(Clone)]
pub struct EmulatorOptions {
    /// Where to listen on 127.0.0.1; 0 for any free port.
    pub port: u16,
    /// The id of the MCP server in this environment: `res_` and digits.
    pub resource_id: String,
    /// The registered Server URL. It goes into `aud`, beside the resource id, byte for byte.
    pub server_url: String,
    /// Where key, clients and logins outlive the process; with `None` nothing does.
    /// A file belongs to one running emulator.
    pub state_file: Option<PathBuf>,
    /// Grant whatever a client asks for, without showing the consent page.
    pub auto_consent: bool,
    /// Unix seconds.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// A Scalekit environment that listens, and waits to be served.
pub struct ScalekitEmulator {
    listener: TcpListener,
    address: SocketAddr,
    environment: Arc<Environment>,
}

impl ScalekitEmulator {
    /// Listens on 127.0.0.1, then reads the state file, or makes a key and writes it.
    ///
    /// # Errors
    ///
    /// [`EmulatorError`], whose message says what to change.
    pub async fn bind(options: EmulatorOptions) -> Result<Self, EmulatorError> {
        let server_url = ServerUrl::parse(&options.server_url)
            .ok_or(EmulatorError::ServerUrl { server_url: options.server_url })?;
        if !is_one_path_segment(&options.resource_id) {
            return Err(EmulatorError::ResourceId { resource_id: options.resource_id });
        }
        let (listener, address) = listen(options.port).await?;
        let (signing_key, records, file) = task::spawn_blocking(|| open(options.state_file))
            .await
            .unwrap_or(Err(EmulatorError::KeyGeneration))?;

        let environment = Environment {
            url: format!("http://{address}"),
            resource_id: options.resource_id,
            server_url,
            auto_consent: options.auto_consent,
            clock: options.clock,
            keys: KeyRing::new(signing_key),
            ledger: Arc::new(Ledger::new(records, file)),
            pending: Tickets::new(AUTHORIZATION_LIFETIME, MOST_PENDING),
            codes: Tickets::new(AUTHORIZATION_LIFETIME, MOST_CODES),
            client_documents: ClientDocuments::default(),
            quirks: Switchboard::default(),
        };
        Ok(Self { listener, address, environment: Arc::new(environment) })
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn environment_url(&self) -> String {
        self.environment.url.clone()
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Mints tokens and sets quirks in process, for as long as one likes.
    pub fn handle(&self) -> EmulatorHandle {
        EmulatorHandle::new(Arc::clone(&self.environment))
    }

    /// Serves until `shutdown` completes, then finishes what is in flight.
    ///
    /// # Errors
    ///
    /// What the listening socket fails with.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        axum::serve(self.listener, http::router(self.environment))
            .with_graceful_shutdown(shutdown)
            .await
    }
}

impl fmt::Debug for ScalekitEmulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ScalekitEmulator")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), EmulatorError> {
    let refused = |reason: io::Error| {
        if reason.kind() == io::ErrorKind::AddrInUse {
            EmulatorError::PortTaken { port }
        } else {
            EmulatorError::PortRefused { port, reason }
        }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

fn open(
    state_file: Option<PathBuf>,
) -> Result<(SigningKey, Records, Option<StateFile>), EmulatorError> {
    let Some(path) = state_file else {
        let (_, key) = state_file::new_key()?;
        return Ok((key, Records::default(), None));
    };
    let (file, key, records) = StateFile::open(path)?;
    Ok((key, records, Some(file)))
}

fn is_one_path_segment(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
