//! The table of all settings: name, default, meaning, and how a value is read.

pub(super) mod traces;

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use protected_mcp::{ConnectionLimit, HostPattern, PublicUrl, ScopeDenial, WebOrigin};
use todo_application::domain::{Sharing, TimeZone};
use url::Url;

use super::database::Database;
use super::parse;
use super::setting::DefaultValue::{Derived, Text};
use super::setting::{About, Setting};
use crate::audit::AuditTarget;
use crate::telemetry::LogFormat;

pub(super) const PORT: Setting<u16> =
    Setting::new("PORT", Text("3002"), "Port to listen on; `0` is any free port", parse::port);
pub(super) const BIND_ADDRESS: Setting<IpAddr> = Setting::new(
    "BIND_ADDRESS",
    Text("127.0.0.1"),
    "Address to listen on, if unset also on `::1`; with the local identity, a loopback address",
    parse::address,
);
pub(super) const MCP_URL: Setting<PublicUrl> = Setting::new(
    "MCP_URL",
    Derived("`http://localhost:{PORT}/`"),
    "Public base URL; a trailing slash or `/mcp` makes no difference",
    parse::from_str,
)
.or(&["BASE_URL", "MCP_BASE_URL"]);
pub(super) const SCALEKIT_ENVIRONMENT_URL: Setting<String> = Setting::new(
    "SCALEKIT_ENVIRONMENT_URL",
    Derived(""),
    "URL of your Scalekit environment; unset: local identity",
    parse::from_str,
)
.or(&["SK_ENV_URL"]);
pub(super) const SCALEKIT_RESOURCE_ID: Setting<String> = Setting::new(
    "SCALEKIT_RESOURCE_ID",
    Derived(""),
    "Id of the MCP server in that environment, `res_..`",
    parse::from_str,
)
.or(&["MCP_SERVER_ID"]);
pub(super) const SCALEKIT_CLIENT_ID: Setting<String> =
    Setting::new("SCALEKIT_CLIENT_ID", Derived(""), "Accepted and not used", parse::from_str);
