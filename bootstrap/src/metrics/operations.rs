//! What callers ask for, and how that ends.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protected_mcp::{AnsweredRequest, Observer, Operation, Outcome};

use super::figures::Labels;
use super::histogram::{Distribution, Histogram};
use super::registry::Metrics;
use super::table::{Key, Table};

/// The names and labels are those of OpenTelemetry's conventions for MCP, as Prometheus writes them.
#[derive(Default)]
pub(super) struct Operations {
    /// By method, and tool or prompt.
    durations: Table<(&'static str, Option<&'static str>), Box<Durations>, 128>,
    /// By the revision of MCP. Apart, as it would multiply the series of the durations.
    by_revision: Table<Option<&'static str>, AtomicU64, 16>,
    /// By the stable word for what went wrong.
    errors: Table<&'static str, AtomicU64, 64>,
    /// By status and stable word.
    requests: Table<(u16, Option<&'static str>), AtomicU64, 64>,
}

#[derive(Default)]
struct Durations {
    completed: Histogram,
    /// By class of error.
    failed: Table<Outcome, Histogram, 12>,
    /// Beyond what the table has room for.
    other: Histogram,
}

impl Observer for Operations {
    fn wants_details(&self) -> bool {
        false
    }

    fn operation(&self, operation: &Operation<'_>) {
        let Operation { method, name, revision, outcome, elapsed, .. } = *operation;
        if let Some(durations) = self.durations.at((method, name)) {
            durations.of(outcome).record(elapsed);
        }
        count(self.by_revision.at(revision));
        if let Some(code) = outcome.code() {
            count(self.errors.at(code));
        }
    }

    fn request(&self, request: &AnsweredRequest<'_>) {
        count(self.requests.at((request.status, request.code)));
    }
}

impl Durations {
    fn of(&self, outcome: Outcome) -> &Histogram {
        let class = match outcome {
            Outcome::Completed => return &self.completed,
            Outcome::Failed { .. } => Outcome::Failed { code: "" },
            Outcome::Rejected { number, .. } => Outcome::Rejected { number, code: None },
            Outcome::Abandoned => Outcome::Abandoned,
        };
        self.failed.at(class).unwrap_or(&self.other)
    }

    fn distributions(&self) -> impl Iterator<Item = (Option<Cow<'static, str>>, Distribution)> {
        let failed = self.failed.entries().map(|(class, it)| (class.error_type(), it));
        [(None, &self.completed)]
            .into_iter()
            .chain(failed)
            .chain([(Some("_OTHER".into()), &self.other)])
            .map(|(error, histogram)| (error, histogram.distribution()))
            .filter(|(_, distribution)| distribution.count > 0)
    }
}

impl Operations {
    fn distributions(&self) -> Vec<(Labels, Distribution)> {
        let mut all = Vec::new();
        for ((method, name), durations) in self.durations.entries() {
            for (error, distribution) in durations.distributions() {
                let mut labels: Labels = vec![("mcp_method_name", method.into())];
                let kind =
                    if method == "tools/call" { "gen_ai_tool_name" } else { "gen_ai_prompt_name" };
                labels.extend(name.map(|name| (kind, name.into())));
                labels.extend(error.map(|error| ("error_type", error)));
                all.push((labels, distribution));
            }
        }
        all
    }
}

fn count(number: Option<&AtomicU64>) {
    if let Some(number) = number {
        number.fetch_add(1, Ordering::Relaxed);
    }
}

/// The series of a table.
fn counts<K: Key, const N: usize>(
    table: &Table<K, AtomicU64, N>,
    labels: impl Fn(K) -> Labels,
) -> Vec<(Labels, u64)> {
    let entries = table.entries();
    entries.map(|(key, count)| (labels(key), count.load(Ordering::Relaxed))).collect()
}

impl Metrics {
    /// What observes the operations of a server.
    pub(crate) fn observer(&mut self) -> Arc<dyn Observer> {
        let operations = Arc::new(Operations::default());
        let of = || Arc::clone(&operations);
        let it = of();
        self.figures(
            "mcp_server_operation_duration_seconds",
            "Time from reading an operation to its answer, by method, tool or prompt, and error",
            move || it.distributions(),
        );
        let it = of();
        self.figures(
            "todo_mcp_operations",
            "Operations by the revision of MCP that the client states in its header",
            move || {
                let revision = |it: Option<&'static str>| it.unwrap_or("none").into();
                counts(&it.by_revision, |it| vec![("mcp_protocol_version", revision(it))])
            },
        );
        let it = of();
        self.figures(
            "todo_mcp_operation_errors",
            "Operations that failed or were refused, by the code of the answer",
            move || counts(&it.errors, |code| vec![("code", code.into())]),
        );
        let it = of();
        self.figures(
            "todo_mcp_requests",
            "Answered HTTP requests to the endpoint, by status and reason",
            move || {
                counts(&it.requests, |(status, reason)| {
                    let mut labels: Labels = vec![("status", status.to_string().into())];
                    labels.extend(reason.map(|reason| ("reason", reason.into())));
                    labels
                })
            },
        );
        operations
    }
}
