use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Why a tool, a resource, a prompt or a completion has no result.
///
/// It names the situation; how it is answered depends on what was called. A tool answers with a result
/// whose `isError` is true and whose text is `{"error": "<sentence>", "code": "<word>", ..}`, for a model
/// to read. Everything else answers with a JSON-RPC error.
#[derive(Debug)]
pub struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    situation: Situation,
    sentence: Cow<'static, str>,
    details: Vec<(&'static str, Box<RawValue>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Situation {
    InvalidArgument,
    NotFound,
    Forbidden,
    InsufficientScope { required: Vec<&'static str> },
    Unavailable { retry_after_seconds: u32 },
    Internal,
    Other { code: &'static str },
}

impl Failure {
    fn new(situation: Situation, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { situation, sentence: sentence.into(), details: Vec::new() }))
    }

    /// An argument breaks a rule: `invalid_argument`. The sentence is "Invalid argument `{argument}`:
    /// {rule}."; it must not repeat the value.
    pub fn invalid_argument(argument: &str, rule: impl std::fmt::Display) -> Self {
        let sentence = format!("Invalid argument `{argument}`: {rule}.");
        Self::new(Situation::InvalidArgument, sentence).with("argument", &argument)
    }

    /// Several arguments break a rule each: `invalid_argument`. `violations` holds arguments and rules; the
    /// failure is that of the first, with a sentence for each and the member `arguments`.
    pub fn invalid_arguments(violations: &[(String, String)]) -> Self {
        match violations {
            [] => Self::invalid_argument("arguments", "they cannot be read"),
            [(argument, rule)] => Self::invalid_argument(argument, rule),
            [(first, _), ..] => {
                let sentences = violations
                    .iter()
                    .map(|(argument, rule)| format!("Invalid argument `{argument}`: {rule}."));
                let sentence = sentences.collect::<Vec<_>>().join(" ");
                let all: Vec<&str> =
                    violations.iter().map(|(argument, _)| argument.as_str()).collect();
                let failure = Self::new(Situation::InvalidArgument, sentence);
                failure.with("argument", first).with("arguments", &all)
            }
        }
    }

    /// It does not exist, or the caller may not know of it: `not_found`. Both must look the same.
    pub fn not_found(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Situation::NotFound, sentence)
    }

    /// The caller may not do this, and no scope would change that: `forbidden`.
    pub fn forbidden(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Situation::Forbidden, sentence)
    }

    /// The token lacks a scope: `insufficient_scope`, or a challenge that makes the client ask for it.
    pub fn insufficient_scope(required: &'static str) -> Self {
        Self::insufficient_scopes(vec![required])
    }

    /// The token lacks at least one of several scopes, all of which are required.
    pub(super) fn insufficient_scopes(required: Vec<&'static str>) -> Self {
        let plural = if required.len() == 1 { "scope" } else { "scopes" };
        let names = required.join("` and `");
        let sentence = format!("Insufficient permissions: `{names}` {plural} required.");
        let scope = required.join(" ");
        Self::new(Situation::InsufficientScope { required }, sentence).with("scope", &scope)
    }

    /// It may succeed when it is repeated later: `unavailable`.
    pub fn unavailable(sentence: impl Into<Cow<'static, str>>, retry_after_seconds: u32) -> Self {
        Self::new(Situation::Unavailable { retry_after_seconds }, sentence)
            .with("retry_after_seconds", &retry_after_seconds)
    }

    /// A fault of this server. The answer says no more than that: log the cause.
    pub fn internal() -> Self {
        Self::new(Situation::Internal, "Something went wrong on the server; its log says what.")
    }

    /// Any other situation, with a stable word for it such as `version_conflict`.
    pub fn other(code: &'static str, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Situation::Other { code }, sentence)
    }

    /// Adds a member that helps a model to go on.
    #[must_use]
    pub fn with(mut self, member: &'static str, value: &impl Serialize) -> Self {
        if let Ok(value) = to_raw_value(value) {
            self.0.details.push((member, value));
        }
        self
    }

    pub(super) fn situation(&self) -> &Situation {
        &self.0.situation
    }

    /// What a person or a model reads.
    pub fn sentence(&self) -> &str {
        &self.0.sentence
    }

    /// The stable word for the situation.
    pub fn code(&self) -> &'static str {
        match self.0.situation {
            Situation::InvalidArgument => "invalid_argument",
            Situation::NotFound => "not_found",
            Situation::Forbidden => "forbidden",
            Situation::InsufficientScope { .. } => "insufficient_scope",
            Situation::Unavailable { .. } => "unavailable",
            Situation::Internal => "internal",
            Situation::Other { code } => code,
        }
    }

    pub(super) fn into_sentence(self) -> Cow<'static, str> {
        self.0.sentence
    }
}

/// As a tool result holds it: sentence, code, details.
impl Serialize for Failure {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("error", &self.0.sentence)?;
        members.serialize_entry("code", self.code())?;
        for (member, value) in &self.0.details {
            members.serialize_entry(member, value)?;
        }
        members.end()
    }
}
