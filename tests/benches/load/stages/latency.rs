//! How long requests take while the server is half as busy as it can be.

use super::Bench;
use crate::contender::{Kind, Storage};
use crate::failure::Result;
use crate::load::{Load, Pace};
use crate::messages::Era;
use crate::work::{BYTES, Measurement, Task};

const CONNECTIONS: usize = 32;

impl Bench {
    pub(super) async fn latency(&mut self) -> Result<()> {
        println!("\nlatency at half of the peak load");
        for task in [Task::Get, Task::List, Task::Create] {
            let (mut p50, mut p99, mut rates) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..self.options.rounds {
                let measurement = Measurement {
                    kind: Kind::Ours(Storage::Sqlite),
                    era: Era::Modern,
                    task,
                    connections: CONNECTIONS,
                    bytes: BYTES,
                    echo_bodies: &[],
                };
                let contender = self.grounds.start(measurement.kind).await?;
                let load = Load {
                    address: contender.address,
                    requests: measurement.requests(&contender).await?,
                    tokens: contender.tokens.clone(),
                    connections: CONNECTIONS,
                    pace: Pace::Closed,
                    span: self.options.span(),
                };
                let rate = load.clone().run().await?.per_second() / 2.0;
                let half = Load { pace: Pace::PerSecond(rate), ..load }.run().await?;
                rates.push(rate);
                p50.push(half.quantile(0.5) / 1_000.0);
                p99.push(half.quantile(0.99) / 1_000.0);
            }
            let tool = task.tool();
            self.figure(format!("{tool}, SQLite: half of the peak load"), "requests/s", rates);
            self.figure(format!("{tool}, SQLite: p50 at half of the peak load"), "ms", p50);
            self.figure(format!("{tool}, SQLite: p99 at half of the peak load"), "ms", p99);
        }
        Ok(())
    }
}
