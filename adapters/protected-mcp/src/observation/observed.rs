//! An operation while it is observed.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use tokio::time::Instant;
use tracing::Span;

use super::{Affected, Observer, Operation, Outcome, PlannedChange, RequestRecord, span};
use crate::jsonrpc::Error;
use crate::oauth::Caller;
use crate::protocol::{self, Era, Method, TraceContext, stated_revision, trace_contexts};

/// The observers of a server.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    all: Arc<[Arc<dyn Observer>]>,
    /// Whether one [wants details](Observer::wants_details).
    want_details: bool,
}

impl From<Vec<Arc<dyn Observer>>> for Observers {
    fn from(observers: Vec<Arc<dyn Observer>>) -> Self {
        let want_details = observers.iter().any(|observer| observer.wants_details());
        Self { all: observers.into(), want_details }
    }
}

impl Observers {
    /// Observes a request of a caller until the last handle to it is dropped.
    pub(crate) fn begin(
        &self,
        caller: &Arc<Caller>,
        request: &protocol::Request<'_>,
        era: Era,
        headers: &HeaderMap,
    ) -> Observed {
        if self.all.is_empty() {
            return Observed(None);
        }
        let method = Method::of(&request.method).map_or("unknown", Method::name);
        let revision = stated_revision(era, headers);
        let span = span::begin(method, revision, request.id);
        let (trace, linked) = if self.want_details || !span.is_disabled() {
            trace_contexts(request, headers)
        } else {
            (None, None)
        };
        if !span.is_disabled() {
            self.all.iter().for_each(|it| it.begin(&span, trace.as_ref(), linked.as_ref()));
        }
        let request_id = if self.want_details { request.id.get() } else { "" };
        Observed(Some(Arc::new(Observation {
            observers: self.clone(),
            caller: Arc::clone(caller),
            method,
            revision,
            request_id: request_id.into(),
            trace,
            span,
            started: Instant::now(),
            state: Mutex::default(),
        })))
    }

    /// An HTTP request was answered.
    pub(crate) fn answered(&self, record: &RequestRecord, status: StatusCode, elapsed: Duration) {
        if self.all.is_empty() {
            return;
        }
        let request = record.answered(status, elapsed);
        self.all.iter().for_each(|observer| observer.request(&request));
    }
}

/// An operation that is observed, if anyone does. It has ended when the last handle to it is dropped: a change
/// goes on when its client is gone, and is observed with what comes of it.
#[derive(Clone, Default)]
pub(crate) struct Observed(Option<Arc<Observation>>);

struct Observation {
    observers: Observers,
    caller: Arc<Caller>,
    method: &'static str,
    revision: Option<&'static str>,
    request_id: Box<str>,
    trace: Option<TraceContext>,
    span: Span,
    started: Instant,
    state: Mutex<State>,
}

/// What becomes known in the course of an operation.
#[derive(Default)]
struct State {
    name: Option<&'static str>,
    outcome: Option<Outcome>,
    /// How many of the observers have admitted it as a change.
    admitted: usize,
    affected: Vec<Affected>,
}

impl Observed {
    fn set(&self, change: impl FnOnce(&mut State)) {
        if let Some(observation) = &self.0 {
            change(&mut observation.state.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// What the operation does is to be in this span.
    pub(crate) fn span(&self) -> Span {
        self.0.as_ref().map_or_else(Span::none, |observation| observation.span.clone())
    }

    /// The trace that it is a part of, if that is recorded.
    pub(crate) fn trace_id(&self) -> Option<String> {
        let Observation { observers, span, .. } =
            &**self.0.as_ref().filter(|it| !it.span.is_disabled())?;
        observers.all.iter().find_map(|observer| observer.trace_id(span))
    }

    /// Asks the observers, one after the other, whether a change may start.
    pub(crate) async fn admit_change(&self) -> Result<(), Cow<'static, str>> {
        let Some(observation) = &self.0 else { return Ok(()) };
        for observer in &*observation.observers.all {
            if let Some(admission) = observer.admit_change(&observation.planned()) {
                admission.await?;
            }
            self.set(|state| state.admitted += 1);
        }
        Ok(())
    }

    /// The operation is about this tool or prompt.
    pub(crate) fn name(&self, name: &'static str) {
        if let Some(Observation { span, method, .. }) = self.0.as_deref() {
            span::name(span, method, name);
        }
        self.set(|state| state.name = Some(name));
    }

    /// Not evaluated if no one wants to know.
    pub(crate) fn affects(&self, affected: impl FnOnce() -> Vec<Affected>) {
        if self.0.as_ref().is_some_and(|it| it.observers.want_details) {
            self.set(|state| {
                let mut affected = affected();
                if state.affected.is_empty() {
                    state.affected = affected;
                } else {
                    state.affected.append(&mut affected);
                }
            });
        }
    }

    /// How a call has ended, in case that no one waits for it.
    pub(crate) fn call_ended(&self, failed: Option<&'static str>) {
        let outcome = failed.map_or(Outcome::Completed, |code| Outcome::Failed { code });
        self.set(|state| state.outcome = Some(outcome));
    }

    /// How the operation is answered.
    pub(crate) fn answered<T>(&self, record: &RequestRecord, answer: &Result<T, Error>) {
        let outcome = match (answer, record.failed()) {
            (Ok(_), None) => Outcome::Completed,
            (Ok(_), Some(code)) => Outcome::Failed { code },
            (Err(error), code) => rejected(error, code),
        };
        self.set(|state| state.outcome = Some(outcome));
    }

    /// The operation is answered with an error after all, or without having begun.
    pub(crate) fn rejected(&self, error: &Error) {
        self.set(|state| state.outcome = Some(rejected(error, None)));
    }
}

fn rejected(error: &Error, code: Option<&'static str>) -> Outcome {
    Outcome::Rejected {
        number: error.code().unwrap_or_else(|| error.status().as_u16().into()),
        code: error.log_code().or(code),
    }
}

impl Observation {
    fn planned(&self) -> PlannedChange<'_> {
        let Self { caller, method, request_id, trace, state, .. } = self;
        PlannedChange {
            caller,
            method,
            name: state.lock().unwrap_or_else(PoisonError::into_inner).name,
            request_id,
            trace: trace.as_ref(),
        }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut operation = Operation {
            caller: &self.caller,
            method: self.method,
            revision: self.revision,
            name: state.name,
            request_id: &self.request_id,
            trace: self.trace.as_ref(),
            outcome: state.outcome.unwrap_or(Outcome::Abandoned),
            may_change: false,
            affected: &state.affected,
            elapsed: self.started.elapsed(),
        };
        span::end(&self.span, &operation);
        for (place, observer) in self.observers.all.iter().enumerate() {
            operation.may_change = place < state.admitted;
            observer.operation(&operation);
        }
    }
}
