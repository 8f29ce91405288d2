//! The one place that decides whether a token's scopes suffice, for tools, resources, prompts and
//! completions alike, and that turns failures into errors.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::http::StatusCode;

use super::failure::{Failure, Situation};
use crate::jsonrpc::Error;
use crate::oauth::{Caller, Challenge, Scope};
use crate::protocol::errors;
use crate::record::RequestRecord;

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
///     Call { caller, scope: std::marker::PhantomData }
/// }
/// ```
pub struct Call<S> {
    caller: Arc<Caller>,
    scope: PhantomData<fn() -> S>,
}

impl<S: Scope> Call<S> {
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl<S: Scope> fmt::Debug for Call<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Call")
            .field("scope", &S::NAME)
            .field("caller", &self.caller)
            .finish()
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

    /// Lets the caller do what requires `S`, if the token grants it.
    pub(super) fn authorize<S: Scope>(&self, caller: &Arc<Caller>) -> Result<Call<S>, Failure> {
        if !caller.scopes().contains(S::NAME) {
            return Err(self.missing(S::NAME, caller));
        }
        Ok(Call { caller: Arc::clone(caller), scope: PhantomData })
    }

    /// Checks scopes that follow from the arguments of a call.
    pub(super) fn check_further(
        &self,
        scopes: &[&'static str],
        caller: &Caller,
    ) -> Result<(), Failure> {
        match scopes.iter().find(|scope| !caller.scopes().contains(scope)) {
            Some(missing) => Err(self.missing(missing, caller)),
            None => Ok(()),
        }
    }

    /// A caller whom no scope would help is not sent to get one.
    fn missing(&self, required: &'static str, caller: &Caller) -> Failure {
        self.beyond_scopes(caller).unwrap_or_else(|| Failure::insufficient_scope(required))
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

    /// The failure of a tool: as a tool result where MCP has one for it, otherwise as an error.
    pub(super) fn tool_failure(
        &self,
        failure: Failure,
        caller: &Caller,
        record: &mut RequestRecord,
    ) -> Result<Failure, Error> {
        let failure = self.most_relevant(failure, caller);
        record.code(failure.code());
        match failure.situation() {
            Situation::InsufficientScope { required } if self.denial == ScopeDenial::Challenge => {
                Err(self.step_up(required, failure, caller))
            }
            Situation::Internal => Err(Error::internal()),
            Situation::InsufficientScope { .. }
            | Situation::InvalidArgument
            | Situation::NotFound
            | Situation::Forbidden
            | Situation::Unavailable { .. }
            | Situation::Other { .. } => Ok(failure),
        }
    }

    /// The failure of anything else, which has no results for it. `not_found` makes the error for what
    /// does not exist.
    pub(super) fn error(
        &self,
        failure: Failure,
        not_found: impl FnOnce() -> Error,
        caller: &Caller,
        record: &mut RequestRecord,
    ) -> Error {
        let failure = self.most_relevant(failure, caller);
        record.code(failure.code());
        match failure.situation() {
            Situation::InsufficientScope { required } if self.denial == ScopeDenial::Challenge => {
                self.step_up(required, failure, caller)
            }
            Situation::InsufficientScope { .. } | Situation::Forbidden => {
                Error::forbidden(failure.into_sentence()).with_status(StatusCode::OK)
            }
            Situation::NotFound => not_found(),
            Situation::InvalidArgument | Situation::Other { .. } => {
                Error::invalid_params(failure.into_sentence())
            }
            Situation::Unavailable { retry_after_seconds } => {
                Error::unavailable(failure.into_sentence(), retry_after_seconds)
            }
            Situation::Internal => Error::internal(),
        }
    }

    /// The failure of a page of a list, whose only argument is the cursor.
    pub(super) fn list_error(
        &self,
        failure: Failure,
        caller: &Caller,
        record: &mut RequestRecord,
    ) -> Error {
        if failure.situation() == Situation::InvalidArgument {
            return errors::invalid_cursor();
        }
        self.error(failure, errors::invalid_cursor, caller, record)
    }

    /// HTTP 403 with the challenge that makes a client ask for the scope, and a body that a model can
    /// read if the client does not.
    fn step_up(&self, required: &str, failure: Failure, caller: &Caller) -> Error {
        let granted = caller.scopes();
        let challenge = self.challenge.insufficient_scope(required, granted, failure.sentence());
        Error::forbidden(failure.into_sentence()).with_challenge(challenge)
    }
}
