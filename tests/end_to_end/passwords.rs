//! No output ever holds a part of the password of a database.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::installation::Installation;

/// Letters that no output has.
const LETTERS: &str = "ᚠᚢᚦᚨᚱᚲᚷᚹᚺᚾᛁᛃᛇᛈᛉᛊᛏᛒᛖᛗᛚᛜᛞᛟ";

/// Characters with a meaning in a URL or in a `.env` file, unescaped.
const SEPARATORS: &str = "@@@///???###:::  %%&&=$,;+!~'\"\\[]{}<>|^`*()-._";

/// How a password gets into a setting.
#[derive(Debug, Clone, Copy)]
enum Place {
    Environment,
    Unquoted,
    SingleQuoted,
    DoubleQuoted,
}

/// The first bytes of a text, each percent-encoded.
fn escape(text: &str, bytes: usize) -> String {
    text.bytes().take(bytes).map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

/// The URL, with the password as it is and in its escaped form.
fn urls(password: &str) -> Vec<String> {
    let escaped = escape(password, password.len());
    [password, &escaped]
        .iter()
        .flat_map(|password| {
            [
                format!("postgres://todo:{password}@127.0.0.1:1/todos"),
                format!(
                    "postgresql://todo:{password}@127.0.0.1:1,127.0.0.1:2/todos?sslmode=require"
                ),
                format!("postgres://127.0.0.1:1/todos?user=todo&password={password}"),
                format!("postgres:todo:{password}@127.0.0.1:1/todos"),
                format!("sqlite://todo:{password}@127.0.0.1/todos.db"),
                format!("mysql://todo:{password}@127.0.0.1:1/todos"),
            ]
        })
        .collect()
}

#[test]
fn no_output_has_a_part_of_a_password() {
    let letters = LETTERS.chars().collect::<Vec<_>>();
    let separators = SEPARATORS.chars().collect::<Vec<_>>();
    let character = prop_oneof![
        3 => prop::sample::select(letters),
        1 => prop::sample::select(separators),
    ];
    let password = prop::collection::vec(character, 6..24)
        .prop_map(|characters| characters.into_iter().collect::<String>());
    let place = prop::sample::select(vec![
        Place::Environment,
        Place::Unquoted,
        Place::SingleQuoted,
        Place::DoubleQuoted,
    ]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(password, place, 0..12_usize), |(password, place, url)| {
            let url = &urls(&password)[url];
            let installation = Installation::without_settings().with("RUST_LOG", "trace");
            let installation = match place {
                Place::Environment => installation.with("DATABASE_URL", url),
                Place::Unquoted => installation.with_file(".env", &format!("DATABASE_URL={url}\n")),
                Place::SingleQuoted => {
                    installation.with_file(".env", &format!("DATABASE_URL='{url}'\n"))
                }
                Place::DoubleQuoted => {
                    installation.with_file(".env", &format!("DATABASE_URL=\"{url}\"\n"))
                }
            };
            for command in ["check", "doctor", "migrate", "serve", "export", "import", "token"] {
                let ended = runtime.block_on(installation.run(&[command]));
                let output = ended.stdout + &ended.stderr;
                let shown: BTreeSet<char> =
                    output.chars().filter(|char| LETTERS.contains(*char)).collect();
                prop_assert!(shown.is_empty(), "{command} with {url} shows {shown:?}: {output}");
                let escaped = escape(&password, 3);
                prop_assert!(!output.contains(&escaped), "{command} with {url}: {output}");
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn every_command_refuses_an_ambiguous_user_part_with_the_escapes() {
    for password in ["hun@ter2", "hun/ter2", "hun?ter2", "hun#ter2", "hun:ter2", "hun ter2"] {
        let url = format!("postgres://todo:{password}@127.0.0.1:1/todos");
        let installation = Installation::without_settings().with("DATABASE_URL", url);
        for command in ["check", "migrate", "export", "serve", "doctor", "import", "token"] {
            let ended = installation.run(&[command]).await;
            let doctor = command == "doctor";
            assert_eq!(ended.code, Some(if doctor { 1 } else { 64 }), "{command}: {ended:?}");
            let output = ended.stdout + &ended.stderr;
            assert!(output.contains("%40") && output.contains("%2F"), "{command}: {output}");
            for part in ["hun", "ter2"] {
                assert!(!output.contains(part), "{command}: {output}");
            }
        }
    }
}
