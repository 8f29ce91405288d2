//! The most common mistakes, as the documentation of Scalekit and the issues of its users tell
//! them: the doctor finds each, finds nothing else, and names the setting or the field of the
//! dashboard.

use serde_json::json;
use todo_mcp::doctor::Verdict::{Fail, Pass, Warn};
use todo_mcp::doctor::examine;
use todo_mcp::settings::Settings;
use todo_tests::issuer::{foreign_key, header, now, published_key};
use todo_tests::server::TestServer;

use crate::proxy::{Fault, server_behind};
use crate::stand_in::{Scalekit, assert_found, closed_port, only_finding, signed};

#[tokio::test]
async fn when_everything_fits_every_check_passes() {
    let scalekit = Scalekit::good().await;
    let public_url = server_behind(Fault::None, &scalekit).await;
    let port = public_url.rsplit(':').next().unwrap();
    let settings = [("MCP_URL", public_url.as_str()), ("PORT", port)];
    let report = scalekit.examined(&settings, Some(&signed(&scalekit.claims()))).await;
    assert!(report.findings().all(|finding| finding.verdict() == Pass), "{}", report.print(false));
    assert!(!report.has_failures());
}

#[tokio::test]
async fn the_resource_id_of_something_else_names_the_setting() {
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
async fn an_environment_url_that_leads_nowhere_or_elsewhere_names_the_setting() {
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
async fn an_issuer_in_the_old_form_is_explained() {
    let scalekit = Scalekit::with(|it| it.metadata["issuer"] = it.url.clone().into()).await;
    let report = scalekit.examined(&[], None).await;
    let words = ["before the issuer of each MCP server", "RFC 8414, section 3.3", "support"];
    assert_found(only_finding(&report), "issuer", Fail, &words);
}

#[tokio::test]
async fn both_ways_to_register_off_name_the_switches() {
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
async fn scopes_that_are_not_offered_are_named() {
    let offered = json!(["openid", "todo:read", "offline_access"]);
    let scalekit = Scalekit::with(|it| it.metadata["scopes_supported"] = offered).await;
    let report = scalekit.examined(&[], None).await;
    let words = ["MCP Servers > your server: add todo:write to its scopes"];
    assert_found(only_finding(&report), "scopes", Fail, &words);
}

#[tokio::test]
async fn offline_access_that_is_not_offered_is_named() {
    let offered = json!(["todo:read", "todo:write"]);
    let scalekit = Scalekit::with(|it| it.metadata["scopes_supported"] = offered).await;
    let report = scalekit.examined(&[], None).await;
    let words = ["add offline_access to its scopes", "cannot refresh"];
    assert_found(only_finding(&report), "refresh", Warn, &words);
}

#[tokio::test]
async fn keys_without_one_for_signatures_are_found() {
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

    // Usually it has other keys too.
    let header = header(jsonwebtoken::Algorithm::RS256, "snk_other");
    let report = scalekit.examined(&[], Some(&foreign_key().sign(&header, &claims))).await;
    assert_found(only_finding(&report), "token: key", Fail, &words);
}

#[tokio::test]
async fn clocks_that_differ_are_found_before_tokens_are_blamed() {
    let scalekit = Scalekit::with(|it| it.seconds_ahead = 90).await;
    let report = scalekit.examined(&[], None).await;
    assert_found(only_finding(&report), "clock", Fail, &["s behind", "not yet valid", "NTP"]);

    let scalekit = Scalekit::with(|it| it.seconds_ahead = -20).await;
    let report = scalekit.examined(&[], None).await;
    assert_found(only_finding(&report), "clock", Warn, &["s ahead", "NTP"]);
}

#[tokio::test]
async fn an_expired_token_says_how_long_ago() {
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
async fn a_proxy_that_names_another_host_leads_to_the_list_of_hosts() {
    let scalekit = Scalekit::good().await;
    let public_url = server_behind(Fault::Host("todo.internal"), &scalekit).await;
    let report = scalekit.examined(&[("MCP_URL", &public_url)], None).await;
    let words = ["`todo.internal`", "ALLOWED_HOSTS"];
    assert_found(only_finding(&report), "server", Fail, &words);
}

#[tokio::test]
async fn a_proxy_that_takes_the_challenge_away_is_found() {
    let scalekit = Scalekit::good().await;
    let public_url = server_behind(Fault::Strips("www-authenticate"), &scalekit).await;
    let report = scalekit.examined(&[("MCP_URL", &public_url)], None).await;
    assert_found(only_finding(&report), "challenge", Fail, &["proxy", "WWW-Authenticate"]);
}

#[tokio::test]
async fn a_server_that_runs_with_other_settings_is_found() {
    let (scalekit, other) = (Scalekit::good().await, Scalekit::good().await);
    let public_url = server_behind(Fault::None, &other).await;
    let report = scalekit.examined(&[("MCP_URL", &public_url)], None).await;
    let words = [other.url.as_str(), "another SCALEKIT_ENVIRONMENT_URL"];
    assert_found(only_finding(&report), "server", Fail, &words);
}

#[tokio::test]
async fn half_of_the_scalekit_pair_is_all_that_is_reported() {
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
