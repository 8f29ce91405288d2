//! What the README promises, held against the program.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so at once")]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::json;
use todo_mcp::settings::SETTINGS;
use todo_tests::server::TestServer;

const README: &str = include_str!("../README.md");

/// The text of a section, up to the next heading of the same depth.
fn section(heading: &str) -> &'static str {
    let start = README.find(&format!("\n{heading}\n")).unwrap() + heading.len() + 2;
    let depth = format!("\n{} ", heading.split(' ').next().unwrap());
    let text = &README[start..];
    &text[..text.find(&depth).unwrap_or(text.len())]
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_settings_table_names_every_setting_and_no_other() {
    let (settings, _) = section("## Settings").split_once("| command |").unwrap();
    let rows = settings.lines().filter(|line| line.starts_with("| `"));
    let named: Vec<&str> = rows.flat_map(|row| quoted(row.split('|').nth(1).unwrap())).collect();
    assert_eq!(named, SETTINGS);
}

#[test]
fn the_table_of_commands_names_every_command_and_no_other() {
    let help = Command::new(env!("CARGO_BIN_EXE_todo-mcp-under-test")).arg("--help").output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let (_, table) = section("## Settings").split_once("| command | does |").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: Vec<&str> =
        rows.filter_map(|row| row.split_once('`')?.0.split(' ').next()).collect();
    assert_eq!(named, commands);
}

#[test]
fn the_example_of_an_env_file_is_a_good_configuration() {
    let pairs = include_str!("../.env.example")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='));
    let settings: todo_mcp::settings::Settings = pairs.collect();
    let config = todo_mcp::config::Config::from_settings(&settings).unwrap();
    assert_eq!(config.notes, [""; 0]);
}

#[tokio::test]
async fn the_tools_it_names_are_the_tools_there_are() {
    let server = TestServer::start().await;
    let result = server.owner().legacy("tools/list", json!({})).await.result();
    let tools: BTreeSet<String> = result["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    let named = quoted(section("## Connect a client"))
        .filter(|word| word.ends_with("_todos") || word.ends_with("_todo"));
    assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), tools);
}

#[tokio::test]
async fn what_it_offers_is_there() {
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
fn the_files_it_leads_to_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let paths =
        quoted(section("## The house")).filter(|word| word.contains('/') && !word.contains(' '));
    let missing: Vec<&str> = paths.filter(|path| !root.join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
