//! Stand-ins for tables that an operator has spread over machines.

use tokio_postgres::Client;

/// Schema 1, and what schemas 2, 4, 7 and 8 added to it.
pub const TODOS: &str = "\
    CREATE TABLE todos (workspace bytea NOT NULL, id uuid NOT NULL, title text NOT NULL, \
        description text, completed_at bigint, created_at bigint NOT NULL, created_by text NOT NULL, \
        updated_at bigint NOT NULL, updated_by text NOT NULL, version bigint NOT NULL, \
        open_id uuid, done_id uuid, PRIMARY KEY (workspace, id))";
pub const CREATIONS: &str = "\
    CREATE TABLE creations (workspace bytea NOT NULL, created_by text NOT NULL, key text NOT NULL, \
        fingerprint bigint NOT NULL, todo uuid NOT NULL, created_at bigint NOT NULL, \
        forget_at bigint NOT NULL, PRIMARY KEY (workspace, created_by, key))";
const HEADS: &str = "\
    CREATE TABLE todo_heads (workspace bytea NOT NULL PRIMARY KEY, todos bigint NOT NULL, \
        bytes bigint NOT NULL, last_change bigint NOT NULL, last_id uuid)";

const TERMS: &str = "\
    CREATE TABLE todo_terms (workspace bytea NOT NULL, term text COLLATE \"C\" NOT NULL, \
        id uuid NOT NULL, PRIMARY KEY (workspace, term, id))";

const CHANGES: &str = "\
    CREATE TABLE todo_changes (workspace bytea NOT NULL, number bigint NOT NULL, at bigint NOT NULL, \
        action bigint NOT NULL, todo uuid NOT NULL, title text NOT NULL, version bigint NOT NULL, \
        subject text NOT NULL, organization text, client text, before text, after text, \
        bytes bigint NOT NULL, batch bigint, undoes bigint, undone_by bigint, \
        PRIMARY KEY (workspace, number))";

/// The partitions of each table are named as the table was, and after their number.
pub const PARTITIONS: usize = 4;

/// Partitions all tables by the hash of the workspace, which no statement of a request may leave. The
/// migrations find them.
pub async fn partition(shell: &Client) {
    let mut sql = Vec::new();
    for (name, table) in [
        ("todos", TODOS),
        ("creations", CREATIONS),
        ("todo_heads", HEADS),
        ("todo_terms", TERMS),
        ("todo_changes", CHANGES),
    ] {
        sql.push(format!("{table} PARTITION BY HASH (workspace)"));
        sql.extend((0..PARTITIONS).map(|part| {
            format!(
                "CREATE TABLE {name}_{part} PARTITION OF {name} \
                 FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
            )
        }));
    }
    shell.batch_execute(&sql.join("; ")).await.unwrap();
}

/// What the program sees of Citus: its catalog, and its functions, of which one notes the tables. With it, the
/// program uses the statements that Citus supports.
pub async fn pretend_citus(shell: &Client) {
    const CITUS: &str = "\
        CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod \"char\"); \
        CREATE TABLE pg_dist_local_group (groupid integer); \
        INSERT INTO pg_dist_local_group VALUES (0); \
        CREATE TABLE pg_dist_node (groupid integer, nodename text, nodeport integer); \
        INSERT INTO pg_dist_node VALUES (0, 'coordinator.example', 5432); \
        CREATE TABLE distributed (number serial, name text, colocated text, was_empty boolean); \
        CREATE FUNCTION get_shard_id_for_distribution_column(name regclass, key bytea) \
        RETURNS bigint LANGUAGE sql AS $$ \
            SELECT part FROM generate_series(0::bigint, 3) AS part \
            WHERE satisfies_hash_partition(name, 4, part::integer, key) $$; \
        CREATE FUNCTION create_distributed_table(name regclass, key text, colocate_with text) \
        RETURNS void LANGUAGE plpgsql AS $$ \
        DECLARE empty boolean; \
        BEGIN \
            ASSERT key = 'workspace'; \
            EXECUTE format('SELECT NOT EXISTS (SELECT 1 FROM %s)', name) INTO empty; \
            INSERT INTO distributed (name, colocated, was_empty) VALUES (name, colocate_with, empty); \
            INSERT INTO pg_dist_partition VALUES (name, 'h'); \
        END $$";
    shell.batch_execute(CITUS).await.unwrap();
}