pub(super) const DATABASE_URL: Setting<Database> = Setting::new(
    "DATABASE_URL",
    Text(if cfg!(feature = "sqlite") { "sqlite:todos.db" } else { "memory:" }),
    "Database: `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE`, or `memory:`",
    parse::from_str,
)
.secret();
pub(super) const TODO_POSTGRES_POOL: Setting<NonZeroUsize> = Setting::new(
    "TODO_POSTGRES_POOL",
    Text("8"),
    "The most connections to PostgreSQL, 1 to 200; the server has one more for changes by other servers",
    parse::pool,
);
pub(super) const TODO_SHARING: Setting<Sharing> = Setting::new(
    "TODO_SHARING",
    Text("personal"),
    "Who shares a list: `personal` (each user has their own), `organization`, or `everyone`",
    parse::sharing,
);
pub(super) const TODO_SCOPE_DENIAL: Setting<ScopeDenial> = Setting::new(
    "TODO_SCOPE_DENIAL",
    Text("challenge"),
    "Answer to a missing scope: `challenge` (HTTP 403, the client requests the scope) or \
     `tool_error` (HTTP 200 with a tool result, for clients that cannot)",
    parse::scope_denial,
);
pub(super) const TODO_RATE_LIMIT: Setting<Option<NonZeroU32>> = Setting::new(
    "TODO_RATE_LIMIT",
    // Far more than a person with a few assistants sends, and far too little to delay others.
    Text("100"),
    "What one caller (a subject in an organization) may cost per second, ten times as much at once: a \
     request costs one, each 64 KiB one more, and so does each further change of `change_todos`; \
     `off` for no limit",
    parse::rate_limit,
);
pub(super) const TODO_TIME_ZONE: Setting<TimeZone> = Setting::new(
    "TODO_TIME_ZONE",
    Derived(""),
    "Time zone of callers whose token has no `zoneinfo` claim, such as `Europe/Berlin`; unset: a call \
     that needs one must pass it",
    parse::time_zone,
);
pub(super) const TODO_HISTORY_DAYS: Setting<u32> = Setting::new(
    "TODO_HISTORY_DAYS",
    Text("30"),
    "Days for which changes and deleted todos are remembered, to be listed and undone; `0`: not at all",
    parse::history_days,
);
pub(super) const TODO_QUOTA: Setting<Option<NonZeroU32>> = Setting::new(
    "TODO_QUOTA",
    Text("off"),
    "The most todos of one list, with deleted ones that are remembered; `off` for no limit",
    parse::quota,
);
pub(super) const TODO_QUOTA_MIB: Setting<Option<NonZeroU32>> = Setting::new(
    "TODO_QUOTA_MIB",
    Text("off"),
    "The most MiB that the texts of one list and its remembered changes have together; `off` for no \
     limit",
    parse::quota,
);
pub(super) const TODO_ALLOWED_CLIENTS: Setting<String> = Setting::new(
    "TODO_ALLOWED_CLIENTS",
    Derived(""),
    "Ids of the clients that may call, separated by commas or spaces; unset: all",
    parse::client_id,
);
pub(super) const TODO_MAX_TOKEN_AGE: Setting<Duration> = Setting::new(
    "TODO_MAX_TOKEN_AGE",
    Derived(""),
    "Seconds for which an access token is accepted after it was issued (`iat`); unset: until it expires",
    parse::seconds,
);
pub(super) const TODO_CONNECTIONS: Setting<ConnectionLimit> = Setting::new(
    "TODO_CONNECTIONS",
    Text("10000"),
    "The most connections of clients, 1 to 1000000, as far as the limit on open files allows; up to half of them \
     may have an open `subscriptions/listen`",
    parse::connections,
);
pub(super) const TODO_RECENT_MIB: Setting<u64> = Setting::new(
    "TODO_RECENT_MIB",
    Text("8"),
    "MiB of what was read from SQLite that are served again until their list changes, 0 to 4096; 0 if other \
     programs change the file",
    parse::recent_reads,
);
pub(super) const TODO_CACHED_TOKENS: Setting<NonZeroUsize> = Setting::new(
    "TODO_CACHED_TOKENS",
    // As many callers as a server of a small machine may have, in 120 MB.
    Text("250000"),
    "Access tokens that are remembered once they were verified, 1 to 10000000: about 480 bytes of memory for \
     each that is in use",
    parse::cached_tokens,
);
pub(super) const TODO_ADMIN_ADDRESS: Setting<SocketAddr> = Setting::new(
    "TODO_ADMIN_ADDRESS",
    Derived(""),
    "Address and port of `/metrics`, `/healthz` and `/readyz` apart from MCP, such as `127.0.0.1:9464`; \
     port `0` is any free port; unset: off",
    parse::address_and_port,
);
pub(super) const TODO_AUDIT_LOG: Setting<AuditTarget> = Setting::new(
    "TODO_AUDIT_LOG",
    Text("off"),
    "Where each allowed or denied operation is recorded, as JSON Lines: a file, which SIGUSR1 opens anew, or \
     `-` for standard output",
    parse::audit_target,
);
pub(super) const TODO_AUDIT_STRICT: Setting<bool> = Setting::new(
    "TODO_AUDIT_STRICT",
    Text("false"),
    "Whether a change is refused while it cannot be recorded",
    parse::flag,
);
pub(super) const TODO_PRIVACY_URL: Setting<Url> = Setting::new(
    "TODO_PRIVACY_URL",
    Derived(""),
    "Page with your privacy policy, https; directories of assistants ask for it",
    parse::link,
);
pub(super) const TODO_TERMS_URL: Setting<Url> = Setting::new(
    "TODO_TERMS_URL",
    Derived(""),
    "Page with your terms of service, https",
    parse::link,
);
pub(super) const TODO_SUPPORT_URL: Setting<Url> = Setting::new(
    "TODO_SUPPORT_URL",
    Derived(""),
    "Page where your users get help, https",
    parse::link,
);
pub(super) const TODO_OPENAI_CHALLENGE: Setting<String> = Setting::new(
    "TODO_OPENAI_CHALLENGE",
    Derived(""),
    "Token of OpenAI that shows that the server is yours, at `/.well-known/openai-apps-challenge`",
    parse::challenge,
);
pub(super) const TODO_DRAIN_SECONDS: Setting<Duration> = Setting::new(
    "TODO_DRAIN_SECONDS",
    // At a terminal, and where one server is replaced by the next, each second is one without a server.
    Text("0"),
    "Seconds for which a server that is asked to stop is not ready but still serves, so that a load \
     balancer sees it first",
    parse::drain,
);
pub(super) const ALLOWED_HOSTS: Setting<HostPattern> = Setting::new(
    "ALLOWED_HOSTS",
    Derived("host of `MCP_URL`"),
    "More hosts that requests may name, for a proxy; separated by commas or spaces",
    parse::from_str,
);
pub(super) const ALLOWED_ORIGINS: Setting<WebOrigin> = Setting::new(
    "ALLOWED_ORIGINS",
    Derived("origin of `MCP_URL`"),
    "More web origins whose pages may use the server; separated by commas or spaces",
    parse::from_str,
);
pub(super) const LOG_FORMAT: Setting<LogFormat> = Setting::new(
    "LOG_FORMAT",
    Text("text"),
    "Format of the log on standard error, `text` or `json`",
    parse::log_format,
);
pub(super) const RUST_LOG: Setting<String> = Setting::new(
    "RUST_LOG",
    Text("info"),
    "What is logged, as a filter such as `info` or `todo_mcp=debug`",
    parse::log_filter,
);
pub(super) const EMULATOR_PORT: Setting<u16> = Setting::new(
    "EMULATOR_PORT",
    Text("3003"),
    "Port of the local identity, always on 127.0.0.1; `0` is any free port",
    parse::port,
);
pub(super) const EMULATOR_AUTO_CONSENT: Setting<bool> = Setting::new(
    "EMULATOR_AUTO_CONSENT",
    Text("false"),
    "Whether the local identity approves every client without the consent page",
    parse::flag,
);

