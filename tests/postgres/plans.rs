//! Query plans: every statement uses an index. The plans are those that `auto_explain` logged for
//! the program.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use serde_json::Value;
use todo_adapter_storage::{PostgresPool, PostgresSnapshot};
use todo_application::domain::{Instant, Order, Place, TermRange, Title, TodoId, Version};
use todo_application::ports::{
    CreationRequest, TodoLoader as _, TodoRepository as _, TodoSnapshot as _,
};
use todo_tests::postgres::{Server, spread};
use tokio::task::JoinSet;

use super::connections::open_with;
use super::*;

/// Two long workspaces, one with open todos except for the last few, and one the other way round;
/// and many short ones, from which the planner concludes that workspaces are short.
const ROWS: &str = "\
    INSERT INTO todo_items \
    SELECT CASE WHEN n % 10 > 1 THEN decode('organization:' || lpad((n % 1000)::text, 4, '0'), 'escape') \
                WHEN n % 10 = 1 THEN 'organization:mine'::bytea \
                ELSE 'organization:yours'::bytea END, \
           id, 'Buy milk', NULL, CASE WHEN done THEN 5 END, 5, 'me', \
           5, 'me', 1, CASE WHEN NOT done THEN id END, CASE WHEN done THEN id END \
    FROM (SELECT n, lpad(to_hex(n), 32, '0')::uuid AS id, CASE WHEN n % 10 = 0 THEN n < 49900 ELSE n > 49900 END AS done \
          FROM generate_series(1, 50000) n) numbers; \
    INSERT INTO todo_heads SELECT workspace, count(*), 0, 0 FROM todo_items GROUP BY workspace \
    ON CONFLICT DO NOTHING; \
    INSERT INTO todo_terms SELECT workspace, unnest('{buy,milk}'::text[]), id FROM todo_items \
    ON CONFLICT DO NOTHING; \
    INSERT INTO creations \
    SELECT 'organization:mine', 'usr_alice', 'key ' || n, 1, lpad(to_hex(n), 32, '0')::uuid, 5, \
           CASE WHEN n % 2 = 0 THEN n ELSE 9000000000000 + n END \
    FROM generate_series(1, 50000) n";

/// The size of a page.
const LIMIT: usize = 51;

/// A server that logs its plans.
fn explaining() -> Server {
    let server = Server::new();
    let logged = ["log_min_duration=0", "log_analyze=on", "log_buffers=on", "log_format=json"];
    let settings = logged.map(|setting| format!("auto_explain.{setting}"));
    let server = server.with("shared_preload_libraries=auto_explain").with("autovacuum=off");
    settings.iter().fold(server, |server, setting| server.with(setting)).start()
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn every_statement_uses_an_index_and_sorts_nothing() {
    let server = explaining();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;

    // A plan made for a short table is still used when the table is long, and neither old nor new
    // statistics lead to a bad plan.
    let url = server.url(&database);
    let early = open_one(&url).await;
    shell.batch_execute("ANALYZE").await.unwrap();
    read_all(&url).await;
    use_every_statement(&early, "at first").await;
    shell.batch_execute(ROWS).await.unwrap();
    use_every_statement(&early, "then").await;
    use_every_statement(&open_one(&url).await, "again").await;
    read_all(&url).await;
    shell.batch_execute("ANALYZE").await.unwrap();
    use_every_statement(&open_one(&url).await, "at last").await;
    read_all(&url).await;

    let plans = plans(&server.log());
    assert_eq!(plans.len(), 30, "{:#?}", plans.keys());
    for (sql, plan) in plans.iter().flat_map(|(sql, plans)| plans.iter().map(move |it| (sql, it))) {
        assert_straight(sql, plan);
    }
}

/// Wherever a partition may be: with the statements of a single server, and with those for Citus.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn every_statement_of_a_request_reads_one_partition() {
    let server = explaining();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    spread::partition(&shell).await;
    let repository = open_one(&server.url(&database)).await;
    shell.batch_execute(ROWS).await.unwrap();
    use_every_statement(&repository, "first").await;
    spread::pretend_citus(&shell).await;
    use_every_statement(&open_one(&server.url(&database)).await, "second").await;

    let mut plans = plans(&server.log());
    // Of the migration, and of an import.
    plans.retain(|sql, _| !sql.ends_with("LIMIT 2000") && !sql.contains("workspace = ANY($1)"));
    // With the statements for Citus, without the page of an export.
    assert_eq!(plans.len(), 31, "{:#?}", plans.keys());
    for (sql, plan) in plans.iter().flat_map(|(sql, plans)| plans.iter().map(move |it| (sql, it))) {
        let read = relations_read(plan);
        let partitions: BTreeSet<_> =
            read.iter().map(|name| name.rsplit_once('_').unwrap().1).collect();
        let seeks = !sql.starts_with("INSERT INTO") && !sql.starts_with("WITH head AS (INSERT");
        assert_eq!(partitions.len(), usize::from(seeks), "{read:?} in {sql}\n{plan:#}");
    }
}

