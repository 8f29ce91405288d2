use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// The labels of a series.
pub(crate) type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// Series of one name that are read when they are asked for.
pub(super) struct Figures<T> {
    read: Box<dyn Fn() -> Vec<(Labels, T)> + Send + Sync>,
}

impl<T> Figures<T> {
    pub(super) fn new(read: impl Fn() -> Vec<(Labels, T)> + Send + Sync + 'static) -> Self {
        Self { read: Box::new(read) }
    }
}

impl<T> Debug for Figures<T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Figures").finish_non_exhaustive()
    }
}

impl<T: Value> EncodeMetric for Figures<T> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (labels, value) in (self.read)() {
            value.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        T::TYPE
    }
}

/// The value of a series.
pub(crate) trait Value: 'static {
    const TYPE: MetricType;

    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result;
}

impl Value for u64 {
    const TYPE: MetricType = MetricType::Counter;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_counter::<NoLabelSet, _, f64>(self, None)
    }
}

/// Seconds that add up.
pub(super) struct Seconds(pub(super) f64);

impl Value for Seconds {
    const TYPE: MetricType = MetricType::Counter;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_counter::<NoLabelSet, _, f64>(&self.0, None)
    }
}

impl Value for f64 {
    const TYPE: MetricType = MetricType::Gauge;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(self)
    }
}

/// A number as the value of a gauge.
pub(super) fn number(number: impl TryInto<u64>) -> f64 {
    let number = number.try_into().unwrap_or(u64::MAX);
    #[expect(clippy::cast_precision_loss, reason = "exact up to 9e15")]
    let number = number as f64;
    number
}

/// A series, if it has a value.
pub(super) fn optional<T>(value: Option<T>) -> Vec<(Labels, T)> {
    value.map(|value| (Labels::new(), value)).into_iter().collect()
}
