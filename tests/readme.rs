//! The claims of the README, checked against the program.
#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::json;
use todo_mcp::EXIT_CODES;
use todo_mcp::config::{About, DefaultValue, SETTINGS};
use todo_tests::server::TestServer;

const README: &str = include_str!("../README.md");
/// The operator's manual.
const MANUAL: &str = include_str!("../bootstrap/README.md");

/// The text of a section of the README, up to the next heading of the same depth.
fn section(heading: &str) -> &'static str {
    section_of(README, heading)
}

fn section_of<'a>(document: &'a str, heading: &str) -> &'a str {
    let start = document.find(&format!("\n{heading}\n")).unwrap() + heading.len() + 2;
    let depth = format!("\n{} ", heading.split(' ').next().unwrap());
    let text = &document[start..];
    &text[..text.find(&depth).unwrap_or(text.len())]
}

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_setting_that_it_names_exists() {
    let rows = section("## Settings").lines().filter(|line| line.starts_with("| `"));
    let listed: Vec<&str> = rows.flat_map(|row| quoted(row.split('|').nth(1).unwrap())).collect();
    let known: Vec<&str> = SETTINGS.iter().flat_map(About::names).collect();
    assert!(!listed.is_empty());
    let unknown: Vec<_> = listed.iter().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_manual_has_the_row_of_every_setting_and_no_other() {
    let code = |text: &str| format!("`{text}`");
    let expected = SETTINGS.map(|About { name, aliases, default, meaning, .. }| {
        let aliases: Vec<String> = aliases.iter().copied().map(code).collect();
        let names = match aliases.as_slice() {
            [] => code(name),
            aliases => format!("{} (also {})", code(name), aliases.join(", ")),
        };
        let default = match default {
            DefaultValue::Text(text) => code(text),
            DefaultValue::Derived(words) => words.to_owned(),
        };
        format!("| {names} | {default} | {meaning} |")
    });
    let rows = section_of(MANUAL, "## Settings").lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<&str> = rows.collect();
    assert_eq!(rows, expected, "the rows should be:\n{}", expected.join("\n"));
}

#[test]
fn the_manual_has_the_meaning_of_every_exit_code() {
    let expected = EXIT_CODES.map(|(code, meaning)| format!("| {code} | {meaning} |"));
    let (_, table) = section_of(MANUAL, "## Commands").split_once("| exit code | means |").unwrap();
    let rows: Vec<&str> = table.lines().filter(|row| row.starts_with("| ")).collect();
    assert_eq!(rows, expected, "the rows should be:\n{}", expected.join("\n"));
}

#[test]
fn the_manual_names_every_command_and_no_other() {
    let help = Command::new(env!("CARGO_BIN_EXE_todo-mcp-under-test")).arg("--help").output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let (_, table) = section_of(MANUAL, "## Commands").split_once("| command | does |").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: Vec<&str> =
        rows.filter_map(|row| row.split_once('`')?.0.split(' ').next()).collect();
    assert_eq!(named, commands);
}

#[test]
fn the_example_env_file_is_a_valid_configuration() {
    // The settings in it are comments, so that a copy that is not edited has no effect.
    let pairs = include_str!("../.env.example")
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='));
    are_valid_placeholders(&pairs.collect());
}

#[tokio::test]
async fn it_names_exactly_the_tools_of_the_server() {
    let server = TestServer::start().await;
    let result = server.owner().legacy("tools/list", json!({})).await.result();
    let tools: BTreeSet<String> = result["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    let mut rows = section("## What it offers").lines();
    let row = rows.find(|row| row.starts_with("| tools |")).unwrap();
    let named = quoted(row.split(';').next().unwrap());
    assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), tools);
}

#[tokio::test]
async fn everything_the_server_offers_is_listed() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let offered: BTreeSet<&str> = quoted(section("## What it offers")).collect();
    for (method, list, name) in [
        ("tools/list", "tools", "name"),
        ("resources/list", "resources", "uri"),
        ("resources/templates/list", "resourceTemplates", "uriTemplate"),
        ("prompts/list", "prompts", "name"),
    ] {
        let result = owner.legacy(method, json!({})).await.result();
        for item in result[list].as_array().unwrap() {
            assert!(offered.contains(item[name].as_str().unwrap()), "{item}");
        }
    }
    let discovered = owner.modern("server/discover", json!({})).await.result();
    for version in discovered["supportedVersions"].as_array().unwrap() {
        assert!(section("## What it offers").contains(version.as_str().unwrap()), "{version}");
    }
}

#[test]
fn the_files_it_refers_to_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let paths =
        quoted(section("## The house")).filter(|word| word.contains('/') && !word.contains(' '));
    let missing: Vec<&str> = paths.filter(|path| !root.join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_files_that_the_documents_link_to_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for document in [
        "README.md",
        ".github/CONTRIBUTING.md",
        "adapters/protected-mcp/README.md",
        "bootstrap/README.md",
        "bootstrap/package/README.md",
        "bootstrap/guide.md",
        "bootstrap/listing.md",
        "tests/README.md",
        "tests/benches/README.md",
        "tests/resource_server/README.md",
    ] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let folder = root.join(document).parent().unwrap().to_owned();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let files = links.map(|(link, _)| link.split('#').next().unwrap());
        let files = files.filter(|file| !file.is_empty() && !file.contains("://"));
        for file in files {
            assert!(folder.join(file).exists(), "{document} links to {file}");
        }
    }
}

#[test]
fn the_engine_has_the_files_and_the_limits_that_its_readme_names() {
    let engine = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/protected-mcp");
    let readme = std::fs::read_to_string(engine.join("README.md")).unwrap();
    let paths = quoted(&readme).filter(|word| word.starts_with("src/"));
    let missing: Vec<&str> = paths.filter(|path| !engine.join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let limits = section_of(&readme, "## Limits");
    assert!(limits.contains("| connections | 10,000, or"));
    assert_eq!(protected_mcp::ConnectionLimit::MAX, 10_000);
    let example = std::fs::read_to_string(engine.join("examples/notes.rs")).unwrap();
    assert!(example.lines().count() <= 60);
}

#[test]
fn the_sections_that_the_manual_links_to_are_there() {
    let anchors: BTreeSet<String> = MANUAL
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect();
    let links = MANUAL.split("](#").skip(1).filter_map(|rest| rest.split_once(')'));
    let linked: BTreeSet<String> = links.map(|(anchor, _)| anchor.to_owned()).collect();
    assert_eq!(linked, anchors);
}

#[test]
fn the_settings_of_the_manual_for_a_deployment_are_valid() {
    let (_, block) = section_of(MANUAL, "## Deploy").split_once("   MCP_URL=").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let block = format!("MCP_URL={block}");
    let settings = block.lines().filter_map(|line| line.trim().split_once('='));
    are_valid_placeholders(&settings.collect());
}

/// Asserts that only the placeholders are noted.
fn are_valid_placeholders(settings: &todo_mcp::settings::Settings) {
    let config = todo_mcp::config::Config::from_settings(settings).unwrap();
    let notes: Vec<String> = config.notes.iter().map(ToString::to_string).collect();
    let placeholders = notes.iter().filter(|note| note.contains("is still the placeholder"));
    assert_eq!((notes.len(), placeholders.count()), (2, 2), "{notes:?}");
}
