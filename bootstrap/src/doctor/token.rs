//! An access token, check by check, as the verifier makes them. The first that fails is explained.
//!
//! The verdict is the verifier's own: it says which check a token failed, and so which it passed.
//! What the token says of itself is only read to explain that, and nothing of it is shown but
//! `iss`, `aud`, `exp` and scopes.

mod explanation;
mod step;

use std::sync::Arc;

use todo_adapter_mcp::tools_allowed_by;
use todo_adapter_scalekit::{
    ScalekitHttp, ScalekitKeys, ScalekitTokenVerifier, UnverifiedContents,
};
use todo_application::domain::{Instant, Permission, Permissions, Sharing};
use todo_application::ports::{Clock, Principal, TokenVerifier as _, VerificationError};

use super::{Finding, Identity};
use explanation::{Explanation, span};
use step::Step;

pub(super) async fn findings(
    unverified_token: &str,
    identity: Option<&Identity>,
    sharing: Sharing,
    clock: &Arc<dyn Clock>,
) -> Vec<Finding> {
    let unverified_token = bare(unverified_token);
    let Some(identity) = identity else {
        let seen = "cannot be checked without knowing who issues tokens: see `identity`";
        return vec![Finding::fail(Step::FIRST.name(), seen)];
    };
    if unverified_token.is_empty() {
        let advice = "Give it with --token, or on standard input with `--token -`.";
        return vec![Finding::fail(Step::FIRST.name(), "is empty").advise(advice)];
    }
    let environment = &identity.environment;
    let Ok(http) = ScalekitHttp::new(environment) else {
        return vec![Finding::fail(Step::FIRST.name(), "cannot be checked: no TLS, see above")];
    };
    let keys = ScalekitKeys::new(environment, http, Arc::clone(clock));
    let verifier = ScalekitTokenVerifier::new(Arc::clone(environment), keys, Arc::clone(clock));
    let outcome = verifier.verify(unverified_token).await;

    let explanation = Explanation {
        contents: UnverifiedContents::read(unverified_token),
        identity,
        now: clock.now(),
    };
    match outcome {
        Ok(principal) => {
            let mut findings = explanation.passed(Step::before(Step::Organization));
            findings.push(organization(principal.as_ref(), sharing));
            findings.extend(explanation.passed(&[Step::Client]));
            findings.push(scopes(principal.permissions()));
            findings
        }
        Err(VerificationError::Unavailable(_)) => {
            let mut findings = explanation.passed(Step::before(Step::Key));
            let seen = "cannot be looked up: no signing key can be had, see above";
            findings.push(Finding::fail(Step::Key.name(), seen));
            findings
        }
        Err(VerificationError::Rejected(rejection)) => {
            let failed = Step::of(&rejection);
            let mut findings = explanation.passed(Step::before(failed));
            findings.push(
                Finding::fail(failed.name(), explanation.seen(&rejection))
                    .advise(explanation.advice(&rejection)),
            );
            findings
        }
    }
}

/// The token alone: people also paste the scheme that stands before it in a header.
fn bare(token: &str) -> &str {
    let token = token.trim();
    match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => token,
    }
}

fn organization(principal: &dyn Principal, sharing: Sharing) -> Finding {
    const CHECK: &str = Step::Organization.name();
    match (principal.organization(), sharing) {
        (Some(_), _) => Finding::pass(CHECK, "names one"),
        (None, Sharing::Organization) => {
            let advice = "TODO_SHARING is organization, so a token without one is refused every \
                          todo. Log in as a member of an organization, or change TODO_SHARING.";
            Finding::fail(CHECK, "names none").advise(advice)
        }
        (None, Sharing::Personal | Sharing::Everyone) => {
            Finding::pass(CHECK, "names none, and none is needed")
        }
    }
}

fn scopes(permissions: Permissions) -> Finding {
    const CHECK: &str = Step::Scopes.name();
    let (held, missing): (Vec<_>, Vec<_>) =
        Permission::ALL.into_iter().partition(|permission| permissions.contains(*permission));
    if held.is_empty() {
        let advice = "Every tool is refused. The client must ask for todo:read and todo:write; in \
                      the dashboard the MCP server must have these scopes, and the user must be \
                      allowed them if it cuts scopes down to the user's permissions.";
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
        Some(scope) => finding.advise(format!("Without {scope}, not: {}.", tools(&missing))),
    }
}

/// How far away an instant is, for people.
fn away(instant: Instant, now: Instant) -> String {
    span((instant.as_unix_millis() - now.as_unix_millis()).abs() / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn the_scheme_of_a_header_may_stand_before_the_token() {
        for text in ["a.b.c", " a.b.c\n", "Bearer a.b.c", "bearer  a.b.c "] {
            assert_eq!(bare(text), "a.b.c");
        }
    }

    #[test]
    fn scopes_are_shown_with_the_tools_that_they_allow() {
        let all = scopes(Permission::ALL.into_iter().collect());
        assert_eq!(
            all.seen(),
            "todo:read todo:write: list_todos, get_todo, create_todo, update_todo, delete_todo"
        );
        assert_eq!(all.advice(), None);
        let reading = scopes(Permissions::default().with(Permission::Read));
        assert_eq!(reading.seen(), "todo:read: list_todos, get_todo");
        assert_eq!(
            reading.advice(),
            Some("Without todo:write, not: create_todo, update_todo, delete_todo.")
        );
        assert_eq!(scopes(Permissions::default()).verdict(), Verdict::Fail);
    }
}
