//! The servers that ours is measured against: the same five tools, written as others write them.
//!
//! Both benchmarks that know them take this module by its path.

pub(crate) mod quickstart;
pub(crate) mod rmcp;
