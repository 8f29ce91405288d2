//! The most common mistakes, from the documentation of Scalekit and the issues of its users: the
//! doctor finds each, finds nothing else, and names the setting or the field of the dashboard.

use serde_json::json;
use todo_mcp::doctor::Verdict::{Fail, Pass, Warn};
use todo_mcp::doctor::examine;
use todo_mcp::settings::Settings;
use todo_tests::issuer::{foreign_key, header, now, published_key, signed};
use todo_tests::server::TestServer;

use crate::proxy::{Fault, server_behind};
use crate::stand_in::{Scalekit, assert_found, closed_port, only_finding};

#[tokio::test]
async fn every_check_passes_when_everything_is_configured() {
    let scalekit = Scalekit::good().await;
    let public_url = server_behind(Fault::None, &scalekit).await;
    let port = public_url.rsplit(':').next().unwrap();
    let settings = [("MCP_URL", public_url.as_str()), ("PORT", port)];
    let report = scalekit.examined(&settings, Some(&signed(&scalekit.claims()))).await;
    assert!(report.findings().all(|finding| finding.verdict() == Pass), "{}", report.print(false));
    assert!(!report.has_failures());
}

#[tokio::test]
async fn a_wrong_resource_id_names_the_setting() {
    let scalekit = Scalekit::good().await;
    let report = scalekit.examined(&[("SCALEKIT_RESOURCE_ID", "res_404")], None).await;
    let words = ["SCALEKIT_RESOURCE_ID is `res_404`", "MCP Servers"];
    assert_found(only_finding(&report), "metadata", Fail, &words);

    for (id, kind) in [("skc_1", "an API client"), ("app_1", "an application")] {
        let report = scalekit.examined(&[("SCALEKIT_RESOURCE_ID", id)], None).await;
        let finding = report.findings().find(|finding| finding.verdict() == Fail).unwrap();
        assert_found(finding, "metadata", Fail, &["SCALEKIT_RESOURCE_ID", kind]);
    }
}

