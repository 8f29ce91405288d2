//! Query plans: every statement uses an index. The plans are those that `auto_explain` logged for
//! the program.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::slice;
use std::sync::Arc;

use serde_json::Value;
use todo_adapter_storage::{PostgresPool, PostgresSnapshot};
use todo_application::domain::{
    ChangeNumber, Day, DueCondition, Instant, Order, Place, Priority, TermRange, TimeZone, Title,
    TodoId, Version,
};
use todo_application::ports::{
    CallRequest, ChangeRef, CreationRequest, Direction, Loaded, PlannedWrite, Span,
    TodoHistory as _, TodoLoader as _, TodoRepository as _, TodoSnapshot as _, TodoWrite, WriteSet,
    Written,
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
    UPDATE todo_heads SET last_number = 50000; \
    INSERT INTO todo_changes (workspace, number, at, action, todo, title, version, subject, before, bytes) \
    SELECT CASE WHEN n % 10 > 1 THEN decode('organization:' || lpad((n % 1000)::text, 4, '0'), 'escape') \
                WHEN n % 10 = 1 THEN 'organization:mine'::bytea \
                ELSE 'organization:yours'::bytea END, \
           n, 5, CASE WHEN CASE WHEN n % 10 = 0 THEN n < 49900 ELSE n > 49900 END THEN 3 ELSE 2 END, \
           lpad(to_hex(CASE WHEN n < 25000 THEN 1 ELSE n END), 32, '0')::uuid, 'Buy milk', 1, 'me', \
           '{\"created_at\":5,\"created_by\":\"me\",\"updated_at\":5,\"updated_by\":\"me\"}', 64 \
    FROM generate_series(100, 50000) n ON CONFLICT DO NOTHING; \
    INSERT INTO todo_terms SELECT workspace, unnest(ARRAY[ \
        '+o8' || lpad(to_hex(day >> 8), 6, '0'), '+o4' || lpad(to_hex(day >> 4), 6, '0'), \
        '+o2' || lpad(to_hex(day >> 2), 6, '0'), '+o1' || lpad(to_hex(day), 6, '0'), \
        '+d8' || lpad(to_hex(day >> 8), 6, '0'), '+op3', '+dp3']), id \
    FROM (SELECT workspace, id, 20000 + (version * ascii(substr(id::text, 36)) * 9)::integer AS day FROM todo_items) dues \
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

    let plans = plans(&server.into_log());
    assert_eq!(plans.len(), 61, "{:#?}", plans.keys());
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

    let mut plans = plans(&server.into_log());
    // Of the migration, of an import, and of the operator.
    plans.retain(|sql, _| {
        let others = ["LIMIT 2000", "LIMIT 500"];
        !others.iter().any(|end| sql.ends_with(end)) && !sql.contains("workspace = ANY($1)")
    });
    // With the statements for Citus, without the page of an export.
    assert_eq!(plans.len(), 61, "{:#?}", plans.keys());
    for (sql, plan) in plans.iter().flat_map(|(sql, plans)| plans.iter().map(move |it| (sql, it))) {
        let read = relations_read(plan);
        let partitions: BTreeSet<_> =
            read.iter().map(|name| name.rsplit_once('_').unwrap().1).collect();
        let seeks = !sql.starts_with("INSERT INTO") && !sql.starts_with("WITH head AS (INSERT");
        assert_eq!(partitions.len(), usize::from(seeks), "{read:?} in {sql}\n{plan:#}");
    }
}

