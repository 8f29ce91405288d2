//! The figures as Markdown.

use std::fmt::Write as _;

use crate::failure::Result;
use crate::results::{Comparison, Curve, Results};

pub(super) fn markdown(results: &Results) -> Result<String> {
    let mut text = String::new();
    let machine = &results.machine;
    writeln!(
        text,
        "Measured on {} at commit {}: {}, {} cores, {} GiB, {}, {}. Each figure is the median of {} \
         rounds of {} s.\n",
        &machine.date[..10],
        machine.commit,
        machine.processor,
        machine.cores,
        machine.memory_gib,
        machine.system,
        machine.rustc,
        results.rounds,
        results.seconds,
    )?;
    for note in &results.notes {
        writeln!(text, "* {note}")?;
    }
    for comparison in &results.comparisons {
        compare(&mut text, comparison)?;
    }
    for curve in &results.curves {
        grow(&mut text, curve)?;
    }
    if !results.figures.is_empty() {
        writeln!(text, "\n| | median | |\n|---|--:|---|")?;
    }
    for figure in &results.figures {
        writeln!(text, "| {} | {} | {} |", figure.what, number(figure.value), figure.unit)?;
    }
    Ok(text)
}

fn compare(text: &mut String, comparison: &Comparison) -> Result<()> {
    writeln!(text, "\n### {}, {} connections\n", comparison.title, comparison.connections)?;
    writeln!(
        text,
        "| server | MCP | requests/s | of the echo (lowest to highest) | p50 | p99 | core busy | memory |"
    )?;
    writeln!(text, "|---|---|--:|--:|--:|--:|--:|--:|")?;
    for row in &comparison.rows {
        let median = row.median();
        let (low, high) = row.spread();
        writeln!(
            text,
            "| {} | {} | {} | {:.3} ({low:.3} to {high:.3}) | {} | {} | {} | {} |",
            row.name,
            row.revision.unwrap_or_default(),
            number(median.requests_per_second),
            median.of_echo.unwrap_or(f64::NAN),
            milliseconds(median.p50_us),
            milliseconds(median.p99_us),
            median.server_busy.map_or("?".to_owned(), |busy| format!("{:.0} %", busy * 100.0)),
            median.resident_kib.map_or("?".to_owned(), |kib| format!("{} MiB", kib / 1024)),
        )?;
    }
    Ok(())
}

fn grow(text: &mut String, curve: &Curve) -> Result<()> {
    writeln!(text, "\n### {}, by {}\n", curve.title, curve.axis)?;
    let values: Vec<String> = curve.values.iter().map(|value| grouped(*value)).collect();
    writeln!(text, "| requests/s (p99) | {} |", values.join(" | "))?;
    writeln!(text, "|---|{}", "--:|".repeat(values.len()))?;
    for line in &curve.lines {
        write!(text, "| {} |", line.name)?;
        for sample in &line.samples {
            let rate = number(sample.requests_per_second);
            write!(text, " {rate} ({}) |", milliseconds(sample.p99_us))?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn milliseconds(microseconds: f64) -> String {
    format!("{:.2} ms", microseconds / 1_000.0)
}

/// Three digits, and no more than there are before the point: `12,300`, `4.56`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive figure")]
pub(super) fn number(value: f64) -> String {
    match value {
        value if value >= 1_000.0 => {
            let unit = 10_f64.powi(value.log10() as i32 - 2);
            grouped(((value / unit).round() * unit) as u64)
        }
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// `1,000,000`
pub(super) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
