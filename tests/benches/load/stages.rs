//! What is measured, part by part.

pub(crate) mod adapter;
mod build;
mod comparison;
mod connections;
mod footprint;
mod latency;
mod payload;
mod todos;
mod tokens;

use crate::contender::Grounds;
use crate::failure::Result;
use crate::options::{Options, Part};
use crate::results::{Figure, Results};

/// A run of the benchmark.
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) grounds: Grounds,
    pub(crate) results: Results,
}

impl Bench {
    /// Measures what was asked for.
    pub(crate) async fn run(&mut self) -> Result<()> {
        self.compare_all().await?;
        let parts = [
            Part::Latency,
            Part::Footprint,
            Part::Connections,
            Part::Payload,
            Part::Tokens,
            Part::Todos,
            Part::Pgbench,
            Part::Build,
        ];
        for part in parts {
            if !self.options.includes(part) {
                continue;
            }
            match part {
                Part::Get | Part::List | Part::Create | Part::Update => {}
                Part::Latency => self.latency().await?,
                Part::Footprint => self.footprint().await?,
                Part::Connections => self.connections().await?,
                Part::Payload => self.payload().await?,
                Part::Tokens => self.tokens().await?,
                Part::Todos => self.todos().await?,
                Part::Pgbench => self.pgbench().await?,
                Part::Build => self.build()?,
            }
        }
        Ok(())
    }

    /// Says something of which the results should tell too.
    pub(crate) fn note(&mut self, note: String) {
        println!("{note}");
        self.results.notes.push(note);
    }

    /// A single figure.
    pub(crate) fn figure(&mut self, what: impl Into<String>, unit: &'static str, of: Vec<f64>) {
        let figure = Figure::new(what, unit, of);
        println!("{:<72} {:>12.3} {unit}", figure.what, figure.value);
        self.results.figures.push(figure);
    }
}
