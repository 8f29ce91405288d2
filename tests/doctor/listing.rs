//! `todo-mcp doctor --listing`: each demand that is not met is found. On loopback the public URL and the pages
//! never are public; their checks have unit tests.

use todo_mcp::doctor::Verdict::{Fail, Note, Pass, Warn};
use todo_mcp::doctor::{Finding, Report, Verdict, examine_for_listing};
use todo_mcp::settings::Settings;
use todo_tests::issuer::signed;

use crate::proxy::{Fault, server_with};
use crate::stand_in::{Scalekit, assert_found, closed_port};

const TOKEN_OF_OPENAI: (&str, &str) = ("TODO_OPENAI_CHALLENGE", "t0ken");
const SETTINGS: [(&str, &str); 5] = [
    TOKEN_OF_OPENAI,
    ("TODO_SCOPE_DENIAL", "tool_error"),
    ("TODO_PRIVACY_URL", "http://localhost/privacy"),
    ("TODO_TERMS_URL", "http://localhost/terms"),
    ("TODO_SUPPORT_URL", "http://localhost/support"),
];

/// What is never met on loopback.
const NOT_PUBLIC: [&str; 4] =
    ["listing: URL", "listing: privacy", "listing: terms", "listing: support"];

/// The report of a server behind a proxy, with an access token.
async fn report(server: &[(&str, &str)], fault: Fault, scalekit: &Scalekit) -> Report {
    let public_url = server_with(server, fault, scalekit).await;
    let token = signed(&scalekit.claims());
    examined(&public_url, scalekit, Some(&token)).await
}

async fn examined(public_url: &str, scalekit: &Scalekit, token: Option<&str>) -> Report {
    let port = public_url.rsplit(':').next().unwrap();
    let own = scalekit.settings().into_iter().chain(SETTINGS);
    let settings: Settings = own.chain([("MCP_URL", public_url), ("PORT", port)]).collect();
    examine_for_listing(&settings, token).await
}

/// The checks with this verdict, without those that never pass here.
fn checks(report: &Report, verdict: Verdict) -> Vec<&'static str> {
    let findings = report.findings().filter(|finding| finding.verdict() == verdict);
    findings.map(Finding::check).filter(|check| !NOT_PUBLIC.contains(check)).collect()
}

fn finding<'a>(report: &'a Report, check: &str) -> &'a Finding {
    let found = report.findings().find(|finding| finding.check() == check);
    found.unwrap_or_else(|| panic!("{check}: {}", report.print(false)))
}

#[tokio::test]
async fn every_demand_that_a_server_on_loopback_can_meet_is_met() {
    let scalekit = Scalekit::good().await;
    let report = report(&SETTINGS, Fault::None, &scalekit).await;
    assert_eq!(checks(&report, Fail), [""; 0], "{}", report.print(false));
    assert_eq!(checks(&report, Warn), [""; 0], "{}", report.print(false));
    for check in NOT_PUBLIC {
        assert_eq!(finding(&report, check).verdict(), Fail, "{check}");
    }
    let passed = checks(&report, Pass);
    for tool in todo_adapter_mcp::summaries() {
        assert!(passed.contains(&tool.name), "{}", tool.name);
        let words = [tool.reasons.read_only, tool.reasons.destructive, tool.reasons.open_world];
        assert_found(finding(&report, tool.name), tool.name, Pass, &words);
    }
    for check in ["listing: ids", "listing: demo login", "listing: screenshots"] {
        assert_eq!(finding(&report, check).verdict(), Note);
        assert!(finding(&report, check).advice().is_some());
    }
}

#[tokio::test]
async fn a_stranger_who_cannot_register_is_found() {
    let scalekit = Scalekit::with(|it| {
        it.metadata["client_id_metadata_document_supported"] = false.into();
        it.metadata.as_object_mut().unwrap().remove("registration_endpoint");
    })
    .await;
    let report = report(&SETTINGS, Fault::None, &scalekit).await;
    let words = ["cannot register", "\"Allow dynamic client registration\""];
    assert_found(finding(&report, "listing: login"), "listing: login", Fail, &words);
}

#[tokio::test]
async fn a_server_that_was_started_without_the_settings_is_found() {
    let scalekit = Scalekit::good().await;
    let report = report(&[], Fault::None, &scalekit).await;
    let check = "listing: OpenAI";
    assert_found(finding(&report, check), check, Fail, &["status 404", "Restart"]);
    let check = "listing: privacy";
    assert_found(finding(&report, check), check, Fail, &["does not know TODO_PRIVACY_URL"]);
}

#[tokio::test]
async fn a_tool_that_lacks_a_hint_or_steers_is_found() {
    let scalekit = Scalekit::good().await;
    for (fault, words) in [
        (Fault::Replaces("\"openWorldHint\":false", "\"other\":false"), "no openWorldHint"),
        (Fault::Replaces("Deletes a todo", "Always use this"), "steers"),
        (Fault::Replaces("\"todo:write\"]}]", "\"todo:read\"]}]"), "do not name todo:write"),
    ] {
        let report = report(&SETTINGS, fault, &scalekit).await;
        assert_found(finding(&report, "delete_todo"), "delete_todo", Fail, &[words]);
    }
}

#[tokio::test]
async fn without_a_token_the_tools_are_not_judged() {
    let scalekit = Scalekit::good().await;
    let public_url = server_with(&SETTINGS, Fault::None, &scalekit).await;
    let report = examined(&public_url, &scalekit, None).await;
    assert_eq!(checks(&report, Fail), [""; 0]);
    assert_eq!(checks(&report, Warn), [""; 0]);
    assert_eq!(finding(&report, "listing: tools").verdict(), Note);
    assert!(finding(&report, "listing: tools").advice().unwrap().contains("--token"));
}

#[tokio::test]
async fn a_server_that_does_not_run_cannot_be_listed() {
    let scalekit = Scalekit::good().await;
    let (_ours, port) = closed_port();
    let public_url = format!("http://127.0.0.1:{port}");
    let report = examined(&public_url, &scalekit, Some(&signed(&scalekit.claims()))).await;
    assert_eq!(checks(&report, Fail), ["listing: metadata"]);
}

#[tokio::test]
async fn a_port_that_is_not_known_is_no_public_url() {
    let scalekit = Scalekit::good().await;
    let report = examine_for_listing(&scalekit.settings().into_iter().collect(), None).await;
    let check = "listing: URL";
    assert_found(finding(&report, check), check, Fail, &["PORT is 0", "MCP_URL"]);
}

#[tokio::test]
async fn no_part_of_the_token_is_printed() {
    let scalekit = Scalekit::good().await;
    let public_url = server_with(&SETTINGS, Fault::None, &scalekit).await;
    let token = signed(&scalekit.claims());
    let report = examined(&public_url, &scalekit, Some(&token)).await;
    let said = format!("{} {report:?}", report.print(true));
    let mut pieces = token.as_bytes().windows(12).map(|piece| str::from_utf8(piece).unwrap());
    assert!(pieces.all(|piece| !said.contains(piece)), "{said}");
}
