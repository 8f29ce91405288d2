//! A real PostgreSQL, run from the installed binaries in a directory of its own.
//!
//! `tests/build.rs` looks for them; without them the tests that use this are ignored.
#![expect(clippy::disallowed_methods, reason = "finding installed programs needs the environment")]

mod log;
mod pooler;
pub mod spread;

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::{env, fs, process};

use log::Log;
pub use pooler::Pooler;
use tokio_postgres::{Client, NoTls};

/// The owner of the files when the tests run as root, as whom PostgreSQL refuses to run.
const USER: &str = "postgres";

/// Starts the server given by its arguments, forwards the signals it reads, and exits after a
/// signal that ends the server. At the end of its input it sends `LAST_SIGNAL` and removes the
/// directory: the test's end of the pipe is closed however the test ends, so nothing is left
/// behind.
const KEEPER: &str = r#"
trap '' HUP INT TERM
"$@" >&2 & server=$!
exec 2>&-
all() { cat "/proc/$server/task/$server/children"; echo "$server"; }
while read -r signal; do
    case $signal in
        # With those that serve clients, and none comes up meanwhile.
        STOP | KILL) kill -STOP "$server"; kill -s "$signal" $(all) ;;
        CONT) kill -CONT $(all) ;;
        *) kill -s "$signal" "$server" ;;
    esac
    case $signal in
        STOP | CONT) echo done ;;
        *) wait "$server"; exit ;;
    esac
done
kill -CONT $(all)
kill -s "$LAST_SIGNAL" "$server"
wait "$server"
rm -rf "$DIRECTORY"
"#;

/// Authentication: the role `guarded` needs a password, the role `private` needs encryption.
const ACCESS: &str = "\
local     all         all                    trust
host      all         guarded  127.0.0.1/32  scram-sha-256
hostssl   all         private  127.0.0.1/32  trust
hostnossl all         private  127.0.0.1/32  reject
host      all         all      127.0.0.1/32  trust
host      replication all      127.0.0.1/32  trust
";

/// The message in the log when a server accepts connections.
const READY: &str = "ready to accept";

/// How often to start a server that exits at once: the processes of the previous one may still be
/// running.
const STARTS: u32 = 100;

/// A PostgreSQL server and its files, which are removed when it is dropped.
pub struct Server {
    directory: PathBuf,
    as_root: bool,
    port: u16,
    settings: Vec<String>,
    running: Option<Running>,
    databases: AtomicU32,
}

struct Running {
    keeper: Child,
    log: Log,
}

/// How a server ends.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// Clients are disconnected and everything is written.
    Fast,
    /// All its processes are killed.
    Kill,
}

/// The server that the tests of a process share. What it writes does not survive a crash of the machine.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    let careless = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
    SHARED.get_or_init(|| careless.into_iter().fold(Server::new(), Server::with).start())
}

impl Server {
    /// As [`Server::new`]; `None` where PostgreSQL is not installed.
    pub fn prepare() -> Option<Self> {
        binary("initdb").map(|_| Self::new())
    }

