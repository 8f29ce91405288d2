//! Todos in PostgreSQL, or an engine that speaks its protocol: for more than one server.
//!
//! | module | holds |
//! |---|---|
//! | `repository` | the queries and writes of the port |
//! | `url` | connection URLs |
//! | `connector` | connecting to the host that accepts writes |
//! | `session` | the settings and prepared statements of a connection |
//! | `connections` | the pool, and retries |
//! | `tls` | encryption and certificate verification |
//! | `queries` | the statements |
//! | `change_feed` | notices of changes between servers |
//! | `archive` | snapshot and loader |
//! | `insertion` | adding a todo |
//! | `creations` | adding a todo once, however often the request is repeated |
//! | `parameter`, `row` | conversion between todos and rows |
//! | `migrations` | the schema |
//! | `citus` | tables that are distributed by Citus |
//! | `failure` | what is known of a statement that failed |
//! | `open_error` | why a database cannot be used |
//!
//! A connection has prepared statements and settings of its own, so a pooler in between must dedicate
//! one server connection to each client (PgBouncer: session mode).

mod archive;
mod change_feed;
mod citus;
mod connections;
mod connector;
mod creations;
mod database_error;
mod failure;
mod groups;
mod migrations;
mod open_error;
mod parameter;
mod queries;
mod repository;
mod row;
mod session;
mod tls;
mod url;
mod write;

pub use archive::PostgresSnapshot;
pub use change_feed::PostgresChangeFeed;
pub use open_error::{PostgresOpenError, PostgresOpenProblem};
pub use repository::PostgresTodoRepository;
pub use url::{PostgresUrl, PostgresUrlError};
