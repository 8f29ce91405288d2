//! The supported revisions, and the two sets of rules they follow.

use axum::http::StatusCode;

/// The supported revisions, the newest first: what `server/discover` lists.
pub(crate) const SUPPORTED: [&str; 4] = [MODERN, LEGACY[0], LEGACY[1], LEGACY[2]];

/// The revision in which every request is self-contained.
pub(super) const MODERN: &str = "2026-07-28";

/// The revisions that begin with `initialize`, the newest first.
pub(crate) const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

pub(super) const WITH_BATCHES: &str = LEGACY[2];

/// The set of rules that applies to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2025-03-26, 2025-06-18 and 2025-11-25.
    Legacy,
    /// 2026-07-28.
    Modern,
}

impl Era {
    /// The HTTP status of an unknown method.
    pub(crate) fn method_not_found_status(self) -> StatusCode {
        match self {
            Self::Legacy => StatusCode::OK,
            Self::Modern => StatusCode::NOT_FOUND,
        }
    }
}
