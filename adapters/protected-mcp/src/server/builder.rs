use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::Bytes;
use thiserror::Error;
use tokio::sync::watch;

use super::routes::{Documents, WELL_KNOWN};
use super::{Server, routes};
use crate::clock::{Clock, SystemClock};
use crate::features::prompts::{self, AnyPrompt, Prompt};
use crate::features::resources::{self, AnyResources, Resources};
use crate::features::tools::{self, AnyTool, Tool};
use crate::features::{
    Authorization, BeyondScopes, Failure, Features, Lifecycle, Prompts, ScopeDenial, Streams, Tools,
};
use crate::http::connections::{ConnectionLimit, Registry};
use crate::http::endpoint::Endpoint;
use crate::http::hosts::AllowedHosts;
use crate::http::origins::AllowedOrigins;
use crate::http::page::Page;
use crate::limits::Limits;
use crate::links::Links;
use crate::oauth::{
    AUTHORIZATION_SERVER, Authentication, Authenticator, AuthorizationServer, Caller, Challenge,
    PROTECTED_RESOURCE, ProtectedResource, PublicUrl, is_scope,
};
use crate::observation::Observer;
use crate::protocol::{Frame, Implementation, ServerDescription};
use crate::readiness::{Draining, Readiness};

/// What protects a server: where it is, and which authorization server issues its tokens.
pub struct Protection {
    /// The URL under which clients reach the server.
    pub public_url: PublicUrl,
    /// The issuer of access tokens, exactly as its own metadata states it.
    pub issuer: String,
    pub authenticator: Arc<dyn Authenticator>,
    /// Whose metadata is forwarded.
    pub authorization_server: Arc<dyn AuthorizationServer>,
}

