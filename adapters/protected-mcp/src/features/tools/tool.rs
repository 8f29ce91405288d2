use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::authorization::Call;
use super::super::failure::Failure;
use crate::oauth::Scope;

/// Something that a model can do.
///
/// Everything about a tool is in one type; the input and output schemas come from
/// [`Arguments`](Self::Arguments) and [`Output`](Self::Output). A tool without a scope does not compile,
/// and `call` runs only for callers whose token grants it:
///
/// ```
/// use protected_mcp::{Call, Failure, Hints, Tool, scopes};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// scopes!(ReadTime = "time:read");
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct NoArguments {}
///
/// #[derive(Serialize, JsonSchema)]
/// struct Time {
///     /// Seconds since 1970.
///     seconds: u64,
/// }
///
/// struct GetTime;
/// impl Tool for GetTime {
///     type Scope = ReadTime;
///     type Arguments = NoArguments;
///     type Output = Time;
///     const NAME: &'static str = "get_time";
///     const TITLE: &'static str = "Get the time";
///     const DESCRIPTION: &'static str = "Returns the current time.";
///     const HINTS: Hints = Hints::READS;
///
///     async fn call(&self, _: Call<ReadTime>, _: NoArguments) -> Result<Time, Failure> {
///         Ok(Time { seconds: 0 })
///     }
/// }
/// ```
///
/// ```compile_fail,E0046
/// # use protected_mcp::{Call, Failure, Hints, Tool, scopes};
/// # scopes!(ReadTime = "time:read");
/// struct GetTime;
/// impl Tool for GetTime {
///     // type Scope is missing
///     type Arguments = std::collections::BTreeMap<String, String>;
///     type Output = std::collections::BTreeMap<String, String>;
///     const NAME: &'static str = "get_time";
///     const TITLE: &'static str = "Get the time";
///     const DESCRIPTION: &'static str = "Returns the current time.";
///     const HINTS: Hints = Hints::READS;
///
///     async fn call(&self, _: Call<ReadTime>, _: Self::Arguments) -> Result<Self::Output, Failure> {
///         Ok(Self::Output::new())
///     }
/// }
/// ```
pub trait Tool: Send + Sync + 'static {
    /// What a token must grant. It is checked before the arguments are read.
    type Scope: Scope;
    /// An object. Use `#[serde(deny_unknown_fields)]`, so that a mistyped argument is not ignored.
    ///
    /// All arguments that cannot be read are in one answer. A type with rules of its own takes part in
    /// that if its [`Deserialize`](serde::Deserialize) checks them: the text of a
    /// [custom error](serde::de::Error::custom) is the rule that the caller gets.
    type Arguments: DeserializeOwned + JsonSchema + Send + 'static;
    /// An object: the structured content of the result and, word for word, its text. What is a part of many results
    /// may be [`PreparedJson`](crate::PreparedJson).
    type Output: Serialize + JsonSchema + Send;

    const NAME: &'static str;
    /// For people; by default the name.
    const TITLE: &'static str = Self::NAME;
    /// For the model: what the tool does and when to use it.
    const DESCRIPTION: &'static str;
    const HINTS: Hints;

    /// Does it. A call of a tool that is not [read-only](Hints::read_only) runs to its end even if the
    /// client goes away.
    fn call(
        &self,
        call: Call<Self::Scope>,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Result<Self::Output, Failure>> + Send;

    /// Scopes that a call needs beyond [`Scope`](Self::Scope), because of its arguments.
    fn further_scopes(&self, _arguments: &Self::Arguments) -> &'static [&'static str] {
        &[]
    }

    /// What a call costs beyond the unit of its request, because of its arguments, where the
    /// [rate](crate::ServerBuilder::rate_limit) of a caller is limited. It is charged once the arguments were
    /// accepted, whatever comes of the call: the caller goes into debt.
    fn further_cost(_arguments: &Self::Arguments) -> usize {
        0
    }

    /// The `_meta` of the tool's definition: an object.
    fn meta(&self) -> Option<serde_json::Value> {
        None
    }

    /// About how many bytes of JSON an output is, which saves the writer from growing its buffer.
    fn size_hint(_output: &Self::Output) -> usize {
        512
    }
}

/// What a client may assume about a tool (MCP `ToolAnnotations`). All of them are sent, because the
/// protocol's defaults describe the most dangerous tool.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all(serialize = "camelCase"))]
#[expect(clippy::struct_excessive_bools, reason = "the protocol has four hints")]
pub struct Hints {
    /// Changes nothing.
    #[serde(rename = "readOnlyHint")]
    pub read_only: bool,
    /// May replace or remove what exists.
    #[serde(rename = "destructiveHint")]
    pub destructive: bool,
    /// Repeating a call has no further effect.
    #[serde(rename = "idempotentHint")]
    pub idempotent: bool,
    /// Reaches systems beyond this server.
    #[serde(rename = "openWorldHint")]
    pub open_world: bool,
}

impl Hints {
    /// Only reads.
    pub const READS: Self =
        Self { read_only: true, destructive: false, idempotent: true, open_world: false };
    /// Adds something with each call.
    pub const ADDS: Self =
        Self { read_only: false, destructive: false, idempotent: false, open_world: false };
    /// Replaces or removes something; repeating the call has no further effect.
    pub const REPLACES: Self =
        Self { read_only: false, destructive: true, idempotent: true, open_world: false };
    /// Replaces or removes something, or adds something with each call.
    pub const CHANGES: Self = Self { idempotent: false, ..Self::REPLACES };
}
