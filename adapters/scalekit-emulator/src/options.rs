//! How to set up an environment.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::oauth::scope::Scope;

/// The settings of an environment: which server it protects, and for whom.
///
/// ```
/// use std::time::SystemTime;
///
/// use scalekit_emulator::EmulatorOptions;
///
/// let options = EmulatorOptions::new("http://localhost:3002/", SystemTime::now)
///     .scope("notes:read", "See your notes")
///     .scope("notes:write", "Create and change your notes");
/// ```
#[derive(Clone)]
pub struct EmulatorOptions {
    pub(crate) server_url: String,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) port: u16,
    pub(crate) resource_id: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) text: ServerText,
    pub(crate) user: User,
    pub(crate) program: String,
    pub(crate) state_file: Option<PathBuf>,
    pub(crate) auto_consent: bool,
}

/// What the pages call the protected server.
#[derive(Clone, Debug)]
pub(crate) struct ServerText {
    pub(crate) name: String,
    pub(crate) purpose: String,
    pub(crate) token_command: Option<String>,
}

/// The one person of the environment, and the organization of that person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `usr_` and digits.
    pub subject: String,
    /// `org_` and digits.
    pub organization: String,
    pub name: String,
    pub email: String,
}

impl EmulatorOptions {
    /// `server_url` is the registered Server URL, which is an audience of every token, byte for byte.
    /// `clock` returns the current time, such as [`SystemTime::now`].
    pub fn new(
        server_url: impl Into<String>,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self {
            server_url: server_url.into(),
            clock: Arc::new(clock),
            port: 0,
            resource_id: "res_10000000000000001".to_owned(),
            scopes: Vec::new(),
            text: ServerText {
                name: "MCP server".to_owned(),
                purpose: "use this server".to_owned(),
                token_command: None,
            },
            user: User::default(),
            program: "scalekit-emulator".to_owned(),
            state_file: None,
            auto_consent: false,
        }
    }

    /// Where to listen on 127.0.0.1. By default, and with 0, on any free port.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The id of the MCP server in this environment: `res_` and digits.
    #[must_use]
    pub fn resource_id(self, resource_id: impl Into<String>) -> Self {
        Self { resource_id: resource_id.into(), ..self }
    }

    /// Adds a scope of the resource. `allows` is its text on the consent page, as in "See your notes".
    #[must_use]
    pub fn scope(mut self, name: impl Into<String>, allows: impl Into<String>) -> Self {
        self.scopes.push(Scope::of_the_resource(name, allows));
        self
    }

    /// What the pages call the server, in lower case as in "note server".
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.text.name = name.into();
        self
    }

    /// Completes "Inspector wants to" on the consent page, as in "use your notes".
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.text.purpose = purpose.into();
        self
    }

    /// The command that prints a token, for the welcome page.
    #[must_use]
    pub fn token_command(mut self, command: impl Into<String>) -> Self {
        self.text.token_command = Some(command.into());
        self
    }

    #[must_use]
    pub fn user(self, user: User) -> Self {
        Self { user, ..self }
    }

    /// Where key, clients and logins outlive the process; by default nothing does. The file belongs to
    /// one running emulator.
    #[must_use]
    pub fn state_file(self, path: impl Into<PathBuf>) -> Self {
        Self { state_file: Some(path.into()), ..self }
    }

    /// The program that the state file belongs to. The file of another program is left alone.
    #[must_use]
    pub fn program(self, program: impl Into<String>) -> Self {
        Self { program: program.into(), ..self }
    }

    /// Whether to grant every request of a client without the consent page.
    #[must_use]
    pub fn auto_consent(self, auto_consent: bool) -> Self {
        Self { auto_consent, ..self }
    }
}

/// "Local Developer", with ids of its own.
impl Default for User {
    fn default() -> Self {
        Self {
            subject: "usr_10000000000000001".to_owned(),
            organization: "org_10000000000000001".to_owned(),
            name: "Local Developer".to_owned(),
            email: "developer@localhost".to_owned(),
        }
    }
}
