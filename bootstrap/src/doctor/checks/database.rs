//! The database, if it is PostgreSQL.

use std::num::NonZeroUsize;

use todo_adapter_storage::{PostgresOpenError, PostgresOpenProblem, PostgresReport};

use crate::doctor::finding::Finding;

/// Connections that are left to operators, their tools and the server's own work.
const FOR_OTHERS: usize = 10;

/// `pool` is the most connections of this server, apart from that for changes by others.
pub(crate) fn check(
    report: &Result<PostgresReport, PostgresOpenError>,
    pool: NonZeroUsize,
) -> Vec<Finding> {
    match report {
        Ok(report) => vec![
            schema(report),
            connections(report, pool),
            sessions(report),
            durability(report),
            encoding(report),
        ],
        Err(error) => {
            vec![Finding::fail("database", "cannot be used").advise(format!("{error}."))]
        }
    }
}

fn schema(report: &PostgresReport) -> Finding {
    const CHECK: &str = "database";
    let &PostgresReport { schema: found, own_schema: known, ref version, .. } = report;
    let version = format!("PostgreSQL {version}");
    if found > known {
        let problem = PostgresOpenProblem::NewerSchema { found, known };
        Finding::fail(CHECK, version).advise(format!("It {problem}."))
    } else if found == 0 {
        Finding::pass(CHECK, format!("{version}, without tables: the first start creates them"))
    } else if found < known {
        let advice = "The next start migrates it; `todo-mcp migrate` does so before.";
        let seen = format!("{version}, schema {found}, and this program has schema {known}");
        Finding::warn(CHECK, seen).advise(advice)
    } else {
        Finding::pass(CHECK, format!("{version}, schema {found}"))
    }
}

fn connections(report: &PostgresReport, pool: NonZeroUsize) -> Finding {
    const CHECK: &str = "database: connections";
    let each = pool.get().saturating_add(1);
    let Some(allowed) = report.max_connections else {
        return Finding::pass(CHECK, format!("{each} for each server; no limit is known"));
    };
    let servers = allowed.saturating_sub(FOR_OTHERS) / each;
    let fits = if servers == 1 { "1 server".to_owned() } else { format!("{servers} servers") };
    let seen = format!(
        "max_connections is {allowed}, enough for {fits} with up to {each} each and \
         {FOR_OTHERS} for others"
    );
    let advice = format!(
        "Set max_connections to at least {each} x (servers + those that overlap in a rollout) + \
         {FOR_OTHERS}, on Citus on each node, or lower TODO_POSTGRES_POOL, which is {pool}."
    );
    match servers {
        0 => Finding::fail(CHECK, seen).advise(advice),
        1 => Finding::warn(CHECK, format!("{seen}; none may overlap with it in a rollout"))
            .advise(advice),
        _ => Finding::pass(CHECK, seen),
    }
}

fn sessions(report: &PostgresReport) -> Finding {
    const CHECK: &str = "database: sessions";
    if report.shares_sessions {
        let advice = "No server starts behind it, because settings and prepared statements would be \
                      lost or reach other clients. Set its pool_mode to session for this database or \
                      user, or DATABASE_URL to the database itself.";
        Finding::fail(CHECK, "a pooler shares them between its clients").advise(advice)
    } else {
        Finding::pass(CHECK, "are kept for each connection")
    }
}

/// Whether an answered write can be lost. Servers set `synchronous_commit` for their own sessions where it
/// is off; on the workers of Citus they cannot.
fn durability(report: &PostgresReport) -> Finding {
    const CHECK: &str = "database: durability";
    let is_off = |value: &Option<String>| value.as_deref() == Some("off");
    if is_off(&report.fsync) {
        let advice = "A crash of the machine can lose answered writes and destroy the database. Set \
                      fsync to on.";
        return Finding::fail(CHECK, "fsync is off").advise(advice);
    }
    let workers = match &report.workers {
        Ok(workers) => workers,
        Err(reason) => {
            let advice = "Run SHOW synchronous_commit on each worker of Citus. Where it is off, \
                          answered writes can be lost: set it to on.";
            let seen = format!("synchronous_commit of the workers is not known ({reason})");
            return Finding::warn(CHECK, seen).advise(advice);
        }
    };
    let careless: Vec<&str> = workers
        .iter()
        .filter(|(_, value)| {
            !["on", "local", "remote_write", "remote_apply"].contains(&value.as_str())
        })
        .map(|(address, _)| address.as_str())
        .collect();
    if !careless.is_empty() {
        let advice = "A crash can lose answered writes there, and the settings of a session do not reach \
                      workers. Set synchronous_commit to on in the configuration of each worker.";
        let seen = format!("synchronous_commit is not on at {}", careless.join(", "));
        return Finding::fail(CHECK, seen).advise(advice);
    }
    let workers = match workers.len() {
        0 => "",
        1 => ", on the worker too",
        _ => ", on all workers too",
    };
    match report.synchronous_commit.as_deref() {
        None => Finding::pass(CHECK, "that of the engine, which has no synchronous_commit"),
        Some("off") => {
            let advice =
                "Servers set it to on for themselves. Writes of other programs can be lost.";
            Finding::pass(CHECK, format!("synchronous_commit is off by default{workers}"))
                .advise(advice)
        }
        Some(value) => Finding::pass(CHECK, format!("synchronous_commit is {value}{workers}")),
    }
}

