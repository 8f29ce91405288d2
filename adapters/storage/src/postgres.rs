//! Todos in PostgreSQL, or an engine that speaks its protocol: for more than one server.
//!
//! | module | holds |
//! |---|---|
//! | `repository` | the queries and writes of the port |
//! | `url` | connection URLs |
//! | `connector` | connecting to the host that accepts writes |
//! | `session` | the settings and prepared statements of a connection |
//! | `connections` | the pool, and retries |
//! | `pool` | how many connections there may be, and when unused ones are closed |
//! | `pooler` | whether a pooler in between shares sessions |
//! | `vacancy` | waiting for a connection when the server accepts no more |
//! | `isolation` | that workspaces whose statements hang do not hold up others |
//! | `health`, `evidence`, `probe` | whether the database can serve |
//! | `tls` | encryption and certificate verification |
//! | `queries` | the statements |
//! | `change_feed` | notices of changes between servers |
//! | `archive` | snapshot and loader |
//! | `write`, `groups` | writes of one todo, committed together where they come together |
//! | `write_set` | writes of one call, of which all are made or none |
//! | `history` | reading and forgetting what is remembered of writes |
//! | `creations` | adding a todo once, however often the request is repeated |
//! | `parameter`, `row`, `change_row` | conversion between todos, changes and rows |
//! | `migrations` | the schema |
//! | `citus` | tables that are distributed by Citus |
//! | `report` | what an operator needs to know of a database |
//! | `failure` | what is known of a statement that failed |
//! | `open_error` | why a database cannot be used |
//!
//! A connection has prepared statements and settings of its own, and one listens for changes, so a pooler in
//! between must dedicate one server connection to each client (PgBouncer: session mode). In transaction mode
//! the settings would have to be repeated in each transaction, and notices would still be lost.

mod archive;
mod change_feed;
mod change_row;
mod citus;
mod connections;
mod connector;
mod creations;
mod database_error;
mod evidence;
mod failure;
mod groups;
mod health;
mod history;
mod isolation;
mod migrations;
mod open_error;
mod parameter;
mod pool;
mod pooler;
mod probe;
mod queries;
mod report;
mod repository;
mod row;
mod session;
mod terms;
mod tls;
mod url;
mod vacancy;
mod write;
mod write_set;

pub use archive::PostgresSnapshot;
pub use change_feed::{ChangeReach, PostgresChangeFeed};
pub use open_error::{PostgresOpenError, PostgresOpenProblem};
pub use pool::PostgresPool;
pub use report::PostgresReport;
pub use repository::PostgresTodoRepository;
pub use url::{PostgresUrl, PostgresUrlError};
