//! Citus, the extension that distributes tables over machines.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Error, GenericClient, Transaction};

/// Whether the database has the extension, so that tables may be distributed.
pub(super) async fn is_in(client: &impl GenericClient) -> Result<bool, Error> {
    client.query_one("SELECT to_regclass('pg_dist_partition') IS NOT NULL", &[]).await?.try_get(0)
}

/// The host and port of the coordinator, if this is a worker of its cluster. Tables are created and changed on
/// the coordinator: one that was created here would be seen nowhere else.
pub(super) async fn coordinator_of_worker(client: &Client) -> Result<Option<String>, Error> {
    // The nodes of a cluster know each other. The group of the coordinator is 0.
    const WORKER: &str = "\
        SELECT coalesce((SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid = 0), '') \
        FROM pg_dist_local_group WHERE groupid <> 0";
    if !is_in(client).await? {
        return Ok(None);
    }
    client.query_opt(WORKER, &[]).await?.map(|worker| worker.try_get(0)).transpose()
}

/// Divides keys of a table by the shards that hold them. A statement on keys of several shards is sent to each of
/// these with all keys, of which 8,000 on 32 shards take five times as long as 32 statements.
pub(super) async fn by_shard<'a>(
    client: &impl GenericClient,
    table: &str,
    keys: Vec<&'a [u8]>,
) -> Result<Vec<Vec<&'a [u8]>>, Error> {
    // In the order of the keys. A table that is not distributed has no shards.
    const SHARDS: &str = "\
        SELECT CASE WHEN is_distributed THEN get_shard_id_for_distribution_column($1::text::regclass, key) END \
        FROM (SELECT EXISTS (SELECT 1 FROM pg_dist_partition \
                             WHERE logicalrelid = $1::text::regclass AND partmethod = 'h')) \
             AS partition (is_distributed), \
             unnest($2::bytea[]) WITH ORDINALITY AS wanted (key, place) \
        ORDER BY place";
    let shards = client.query(SHARDS, &[&table, &keys]).await?;
    let mut parts = BTreeMap::<Option<i64>, Vec<_>>::new();
    for (row, key) in shards.iter().zip(keys) {
        parts.entry(row.try_get(0)?).or_default().push(key);
    }
    Ok(parts.into_values().collect())
}

/// Distributes a new table as `like` is, with the rows of a workspace on one machine. Does nothing where
/// `like` is not distributed, or `table` is already.
pub(super) async fn distribute(
    transaction: &Transaction<'_>,
    table: &str,
    like: &str,
) -> Result<(), Error> {
    const DISTRIBUTED: &str = "\
        SELECT logicalrelid::text FROM pg_dist_partition \
        WHERE partmethod = 'h' AND logicalrelid::text IN ($1, $2)";
    if !is_in(transaction).await? {
        return Ok(());
    }
    let found = transaction.query(DISTRIBUTED, &[&table, &like]).await?;
    let found = found.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, Error>>()?;
    if found.iter().any(|name| name == table) || found.is_empty() {
        return Ok(());
    }
    let sql =
        "SELECT create_distributed_table($1::text::regclass, 'workspace', colocate_with => $2)";
    transaction.query(sql, &[&table, &like]).await?;
    tracing::info!(table, like, "new table distributed");
    Ok(())
}
