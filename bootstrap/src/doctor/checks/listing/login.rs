//! Whether the clients of the directories can register, log in, and get a scope that is missing.

use protected_mcp::ScopeDenial;
use serde_json::Value;
use url::Url;

use super::super::authorization_server::{DASHBOARD, has_s256, ways_to_register};
use crate::doctor::finding::Finding;
use crate::http::{Answer, Unreachable};

/// Where a client looks for the authorization server's metadata first (RFC 8414 section 3.1).
pub(crate) fn metadata_url(protected_resource: &Value) -> Option<Url> {
    let mut url = Url::parse(protected_resource["authorization_servers"][0].as_str()?).ok()?;
    let path = url.path().trim_end_matches('/');
    let path = format!("/.well-known/oauth-authorization-server{path}");
    url.set_path(&path);
    Some(url)
}

/// Clients that are not registered can log in: `answer` is the response of [`metadata_url`] without a token.
pub(crate) fn check(answer: &Result<Answer, Unreachable>) -> Finding {
    const CHECK: &str = "listing: login";
    let metadata = match answer {
        Ok(answer) => answer.document().ok_or_else(|| format!("status {}", answer.status)),
        Err(reason) => Err(reason.to_string()),
    };
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(reason) => {
            let seen = format!("the authorization server's metadata cannot be fetched: {reason}");
            return Finding::fail(CHECK, seen).advise("See the check `metadata`.");
        }
    };
    let Some(ways) = ways_to_register(&metadata) else {
        let advice = format!(
            "{DASHBOARD} turn on \"Allow dynamic client registration\" or \"Client ID metadata document\"."
        );
        return Finding::fail(CHECK, "clients cannot register").advise(advice);
    };
    if !has_s256(&metadata) {
        return Finding::fail(CHECK, "PKCE with S256 is not advertised")
            .advise("See the check `PKCE`.");
    }
    Finding::pass(CHECK, format!("clients register ({ways}), and log in with S256"))
}

/// `ChatGPT` asks for a further scope only when a tool's result says so.
pub(crate) fn missing_scope(denial: ScopeDenial) -> Finding {
    const CHECK: &str = "listing: scopes";
    match denial {
        ScopeDenial::ToolError => {
            Finding::pass(CHECK, "a missing scope is a tool's result, which ChatGPT understands")
        }
        ScopeDenial::Challenge => {
            let advice = "For ChatGPT, set TODO_SCOPE_DENIAL to tool_error; other clients may then not ask for \
                          the scope by themselves. A user who grants both scopes at login sees neither.";
            Finding::warn(CHECK, "a missing scope is HTTP 403, which ChatGPT does not understand")
                .advise(advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Pass, Warn};
    use crate::http::tests::answer;

    #[test]
    fn strangers_must_be_able_to_register_and_to_use_s256() {
        let s256 = json!(["S256"]);
        for (metadata, verdict) in [
            (
                json!({ "registration_endpoint": "x", "code_challenge_methods_supported": s256 }),
                Pass,
            ),
            (
                json!({
                    "client_id_metadata_document_supported": true,
                    "code_challenge_methods_supported": s256,
                }),
                Pass,
            ),
            (json!({ "code_challenge_methods_supported": s256 }), Fail),
            (json!({ "registration_endpoint": "x" }), Fail),
        ] {
            let finding = check(&Ok(answer(200, &[], metadata.to_string())));
            assert_eq!(finding.verdict(), verdict, "{metadata}");
        }
        assert_eq!(check(&Ok(answer(404, &[], ""))).verdict(), Fail);
        assert_eq!(check(&Err(Unreachable::Refused)).verdict(), Fail);
        assert_eq!(missing_scope(ScopeDenial::Challenge).verdict(), Warn);
    }

    #[test]
    fn the_metadata_is_looked_for_where_clients_look() {
        let at = |issuer| metadata_url(&json!({ "authorization_servers": [issuer] })).unwrap();
        let well_known = "https://acme.scalekit.com/.well-known/oauth-authorization-server";
        let issuer = "https://acme.scalekit.com/resources/res_1";
        assert_eq!(at(issuer).as_str(), format!("{well_known}/resources/res_1"));
        assert_eq!(at("https://acme.scalekit.com/").as_str(), well_known);
        assert_eq!(metadata_url(&json!({})), None);
    }
}