/// A statement on the keys of many workspaces would be sent to every shard with all of them.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn an_import_looks_for_workspaces_where_they_are() {
    let server = explaining();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    spread::partition(&shell).await;
    open_one(&server.url(&database)).await;
    spread::pretend_citus(&shell).await;
    let distribute = "SELECT create_distributed_table('todo_heads', 'workspace', NULL)";
    shell.batch_execute(distribute).await.unwrap();
    let in_many = |number| {
        let record = |list| todo_record(&workspace(&format!("many {list}")), id(number));
        (0..40).map(move |list| Todo::restore(record(list)).unwrap()).collect::<Vec<_>>()
    };
    for number in 1..=2 {
        // A new connection, whose first plans are those for the parameters.
        let repository = open_one(&server.url(&database)).await;
        let loaded = repository.load(&operator(), in_many(number), None).await.unwrap();
        assert_eq!(loaded, [Loaded::Added; 40]);
    }
    let counted = "SELECT count(*), sum(todos)::bigint FROM todo_heads WHERE todos = 2";
    let counted = shell.query_one(counted, &[]).await.unwrap();
    assert_eq!((counted.get(0), counted.get(1)), (40_i64, 80_i64));

    let plans = plans(&server.into_log());
    let looked: Vec<_> = plans.iter().filter(|(sql, _)| sql.contains("= ANY($1)")).collect();
    let [(_, looked)] = looked[..] else { panic!("{looked:#?}") };
    // Of the second time, as then there are rows.
    let partitions: BTreeSet<_> = looked[spread::PARTITIONS..].iter().map(relations_read).collect();
    assert_eq!(partitions.len(), spread::PARTITIONS, "{looked:#?}");
    assert!(partitions.iter().all(|read| read.len() == 1), "{partitions:?}");
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
    let utc = TimeZone::try_from("UTC").unwrap();
    for word in ["mi", "milk", "zebra"] {
        let range = TermRange::of_word(word);
        repository.terms(&permit, &range, LIMIT).await.unwrap();
        for after in [None, Some(id(25_000))] {
            repository.ids_by_term(&permit, slice::from_ref(&range), after, LIMIT).await.unwrap();
        }
    }
    for completed in [None, Some(false), Some(true)] {
        let any = TermRange::of_due(&DueCondition::Any, completed).unwrap();
        let urgent = TermRange::of_priority(Priority::Urgent, completed).unwrap();
        // From the first of 256 days on, before which there are so many terms of days.
        let by_day = [3, 19, 131, 195, 243, 255].map(|days| {
            let last = Day::new(2026, 10, 10).unwrap().plus(days - 1);
            TermRange::of_due(&DueCondition::By(last, utc.clone()), completed).unwrap()
        });
        for ranges in by_day.into_iter().chain([any, urgent]) {
            for after in [None, Some(id(25_000))] {
                let found = repository.ids_by_term(&permit, &ranges, after, LIMIT).await.unwrap();
                assert!(found.is_some());
            }
        }
    }
    let ids: Vec<TodoId> = (1..=15).map(|number| id(number * 10 + 1)).collect();
    repository.find_all(&permit, &ids).await.unwrap();
    for _ in 0..2 {
        repository.load(&operator(), vec![todo(25_005)], None).await.unwrap();
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
    use_every_statement_of_changes(repository, key).await;
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

async fn use_every_statement_of_changes(repository: &PostgresTodoRepository, key: &str) {
    for name in ["mine", "yours", "0042"].map(workspace) {
        for (todo, deletions) in [
            (None, false),
            (Some(id(1)), false),
            (Some(id(49_001)), false),
            (None, true),
            (Some(id(49_991)), true),
        ] {
            for direction in [
                Direction::Back(None),
                Direction::Back(Some(number(30_000))),
                Direction::On(ChangeNumber::ZERO),
                Direction::On(number(30_000)),
            ] {
                let span = Span { direction, todo, deletions, limit: LIMIT };
                repository.changes(&read_permit(&name), &span).await.unwrap();
            }
        }
    }
    let permit = write_permit(&workspace("mine")).remembering(true);
    for changes in [ChangeRef::One(number(10_001)), ChangeRef::Batch(number(10_001))] {
        repository.find_changes(&permit, changes).await.unwrap();
    }
    let [one, two] = [25_006, 25_007].map(todo);
    let forget_at = Instant::from_unix_millis(one.created_at().as_unix_millis() + 1).unwrap();
    let key = format!("call {key}");
    let key = key.as_str().try_into().unwrap();
    let outcome = "all".to_owned();
    let insert = |todo: &Todo| TodoWrite::Insert { todo: todo.clone(), request: None };
    let call = CallRequest { key, fingerprint: 1, forget_at, outcome };
    let written = write(repository, vec![insert(&one), insert(&two)], None, Some(call)).await;
    let save = TodoWrite::Save { before: one.clone(), after: done(&one) };
    write(repository, vec![TodoWrite::Remove(two.clone()), save], None, None).await;
    write(repository, vec![TodoWrite::Restore(two.clone())], Some(written.plus(2)), None).await;
    write(repository, vec![TodoWrite::Remove(done(&one)), TodoWrite::Remove(two)], None, None)
        .await;
    let loaded = Some(one.created_at());
    repository.load(&operator(), vec![todo(25_008)], loaded).await.unwrap();
    let loaded = todo(25_008);
    repository.remove(&permit, &loaded, loaded.created_at()).await.unwrap();
    let long_ago = |millis| Instant::from_unix_millis(millis).unwrap();
    let old = Todo::restore(todo_record(&workspace("000"), id(1))).unwrap();
    repository.add(&old).await.unwrap();
    let permit = write_permit(old.workspace()).remembering(true);
    repository.remove(&permit, &old, long_ago(1)).await.unwrap();
    let after = Some(workspace("00"));
    let forgotten = repository.forget(&operator(), long_ago(2), after.as_ref()).await.unwrap();
    assert_eq!(forgotten.changes, 1);
}

fn number(number: i64) -> ChangeNumber {
    ChangeNumber::new(number).unwrap()
}

/// The number of the first change of these writes to the workspace of the tests.
async fn write(
    repository: &PostgresTodoRepository,
    writes: Vec<TodoWrite>,
    undoes: Option<ChangeNumber>,
    call: Option<CallRequest>,
) -> ChangeNumber {
    let at = writes[0].todo().updated_at();
    let writes = writes.into_iter().map(|write| PlannedWrite { write, undoes }).collect();
    let set = WriteSet { writes, at, is_batch: true, call, is_trial: false };
    let permit = write_permit(&workspace("mine")).remembering(true);
    match repository.write_all(&permit, &set).await.unwrap() {
        Written::Now(first) => first,
        Written::Earlier(earlier) => panic!("{earlier:?}"),
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
            "Memoize",
            // Of the terms of a range: each round seeks the next one.
            "Recursive Union",
            "WorkTable Scan",
            // How many of these there are.
            "Aggregate",
            // Of the open and the done ones.
            "Merge Append",
            // Of the terms that are found and those that are known.
            "Append",
            // Of a part of a query with an end of its own.
            "Subquery Scan",
        ];
        // Of the heads of many workspaces, and of the range that is forgotten.
        let is_bitmap = kind.starts_with("Bitmap")
            && (sql.contains("workspace = ANY($1)") || sql.contains("DELETE FROM todo_changes"));
        // Of the few ids of each term.
        let sorts_ids = kind == "Sort" && sql.contains("enough");
        assert!(is_bitmap || sorts_ids || good.contains(&kind), "{kind} in {sql}\n{plan:#}");
        let index = node["Index Name"].as_str();
        let right = match sql {
            sql if sql.contains(" todo_changes ") && !sql.contains(" todo_items ") => match sql {
                sql if sql.contains("todo = $4") => "changes_by_todo",
                sql if sql.contains("action = 3 AND (") => "changes_deleting",
                _ => "todo_changes_pkey",
            },
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
        // A row with a stale version is filtered out, and so is the end of each range of terms; also other changes of
        // a todo whose deletions are asked for, and what a statement itself has written and does not remember.
        let passed_over = node["Rows Removed by Filter"].as_u64().unwrap_or_default();
        let few = match sql {
            sql if sql.contains("action + 0 = 3") || kind == "CTE Scan" => u64::MAX,
            sql if sql.contains("RECURSIVE") => 8,
            sql if sql.contains("version =") => 1,
            _ => 0,
        };
        assert!(passed_over <= few, "{sql}\n{plan:#}");
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    let blocks = ["Shared Hit Blocks", "Shared Read Blocks"].map(|kind| plan[kind].as_u64());
    let blocks: u64 = blocks.into_iter().map(Option::unwrap).sum();
    let times = match sql {
        // Of two todos.
        sql if sql.contains("$1::bytea[]") => 2,
        // Three seeks for each of up to 64 terms.
        sql if sql.contains("enough") => 12,
        // One for each of up to 24.
        sql if sql.contains("bound") => 3,
        // The page of the operator, who forgets, has ten times as many rows.
        sql if sql.ends_with("LIMIT 500") => 20,
        _ => 1,
    };
    assert!(blocks < times * (30 + LIMIT as u64), "{blocks} blocks for {sql}\n{plan:#}");
}

/// The plans in a log, by statement; only those of the program's tables.
fn plans(log: &str) -> BTreeMap<String, Vec<Value>> {
    let mut plans = BTreeMap::<String, Vec<Value>>::new();
    for entry in log.split("plan:\n").skip(1) {
        let lines = entry.lines().take_while(|line| line.starts_with('\t'));
        let entry: Value = serde_json::from_str(&lines.collect::<String>()).unwrap();
        let sql = entry["Query Text"].as_str().unwrap();
        let tables =
            [" todo_items ", " todo_heads ", " todo_terms ", " todo_changes ", " creations "];
        if sql.contains("$1") && tables.iter().any(|table| sql.contains(table)) {
            plans.entry(sql.to_owned()).or_default().push(entry["Plan"].clone());
        }
    }
    plans
}
