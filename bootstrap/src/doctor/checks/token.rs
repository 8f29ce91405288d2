//! An access token, in the steps of the verifier.
//!
//! The verdict is the verifier's: the rejection identifies the step that failed, and so those that
//! passed. The unverified contents of the token only explain the rejection, and nothing of them is
//! shown but `iss`, `aud`, the times, scopes, and the id of a client that is not allowed.

mod explanation;
mod step;

use std::sync::Arc;

use protected_mcp::Caller;
use scalekit::{
    ScalekitHttp, ScalekitKeys, ScalekitTokenVerifier, UnverifiedClaims, VerificationError,
};
use todo_adapter_mcp::tools_allowed_by;
use todo_application::domain::{Permission, Permissions, Sharing};
use todo_application::ports::Clock;

use crate::clock::EngineClock;
use crate::compose::USER_AGENT;
use crate::config::Config;
use crate::doctor::finding::Finding;
use crate::doctor::issuer::Issuer;
use crate::http::excerpt;
use explanation::Explanation;
use step::Step;

pub(crate) async fn check(
    unverified_token: &str,
    issuer: Option<&Issuer>,
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Vec<Finding> {
    let unverified_token = bare(unverified_token);
    let Some(issuer) = issuer else {
        let seen = "cannot be checked, because the issuer is unknown: see `identity`";
        return vec![Finding::fail(Step::FIRST.title(), seen)];
    };
    if unverified_token.is_empty() {
        let advice = "Pass it with --token, or on standard input with `--token -`.";
        return vec![Finding::fail(Step::FIRST.title(), "is empty").advise(advice)];
    }
    let environment = &issuer.environment;
    let Ok(http) = ScalekitHttp::with_user_agent(environment, USER_AGENT) else {
        return vec![Finding::fail(
            Step::FIRST.title(),
            "cannot be checked without TLS: see above",
        )];
    };
    let engine_clock: Arc<dyn protected_mcp::Clock> = Arc::new(EngineClock(Arc::clone(clock)));
    let keys = ScalekitKeys::new(environment, http, Arc::clone(&engine_clock));
    let verifier = ScalekitTokenVerifier::new(Arc::clone(environment), keys, engine_clock)
        .allowed_clients(config.allowed_clients.clone())
        .max_token_age(config.max_token_age);
    let outcome = verifier.verify_token(unverified_token).await;

    let explanation =
        Explanation { claims: UnverifiedClaims::parse(unverified_token), issuer, now: clock.now() };
    match outcome {
        Ok(caller) => {
            let mut findings = explanation.passed(Step::before(Step::Organization));
            findings.push(organization(&caller, config.sharing));
            findings.extend(explanation.passed(&[Step::Client]));
            findings
                .push(scopes(caller.scopes().iter().filter_map(Permission::from_scope).collect()));
            findings
        }
        Err(VerificationError::KeysUnavailable(_)) => {
            let mut findings = explanation.passed(Step::before(Step::Key));
            let seen = "cannot be looked up, because the keys cannot be fetched: see `keys`";
            findings.push(Finding::fail(Step::Key.title(), seen));
            findings
        }
        Err(VerificationError::Overloaded) => {
            let mut findings = explanation.passed(Step::before(Step::Signature));
            findings.push(Finding::fail(Step::Signature.title(), "was not checked: try again"));
            findings
        }
        Err(VerificationError::ClientNotAllowed(client)) => {
            let mut findings = explanation.passed(Step::before(Step::Client));
            findings.push(client_not_allowed(client.as_deref()));
            findings
        }
        Err(VerificationError::Invalid(reason)) => {
            let failed = Step::of(&reason);
            let mut findings = explanation.passed(Step::before(failed));
            findings.push(
                Finding::fail(failed.title(), explanation.seen(&reason))
                    .advise(explanation.advice(&reason)),
            );
            findings
        }
    }
}

/// The token without the scheme of an `Authorization` header, which is easily pasted along.
pub(crate) fn bare(token: &str) -> &str {
    let token = token.trim();
    match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => token,
    }
}

fn client_not_allowed(client: Option<&str>) -> Finding {
    const CHECK: &str = Step::Client.title();
    let Some(id) = client else {
        let advice = "TODO_ALLOWED_CLIENTS is set, so a token must name its client, as those of Scalekit \
                      do: get a new token.";
        return Finding::fail(CHECK, "missing").advise(advice);
    };
    let advice = "The token is valid, and every request with it gets 403. To let this client call, add its \
                  id to TODO_ALLOWED_CLIENTS, or unset it to let all clients call.";
    Finding::fail(CHECK, format!("{} is not in TODO_ALLOWED_CLIENTS", excerpt(id))).advise(advice)
}

fn organization(caller: &Caller, sharing: Sharing) -> Finding {
    const CHECK: &str = Step::Organization.title();
    match (caller.organization(), sharing) {
        (Some(_), _) => Finding::pass(CHECK, "present"),
        (None, Sharing::Organization) => {
            let advice = "TODO_SHARING is organization, so every tool is denied to a token without \
                          one. Log in as a member of an organization, or change TODO_SHARING.";
            Finding::fail(CHECK, "missing").advise(advice)
        }
        (None, Sharing::Personal | Sharing::Everyone) => {
            Finding::pass(CHECK, "missing, and not needed")
        }
    }
}

fn scopes(permissions: Permissions) -> Finding {
    const CHECK: &str = Step::Scopes.title();
    let (held, missing): (Vec<_>, Vec<_>) =
        Permission::ALL.into_iter().partition(|permission| permissions.contains(*permission));
    if held.is_empty() {
        let advice = "Every tool is denied. The client must request todo:read and todo:write; in \
                      the dashboard, the MCP server must have these scopes, and if it limits scopes \
                      to the permissions of the user, the user must have them.";
        return Finding::fail(CHECK, "neither todo:read nor todo:write").advise(advice);
    }
    let tools = |permissions: &[Permission]| {
        let tools: Vec<_> = permissions.iter().copied().flat_map(tools_allowed_by).collect();
        tools.join(", ")
    };
    let names: Vec<_> = held.iter().map(|permission| permission.scope()).collect();
    let finding = Finding::pass(CHECK, format!("{}: {}", names.join(" "), tools(&held)));
    match missing.first() {
        None => finding,
        Some(scope) => {
            finding.advise(format!("Without {scope}, these tools are denied: {}.", tools(&missing)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;

    #[test]
    fn the_scheme_of_a_header_is_removed() {
        for text in ["a.b.c", " a.b.c\n", "Bearer a.b.c", "bearer  a.b.c "] {
            assert_eq!(bare(text), "a.b.c");
        }
    }

    #[test]
    fn scopes_are_shown_with_the_tools_they_allow() {
        let [read, write] = [Permission::Read, Permission::Write]
            .map(|permission| tools_allowed_by(permission).collect::<Vec<_>>().join(", "));
        assert!(read.contains("get_todo") && write.contains("create_todo"));
        let all = scopes(Permission::ALL.into_iter().collect());
        assert_eq!(all.seen(), format!("todo:read todo:write: {read}, {write}"));
        assert_eq!(all.advice(), None);
        let reading = scopes(Permissions::default().with(Permission::Read));
        assert_eq!(reading.seen(), format!("todo:read: {read}"));
        let denied = format!("Without todo:write, these tools are denied: {write}.");
        assert_eq!(reading.advice(), Some(&*denied));
        assert_eq!(scopes(Permissions::default()).verdict(), Verdict::Fail);
    }
}
