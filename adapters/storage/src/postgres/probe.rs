//! Statements that find out whether the database can be used.

use todo_application::domain::TodoId;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use super::parameter::Parameter;
use super::queries::Query;

/// What is asked for: one of these. They are the keys of no workspace, because they are empty or not UTF-8.
///
/// On an engine that spreads rows over machines they are on several: where 32 shards are dealt to machines
/// in turn, as Citus does, on both of two and on all of four (theirs are 4, 17, 14 and 7).
pub(super) const KEYS: [&[u8]; 4] = [&[], &[0xf5], &[0xf0], &[0xfd]];

/// The parameters of [`Query::Exists`]. The first is that of [`Query::Probe`].
pub(super) fn nowhere(key: &[u8]) -> [Parameter<'_>; 2] {
    [Parameter::Bytes(key), Parameter::Id(TodoId::from_bytes([0; 16]))]
}

/// Reads or writes on a connection without prepared statements.
pub(super) async fn ask(client: &Client, key: &[u8], is_a_read: bool) -> Result<(), Error> {
    let [key, id] = nowhere(key);
    if is_a_read {
        let parameters: [(&(dyn ToSql + Sync), _); 2] = [(&key, Type::BYTEA), (&id, Type::UUID)];
        client.query_typed(Query::Exists.sql(), &parameters).await?;
    } else {
        client.query_typed(Query::Probe.sql(), &[(&key, Type::BYTEA)]).await?;
    }
    Ok(())
}
