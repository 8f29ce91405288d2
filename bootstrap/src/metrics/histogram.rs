use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::figures::{Value, number};

/// The greatest durations of the buckets, in nanoseconds: of a call that is answered from memory, through
/// what a disk and a network take, to the time limits of the storage.
const BOUNDS: [u64; 19] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Counts durations. That of the library locks a mutex for each; this one adds to two numbers.
#[derive(Default)]
pub(super) struct Histogram {
    /// The last one is for what exceeds all bounds.
    counts: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// What a histogram has counted, in seconds.
pub(crate) struct Distribution {
    pub(super) sum: f64,
    pub(super) count: u64,
    /// Each with its greatest value, and how many are in it and in none before.
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Histogram {
    pub(super) fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < nanoseconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What was counted until now. The count is that of the buckets; the sum may lack, or have, what is being
    /// recorded.
    pub(super) fn distribution(&self) -> Distribution {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        let bounds = BOUNDS.map(seconds).into_iter().chain([f64::INFINITY]);
        Distribution {
            sum: seconds(self.nanoseconds.load(Ordering::Relaxed)),
            count: counts.iter().sum(),
            buckets: bounds.zip(counts).collect(),
        }
    }
}

impl Value for Distribution {
    const TYPE: MetricType = MetricType::Histogram;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let Self { sum, count, buckets } = self;
        encoder.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)
    }
}

/// Divided, so that the bounds are the nearest floats to their decimals.
fn seconds(nanoseconds: u64) -> f64 {
    number(nanoseconds) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_that_it_does_not_exceed() {
        let histogram = Histogram::default();
        for nanoseconds in [0, 10_000, 10_001, 10_000_000_000, 10_000_000_001] {
            histogram.record(Duration::from_nanos(nanoseconds));
        }
        let Distribution { sum, count, buckets } = histogram.distribution();
        let filled: Vec<_> = buckets.iter().filter(|(_, count)| *count > 0).copied().collect();
        assert_eq!(filled, [(0.000_01, 2), (0.000_025, 1), (10.0, 1), (f64::INFINITY, 1)]);
        assert_eq!(count, 5);
        assert!((sum - 20.000_020_002).abs() < 1e-9, "{sum}");
        let bounds: Vec<String> = buckets.iter().map(|(bound, _)| bound.to_string()).collect();
        assert_eq!(bounds[..4], ["0.00001", "0.000025", "0.00005", "0.0001"]);
    }
}