#[tokio::test]
async fn the_manual_shows_what_is_printed_for_the_id_of_another_mcp_server() {
    let manual = include_str!("../../bootstrap/README.md");
    let (_, shown) = manual.split_once("doctor --token - < token.txt\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let scalekit = Scalekit::good().await;
    let settings = [("SCALEKIT_RESOURCE_ID", "res_123")];
    let report = scalekit.examined(&settings, Some(&signed(&scalekit.claims()))).await;
    let printed = report.print(false);
    for line in shown.lines() {
        assert!(printed.lines().any(|it| it == line), "{line}\nis not in\n{printed}");
    }
}

#[tokio::test]
async fn a_wrong_environment_url_names_the_setting() {
    let (_ours, port) = closed_port();
    let elsewhere = TestServer::start().await;
    for url in [format!("http://127.0.0.1:{port}"), elsewhere.base] {
        let scalekit = Scalekit { url };
        let report = scalekit.examined(&[], None).await;
        let words = ["SCALEKIT_ENVIRONMENT_URL", "Settings > API Credentials"];
        assert_found(only_finding(&report), "environment", Fail, &words);
    }
}

#[tokio::test]
async fn the_old_form_of_the_issuer_is_explained() {
    let scalekit = Scalekit::with(|it| it.metadata["issuer"] = it.url.clone().into()).await;
    let report = scalekit.examined(&[], None).await;
    let words = ["before each MCP server had an issuer", "RFC 8414 section 3.3", "support"];
    assert_found(only_finding(&report), "issuer", Fail, &words);
}

#[tokio::test]
async fn disabled_client_registration_names_the_dashboard_switches() {
    let scalekit = Scalekit::with(|it| {
        it.metadata["client_id_metadata_document_supported"] = false.into();
        it.metadata.as_object_mut().unwrap().remove("registration_endpoint");
    })
    .await;
    let report = scalekit.examined(&[], None).await;
    let words = ["\"Allow dynamic client registration\"", "\"Client ID metadata document\""];
    assert_found(only_finding(&report), "registration", Warn, &words);
}

#[tokio::test]
async fn missing_scopes_are_named() {
    let offered = json!(["openid", "todo:read", "offline_access"]);
    let scalekit = Scalekit::with(|it| it.metadata["scopes_supported"] = offered).await;
    let report = scalekit.examined(&[], None).await;
    let words = ["MCP Servers > your server: add todo:write to its scopes"];
    assert_found(only_finding(&report), "scopes", Fail, &words);
}

#[tokio::test]
async fn missing_offline_access_is_named() {
    let offered = json!(["todo:read", "todo:write"]);
    let scalekit = Scalekit::with(|it| it.metadata["scopes_supported"] = offered).await;
    let report = scalekit.examined(&[], None).await;
    let words = ["add offline_access to its scopes", "cannot refresh"];
    assert_found(only_finding(&report), "refresh", Warn, &words);
}

#[tokio::test]
async fn a_key_set_without_a_signing_key_is_found() {
    let mut encryption = published_key().jwk();
    encryption["use"] = "enc".into();
    let keys = json!({ "keys": [encryption] });
    let scalekit = Scalekit::with(|it| it.keys = keys).await;
    let report = scalekit.examined(&[], None).await;
    let words = ["no RS256 signing key", "SCALEKIT_ENVIRONMENT_URL"];
    assert_found(only_finding(&report), "keys", Fail, &words);
}

#[tokio::test]
async fn a_token_for_the_server_url_alone_names_the_resource_id() {
    let scalekit = Scalekit::good().await;
    let mut claims = scalekit.claims();
    claims["aud"] = json!(["http://localhost:3002/"]);
    let report = scalekit.examined(&[], Some(&signed(&claims))).await;
    let words = ["SCALEKIT_RESOURCE_ID", "a Server URL alone is not enough"];
    assert_found(only_finding(&report), "token: audience", Fail, &words);
}

#[tokio::test]
async fn a_token_of_another_environment_names_both_environments() {
    let scalekit = Scalekit::good().await;
    let mut claims = scalekit.claims();
    claims["iss"] = "https://other.scalekit.dev".into();
    let words =
        ["https://other.scalekit.dev", &format!("SCALEKIT_ENVIRONMENT_URL is {}", scalekit.url)];
    let report = scalekit.examined(&[], Some(&signed(&claims))).await;
    assert_found(only_finding(&report), "token: issuer", Fail, &words);

    let header = header(jsonwebtoken::Algorithm::RS256, "snk_other");
    let report = scalekit.examined(&[], Some(&foreign_key().sign(&header, &claims))).await;
    assert_found(only_finding(&report), "token: key", Fail, &words);
}

#[tokio::test]
async fn clock_skew_is_found_before_the_token_is_blamed() {
    let scalekit = Scalekit::with(|it| it.seconds_ahead = 90).await;
    let report = scalekit.examined(&[], None).await;
    assert_found(only_finding(&report), "clock", Fail, &["s behind", "not yet valid", "NTP"]);

    let scalekit = Scalekit::with(|it| it.seconds_ahead = -20).await;
    let report = scalekit.examined(&[], None).await;
    assert_found(only_finding(&report), "clock", Warn, &["s ahead", "NTP"]);
}

#[tokio::test]
async fn an_expired_token_reports_how_long_ago_it_expired() {
    let scalekit = Scalekit::good().await;
    let mut claims = scalekit.claims();
    claims["exp"] = (now() - 3 * 3600 - 60).into();
    let report = scalekit.examined(&[], Some(&signed(&claims))).await;
    let words = ["expired 3 h ago", "offline_access", "Access token lifetime"];
    assert_found(only_finding(&report), "token: expiry", Fail, &words);
}

#[tokio::test]
async fn a_public_url_without_https_names_the_setting() {
    let scalekit = Scalekit::good().await;
    let (_ours, port) = closed_port();
    let (url, port) = (format!("http://todo.invalid:{port}"), port.to_string());
    let report = scalekit.examined(&[("MCP_URL", &url), ("PORT", &port)], None).await;
    let finding = report.findings().find(|finding| finding.verdict() == Fail).unwrap();
    assert_found(finding, "public URL", Fail, &["MCP_URL", "https://"]);
}

#[tokio::test]
async fn a_proxy_that_sends_another_host_names_the_setting_for_hosts() {
    let scalekit = Scalekit::good().await;
    let public_url = server_behind(Fault::Host("todo.internal"), &scalekit).await;
    let report = scalekit.examined(&[("MCP_URL", &public_url)], None).await;
    let words = ["`todo.internal`", "ALLOWED_HOSTS"];
    assert_found(only_finding(&report), "server", Fail, &words);
}

#[tokio::test]
async fn a_proxy_that_removes_the_challenge_is_found() {
    let scalekit = Scalekit::good().await;
    let public_url = server_behind(Fault::Strips("www-authenticate"), &scalekit).await;
    let report = scalekit.examined(&[("MCP_URL", &public_url)], None).await;
    assert_found(only_finding(&report), "challenge", Fail, &["proxy", "WWW-Authenticate"]);
}

#[tokio::test]
async fn a_server_running_with_other_settings_is_found() {
    let (scalekit, other) = (Scalekit::good().await, Scalekit::good().await);
    let public_url = server_behind(Fault::None, &other).await;
    let report = scalekit.examined(&[("MCP_URL", &public_url)], None).await;
    let words = [other.url.as_str(), "another SCALEKIT_ENVIRONMENT_URL"];
    assert_found(only_finding(&report), "server", Fail, &words);
}

#[tokio::test]
async fn an_incomplete_scalekit_pair_is_the_only_finding() {
    for (set, missing) in [
        (("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com"), "SCALEKIT_RESOURCE_ID"),
        (("SCALEKIT_RESOURCE_ID", "res_1"), "SCALEKIT_ENVIRONMENT_URL"),
    ] {
        let report = examine(&Settings::from_iter([set]), None).await;
        assert_eq!(report.findings().count(), 1);
        let words = [&format!("{missing} must be set too"), "dashboard"];
        assert_found(only_finding(&report), "settings", Fail, &words.map(|it: &str| it));
    }
}