    /// A directory for a server that has not been started yet.
    #[expect(clippy::new_without_default, reason = "it creates a directory")]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap().keep();
        let user = Command::new("id").arg("-u").output();
        let as_root = user.is_ok_and(|user| user.stdout == b"0\n");
        let databases = AtomicU32::default();
        let settings = Vec::new();
        let server =
            Self { directory, as_root, port: free_port(), settings, running: None, databases };
        server.give(&server.directory);
        server
    }

    #[must_use]
    pub fn with(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// Adds a setting that names a file with this content, readable by the owner only.
    #[must_use]
    pub fn with_file(self, setting: &str, content: &str) -> Self {
        let file = self.directory.join(setting);
        self.write(&file, content);
        self.with(&format!("{setting}={}", file.display()))
    }

    /// Initializes and starts it.
    #[must_use]
    pub fn start(mut self) -> Self {
        let data = self.data();
        let made = self.run("initdb", |initdb| {
            initdb.arg("--pgdata").arg(&data).args(["--auth=trust", "--username=postgres"]);
            initdb.args(["--encoding=UTF8", "--locale=C", "--no-sync"])
        });
        assert!(made.status.success(), "{made:?}");
        self.write(&data.join("pg_hba.conf"), ACCESS);
        self.go_on();
        self
    }

    /// Starts it as a standby of `primary`.
    #[must_use]
    pub fn start_behind(mut self, primary: &Self) -> Self {
        let copied = self.run("pg_basebackup", |backup| {
            backup.arg("--pgdata").arg(self.data()).arg("--dbname").arg(primary.url("postgres"));
            backup.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
        });
        assert!(copied.status.success(), "{copied:?}");
        self.go_on();
        self
    }

    fn write(&self, file: &Path, content: &str) {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file).unwrap().write_all(content.as_bytes()).unwrap();
        self.give(file);
    }

    /// Makes PostgreSQL the owner of `file`.
    fn give(&self, file: &Path) {
        if self.as_root {
            let given = Command::new("chown").arg(USER).arg(file).status();
            assert!(given.unwrap().success());
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A program of PostgreSQL, run by a user that it accepts.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = if self.as_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--init-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").env_remove("PGPORT").stdin(Stdio::null());
        command
    }

    fn run(&self, name: &str, with: impl FnOnce(&mut Command) -> &mut Command) -> process::Output {
        let binary = binary(name).unwrap_or_else(|| panic!("{name} not found"));
        with(&mut self.command(binary)).output().unwrap()
    }

    /// Starts it (again) with its files and its port, and waits until it accepts connections.
    pub fn go_on(&mut self) {
        let mut last_log = String::new();
        for _ in 0..STARTS {
            let mut running = self.spawn();
            if running.log.wait_for(|log| log.contains(READY)) {
                self.running = Some(running);
                return;
            }
            last_log = running.log.text();
            // At the end of its input it would remove the directory.
            running.keeper.kill().unwrap();
            running.keeper.wait().unwrap();
        }
        panic!("PostgreSQL failed to start: {last_log}");
    }

    fn spawn(&self) -> Running {
        let mut keeper = self.command("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(binary("postgres").unwrap());
        keeper.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        let sockets = format!("unix_socket_directories={}", self.directory.display());
        let own = ["listen_addresses=127.0.0.1", "max_connections=200", &sockets];
        for setting in own.into_iter().chain(self.settings.iter().map(String::as_str)) {
            keeper.args(["-c", setting]);
        }
        keeper.env("DIRECTORY", &self.directory).env("LAST_SIGNAL", "QUIT");
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut keeper = keeper.spawn().unwrap();
        let log = Log::read(keeper.stderr.take().unwrap());
        Running { keeper, log }
    }

    /// Stops it and keeps its files.
    pub fn stop(&mut self, how: Stop) {
        self.end(how);
    }

    fn end(&mut self, how: Stop) -> Log {
        self.signal(match how {
            Stop::Fast => "INT",
            Stop::Kill => "KILL",
        });
        let Running { mut keeper, log } = self.running.take().expect("a running server");
        keeper.wait().unwrap();
        log
    }

    /// Suspends it: it accepts connections and does not respond.
    pub fn freeze(&mut self) {
        self.signal("STOP");
    }

    /// Resumes it after [`freeze`](Self::freeze).
    pub fn thaw(&mut self) {
        self.signal("CONT");
    }

    /// Sends a signal, and waits until it is delivered.
    fn signal(&mut self, signal: &str) {
        let keeper = &mut self.running.as_mut().expect("a running server").keeper;
        writeln!(keeper.stdin.as_mut().unwrap(), "{signal}").unwrap();
        // A line, or the end of the stream.
        let _ = keeper.stdout.as_mut().unwrap().read(&mut [0; 5]).unwrap();
    }

    /// Promotes a standby.
    pub fn promote(&self) {
        let promoted = self.run("pg_ctl", |pg_ctl| {
            pg_ctl.arg("promote").arg("--wait").arg("--pgdata").arg(self.data())
        });
        assert!(promoted.status.success(), "{promoted:?}");
    }

    /// Stops it, and returns its log since the last start. While a server runs, its last entry may be a part.
    pub fn into_log(mut self) -> String {
        self.end(Stop::Fast).whole()
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address())
    }

    /// Creates an empty database, and returns its name.
    pub async fn create_database(&self) -> String {
        let name = format!("todos_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.connect("postgres")
            .await
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        name
    }

    /// Creates an empty database, and returns its URL.
    pub async fn fresh(&self) -> String {
        self.url(&self.create_database().await)
    }

    /// Creates a database whose tables are [partitioned](spread::partition), and
    /// [seem](spread::pretend_citus) to be distributed by Citus. Returns its URL.
    pub async fn fresh_and_spread(&self) -> String {
        let database = self.create_database().await;
        let shell = self.connect(&database).await;
        spread::partition(&shell).await;
        spread::pretend_citus(&shell).await;
        let distributed = "INSERT INTO pg_dist_partition \
                           SELECT oid, 'h' FROM pg_class WHERE relkind = 'p'";
        shell.batch_execute(distributed).await.unwrap();
        self.url(&database)
    }

    /// A connection that bypasses the adapter.
    pub async fn connect(&self, database: &str) -> Client {
        let (client, connection) =
            tokio_postgres::connect(&self.url(database), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Running { mut keeper, .. }) = self.running.take() {
            // The keeper sees the end of its input.
            let _ = keeper.wait();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A program of PostgreSQL: in `PATH`, or of the latest version that Debian has installed.
pub fn binary(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let latest = debian.map(|entry| entry.path()).max_by_key(version);
    let directories = env::split_paths(&path).chain(latest.map(|path| path.join("bin")));
    directories.map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// A free port outside the range that the operating system assigns to outgoing connections (above
/// 32767), so that a stopped server finds it free. On Linux, no other test gets it before the end of this
/// process.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(process::id() % 10_000).unwrap();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if reserve(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Reserves a port among tests: its name is bound as a socket until the process ends, and leaves no file.
#[cfg(target_os = "linux")]
fn reserve(port: u16) -> bool {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener};

    static RESERVED: std::sync::Mutex<Vec<UnixListener>> = std::sync::Mutex::new(Vec::new());
    let name = SocketAddr::from_abstract_name(format!("todo-mcp-tests-{port}")).unwrap();
    let Ok(socket) = UnixListener::bind_addr(&name) else { return false };
    RESERVED.lock().unwrap().push(socket);
    true
}

#[cfg(not(target_os = "linux"))]
fn reserve(_: u16) -> bool {
    true
}
