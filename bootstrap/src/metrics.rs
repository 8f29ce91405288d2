//! What monitoring reads, in the text format of Prometheus.
//!
//! Each figure is read when it is asked for, from what the parts of the server count anyway. Only the
//! durations of operations and of storage are recorded, and only if `TODO_ADMIN_ADDRESS` is set.
//!
//! No caller can add a series: all values of labels are words of this program, and a table has a fixed size
//! whatever becomes its key.

mod admin;
mod figures;
mod histogram;
mod operations;
mod process;
mod registry;
mod sources;
mod storage;
mod table;

pub(crate) use admin::Admin;
pub(crate) use registry::Metrics;
pub(crate) use sources::Sources;
