//! The one place that decides whether a token's scopes suffice, for tools, resources, prompts and
//! completions alike, and that turns failures into errors.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::failure::{Failure, Situation};
use super::operation::Operation;
use crate::jsonrpc::Error;
use crate::oauth::{Caller, Challenge, Scope};
use crate::observation::{Affected, Observed, RequestRecord};
use crate::protocol::{Era, errors};

/// How a missing scope is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScopeDenial {
    /// HTTP 403 with a challenge, for clients that then ask for the scope (MCP "step-up").
    #[default]
    Challenge,
    /// HTTP 200 with a tool result that reports it, for clients that cannot.
    ToolError,
}

/// A call by a caller whose token grants `S`. Only the server makes one, after it has checked that: what
/// takes a `Call<S>` cannot run for a caller without the scope.
///
/// ```compile_fail,E0451
/// use protected_mcp::{Call, scopes};
///
/// scopes!(ReadNotes = "notes:read");
/// fn forge(caller: std::sync::Arc<protected_mcp::Caller>) -> Call<ReadNotes> {
///     Call { caller, observed: Default::default(), scope: std::marker::PhantomData }
/// }
/// ```
pub struct Call<S> {
    caller: Arc<Caller>,
    observed: Observed,
    scope: PhantomData<fn() -> S>,
}

impl<S: Scope> Call<S> {
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Reports to the [observers](crate::Observer) of the server what the call has shown or changed. `affected` is
    /// not evaluated if there are none.
    pub fn affects(&self, affected: impl FnOnce() -> Vec<Affected>) {
        self.observed.affects(affected);
    }
}

impl<S: Scope> fmt::Debug for Call<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Call")
            .field("scope", &S::NAME)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

/// A caller who asks for something.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) authorization: &'a Authorization,
    pub(crate) caller: &'a Arc<Caller>,
    pub(crate) observed: &'a Observed,
}

impl Access<'_> {
    /// Lets the caller do what requires `S`, if the token grants it.
    pub(super) fn authorize<S: Scope>(self) -> Result<Call<S>, Failure> {
        let Self { authorization, caller, observed } = self;
        authorization.check(caller, || vec![S::NAME], &[S::NAME])?;
        let (caller, observed) = (Arc::clone(caller), observed.clone());
        Ok(Call { caller, observed, scope: PhantomData })
    }

    /// Checks scopes that follow from the arguments of a call, beyond the one that it has.
    pub(super) fn check_further<S: Scope>(self, further: &[&'static str]) -> Result<(), Failure> {
        self.authorization.check(self.caller, || [&[S::NAME], further].concat(), further)
    }
}

/// Why no scope would help a caller, if that is so.
pub(crate) type BeyondScopes = Box<dyn Fn(&Caller) -> Option<Failure> + Send + Sync>;

pub(crate) struct Authorization {
    challenge: Challenge,
    denial: ScopeDenial,
    beyond_scopes: Option<BeyondScopes>,
}

impl Authorization {
    pub(crate) fn new(
        challenge: Challenge,
        denial: ScopeDenial,
        beyond_scopes: Option<BeyondScopes>,
    ) -> Self {
        Self { challenge, denial, beyond_scopes }
    }

    /// The caller of an operation, to be authorized.
    pub(super) fn access<'a>(&'a self, operation: Operation<'a>) -> Access<'a> {
        let Operation { caller, observed, .. } = operation;
        Access { authorization: self, caller, observed }
    }

