//! What the parts of a server count by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protected_mcp::{Server, Usage};
use scalekit::Scalekit;
use todo_application::ports::StorageHealth;

use super::figures::{number, optional};
use super::process;
use super::registry::Metrics;

/// The parts of a server that have figures.
pub(crate) struct Sources {
    pub(crate) server: Server,
    pub(crate) scalekit: Scalekit,
    pub(crate) storage: Arc<dyn StorageHealth>,
    /// How many changes were removed because they were old.
    pub(crate) forgotten: Arc<AtomicU64>,
}

impl Metrics {
    /// Adds what these parts count, and what is known of the program and its process.
    pub(crate) fn add(&mut self, sources: Sources) {
        let Sources { server, scalekit, storage, forgotten } = sources;
        self.add_server(&server);
        self.add_scalekit(&scalekit);
        self.add_storage(&storage);
        self.figure(
            "todo_mcp_forgotten_changes",
            "Remembered changes that were removed because they were older than TODO_HISTORY_DAYS",
            move || forgotten.load(Ordering::Relaxed),
        );
        self.figures("todo_mcp_build_info", "The version of the program; always 1", || {
            vec![(vec![("version", env!("CARGO_PKG_VERSION").into())], 1.0)]
        });
        process::add_to(self);
    }

    /// Two gauges: what is in use, and the most that may be.
    fn usage<S: Clone + Send + Sync + 'static>(
        &mut self,
        source: &S,
        (name, meaning): (&'static str, &'static str),
        (limit_name, limit_meaning): (&'static str, &'static str),
        read: fn(&S) -> Option<Usage>,
    ) {
        let it = source.clone();
        self.figures(name, meaning, move || optional(read(&it).map(|it| number(it.used))));
        let it = source.clone();
        let limit = move || optional(read(&it).map(|it| number(it.limit)));
        self.figures(limit_name, limit_meaning, limit);
    }

    fn add_server(&mut self, server: &Server) {
        self.usage(
            server,
            ("todo_mcp_connections", "Open connections to the endpoint"),
            ("todo_mcp_connections_limit", "The most open connections"),
            |it| Some(it.statistics().connections.open),
        );
        let it = server.clone();
        self.figure(
            "todo_mcp_connections_closed",
            "Idle connections that were closed to make room for others",
            move || it.statistics().connections.closed,
        );
        let it = server.clone();
        self.figure(
            "todo_mcp_connections_rejected",
            "Connections that were one too many while none was idle, answered 503",
            move || it.statistics().connections.rejected,
        );
        self.usage(
            server,
            ("todo_mcp_streams", "Open streams (subscriptions)"),
            ("todo_mcp_streams_limit", "The most open streams"),
            |it| Some(it.statistics().streams),
        );
        self.usage(
            server,
            ("todo_mcp_requests_at_work", "Requests that are processed at this moment"),
            ("todo_mcp_requests_at_work_limit", "The most requests that are processed at once"),
            |it| Some(it.statistics().requests),
        );
        self.usage(
            server,
            ("todo_mcp_bytes_in_flight", "Bytes of requests that arrive and of unread answers"),
            ("todo_mcp_bytes_in_flight_limit", "The most of these bytes"),
            |it| Some(it.statistics().bytes),
        );
    }

    fn add_scalekit(&mut self, scalekit: &Scalekit) {
        let it = scalekit.clone();
        self.figures(
            "todo_mcp_token_verifications",
            "Access tokens that were not cached, by the result of their verification",
            move || {
                let results = it.statistics().tokens.verifications.into_iter();
                results.map(|(result, count)| (vec![("result", result.into())], count)).collect()
            },
        );
        let it = scalekit.clone();
        self.figure(
            "todo_mcp_token_cache_hits",
            "Access tokens that were accepted from the cache",
            move || it.statistics().tokens.cache_hits,
        );
        let it = scalekit.clone();
        self.figure(
            "todo_mcp_token_verifications_waiting",
            "Access tokens that wait for their verification",
            move || number(it.statistics().tokens.waiting),
        );
        let it = scalekit.clone();
        self.figure(
            "todo_mcp_token_verification_budget_used_ratio",
            "Spent part of the CPU time for verifications; at 1, tokens that are not cached wait",
            move || it.statistics().tokens.budget_used,
        );
        let it = scalekit.clone();
        self.figure(
            "todo_mcp_signing_keys",
            "Signing keys of Scalekit that are known",
            move || number(it.statistics().keys.known),
        );
        let it = scalekit.clone();
        self.figures(
            "todo_mcp_signing_keys_age_seconds",
            "Time since the signing keys were last fetched; no value while none is known",
            move || optional(it.statistics().keys.age.map(|age| age.as_secs_f64())),
        );
        let it = scalekit.clone();
        self.figures(
            "todo_mcp_signing_keys_fetches",
            "Attempts to fetch the signing keys, by result",
            move || {
                let keys = it.statistics().keys;
                let of = |result: &'static str, count| (vec![("result", result.into())], count);
                vec![of("fetched", keys.fetched), of("failed", keys.failed)]
            },
        );
    }

    fn add_storage(&mut self, storage: &Arc<dyn StorageHealth>) {
        let it = Arc::clone(storage);
        self.figures(
            "todo_mcp_sqlite_writes_waiting",
            "Writes that are not committed yet (SQLite)",
            move || optional(it.load().writes.map(|writes| number(writes.waiting))),
        );
        let it = Arc::clone(storage);
        self.figures(
            "todo_mcp_sqlite_writes_waiting_bytes",
            "Bytes of the texts of writes that are not committed yet (SQLite)",
            move || optional(it.load().writes.map(|writes| number(writes.bytes))),
        );
        self.usage(
            storage,
            (
                "todo_mcp_postgres_connections_in_use",
                "Connections of the pool that are in use (PostgreSQL)",
            ),
            (
                "todo_mcp_postgres_connections_limit",
                "The most connections of the pool, TODO_POSTGRES_POOL (PostgreSQL)",
            ),
            |it| it.load().connections.map(|it| Usage { used: it.in_use, limit: it.limit }),
        );
        let it = Arc::clone(storage);
        self.figures(
            "todo_mcp_postgres_connections_waiting",
            "Calls of the storage that wait for a connection (PostgreSQL)",
            move || optional(it.load().connections.map(|it| number(it.waiting))),
        );
    }
}
