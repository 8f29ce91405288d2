//! Binding and serving.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use std::{fmt, io};

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task;

use crate::environment::{ActiveBehavior, Environment};
use crate::error::EmulatorError;
use crate::handle::EmulatorHandle;
use crate::http::{self, connections};
use crate::oauth::resource_indicator::ServerUrl;
use crate::oauth::scope::ScopeCatalog;
use crate::options::EmulatorOptions;
use crate::state::key_ring::KeyRing;
use crate::state::ledger::Ledger;
use crate::state::records::Records;
use crate::state::signing_key::SigningKey;
use crate::state::state_file::{self, StateFile};
use crate::state::tickets::Tickets;
use crate::urls::Urls;

const MOST_PENDING: usize = 100;
const MOST_CODES: usize = 1000;

/// Starts an environment on port 3003 for a server at `server_url`, and serves it in the background until
/// the process ends: for examples and experiments. Returns what such a server is configured with: its own
/// URL, the URL of the environment and the id of the resource.
pub async fn spawn(server_url: &str, scopes: &[&str]) -> Result<[String; 3], EmulatorError> {
    let options = EmulatorOptions::new(server_url, system_time).port(3003);
    let options = scopes.iter().fold(options, |options, scope| options.scope(*scope, *scope));
    let emulator = ScalekitEmulator::bind(options).await?;
    let urls = &emulator.environment.urls;
    let configuration = [server_url.to_owned(), urls.environment.clone(), urls.resource_id.clone()];
    task::spawn(emulator.serve(std::future::pending()));
    Ok(configuration)
}

#[expect(clippy::disallowed_methods, reason = "there is no server whose clock could be used")]
fn system_time() -> SystemTime {
    SystemTime::now()
}

/// A Scalekit environment that is bound to its port; [`serve`](Self::serve) runs it.
pub struct ScalekitEmulator {
    listener: TcpListener,
    address: SocketAddr,
    environment: Arc<Environment>,
}

impl ScalekitEmulator {
    /// Binds the port, then reads the state file, or generates a key and writes it.
    pub async fn bind(options: EmulatorOptions) -> Result<Self, EmulatorError> {
        let server = ServerUrl::parse(&options.server_url)
            .ok_or(EmulatorError::ServerUrl { server_url: options.server_url.clone() })?;
        if !is_one_path_segment(&options.resource_id) {
            return Err(EmulatorError::ResourceId { resource_id: options.resource_id });
        }
        let (listener, address) = listen(options.port).await?;
        let (signing_key, records, file) =
            task::spawn_blocking(move || open(options.state_file, &options.program))
                .await
                .unwrap_or(Err(EmulatorError::KeyGeneration))?;

        let environment = Environment {
            urls: Urls {
                environment: format!("http://{address}"),
                resource_id: options.resource_id,
                server,
            },
            scopes: ScopeCatalog::new(options.scopes),
            text: options.text,
            user: options.user,
            auto_consent: options.auto_consent,
            clock: options.clock,
            keys: KeyRing::new(signing_key),
            ledger: Arc::new(Ledger::new(records, file)),
            pending: Tickets::new(MOST_PENDING),
            codes: Tickets::new(MOST_CODES),
            exchanging: Mutex::default(),
            behavior: ActiveBehavior::default(),
        };
        Ok(Self { listener, address, environment: Arc::new(environment) })
    }

    /// Fails if [`bind`](Self::bind) would reject this state file of `program`, which need not exist.
    /// Creates nothing, and blocks on the disk.
    pub fn check_state_file(path: &Path, program: &str) -> Result<(), EmulatorError> {
        state_file::read(path, program).map(drop)
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn environment_url(&self) -> String {
        self.environment.urls.environment.clone()
    }

    #[cfg(test)]
    pub(crate) fn local_address(&self) -> SocketAddr {
        self.address
    }

    pub fn handle(&self) -> EmulatorHandle {
        EmulatorHandle { environment: Arc::clone(&self.environment) }
    }

    /// Serves until `shutdown` completes, then finishes the requests in flight.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) {
        connections::serve(self.listener, http::router(self.environment), shutdown).await;
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
    let failed = |reason: io::Error| {
        if reason.kind() == io::ErrorKind::AddrInUse {
            EmulatorError::PortTaken { port }
        } else {
            EmulatorError::PortRefused { port, reason }
        }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn open(
    state_file: Option<PathBuf>,
    program: &str,
) -> Result<(SigningKey, Records, Option<StateFile>), EmulatorError> {
    let Some(path) = state_file else {
        let (_, key) = state_file::new_key()?;
        return Ok((key, Records::default(), None));
    };
    let (file, key, records) = StateFile::open(path, program)?;
    Ok((key, records, Some(file)))
}

fn is_one_path_segment(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
