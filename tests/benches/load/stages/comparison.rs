//! All contenders at the same work, one after the other, round after round.

use super::Bench;
use crate::contender::Kind;
use crate::failure::Result;
use crate::messages::Era;
use crate::options::Part;
use crate::results::{Comparison, Row, Sample};
use crate::work::{BYTES, Measurement, Task};

const CONNECTIONS: usize = 32;
/// Writes that wait for the disk gain from company.
const MORE_CONNECTIONS: usize = 64;

impl Bench {
    pub(super) async fn compare_all(&mut self) -> Result<()> {
        let both: &[Era] = &[Era::Legacy, Era::Modern];
        let modern: &[Era] = &[Era::Modern];
        for (part, task, connections, title, eras) in [
            (Part::Get, Task::Get, CONNECTIONS, "get_todo", both),
            (Part::List, Task::List, CONNECTIONS, "list_todos, 50 todos", both),
            (Part::Create, Task::Create, CONNECTIONS, "create_todo", modern),
            (Part::Create, Task::Create, MORE_CONNECTIONS, "create_todo", modern),
            (Part::Update, Task::Update, CONNECTIONS, "update_todo", modern),
        ] {
            if self.options.includes(part) {
                let comparison = self.compare(task, connections, title, eras).await?;
                self.results.comparisons.push(comparison);
            }
        }
        Ok(())
    }

    async fn compare(
        &mut self,
        task: Task,
        connections: usize,
        title: &'static str,
        eras: &[Era],
    ) -> Result<Comparison> {
        println!("\n{title}, {connections} connections");
        let echo_bodies = task.echo_bodies(&self.grounds, BYTES).await?;
        let mut all = vec![(Kind::Echo, Era::Modern)];
        for kind in Kind::MCP.into_iter().filter(|kind| self.grounds.lack(*kind).is_none()) {
            all.extend(eras.iter().map(|era| (kind, *era)));
        }
        let row = |(kind, era): &(Kind, Era)| Row {
            name: kind.name(),
            revision: (*kind != Kind::Echo).then(|| era.revision()),
            rounds: Vec::new(),
        };
        let mut rows: Vec<Row> = all.iter().map(row).collect();
        for _ in 0..self.options.rounds {
            // The echo is the first.
            let mut of_echo = None;
            for ((kind, era), row) in all.iter().zip(&mut rows) {
                let (kind, era) = (*kind, *era);
                let echo_bodies = echo_bodies.as_slice();
                let measurement =
                    Measurement { kind, era, task, connections, bytes: BYTES, echo_bodies };
                let sample = measurement.make(&self.grounds, &self.options).await?;
                let echo = *of_echo.get_or_insert(sample.requests_per_second);
                let of_echo = sample.requests_per_second / echo;
                let sample = Sample { of_echo: Some(of_echo), ..sample };
                say(row, &sample);
                row.rounds.push(sample);
            }
        }
        let writes = matches!(task, Task::Create | Task::Update);
        Ok(Comparison { title, connections, writes, rows })
    }
}

fn say(row: &Row, sample: &Sample) {
    println!(
        "{:<32} {:<10} {:>10.0} requests/s {:>6.3} of echo, p50 {:>8.0} us, p99 {:>8.0} us, \
         core {:>3.0} % busy",
        row.name,
        row.revision.unwrap_or_default(),
        sample.requests_per_second,
        sample.of_echo.unwrap_or(f64::NAN),
        sample.p50_us,
        sample.p99_us,
        sample.server_busy.unwrap_or(f64::NAN) * 100.0
    );
}