/// Every setting, in the order of the documentation.
pub const SETTINGS: [About; 49] = [
    PORT.about,
    BIND_ADDRESS.about,
    MCP_URL.about,
    SCALEKIT_ENVIRONMENT_URL.about,
    SCALEKIT_RESOURCE_ID.about,
    SCALEKIT_CLIENT_ID.about,
    DATABASE_URL.about,
    TODO_POSTGRES_POOL.about,
    TODO_SHARING.about,
    TODO_SCOPE_DENIAL.about,
    TODO_RATE_LIMIT.about,
    TODO_TIME_ZONE.about,
    TODO_HISTORY_DAYS.about,
    TODO_QUOTA.about,
    TODO_QUOTA_MIB.about,
    TODO_ALLOWED_CLIENTS.about,
    TODO_MAX_TOKEN_AGE.about,
    TODO_RECENT_MIB.about,
    TODO_CACHED_TOKENS.about,
    TODO_CONNECTIONS.about,
    TODO_ADMIN_ADDRESS.about,
    TODO_AUDIT_LOG.about,
    TODO_AUDIT_STRICT.about,
    TODO_PRIVACY_URL.about,
    TODO_TERMS_URL.about,
    TODO_SUPPORT_URL.about,
    TODO_OPENAI_CHALLENGE.about,
    TODO_DRAIN_SECONDS.about,
    ALLOWED_HOSTS.about,
    ALLOWED_ORIGINS.about,
    LOG_FORMAT.about,
    RUST_LOG.about,
    traces::ENDPOINT.about,
    traces::TRACES_ENDPOINT.about,
    traces::HEADERS.about,
    traces::TIMEOUT.about,
    traces::PROTOCOL.about,
    traces::COMPRESSION.about,
    traces::EXPORTER.about,
    traces::DISABLED.about,
    traces::SERVICE_NAME.about,
    traces::RESOURCE_ATTRIBUTES.about,
    traces::SAMPLER.about,
    traces::SAMPLER_ARG.about,
    traces::SCHEDULE_DELAY.about,
    traces::MAX_QUEUE_SIZE.about,
    traces::MAX_EXPORT_BATCH_SIZE.about,
    EMULATOR_PORT.about,
    EMULATOR_AUTO_CONSENT.about,
];
