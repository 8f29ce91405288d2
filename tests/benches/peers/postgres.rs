//! A PostgreSQL server with its default settings for durability.

use std::io;

use todo_tests::postgres::Server;

use crate::{Result, runtime};

/// Answers every line with the URL of a new, empty database.
pub(crate) fn serve() -> Result<()> {
    let server = Server::prepare().ok_or("PostgreSQL is not installed")?.start();
    let runtime = runtime()?;
    for line in io::stdin().lines() {
        line?;
        println!("{}", server.url(&runtime.block_on(server.create_database())));
    }
    Ok(())
}
