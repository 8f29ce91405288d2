//! How cost grows with the size of a todo, which is that of its description.

use super::Bench;
use crate::contender::{Kind, Storage};
use crate::failure::Result;
use crate::messages::Era;
use crate::results::{Curve, Line, Sample};
use crate::work::{Measurement, Task};

const CONNECTIONS: usize = 32;
/// The last one is the longest description there is.
const BYTES: [usize; 5] = [50, 256, 1024, 4096, 16 * 1024];

impl Bench {
    pub(super) async fn payload(&mut self) -> Result<()> {
        println!("\ngrowth with the length of descriptions");
        let points = BYTES.map(|bytes| (bytes as u64, CONNECTIONS, bytes));
        let kinds = [Kind::Echo, Kind::Ours(Storage::Sqlite)];
        for task in [Task::Get, Task::Create] {
            self.curve("payload", "bytes of description", task, &kinds, &points).await?;
        }
        Ok(())
    }

    /// A curve for one kind of request. A point is a value of what is varied, a number of connections
    /// and a length of descriptions.
    pub(super) async fn curve(
        &mut self,
        name: &str,
        axis: &'static str,
        task: Task,
        kinds: &[Kind],
        points: &[(u64, usize, usize)],
    ) -> Result<()> {
        let mut lines: Vec<Line> =
            kinds.iter().map(|kind| Line { name: kind.name(), samples: Vec::new() }).collect();
        for (value, connections, bytes) in points.iter().copied() {
            let echo_bodies = task.echo_bodies(&self.grounds, bytes).await?;
            for (kind, line) in kinds.iter().zip(&mut lines) {
                let (kind, era, echo_bodies) = (*kind, Era::Modern, echo_bodies.as_slice());
                let measurement = Measurement { kind, era, task, connections, bytes, echo_bodies };
                line.push(value, axis, measurement.make(&self.grounds, &self.options).await?);
            }
        }
        let values = points.iter().map(|(value, ..)| *value).collect();
        let (name, title) = (format!("{name}-{}", task.tool()), task.tool().to_owned());
        self.results.curves.push(Curve { name, title, axis, values, lines });
        Ok(())
    }
}

impl Line {
    pub(super) fn push(&mut self, value: u64, axis: &str, sample: Sample) {
        println!(
            "{:<32} {value:>8} {axis:<22} {:>10.0} requests/s, p50 {:>8.0} us, p99 {:>8.0} us, \
             {} told to come back",
            self.name, sample.requests_per_second, sample.p50_us, sample.p99_us, sample.shed
        );
        self.samples.push(sample);
    }
}
