//! The results as files.

mod chart;
mod svg;
mod table;

use std::fs;
use std::path::Path;

use crate::failure::{During as _, Result};
use crate::results::Results;

/// Writes `results.json`, `results.md` and a chart for each comparison and each curve.
pub(crate) fn write(results: &Results, directory: &Path) -> Result<()> {
    let mut files = vec![
        ("results.json".to_owned(), serde_json::to_string_pretty(results)? + "\n"),
        ("results.md".to_owned(), table::markdown(results)?),
    ];
    let (reads, writes): (Vec<_>, Vec<_>) =
        results.comparisons.iter().partition(|comparison| !comparison.writes);
    for (name, comparisons) in [("reads.svg", reads), ("writes.svg", writes)] {
        if !comparisons.is_empty() {
            files.push((name.to_owned(), chart::comparisons(&comparisons)));
        }
    }
    for curve in &results.curves {
        files.push((format!("{}.svg", curve.name), chart::curve(curve)));
    }
    fs::create_dir_all(directory)?;
    for (name, text) in files {
        let file = directory.join(name);
        fs::write(&file, text).during(|| file.display().to_string())?;
    }
    println!("\nwritten to {}", directory.display());
    Ok(())
}