fn encoding(report: &PostgresReport) -> Finding {
    const CHECK: &str = "database: encoding";
    let zone = report.time_zone.as_deref().unwrap_or("unknown");
    match report.encoding.as_deref() {
        None => Finding::pass(CHECK, "that of the engine"),
        Some(utf8 @ "UTF8") => {
            let seen =
                format!("{utf8}; its time zone, {zone}, changes nothing: instants are in UTC");
            Finding::pass(CHECK, seen)
        }
        Some(other) => {
            let problem = PostgresOpenProblem::Encoding(other.to_owned());
            Finding::fail(CHECK, format!("is {other}")).advise(format!("The database {problem}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{self, Fail, Pass, Warn};

    fn good() -> PostgresReport {
        let text = |text: &str| Some(text.to_owned());
        PostgresReport {
            version: "15.20".to_owned(),
            schema: 4,
            own_schema: 4,
            max_connections: Some(100),
            encoding: text("UTF8"),
            time_zone: text("Etc/UTC"),
            fsync: text("on"),
            synchronous_commit: text("on"),
            workers: Ok(Vec::new()),
            shares_sessions: false,
        }
    }

    const POOL: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

    /// The only finding that is not [`Pass`].
    #[track_caller]
    fn only(report: PostgresReport, verdict: Verdict, words: &[&str]) {
        let findings = check(&Ok(report), POOL);
        let mut others = findings.iter().filter(|finding| finding.verdict() != Pass);
        let finding = others.next().unwrap();
        assert_eq!((finding.verdict(), others.next()), (verdict, None), "{findings:?}");
        let text = format!("{} {}", finding.seen(), finding.advice().unwrap());
        for word in words {
            assert!(text.contains(word), "{word} in {text}");
        }
    }

    #[test]
    fn a_good_database_passes() {
        let findings = check(&Ok(good()), POOL);
        assert!(findings.iter().all(|finding| finding.verdict() == Pass), "{findings:?}");
        assert_eq!(
            findings[1].seen(),
            "max_connections is 100, enough for 10 servers with up to 9 each and 10 for others"
        );
    }

    #[test]
    fn one_server_at_a_time_is_few() {
        let with = |allowed| PostgresReport { max_connections: Some(allowed), ..good() };
        let words = ["at least 9 x (servers", "TODO_POSTGRES_POOL, which is 8"];
        only(with(18), Fail, &words);
        only(with(19), Warn, &words);
        only(with(27), Warn, &words);
        assert_eq!(connections(&with(28), POOL).verdict(), Pass);
        assert_eq!(connections(&with(28), NonZeroUsize::MIN).verdict(), Pass);
    }

    #[test]
    fn what_stands_in_the_way_is_explained() {
        only(PostgresReport { shares_sessions: true, ..good() }, Fail, &["pool_mode to session"]);
        only(PostgresReport { schema: 3, ..good() }, Warn, &["todo-mcp migrate"]);
        only(PostgresReport { schema: 5, ..good() }, Fail, &["use a newer todo-mcp"]);
        let latin = Some("LATIN1".to_owned());
        only(PostgresReport { encoding: latin, ..good() }, Fail, &["with the encoding UTF8"]);
        let fresh = check(&Ok(PostgresReport { schema: 0, ..good() }), POOL);
        assert!(fresh[0].seen().contains("the first start creates them"), "{fresh:?}");
    }

    #[test]
    fn what_can_lose_answered_writes_is_named() {
        let off = || Some("off".to_owned());
        only(PostgresReport { fsync: off(), ..good() }, Fail, &["Set fsync to on"]);
        let own = check(&Ok(PostgresReport { synchronous_commit: off(), ..good() }), POOL);
        assert!(own[3].verdict() == Pass && own[3].advice().unwrap().contains("Servers set it"));
        let workers = [("w1:5432", "on"), ("w2:5432", "off")];
        let workers = Ok(workers.map(|(it, value)| (it.to_owned(), value.to_owned())).into());
        let words = ["is not on at w2:5432", "in the configuration of each worker"];
        only(PostgresReport { workers, ..good() }, Fail, &words);
        let workers = Err("no reason".to_owned());
        only(PostgresReport { workers, ..good() }, Warn, &["no reason", "on each worker"]);
    }
}
