//! A real PgBouncer in front of a server, run from the installed binary.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::log::Log;
use super::{KEEPER, STARTS, Server, binary, free_port};

/// The message in its log when it accepts connections.
const READY: &str = "process up";

/// Stopped when it is dropped, with its files.
pub struct Pooler {
    keeper: Child,
    port: u16,
}

impl Server {
    /// Starts a PgBouncer for all databases of this server, with these lines of its configuration.
    pub fn pooler(&self, settings: &[&str]) -> Pooler {
        for _ in 0..STARTS {
            if let Some(pooler) = self.start_pooler(settings) {
                return pooler;
            }
        }
        panic!("PgBouncer failed to start");
    }

    /// `None` if another program was faster to take the port.
    fn start_pooler(&self, settings: &[&str]) -> Option<Pooler> {
        let directory = tempfile::tempdir().unwrap().keep();
        self.give(&directory);
        let (users, configuration) = (directory.join("users"), directory.join("pgbouncer.ini"));
        let port = free_port();
        self.write(&users, "\"postgres\" \"\"\n");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\n{}\n",
            self.port,
            users.display(),
            settings.join("\n"),
        );
        self.write(&configuration, &text);
        let mut keeper = self.command("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(program().unwrap()).arg(configuration);
        // Other signals are ignored or wait for clients, depending on its version.
        keeper.env("DIRECTORY", &directory).env("LAST_SIGNAL", "KILL");
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut keeper = keeper.spawn().unwrap();
        let log = Log::read(keeper.stderr.take().unwrap());
        let ready = log.wait_for(|log| log.contains(READY));
        let pooler = Pooler { keeper, port };
        ready.then_some(pooler)
    }
}

impl Pooler {
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // The keeper sees the end of its input, which `wait` closes.
        let _ = self.keeper.wait();
    }
}

/// Debian installs it where only root looks for programs.
fn program() -> Option<PathBuf> {
    let debian = PathBuf::from("/usr/sbin/pgbouncer");
    binary("pgbouncer").or_else(|| debian.is_file().then_some(debian))
}
