//! The use cases of an operator: moving all todos out of a store and into another.
//!
//! The rules are here: what counts as complete, what is counted as what, and that an interrupted
//! import can be repeated. The formats are adapters: a [`TodoSink`](crate::ports::TodoSink) and a
//! [`TodoSource`](crate::ports::TodoSource).

mod export;
mod import;

pub use export::{ExportError, export};
pub use import::{ChangeTally, ImportError, Tally, import};
