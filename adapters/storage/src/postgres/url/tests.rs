//! How a URL is parsed, and that its password is never displayed.

use super::*;

const PASSWORD: &str = "hunter2";

fn url(text: &str) -> PostgresUrl {
    text.parse().unwrap()
}

#[test]
fn a_url_is_displayed_without_its_password() {
    for (text, shown) in [
        ("postgres://todo:hunter2@db/todos", "postgres://todo@db:5432/todos"),
        ("postgresql://todo:hunter2@db:6000/todos", "postgres://todo@db:6000/todos"),
        ("postgres://todo:hunter2@a,b:6000/todos", "postgres://todo@a:5432,b:6000/todos"),
        ("postgres://db?user=todo&password=hunter2", "postgres://todo@db:5432"),
        ("postgres://db/todos?options=-c%20x.y%3Dhunter2", "postgres://db:5432/todos"),
        ("postgres://todo:hunter2@a:1,[::1]:2/todos", "postgres://todo@a:1,[::1]:2/todos"),
        ("postgres://%2Frun%2Fpg:6000/todos", "postgres:///run/pg:6000/todos"),
    ] {
        let url = url(text);
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), shown);
        assert!(!format!("{url:#?}").contains(PASSWORD));
    }
}

#[test]
fn an_unescaped_password_is_not_part_of_the_error() {
    for text in [
        "postgres://todo:hunter2?@db/todos",
        "postgres://todo:?hunter2@db/todos",
        "postgres://todo:?hunter2=@db/todos",
        "postgres://todo:/hunter2@db/todos",
        "postgres://todo:%zzhunter2@db/todos",
        "postgres://db/todos?connect_timeout=hunter2",
        "postgres://db/todos?sslmode=hunter2",
        "postgres://db?user=todo&password=a&hunter2=1",
        "postgres://db?user=todo&password=a&hunter2",
        "postgres:todo:hunter2@db/todos",
    ] {
        let parsed = text.parse::<PostgresUrl>();
        let shown = parsed.map_or_else(|error| error.to_string(), |url| url.to_string());
        assert!(!shown.contains(PASSWORD), "{text}: {shown}");
    }
}

#[test]
fn an_ambiguous_user_part_is_rejected_with_the_escapes() {
    for text in [
        "postgres://todo:hun@ter2@db/todos",
        "postgres://todo:@hunter2@db/todos",
        "postgres://to@do:hunter2@db/todos",
        "postgres://todo:hun/ter2@db/todos",
        "postgres://to/do:hunter2@db/todos",
        "postgres://todo:5432/hunter2@db/todos",
        "postgres://todo:5432?hunter2@db/todos",
        "postgres://todo:5432?sslmode=require&hunter2@db/todos",
        "postgres://todo:hun#ter2@db/todos",
        "postgres://todo:hun#ter2",
        "postgres://todo:hun:ter2@db/todos",
        "postgres://todo:hun ter2@db/todos",
        "postgres://todo:hun\tter2@db/todos",
        "postgres://todo:hun%ter2@db/todos",
        "postgres://todo:hunter2%@db/todos",
        "postgres://todo:hun@ter=2",
        "postgres://db/todos?user=todo&password=hun@ter2",
        "postgres://db/todos?user=todo&password=hun#ter2",
    ] {
        let error = text.parse::<PostgresUrl>().unwrap_err();
        assert_eq!(error, PostgresUrlError::Unescaped, "{text}");
        assert!(error.to_string().contains("%40 for @, %2F for /"), "{error}");
    }
}

#[test]
fn an_escaped_password_is_accepted() {
    let url = url("postgres://to%40do:h%40u%2Fn%3Ft%23e%3Ar%25%202&=!@db/todos");
    assert_eq!(url.hosts[0].get_user(), Some("to@do"));
    assert_eq!(url.hosts[0].get_password(), Some(&b"h@u/n?t#e:r% 2&=!"[..]));
    assert_eq!(url.to_string(), "postgres://to@do@db:5432/todos");
}

#[test]
fn the_sslmode_decides_encryption_and_verification() {
    for (query, mode, verification) in [
        ("", SslMode::Prefer, Verification::None),
        ("?sslmode=disable", SslMode::Disable, Verification::None),
        ("?sslmode=prefer", SslMode::Prefer, Verification::None),
        ("?sslmode=require", SslMode::Require, Verification::None),
        ("?sslmode=verify-full", SslMode::Require, Verification::System),
        (
            "?sslrootcert=%2Fetc%2Fca.pem&sslmode=verify-full",
            SslMode::Require,
            Verification::File("/etc/ca.pem".into()),
        ),
    ] {
        let url = url(&format!("postgres://db/todos{query}"));
        assert_eq!(url.hosts[0].get_ssl_mode(), mode, "{query}");
        assert_eq!(url.verification, verification, "{query}");
    }
}

#[test]
fn a_url_selects_a_writable_server_and_detects_a_dead_one() {
    let [_, plain] = &url("postgres://a,b/todos").hosts[..] else { panic!("two hosts") };
    assert_eq!(plain.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    assert_eq!(plain.get_application_name(), Some("todo-mcp"));
    assert_eq!(plain.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
    assert_eq!(plain.get_keepalives_idle(), KEEPALIVE_IDLE);
    assert_eq!(plain.get_tcp_user_timeout(), Some(&TCP_USER_TIMEOUT));

    let chosen = url("postgres://a/todos?connect_timeout=9&keepalives_idle=8&application_name=x");
    let [chosen] = &chosen.hosts[..] else { panic!("one host") };
    assert_eq!(chosen.get_connect_timeout(), Some(&Duration::from_secs(9)));
    assert_eq!(chosen.get_keepalives_idle(), Duration::from_secs(8));
    assert_eq!(chosen.get_application_name(), Some("x"));
}

#[test]
fn each_invalid_url_has_its_error() {
    for (text, error) in [
        ("mysql://db/todos", PostgresUrlError::Form),
        ("postgres:todos", PostgresUrlError::Form),
        ("postgres://db:port/todos", PostgresUrlError::Form),
        ("postgres:///todos", PostgresUrlError::NoHost),
        ("postgres://", PostgresUrlError::NoHost),
        ("postgres://db/todos?sslmode", PostgresUrlError::Parameter),
        ("postgres://db/todos?pgbouncer=true&sslmode", PostgresUrlError::Parameter),
        ("postgres://db/todos?connect_timeout=soon", PostgresUrlError::Value),
        ("postgres://db/todos?sslmode=verify-ca", PostgresUrlError::SslMode),
        ("postgres://db/todos?sslmode=require&sslrootcert=x", PostgresUrlError::UnusedRoots),
        ("postgres://db/todos?target_session_attrs=any", PostgresUrlError::SessionAttributes),
    ] {
        assert_eq!(text.parse::<PostgresUrl>(), Err(error), "{text}");
    }
}

#[test]
fn all_unknown_parameters_are_named_at_once() {
    for (parameters, named) in [
        ("pgbouncer=true", "has the unknown parameter `pgbouncer`: remove it; the known ones are "),
        (
            "pgbouncer=true&sslmode=require&schema=public&connection_limit=1",
            "has the unknown parameters `pgbouncer`, `schema`, `connection_limit`: remove them; ",
        ),
        // The second may be the end of the password.
        ("pgbouncer=true&password=hunter&two=2", "has an unknown parameter: the known ones are "),
    ] {
        let url = format!("postgres://db/todos?{parameters}").parse::<PostgresUrl>();
        let message = url.unwrap_err().to_string();
        assert!(message.starts_with(named), "{message}");
        assert!(!message.contains("two"), "{message}");
    }
}
