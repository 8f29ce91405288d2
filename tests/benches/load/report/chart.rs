//! What the charts show.

use super::svg::{Anchor, COLOURS, Svg};
use super::table::{grouped, number};
use crate::results::{Comparison, Curve, Line, Sample};

const WIDTH: f64 = 800.0;
/// For names, beside the bars.
const NAMES: f64 = 290.0;
/// For figures, behind the longest bar.
const FIGURES: f64 = 190.0;
const BAR: f64 = 16.0;
const ROW: f64 = 24.0;
const HEADING: f64 = 34.0;

/// Bars for each contender, of these kinds of requests.
pub(super) fn comparisons(shown: &[&Comparison]) -> String {
    let rows: usize = shown.iter().map(|comparison| comparison.rows.len()).sum();
    let height = count(rows) * ROW + count(shown.len()) * (HEADING + 8.0) + 8.0;
    let mut svg = Svg::new(WIDTH, height);
    let mut y = 0.0;
    for comparison in shown {
        let heading = format!(
            "{}, {} connections: requests/s on one core",
            comparison.title, comparison.connections
        );
        svg.text((8.0, y + 22.0), Anchor::Start, "title", &heading);
        y += HEADING;
        let rate = |sample: Sample| sample.requests_per_second;
        let most = comparison.rows.iter().map(|row| rate(row.median())).fold(1.0, f64::max);
        for row in &comparison.rows {
            let median = row.median();
            let revision = row.revision.map(|it| format!(", MCP {}", &it[..4])).unwrap_or_default();
            let name = format!("{}{revision}", row.name);
            let width = (WIDTH - NAMES - FIGURES) * median.requests_per_second / most;
            let colour = COLOURS[colour(&row.name)];
            svg.text((NAMES - 10.0, y + 13.0), Anchor::End, "", &name);
            svg.bar((NAMES, y), (width.max(1.0), BAR), colour);
            let ratio = match median.of_echo {
                Some(of_echo) if row.revision.is_some() => {
                    format!("  ({} of the echo)", ratio(of_echo))
                }
                _ => String::new(),
            };
            let figure = format!("{}{ratio}", number(median.requests_per_second));
            svg.text((NAMES + width + 8.0, y + 13.0), Anchor::Start, "", &figure);
            y += ROW;
        }
        y += 8.0;
    }
    svg.finish("Requests per second of each server")
}

fn colour(name: &str) -> usize {
    match name {
        name if name.starts_with("todo-mcp") => 0,
        name if name.starts_with("rmcp") => 1,
        name if name.starts_with("echo") => 5,
        _ => 3,
    }
}

/// Two digits that mean something: `0.52`, `0.0031`.
fn ratio(value: f64) -> String {
    if value >= 0.1 {
        format!("{value:.2}")
    } else {
        format!("{value:.2}").replace("0.00", "< 0.01")
    }
}

const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const PLOT: f64 = 220.0;

/// How the rate grows or shrinks: both axes are logarithmic, as both grow by factors.
pub(super) fn curve(curve: &Curve) -> String {
    let legend = count(curve.lines.len()) * 20.0;
    let mut svg = Svg::new(WIDTH, TOP + PLOT + 58.0 + legend);
    let title = format!("{}: requests/s on one core", curve.title);
    svg.text((8.0, 24.0), Anchor::Start, "title", &title);
    let rates =
        || curve.lines.iter().flat_map(|line| &line.samples).map(|it| it.requests_per_second);
    let (low, high) = decades(rates().fold(f64::INFINITY, f64::min), rates().fold(1.0, f64::max));
    let vertical = |rate: f64| TOP + PLOT * (1.0 - (rate.log10() - low) / (high - low));
    let mut decade = low;
    while decade <= high {
        let rate = 10_f64.powf(decade);
        let y = vertical(rate);
        svg.grid((LEFT, y), (WIDTH - RIGHT, y));
        svg.text((LEFT - 8.0, y + 4.0), Anchor::End, "faint", &number(rate));
        decade += 1.0;
    }
    let exponents: Vec<f64> = curve.values.iter().map(|value| float(*value).log10()).collect();
    let first = exponents.first().copied().unwrap_or_default();
    let last = exponents.last().copied().unwrap_or_default().max(first + 1.0);
    // Room for the words under the first and the last point.
    let horizontal = |exponent: f64| {
        LEFT + 40.0 + (WIDTH - LEFT - RIGHT - 80.0) * (exponent - first) / (last - first)
    };
    for (value, exponent) in curve.values.iter().zip(&exponents) {
        let x = horizontal(*exponent);
        svg.grid((x, TOP), (x, TOP + PLOT));
        svg.text((x, TOP + PLOT + 18.0), Anchor::Middle, "faint", &grouped(*value));
    }
    let axis = (LEFT + (WIDTH - LEFT - RIGHT) / 2.0, TOP + PLOT + 38.0);
    svg.text(axis, Anchor::Middle, "faint", curve.axis);
    for (place, line) in curve.lines.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let points = line.samples.iter().zip(&exponents);
        let points: Vec<(f64, f64)> = points
            .map(|(sample, exponent)| (horizontal(*exponent), vertical(sample.requests_per_second)))
            .collect();
        svg.path(&points, colour);
        let y = TOP + PLOT + 58.0 + count(place) * 20.0;
        svg.bar((LEFT, y), (14.0, 4.0), colour);
        svg.text((LEFT + 22.0, y + 7.0), Anchor::Start, "", &legend_of(line));
    }
    svg.finish(&format!("{} by {}", curve.title, curve.axis))
}

/// The name, with what it begins and ends with.
fn legend_of(line: &Line) -> String {
    let rate =
        |sample: Option<&Sample>| number(sample.map_or(f64::NAN, |it| it.requests_per_second));
    format!("{}: {} to {}", line.name, rate(line.samples.first()), rate(line.samples.last()))
}

/// The powers of ten around, as exponents.
fn decades(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    (low, high.max(low + 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn count(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "a place on an axis")]
fn float(number: u64) -> f64 {
    number as f64
}
