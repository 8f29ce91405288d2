//! The figures, as they are written to a file.

use std::cmp::Ordering;

use serde::Serialize;

use crate::machine::Machine;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) seconds: f64,
    pub(crate) rounds: u32,
    /// What could not be measured, and other things worth knowing.
    pub(crate) notes: Vec<String>,
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) curves: Vec<Curve>,
    pub(crate) figures: Vec<Figure>,
}

/// One kind of request, at all contenders.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) title: &'static str,
    pub(crate) connections: usize,
    pub(crate) writes: bool,
    pub(crate) rows: Vec<Row>,
}

/// One contender.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// The revision of the protocol; none of an echo.
    pub(crate) revision: Option<&'static str>,
    pub(crate) rounds: Vec<Sample>,
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sample {
    pub(crate) requests_per_second: f64,
    /// The same as part of what the echo made in the same round.
    pub(crate) of_echo: Option<f64>,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Which part of the time the server kept its core busy, warm-up included: far from 1, it is not
    /// the server that was measured, but what it waited for.
    pub(crate) server_busy: Option<f64>,
    /// How many requests the server did not take on, having too much to do.
    pub(crate) shed: u64,
    /// After it; `None` where the system does not tell.
    pub(crate) resident_kib: Option<u64>,
}

/// How something grows.
#[derive(Debug, Serialize)]
pub(crate) struct Curve {
    /// A name for a file.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What is varied.
    pub(crate) axis: &'static str,
    pub(crate) values: Vec<u64>,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// A sample for each value, the median of its rounds.
    pub(crate) samples: Vec<Sample>,
}

/// A single figure.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) what: String,
    /// The median.
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// Of which measurements.
    pub(crate) of: Vec<f64>,
}

impl Sample {
    /// The median of each field on its own.
    pub(crate) fn median(samples: &[Self]) -> Self {
        let of = |field: fn(&Self) -> f64| median(samples.iter().map(field).collect());
        let known = |field: fn(&Self) -> Option<f64>| {
            let known: Vec<f64> = samples.iter().filter_map(field).collect();
            (!known.is_empty()).then(|| median(known))
        };
        let mut resident: Vec<u64> = samples.iter().filter_map(|it| it.resident_kib).collect();
        resident.sort_unstable();
        let mut shed: Vec<u64> = samples.iter().map(|it| it.shed).collect();
        shed.sort_unstable();
        Self {
            shed: shed.get(shed.len() / 2).copied().unwrap_or_default(),
            requests_per_second: of(|it| it.requests_per_second),
            of_echo: known(|it| it.of_echo),
            p50_us: of(|it| it.p50_us),
            p99_us: of(|it| it.p99_us),
            server_busy: known(|it| it.server_busy),
            resident_kib: resident.get(resident.len() / 2).copied(),
        }
    }
}

impl Row {
    pub(crate) fn median(&self) -> Sample {
        Sample::median(&self.rounds)
    }

    /// The lowest and the highest ratio to the echo.
    pub(crate) fn spread(&self) -> (f64, f64) {
        let ratios = self.rounds.iter().filter_map(|sample| sample.of_echo);
        ratios.fold((f64::INFINITY, 0.0), |(low, high), it| (it.min(low), it.max(high)))
    }
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, of: Vec<f64>) -> Self {
        Self { what: what.into(), value: median(of.clone()), unit, of }
    }
}

/// Of an even number, the mean of the two in the middle.
pub(crate) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    match of.len() {
        0 => f64::NAN,
        count if count.is_multiple_of(2) => of[count / 2 - 1].midpoint(of[count / 2]),
        count => of[count / 2],
    }
}