    /// Fails with all that is `required` if one of `checked` is missing. A caller whom no scope would help
    /// is not sent to get one.
    fn check(
        &self,
        caller: &Caller,
        required: impl FnOnce() -> Vec<&'static str>,
        checked: &[&'static str],
    ) -> Result<(), Failure> {
        if checked.iter().all(|scope| caller.scopes().contains(scope)) {
            return Ok(());
        }
        let beyond = self.beyond_scopes(caller);
        Err(beyond.unwrap_or_else(|| Failure::insufficient_scopes(required())))
    }

    fn beyond_scopes(&self, caller: &Caller) -> Option<Failure> {
        self.beyond_scopes.as_ref().and_then(|beyond| beyond(caller))
    }

    /// A caller who may do nothing here learns that, and not what is wrong with its arguments.
    fn most_relevant(&self, failure: Failure, caller: &Caller) -> Failure {
        match failure.situation() {
            Situation::InvalidArgument | Situation::NotFound => {
                self.beyond_scopes(caller).unwrap_or(failure)
            }
            Situation::Forbidden
            | Situation::InsufficientScope { .. }
            | Situation::Unavailable { .. }
            | Situation::Internal
            | Situation::Other { .. } => failure,
        }
    }

    /// The error for a batch whose messages require these scopes, if the token lacks one of them: nothing
    /// of it is answered, and the client steps up once. `None` if each message is to be answered by itself.
    pub(super) fn batch_error(
        &self,
        operation: Operation<'_>,
        required: &[&'static str],
        record: &mut RequestRecord,
    ) -> Option<Error> {
        if self.denial != ScopeDenial::Challenge {
            return None;
        }
        let failure = self.check(operation.caller, || required.to_vec(), required).err()?;
        let Situation::InsufficientScope { required } = failure.situation().clone() else {
            return None;
        };
        record.code(failure.code());
        Some(self.step_up(&required, failure, operation))
    }

    /// The failure of a tool: as a tool result, with its `_meta`, where MCP has one for it, otherwise as
    /// an error.
    pub(super) fn tool_failure(
        &self,
        failure: Failure,
        operation: Operation<'_>,
        record: &mut RequestRecord,
    ) -> Result<(Failure, Option<Box<RawValue>>), Error> {
        let failure = self.most_relevant(failure, operation.caller);
        record.code(failure.code());
        match failure.situation() {
            Situation::InsufficientScope { required } => match self.denial {
                ScopeDenial::Challenge => {
                    let required = required.clone();
                    Err(self.step_up(&required, failure, operation))
                }
                ScopeDenial::ToolError => {
                    let meta = self.challenge_in_meta(required, &failure, operation);
                    Ok((failure, meta))
                }
            },
            Situation::Internal => Err(Error::internal()),
            Situation::InvalidArgument
            | Situation::NotFound
            | Situation::Forbidden
            | Situation::Unavailable { .. }
            | Situation::Other { .. } => Ok((failure, None)),
        }
    }

    /// The failure of anything else, which has no results for it. `not_found` makes the error for what
    /// does not exist.
    pub(super) fn error(
        &self,
        failure: Failure,
        not_found: impl FnOnce() -> Error,
        operation: Operation<'_>,
        record: &mut RequestRecord,
    ) -> Error {
        let failure = self.most_relevant(failure, operation.caller);
        record.code(failure.code());
        match failure.situation() {
            Situation::InsufficientScope { required } if self.denial == ScopeDenial::Challenge => {
                let required = required.clone();
                self.step_up(&required, failure, operation)
            }
            Situation::InsufficientScope { .. } | Situation::Forbidden => {
                Error::forbidden(failure.into_sentence()).with_status(StatusCode::OK)
            }
            Situation::NotFound => not_found(),
            Situation::InvalidArgument | Situation::Other { .. } => {
                Error::invalid_params(failure.into_sentence())
            }
            Situation::Unavailable { retry_after_seconds } => {
                let seconds = *retry_after_seconds;
                Error::unavailable(failure.into_sentence(), seconds)
            }
            Situation::Internal => Error::internal(),
        }
    }

    /// The failure of a page of a list, whose only argument is the cursor.
    pub(super) fn list_error(
        &self,
        failure: Failure,
        operation: Operation<'_>,
        record: &mut RequestRecord,
    ) -> Error {
        let failure = self.most_relevant(failure, operation.caller);
        if *failure.situation() == Situation::InvalidArgument {
            return errors::invalid_cursor();
        }
        self.error(failure, errors::invalid_cursor, operation, record)
    }

    /// HTTP 403 with the challenge that makes a client ask for the scopes, and a body that a model can
    /// read if the client does not.
    fn step_up(
        &self,
        required: &[&'static str],
        failure: Failure,
        operation: Operation<'_>,
    ) -> Error {
        let challenge = self.challenge_for(required, failure.sentence(), operation);
        Error::forbidden(failure.into_sentence()).with_challenge(challenge)
    }

    /// Up to 2025-11-25 the challenge also names the scopes that the token has: a client that asks for
    /// exactly these loses none while it gets the others. Since 2026-07-28 accumulating scopes is the
    /// client's task (SEP-2350).
    fn challenge_for(
        &self,
        required: &[&'static str],
        sentence: &str,
        operation: Operation<'_>,
    ) -> HeaderValue {
        let granted = match operation.era {
            Era::Legacy => Some(operation.caller.scopes()),
            Era::Modern => None,
        };
        self.challenge.insufficient_scope(required, granted, sentence, operation.host)
    }

    /// The challenge as ChatGPT looks for it in a tool result (OpenAI Apps SDK, authentication).
    fn challenge_in_meta(
        &self,
        required: &[&'static str],
        failure: &Failure,
        operation: Operation<'_>,
    ) -> Option<Box<RawValue>> {
        #[derive(Serialize)]
        struct Meta<'a> {
            #[serde(rename = "mcp/www_authenticate")]
            www_authenticate: [&'a str; 1],
        }
        let challenge = self.challenge_for(required, failure.sentence(), operation);
        to_raw_value(&Meta { www_authenticate: [challenge.to_str().ok()?] }).ok()
    }
}