/// The tables or partitions that a plan has read.
fn relations_read(plan: &Value) -> BTreeSet<&str> {
    let (mut nodes, mut relations) = (vec![plan], BTreeSet::new());
    while let Some(node) = nodes.pop() {
        // The table that is modified is the whole one. Its rows come from the nodes below.
        if node["Node Type"] != "ModifyTable" && node["Actual Loops"].as_u64() != Some(0) {
            relations.extend(node["Relation Name"].as_str());
        }
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    relations
}

/// With one connection: the first statement of a connection also reads the catalog.
async fn open_one(url: &str) -> Arc<PostgresTodoRepository> {
    let size = NonZeroUsize::MIN;
    open_with(url, PostgresPool { size, ..PostgresPool::default() }).await
}

async fn use_every_statement(repository: &Arc<PostgresTodoRepository>, key: &str) {
    for key in ["mine", "yours", "0042"].map(workspace) {
        for completed in [None, Some(false), Some(true)] {
            for after in [None, Some(id(25_000)), Some(id(49_990))] {
                repository.list_in(&key, Filter { completed }, after, LIMIT).await.unwrap();
            }
        }
        for order in Order::ALL {
            for completed in [None, Some(false), Some(true)] {
                for after in [Place::START, Place { key: order.key(&todo(1)), id: id(25_000) }] {
                    repository
                        .list_in_by(&key, order, Filter { completed }, after, LIMIT)
                        .await
                        .unwrap();
                }
            }
        }
    }
    let permit = read_permit(&workspace("mine"));
    for word in ["mi", "milk", "zebra"] {
        let range = TermRange::of_word(word);
        repository.terms(&permit, &range, LIMIT).await.unwrap();
        for after in [None, Some(id(25_000))] {
            repository.ids_by_term(&permit, &range, after, LIMIT).await.unwrap();
        }
    }
    let ids: Vec<TodoId> = (1..=15).map(|number| id(number * 10 + 1)).collect();
    repository.find_all(&permit, &ids).await.unwrap();
    for _ in 0..2 {
        repository.load(&operator(), vec![todo(25_005)]).await.unwrap();
    }
    repository.remove_from(&workspace("mine"), id(25_005), None).await.unwrap();
    let minted = |id: &str| {
        let id = id.parse().unwrap();
        Todo::restore(TodoRecord { id, ..todo(1).into_record() }).unwrap()
    };
    let last = minted("01a203c6-a4a7-7e4f-8a5b-6c7d8e9f0a1b");
    let _ = repository.add(&last).await;
    repository.remove_from(last.workspace(), last.id(), None).await.unwrap();
    repository.add(&minted("01a203c6-a4a6-7e4f-8a5b-6c7d8e9f0a1b")).await.unwrap_err();
    let new = todo(25_002);
    repository.add(&new).await.unwrap();
    repository.add(&new).await.unwrap_err();
    repository.find_in(new.workspace(), new.id()).await.unwrap();
    repository.replace(&done(&new), Version::FIRST).await.unwrap();
    let other = Title::try_from("Sell bread").unwrap();
    let record = done(&new).into_record();
    let renamed = TodoRecord { title: other, version: record.version.next(), ..record };
    let renamed = Todo::restore(renamed).unwrap();
    repository.replace(&renamed, done(&new).version()).await.unwrap();
    repository.remove_from(new.workspace(), new.id(), Some(Version::FIRST)).await.unwrap_err();
    repository.remove_from(new.workspace(), new.id(), None).await.unwrap();
    let forget_at = Instant::from_unix_millis(new.created_at().as_unix_millis() + 1).unwrap();
    let request = CreationRequest { key: key.try_into().unwrap(), fingerprint: 1, forget_at };
    assert_eq!(repository.add_once(&todo(25_003), &request).await.unwrap(), None);
    assert!(repository.add_once(&todo(25_004), &request).await.unwrap().is_some());
    repository.remove_from(new.workspace(), id(25_003), None).await.unwrap();
    // The first one is written alone, and then the others together.
    let many: Vec<_> = (0..3)
        .map(|it| todo_record(&workspace(&format!("many {it}")), id(1)))
        .map(|record| Todo::restore(record).unwrap())
        .collect();
    let mut adding = JoinSet::new();
    for todo in many.clone() {
        let repository = Arc::clone(repository);
        adding.spawn(async move { repository.add(&todo).await });
    }
    adding.join_all().await.into_iter().for_each(|added| added.unwrap());
    for todo in many {
        repository.remove_from(todo.workspace(), todo.id(), None).await.unwrap();
    }
}

/// As an export does.
async fn read_all(url: &str) {
    let mut snapshot = PostgresSnapshot::open(&url.parse().unwrap()).await.unwrap();
    let mut left = snapshot.count();
    while left > 0 {
        left -=
            snapshot.next_page(&operator(), NonZeroUsize::new(LIMIT).unwrap()).await.unwrap().len()
                as u64;
    }
}

/// Asserts that a plan reads hardly more rows than it returns.
fn assert_straight(sql: &str, plan: &Value) {
    let mut nodes = vec![plan];
    while let Some(node) = nodes.pop() {
        let kind = node["Node Type"].as_str().unwrap();
        let good = [
            "Index Scan",
            "Index Only Scan",
            "Limit",
            "LockRows",
            "ModifyTable",
            "Result",
            // Of the one row that is changed, and of its head.
            "CTE Scan",
            "Nested Loop",
            // Of the terms that a write adds and removes, and of the ids that are looked up.
            "ProjectSet",
            "Function Scan",
            "Materialize",
            // Of the terms of a range: each round seeks the next one.
            "Recursive Union",
            "WorkTable Scan",
            // How many of these there are.
            "Aggregate",
            // Of the open and the done ones.
            "Append",
            "Subquery Scan",
        ];
        // Of the heads of many workspaces.
        let is_bitmap = kind.starts_with("Bitmap") && sql.contains("workspace = ANY($1)");
        assert!(is_bitmap || good.contains(&kind), "{kind} in {sql}\n{plan:#}");
        let index = node["Index Name"].as_str();
        let right = match sql {
            sql if sql.contains("ORDER BY forget_at") => "creations_by_end",
            sql if sql.contains(" creations ") => "creations_pkey",
            sql if sql.contains("id) > ($2, $3)") => {
                let is_of_both =
                    sql.contains("UNION ALL") && index.is_some_and(|it| it.contains("_open_"));
                let done = if sql.contains("NOT NULL") && !is_of_both { "done" } else { "open" };
                let order = match sql {
                    sql if sql.contains("priority)") => "priority",
                    sql if sql.contains("- updated_at") => "update",
                    _ => "due",
                };
                &format!("todos_{done}_by_{order}")
            }
            sql if sql.contains("ORDER BY open_id") => "todos_open",
            sql if sql.contains("ORDER BY done_id") => "todos_done",
            _ => "todos_pkey",
        };
        let right = [right, "todo_heads_pkey", "todo_terms_pkey"];
        assert!(index.is_none_or(|index| right.contains(&index)), "{sql}\n{plan:#}");
        // A row with a stale version is filtered out, and so is the end of a recursion.
        let passed_over = node["Rows Removed by Filter"].as_u64().unwrap_or_default();
        assert!(
            passed_over <= u64::from(sql.contains("version =") || sql.contains("RECURSIVE")),
            "{sql}\n{plan:#}"
        );
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    let blocks = ["Shared Hit Blocks", "Shared Read Blocks"].map(|kind| plan[kind].as_u64());
    let blocks: u64 = blocks.into_iter().map(Option::unwrap).sum();
    let todos = if sql.contains("$1::bytea[]") { 2 } else { 1 };
    assert!(blocks < todos * (30 + LIMIT as u64), "{blocks} blocks for {sql}\n{plan:#}");
}

/// The plans in a log, by statement; only those of the program's tables.
fn plans(log: &str) -> BTreeMap<String, Vec<Value>> {
    let mut plans = BTreeMap::<String, Vec<Value>>::new();
    for entry in log.split("plan:\n").skip(1) {
        let lines = entry.lines().take_while(|line| line.starts_with('\t'));
        let entry: Value = serde_json::from_str(&lines.collect::<String>()).unwrap();
        let sql = entry["Query Text"].as_str().unwrap();
        let tables = [" todo_items ", " todo_heads ", " todo_terms ", " creations "];
        if sql.contains("$1") && tables.iter().any(|table| sql.contains(table)) {
            plans.entry(sql.to_owned()).or_default().push(entry["Plan"].clone());
        }
    }
    plans
}
