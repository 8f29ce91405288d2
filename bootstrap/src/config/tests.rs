//! What each setting does, and that every problem is found at once.

use super::*;

fn config<const N: usize>(pairs: [(&str, &str); N]) -> Config {
    Config::from_settings(&Settings::from_iter(pairs)).unwrap()
}

fn problems<const N: usize>(pairs: [(&str, &str); N]) -> Vec<String> {
    let problems = Config::from_settings(&Settings::from_iter(pairs)).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

const SCALEKIT: [(&str, &str); 2] = [
    ("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com"),
    ("SCALEKIT_RESOURCE_ID", "res_123"),
];

#[test]
fn without_settings_the_identity_is_local_and_the_database_a_file() {
    let config = config([]);
    assert_eq!(config.listen.to_string(), "127.0.0.1:3002");
    assert!(config.listen_on_ipv6);
    assert_eq!(config.public_url, None);
    assert!(matches!(config.identity, Identity::Local { port: 3003, auto_consent: false }));
    assert_eq!(config.database, Database::Sqlite("todos.db".into()));
    assert_eq!(config.sharing, Sharing::Personal);
    assert_eq!(config.scope_denial, ScopeDenial::Challenge);
    assert_eq!(config.notes, []);
}

#[test]
fn the_env_file_of_the_quickstart_works_unchanged() {
    let config = config([
        ("PORT", "3002"),
        ("SCALEKIT_ENVIRONMENT_URL", "https://your-environment-url.scalekit.com"),
        ("SCALEKIT_CLIENT_ID", "your_client_id"),
        ("SCALEKIT_RESOURCE_ID", "res_123456"),
        ("MCP_URL", "http://localhost:3002/"),
    ]);
    let Identity::Scalekit(environment) = &config.identity else { panic!("{config:?}") };
    assert_eq!(
        environment.authorization_server(),
        "https://your-environment-url.scalekit.com/resources/res_123456"
    );
    assert_eq!(config.public_url.unwrap().resource(), "http://localhost:3002/mcp");
    let note = config.notes[0].to_string();
    assert!(note.starts_with("SCALEKIT_CLIENT_ID is not needed"), "{note}");
}

#[test]
fn an_empty_value_counts_as_unset() {
    let config = config([("PORT", ""), ("MCP_URL", " "), ("SCALEKIT_RESOURCE_ID", "")]);
    assert_eq!(config.listen.port(), 3002);
    assert!(matches!(config.identity, Identity::Local { .. }));
}

#[test]
fn aliases_are_read_and_the_first_one_wins() {
    let config = config([
        ("SK_ENV_URL", "https://acme.scalekit.dev/"),
        ("MCP_SERVER_ID", "res_9"),
        ("BASE_URL", "https://todo.example.com"),
        ("MCP_BASE_URL", "https://other.example.com"),
    ]);
    assert!(matches!(config.identity, Identity::Scalekit(_)));
    assert_eq!(config.public_url.unwrap().origin(), "https://todo.example.com");
    let note = "MCP_BASE_URL is ignored, because BASE_URL is set (set in the environment).";
    assert_eq!(config.notes[0].to_string(), note);
}

#[test]
fn half_of_the_scalekit_pair_names_the_other_half() {
    let [url, resource] = SCALEKIT;
    assert!(problems([url])[0].starts_with("SCALEKIT_RESOURCE_ID must be set too"));
    assert!(problems([resource])[0].starts_with("SCALEKIT_ENVIRONMENT_URL must be set too"));
}

#[test]
fn a_local_identity_is_never_exposed_to_other_machines() {
    assert!(problems([("BIND_ADDRESS", "0.0.0.0")])[0].starts_with("BIND_ADDRESS is 0.0.0.0"));
    let public = problems([("MCP_URL", "https://todo.example.com")]);
    assert!(public[0].starts_with("MCP_URL is https://todo.example.com"), "{public:?}");
    let [url, resource] = SCALEKIT;
    assert!(!config([url, resource, ("BIND_ADDRESS", "0.0.0.0")]).listen.ip().is_loopback());
}

#[test]
fn a_misspelt_name_with_our_prefix_is_an_error() {
    for misspelt in ["TODO_SHARRING", "TODO_SHARIG", "TODO_SHARNIG", "TODO_SHAR1NG", "TODO_sharing"]
    {
        let rule = "is unknown, and looks like a misspelt TODO_SHARING (set in the environment)";
        assert_eq!(problems([(misspelt, "everyone")]), [format!("{misspelt} {rule}.")]);
    }
}

#[test]
fn names_of_other_programs_in_the_environment_are_noted() {
    let config = config([
        ("TODO_DIR", "/home/me/todo"),
        ("TODO_FILE", "/home/me/todo/todo.txt"),
        ("TODO_MCP_PORT", "tcp://10.0.0.1:3002"),
        ("TODOS", "1"),
        ("HOME", "/home/me"),
    ]);
    let note =
        "TODO_DIR, TODO_FILE, TODO_MCP_PORT are unknown and ignored (set in the environment).";
    assert_eq!(config.notes.iter().map(ToString::to_string).collect::<Vec<_>>(), [note]);
}

#[test]
fn a_misspelt_name_without_our_prefix_is_noted() {
    for (misspelt, meant) in [
        ("PROT", "PORT"),
        ("port", "PORT"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("SCALEKIT_RESOURCE_IDS", "SCALEKIT_RESOURCE_ID"),
        ("MCP_ULR", "MCP_URL"),
    ] {
        let config = config([(misspelt, "1")]);
        let rule = format!("is unknown and ignored, and looks like a misspelt {meant}");
        let note = format!("{misspelt} {rule} (set in the environment).");
        assert_eq!(config.notes.iter().map(ToString::to_string).collect::<Vec<_>>(), [note]);
    }
}

#[test]
fn a_problem_repeats_the_value_unless_it_may_be_a_secret() {
    for (name, value, shown) in [
        (
            "PORT",
            "abc",
            "PORT must be a port from 0 to 65535 (it is `abc`, set in the environment).",
        ),
        ("PORT", "a\u{1b}[31m", "`a\\u{1b}[31m`"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be text or json (it is `xml`, set in"),
        ("TODO_RATE_LIMIT", &"9".repeat(99), &format!("it is `{}..`", "9".repeat(60))),
        (
            "TODO_TIME_ZONE",
            "CET",
            "TODO_TIME_ZONE must be an IANA name such as Europe/Berlin (it is `CET`, set in",
        ),
        (
            "TODO_POSTGRES_POOL",
            "0",
            "TODO_POSTGRES_POOL must be a number from 1 to 200 (it is `0`, set in",
        ),
        ("TODO_POSTGRES_POOL", "201", "TODO_POSTGRES_POOL must be a number from 1 to 200"),
        ("TODO_RECENT_MIB", "4097", "TODO_RECENT_MIB must be a number from 0 to 4096"),
        ("TODO_CACHED_TOKENS", "off", "TODO_CACHED_TOKENS must be a number from 1 to 10000000"),
        ("TODO_CONNECTIONS", "0", "TODO_CONNECTIONS must be a number from 1 to 1000000"),
        ("TODO_QUOTA", "0", "TODO_QUOTA must be off, or a number such as 1000 (it is `0`, set in"),
        ("TODO_QUOTA_MIB", "1.5", "TODO_QUOTA_MIB must be off, or a number such as 1000"),
        ("DATABASE_URL", "mysql://me:hunter2@db", "or `memory:` (set in the environment)."),
        ("MCP_URL", "ftp://me:hunter2@db", "it is a value that is not shown because it has an @"),
        ("ALLOWED_HOSTS", "me:hunter2@db", "has a value that is not shown because it has an @"),
    ] {
        let found = problems([(name, value)]);
        assert!(found[0].contains(shown), "{found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
}

#[test]
fn all_clients_may_call_unless_some_are_named() {
    let clients = |text| config([("TODO_ALLOWED_CLIENTS", text)]).allowed_clients;
    assert_eq!(config([]).allowed_clients, None);
    assert_eq!(clients(" "), None, "counts as unset");
    let two = ["m2m_1", "https://client.example/app.json"].map(str::to_owned);
    assert_eq!(clients("m2m_1, https://client.example/app.json"), Some(two.into()));
    for (text, rule) in [
        (",", "must have the id of a client, or be unset to let all clients call (set in"),
        ("m2m_1,é", "has `é`, which is no client id"),
    ] {
        let found = problems([("TODO_ALLOWED_CLIENTS", text)]);
        assert!(found.len() == 1 && found[0].contains(rule), "{found:?}");
    }
}

#[test]
fn the_greatest_age_of_tokens_is_a_number_of_seconds() {
    assert_eq!(config([]).max_token_age, None);
    let age = config([("TODO_MAX_TOKEN_AGE", "300")]).max_token_age;
    assert_eq!(age, Some(Duration::from_mins(5)));
    for bad in ["0", "-1", "5m", "off", "99999999999"] {
        let found = problems([("TODO_MAX_TOKEN_AGE", bad)]);
        assert!(found[0].contains("must be a number of seconds such as 3600"), "{found:?}");
    }
}

#[test]
fn the_address_for_monitoring_has_a_port() {
    assert_eq!(config([]).admin_address, None);
    for (text, address) in [
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("localhost:9464", "127.0.0.1:9464"),
        ("[::1]:9464", "[::1]:9464"),
    ] {
        let config = config([("TODO_ADMIN_ADDRESS", text)]);
        assert_eq!(config.admin_address, Some(address.parse().unwrap()));
        assert_eq!(config.notes, []);
    }
    for bad in ["9464", "127.0.0.1", "todo.example.com:9464", "localhost:", "::1:9464x"] {
        let found = problems([("TODO_ADMIN_ADDRESS", bad)]);
        let rule = "must be an IP address and a port such as 127.0.0.1:9464";
        assert!(found[0].contains(rule), "{found:?}");
    }
}

#[test]
fn words_are_read_whatever_their_case() {
    let config = config([
        ("TODO_SHARING", "Everyone"),
        ("LOG_FORMAT", "JSON"),
        ("TODO_SCOPE_DENIAL", "Tool_Error"),
        ("TODO_RATE_LIMIT", "Off"),
        ("TODO_QUOTA", "OFF"),
        ("EMULATOR_AUTO_CONSENT", "TRUE"),
    ]);
    assert_eq!(config.sharing, Sharing::Everyone);
    assert!(config.log_format == LogFormat::Json);
    assert_eq!(config.scope_denial, ScopeDenial::ToolError);
    assert_eq!(config.rate_limit, None);
    assert_eq!(config.quota, Quota::OFF);
    assert!(matches!(config.identity, Identity::Local { auto_consent: true, .. }));
}

#[test]
fn the_time_zone_is_unset_by_default() {
    assert_eq!(config([]).time_zone, None);
    let zone = config([("TODO_TIME_ZONE", "europe/berlin")]).time_zone;
    assert_eq!(zone.as_ref().map(TimeZone::name), Some("Europe/Berlin"));
}

#[test]
fn a_quota_is_a_number_of_todos_and_of_mebibytes() {
    let limits =
        |quota: Quota| (quota.todos.map(NonZeroU64::get), quota.bytes.map(NonZeroU64::get));
    assert_eq!(limits(config([]).quota), (None, None));
    let both = config([("TODO_QUOTA", "1000"), ("TODO_QUOTA_MIB", "4294967295")]);
    assert_eq!(limits(both.quota), (Some(1000), Some(4_294_967_295 << 20)));
}

#[test]
fn placeholders_of_the_example_are_noted() {
    let uncommented = include_str!("../../../.env.example").replace("\n#S", "\nS");
    let of_this_project = |name: &str| {
        let mut lines = uncommented.lines().filter_map(|line| line.split_once('='));
        lines.find(|(set, _)| *set == name).unwrap().1
    };
    for [url, resource_id] in [
        ["https://your-environment-url.scalekit.com", "res_your_mcp_server_id"],
        ["https://your-env.scalekit.dev", "res_xxxxx"],
        ["SCALEKIT_ENVIRONMENT_URL", "SCALEKIT_RESOURCE_ID"].map(of_this_project),
    ] {
        let config = config([
            (SCALEKIT_ENVIRONMENT_URL.about.name, url),
            (SCALEKIT_RESOURCE_ID.about.name, resource_id),
        ]);
        let notes: Vec<String> = config.notes.iter().map(ToString::to_string).collect();
        let said = |name: &str, note: &str| {
            assert!(note.starts_with(&format!("{name} is still the placeholder")), "{notes:?}");
        };
        said("SCALEKIT_ENVIRONMENT_URL", &notes[0]);
        said("SCALEKIT_RESOURCE_ID", &notes[1]);
    }
}

#[test]
fn a_misspelt_name_is_reported_with_what_is_wrong() {
    let found = problems([("PROT", "4000"), ("LOG_FORMAT", "xml")]);
    assert_eq!(found.len(), 2);
    assert!(found[1].starts_with("PROT is unknown and ignored, and looks like"), "{found:?}");
}

#[test]
fn the_kind_of_a_database_is_read_whatever_its_case() {
    let database = |text| config([("DATABASE_URL", text)]).database;
    assert_eq!(database("SQLite:Todos.db"), Database::Sqlite("Todos.db".into()));
    assert_eq!(database("Memory:"), Database::Memory);
    #[cfg(feature = "postgres")]
    assert_eq!(
        database("Postgres://todo:hunter2@DB/Todos").to_string(),
        "postgres://todo@DB:5432/Todos"
    );
}

#[test]
fn a_database_in_another_notation_is_answered_with_the_right_one() {
    for (text, remedy) in [
        ("todos.db", "write sqlite:todos.db"),
        ("./data/todos.sqlite3", "write sqlite:./data/todos.sqlite3"),
        ("memory", "write memory:"),
        ("sqlite3:todos.db", "write sqlite: before the path"),
        ("file:todos.db", "write sqlite: before the path"),
        ("sqlite:~/todos.db", "write the whole path"),
        ("sqlite::memory:", "use `memory:`"),
    ] {
        let found = problems([("DATABASE_URL", text)]);
        assert!(found[0].contains(remedy), "{found:?}");
    }
}

#[test]
fn localhost_is_both_loopback_addresses_and_any_other_address_is_one() {
    for (address, both) in
        [("localhost", true), ("127.0.0.1", false), ("::1", false), ("127.0.0.2", false)]
    {
        let (_, second) = config([("BIND_ADDRESS", address)]).addresses();
        assert_eq!(second.is_some(), both, "{address}");
    }
}

#[test]
fn a_loopback_public_url_with_another_port_is_noted() {
    let notes = |url| config([("MCP_URL", url), ("PORT", "4000")]).notes;
    assert!(notes("http://localhost:3002/")[0].to_string().contains("names port 3002, and the"));
    assert_eq!(notes("http://localhost:4000/"), []);
    assert_eq!(config([("MCP_URL", "http://localhost:4000/"), ("PORT", "0")]).notes, []);
}

#[test]
fn every_problem_is_reported_at_once_and_names_its_setting() {
    let settings = Settings::from_iter([
        ("PORT", "http"),
        ("BIND_ADDRESS", "example.com"),
        ("MCP_URL", "todo"),
        ("SCALEKIT_ENVIRONMENT_URL", "http://acme.scalekit.com"),
        ("SCALEKIT_RESOURCE_ID", "res_1"),
        ("DATABASE_URL", "mysql://x"),
        ("TODO_SHARING", "nobody"),
        ("TODO_SCOPE_DENIAL", "maybe"),
        ("TODO_ALLOWED_CLIENTS", "ü"),
        ("TODO_MAX_TOKEN_AGE", "1h"),
        ("ALLOWED_HOSTS", "good.example, https://bad.example"),
        ("ALLOWED_ORIGINS", "https://good.example bad.example"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "info,=="),
    ]);
    let problems = Config::from_settings(&settings).unwrap_err();
    let mut named: Vec<&str> = problems.iter().map(Problem::setting).collect();
    named.sort_unstable();
    let mut all: Vec<&str> =
        settings.names().filter(|name| *name != "SCALEKIT_RESOURCE_ID").collect();
    all.sort_unstable();
    assert_eq!(named, all, "{problems:#?}");
}

#[test]
fn a_database_is_a_file_a_server_or_memory() {
    let database = |url: &str| config([("DATABASE_URL", url)]).database;
    assert_eq!(database("memory:"), Database::Memory);
    assert_eq!(database("sqlite:data/my.db"), Database::Sqlite("data/my.db".into()));
    assert_eq!(database("sqlite:/var/lib/todos.db"), Database::Sqlite("/var/lib/todos.db".into()));
    assert_eq!(database("sqlite:///var/lib/x.db"), Database::Sqlite("/var/lib/x.db".into()));
    for bad in [
        "sqlite:",
        "sqlite::memory:",
        "sqlite:///:memory:",
        "sqlite:file:x.db",
        "sqlite:x.db?mode=memory",
        "todos.db",
        "sqlite://todo:hunter2@db/todos.db",
        "postgres:todos",
    ] {
        assert!(problems([("DATABASE_URL", bad)])[0].starts_with("DATABASE_URL "), "{bad}");
    }
    let path = problems([("DATABASE_URL", "data/todos.db")]);
    assert!(path[0].contains("write sqlite:data/todos.db"), "{path:?}");
}

#[cfg(feature = "postgres")]
#[test]
fn the_password_of_a_database_is_never_shown() {
    let url = "postgresql://todo:hunter2@db1,db2:6000/todos?sslmode=require";
    let config = config([("DATABASE_URL", url)]);
    assert_eq!(config.database.to_string(), "postgres://todo@db1:5432,db2:6000/todos");
    let shown = format!("{config:?}");
    assert!(shown.contains("db2") && !shown.contains("hunter2"), "{shown}");
    let bad = problems([("DATABASE_URL", "postgres://todo:?hunter2@db/todos")]);
    assert!(bad[0].starts_with("DATABASE_URL ") && !bad[0].contains("hunter2"), "{bad:?}");
}

#[cfg(feature = "emulator")]
#[test]
fn the_state_of_the_local_identity_is_stored_beside_the_database() {
    assert_eq!(Database::Memory.companion("identity.json"), None);
    assert_eq!(
        Database::Sqlite("data/my.db".into()).companion("identity.json"),
        Some("data/my.db.identity.json".into())
    );
}

#[test]
fn two_servers_need_two_ports() {
    assert!(problems([("PORT", "4000"), ("EMULATOR_PORT", "4000")])[0].contains("must differ"));
    let config = config([("PORT", "0"), ("EMULATOR_PORT", "0")]);
    assert!(matches!(config.identity, Identity::Local { port: 0, .. }));
}

#[test]
fn the_default_of_a_loopback_public_url_follows_the_address() {
    for (address, url) in [
        ("127.0.0.1", "http://localhost:3002/mcp"),
        ("::1", "http://localhost:3002/mcp"),
        ("127.0.0.2", "http://127.0.0.2:3002/mcp"),
    ] {
        let config = config([("BIND_ADDRESS", address)]);
        assert_eq!(config.public_url_at(config.listen).unwrap().resource(), url);
    }
}

#[test]
fn no_two_settings_have_the_same_name() {
    let mut names: Vec<_> = SETTINGS.iter().flat_map(About::names).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn unusual_settings_are_noted() {
    let [url, _] = SCALEKIT;
    let config =
        config([url, ("SCALEKIT_RESOURCE_ID", "app_1"), ("MCP_URL", "http://todo.example.com")]);
    let notes: Vec<String> = config.notes.iter().map(ToString::to_string).collect();
    assert!(notes.iter().any(|note| note.contains("start with `res_`")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("without https")), "{notes:?}");
}

#[cfg(feature = "postgres")]
#[test]
fn the_default_pool_is_that_of_the_adapter() {
    let pool = todo_adapter_storage::PostgresPool::default();
    assert_eq!(config([]).postgres_pool, pool.size);
}
