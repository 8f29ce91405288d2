//! A real PostgreSQL, run from the binaries that are installed, in a directory of its own.
//!
//! Where there are none, tests say so and pass, except with `CI=true`; `.ci/run` installs them.
#![expect(clippy::disallowed_methods, reason = "what is installed is no setting of the program")]

mod log;

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
use tokio_postgres::{Client, NoTls};

/// Whose files they are where the tests run as root, for whom PostgreSQL does not run.
const USER: &str = "postgres";

/// Starts the server that its arguments name, sends it the signals that it reads, and ends after one
/// that ends the server; the end of the input is for good, and takes the directory along. So nothing
/// stays behind when a test ends, whatever ends it: its end of the pipe is closed.
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
kill -QUIT "$server"
wait "$server"
rm -rf "$DIRECTORY"
"#;

/// Who has to say what: the role `guarded` a password, the role `private` anything, but encrypted.
const ACCESS: &str = "\
local     all         all                    trust
host      all         guarded  127.0.0.1/32  scram-sha-256
hostssl   all         private  127.0.0.1/32  trust
hostnossl all         private  127.0.0.1/32  reject
host      all         all      127.0.0.1/32  trust
host      replication all      127.0.0.1/32  trust
";

/// What the log says once a server can be used.
const READY: &str = "ready to accept";

/// How often to start a server that ends at once: those that served the one before may still be
/// there.
const STARTS: u32 = 100;

/// A PostgreSQL server and its files, which are gone with it.
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
    /// Its clients are told, and all is written.
    Fast,
    /// All its processes are killed: it has no time for anything.
    Kill,
}

/// The server that the tests of a process share; `None` where PostgreSQL is not installed. What it
/// writes is lost when the machine is.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    let careless = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
    let shared = SHARED.get_or_init(|| {
        let server = careless.into_iter().fold(Server::prepare()?, Server::with);
        Some(server.start())
    });
    shared.as_ref()
}

impl Server {
    /// A directory for a server; `None` where PostgreSQL is not installed.
    pub fn prepare() -> Option<Self> {
        if binary("initdb").is_none() {
            skip();
            return None;
        }
        let directory = tempfile::tempdir().unwrap().keep();
        let user = Command::new("id").arg("-u").output();
        let as_root = user.is_ok_and(|user| user.stdout == b"0\n");
        let databases = AtomicU32::default();
        let settings = Vec::new();
        let server =
            Self { directory, as_root, port: free_port(), settings, running: None, databases };
        server.give(&server.directory);
        Some(server)
    }

    /// The same with another setting.
    #[must_use]
    pub fn with(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// The same with a setting that names a file with this content, which nobody else may read.
    #[must_use]
    pub fn with_file(self, setting: &str, content: &str) -> Self {
        let file = self.directory.join(setting);
        self.write(&file, content);
        self.with(&format!("{setting}={}", file.display()))
    }

    /// Starts it with nothing in it.
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

    /// Starts it as one that follows `primary`.
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

    /// Lets PostgreSQL have what we made.
    fn give(&self, file: &Path) {
        if self.as_root {
            let given = Command::new("chown").arg(USER).arg(file).status();
            assert!(given.unwrap().success());
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A program of PostgreSQL, as a user for whom it runs.
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
        let binary = binary(name).unwrap_or_else(|| panic!("{name} is not installed"));
        with(&mut self.command(binary)).output().unwrap()
    }

    /// Starts it (again), with the files and the port that it has, and waits until it can be used.
    pub fn go_on(&mut self) {
        for _ in 0..STARTS {
            let running = self.spawn();
            if running.log.wait_for(|log| log.contains(READY)) {
                self.running = Some(running);
                return;
            }
        }
        panic!("PostgreSQL does not start");
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
        keeper.env("DIRECTORY", &self.directory);
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut keeper = keeper.spawn().unwrap();
        let log = Log::read(keeper.stderr.take().unwrap());
        Running { keeper, log }
    }

    /// Ends it, and leaves its files.
    pub fn stop(&mut self, how: Stop) {
        self.signal(match how {
            Stop::Fast => "INT",
            Stop::Kill => "KILL",
        });
        if let Some(mut running) = self.running.take() {
            running.keeper.wait().unwrap();
        }
    }

    /// Makes it stand still, as one does that hangs: it takes connections and says nothing.
    pub fn freeze(&mut self) {
        self.signal("STOP");
    }

    /// Lets it go on after that.
    pub fn thaw(&mut self) {
        self.signal("CONT");
    }

    /// Sends a signal, and waits until it has come.
    fn signal(&mut self, signal: &str) {
        let keeper = &mut self.running.as_mut().expect("the server runs").keeper;
        writeln!(keeper.stdin.as_mut().unwrap(), "{signal}").unwrap();
        // A line, or the end.
        let _ = keeper.stdout.as_mut().unwrap().read(&mut [0; 5]).unwrap();
    }

    /// Makes a standby a server of its own.
    pub fn promote(&self) {
        let promoted = self.run("pg_ctl", |pg_ctl| {
            pg_ctl.arg("promote").arg("--wait").arg("--pgdata").arg(self.data())
        });
        assert!(promoted.status.success(), "{promoted:?}");
    }

    /// What it has logged since it was started.
    pub fn log(&self) -> String {
        self.running.as_ref().map(|running| running.log.text()).unwrap_or_default()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The URL of a database of it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address())
    }

    /// Makes a database with nothing in it, and gives its name.
    pub async fn create_database(&self) -> String {
        let name = format!("todos_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.connect("postgres")
            .await
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        name
    }

    /// Makes a database with nothing in it, and gives its URL.
    pub async fn fresh(&self) -> String {
        self.url(&self.create_database().await)
    }

    /// A database as another program sees it.
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
            // It sees the end of its input.
            let _ = keeper.wait();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A program of PostgreSQL: in the search path, or where Debian puts it, the latest version there.
pub fn binary(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let latest = debian.map(|entry| entry.path()).max_by_key(version);
    let directories = env::split_paths(&path).chain(latest.map(|path| path.join("bin")));
    directories.map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// A port that nobody uses, and that the operating system gives to no connection of ours (those are
/// above 32767): a server that is stopped finds it free.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(process::id() % 10_000).unwrap();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

#[expect(clippy::print_stderr, reason = "whoever reads the output of the tests wants to know")]
fn skip() {
    let ci = env::var("CI").is_ok_and(|value| value == "true");
    assert!(!ci, "PostgreSQL is not installed: .ci/run does it");
    eprintln!("skipped: PostgreSQL is not installed");
}