/// Describes a server; see [`Server::builder`].
pub struct ServerBuilder {
    implementation: Implementation,
    protection: Protection,
    instructions: Option<&'static str>,
    tools: Vec<Arc<dyn AnyTool>>,
    prompts: Vec<Arc<dyn AnyPrompt>>,
    resources: Option<Arc<dyn AnyResources>>,
    tool_names: Vec<&'static str>,
    prompt_names: Vec<&'static str>,
    scopes: Vec<&'static str>,
    allowed_hosts: AllowedHosts,
    allowed_origins: AllowedOrigins,
    scope_denial: ScopeDenial,
    rate_limit: Option<NonZeroU32>,
    connection_limit: ConnectionLimit,
    beyond_scopes: Option<BeyondScopes>,
    readiness: Vec<Arc<dyn Readiness>>,
    observers: Vec<Arc<dyn Observer>>,
    links: Links,
    well_known: Vec<(&'static str, Bytes)>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    #[error("two tools or two prompts have the name `{0}`")]
    DuplicateName(&'static str),
    /// RFC 6749 section 3.3 allows visible ASCII without `"` and `\`.
    #[error("`{0}` is not a valid OAuth scope")]
    InvalidScope(&'static str),
    /// A name is letters, digits, `-`, `_` and `.`, and belongs to one document.
    #[error("`{0}` is no name for a document below /.well-known/, or is taken")]
    WellKnown(&'static str),
}

impl Server {
    /// Starts to describe a server: what it is, and what protects it.
    pub fn builder(implementation: Implementation, protection: Protection) -> ServerBuilder {
        ServerBuilder::new(implementation, protection)
    }
}

impl ServerBuilder {
    fn new(implementation: Implementation, protection: Protection) -> Self {
        Self {
            implementation,
            instructions: None,
            tools: Vec::new(),
            prompts: Vec::new(),
            resources: None,
            tool_names: Vec::new(),
            prompt_names: Vec::new(),
            scopes: Vec::new(),
            allowed_hosts: AllowedHosts::new(&protection.public_url, []),
            allowed_origins: AllowedOrigins::new(&protection.public_url, []),
            scope_denial: ScopeDenial::default(),
            rate_limit: NonZeroU32::new(100),
            connection_limit: ConnectionLimit::default(),
            beyond_scopes: None,
            readiness: Vec::new(),
            observers: Vec::new(),
            links: Links::default(),
            well_known: Vec::new(),
            clock: Arc::new(SystemClock),
            protection,
        }
    }

    /// What a model should know before it sees any tool.
    #[must_use]
    pub fn instructions(self, instructions: &'static str) -> Self {
        Self { instructions: Some(instructions), ..self }
    }

    /// Adds a tool after those added before.
    #[must_use]
    pub fn tool(mut self, tool: impl Tool) -> Self {
        let (name, scope, tool) = tools::registered(tool);
        self.tool_names.push(name);
        self.scopes.push(scope);
        self.tools.push(tool);
        self
    }

    /// Adds a prompt after those added before.
    #[must_use]
    pub fn prompt(mut self, prompt: impl Prompt) -> Self {
        let (name, scope, prompt) = prompts::registered(prompt);
        self.prompt_names.push(name);
        self.scopes.push(scope);
        self.prompts.push(prompt);
        self
    }

    /// Sets the resources.
    #[must_use]
    pub fn resources(mut self, resources: impl Resources) -> Self {
        let (scope, resources) = resources::registered(resources);
        self.scopes.push(scope);
        self.resources = Some(resources);
        self
    }

    /// The hosts that requests may address; by default that of the public URL.
    #[must_use]
    pub fn allowed_hosts(self, allowed_hosts: AllowedHosts) -> Self {
        Self { allowed_hosts, ..self }
    }

    /// The web origins whose pages may send requests; by default that of the public URL.
    #[must_use]
    pub fn allowed_origins(self, allowed_origins: AllowedOrigins) -> Self {
        Self { allowed_origins, ..self }
    }

    /// How a missing scope is answered; by default with a challenge.
    #[must_use]
    pub fn scope_denial(self, scope_denial: ScopeDenial) -> Self {
        Self { scope_denial, ..self }
    }

    /// How many connections are kept; by default as for a process that may open many files.
    #[must_use]
    pub fn connection_limit(self, limit: ConnectionLimit) -> Self {
        Self { connection_limit: limit, ..self }
    }

    /// What one caller may cost each second on average, and ten times as much at once, in units: a request
    /// costs one, one more for each 64 KiB that are read, looked at or answered, and what its tool
    /// [costs further](crate::Tool::further_cost). By default 100, `None` for no limit. An identity is a
    /// subject in an organization.
    #[must_use]
    pub fn rate_limit(self, per_second: Option<NonZeroU32>) -> Self {
        Self { rate_limit: per_second, ..self }
    }

    /// Why a caller may do nothing here, whatever its scopes and arguments. It is asked when a scope is
    /// missing, an argument is invalid or something is not found: its failure is then answered instead,
    /// so that the caller does not get a scope, or correct an argument, in vain. It permits nothing:
    /// operations must check the same themselves.
    #[must_use]
    pub fn beyond_scopes(
        self,
        beyond: impl Fn(&Caller) -> Option<Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { beyond_scopes: Some(Box::new(beyond)), ..self }
    }

    /// Adds something that must work before requests can be served, for `/readyz`.
    #[must_use]
    pub fn readiness(mut self, dependency: Arc<dyn Readiness>) -> Self {
        self.readiness.push(dependency);
        self
    }

    /// Adds an observer of requests and operations.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Pages for people about this server; by default none.
    #[must_use]
    pub fn links(self, links: Links) -> Self {
        Self { links, ..self }
    }

    /// Serves a text at `/.well-known/{name}`, for anyone who asks under one of the allowed hosts: how
    /// registries verify that a server is its operator's.
    #[must_use]
    pub fn well_known(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.well_known.push((name, text.into().into()));
        self
    }

    /// The clock by which streams end when their token expires; by default that of this machine.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Puts the server together. The scopes of the resource are those that its tools, resources and
    /// prompts require, in the order in which they were added.
    pub fn build(self) -> Result<Server, BuildError> {
        let scopes = distinct(&self.scopes);
        if let Some(invalid) = scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(BuildError::InvalidScope(invalid));
        }
        // A tool and a prompt may have the same name.
        let duplicate = duplicate(&self.tool_names).or_else(|| duplicate(&self.prompt_names));
        if let Some(duplicate) = duplicate {
            return Err(BuildError::DuplicateName(duplicate));
        }
        if let Some(name) = unusable_document(&self.well_known) {
            return Err(BuildError::WellKnown(name));
        }

        let Protection { public_url, issuer, authenticator, authorization_server } =
            self.protection;
        let protected_resource = ProtectedResource {
            public_url: public_url.clone(),
            authorization_server: issuer,
            scopes: scopes.clone(),
            name: self.implementation.title(),
            links: self.links.clone(),
        };
        let challenge = Challenge::new(public_url.clone(), scopes);
        let support = self.links.support.as_ref().map(ToString::to_string);
        let implementation = self.implementation.with_website(support);
        let description = ServerDescription::from(&implementation);
        let (stopping, stopped) = watch::channel(false);
        let features = Features {
            lifecycle: Lifecycle {
                instructions: self.instructions,
                has_resources: self.resources.is_some(),
                has_prompts: !self.prompts.is_empty(),
                description: description.complete.clone(),
            },
            tools: Tools::new(self.tools),
            prompts: Prompts::new(self.prompts),
            resources: self.resources,
            streams: Streams {
                clock: self.clock,
                stopping: stopped,
                server_info: description.short.clone(),
            },
            authorization: Authorization::new(
                challenge.clone(),
                self.scope_denial,
                self.beyond_scopes,
            ),
            frame: Frame::new(&description.short),
            discovery_frame: Frame::new(&description.complete),
        };
        let origins = self.allowed_origins;
        let page = Arc::new(Page::new(implementation, public_url.clone(), self.links));
        let documents = Documents {
            hosts: self.allowed_hosts.clone(),
            protected_resource: Arc::new(protected_resource),
            page: Arc::clone(&page),
            authorization_server,
            well_known: self.well_known,
        };
        let draining = Arc::new(Draining::default());
        let mut readiness = self.readiness;
        readiness.push(Arc::clone(&draining) as Arc<dyn Readiness>);
        let endpoint = Arc::new(Endpoint {
            hosts: self.allowed_hosts,
            origins: origins.clone(),
            authentication: Authentication::new(authenticator, challenge),
            limits: Limits::new(self.rate_limit, self.connection_limit.streams()),
            features,
            observers: self.observers.into(),
            page: Arc::clone(&page),
            draining: Arc::clone(&draining),
        });
        let readiness: Arc<[_]> = readiness.into();
        let routes = routes::routes(
            &public_url,
            Arc::clone(&endpoint),
            origins,
            documents,
            Arc::clone(&readiness),
        );
        Ok(Server {
            endpoint,
            routes,
            stopping: Arc::new(stopping),
            readiness,
            connections: Arc::new(Registry::new(self.connection_limit)),
        })
    }
}

fn duplicate(names: &[&'static str]) -> Option<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// The first document that cannot have its route.
fn unusable_document(documents: &[(&'static str, Bytes)]) -> Option<&'static str> {
    let own = [PROTECTED_RESOURCE, AUTHORIZATION_SERVER];
    let mut taken: Vec<_> = own.iter().filter_map(|path| path.strip_prefix(WELL_KNOWN)).collect();
    documents.iter().map(|(name, _)| *name).find(|name| {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_usable = !name.is_empty() && name.bytes().all(is_name) && !taken.contains(name);
        taken.push(name);
        !is_usable
    })
}

fn distinct(scopes: &[&'static str]) -> Vec<&'static str> {
    let mut distinct = Vec::new();
    for scope in scopes {
        if !distinct.contains(scope) {
            distinct.push(*scope);
        }
    }
    distinct
}
