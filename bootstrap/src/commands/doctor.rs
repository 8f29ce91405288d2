//! `todo-mcp doctor`: runs the checks and prints the report.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::command_line::DoctorArguments;
use crate::console;
use crate::doctor::{Report, examine, examine_for_listing};
use crate::failure::Failure;
use crate::settings::Settings;

/// The most that is read from standard input, in bytes: more than any token has.
const MAX_INPUT_BYTES: u64 = 64 * 1024;

/// The exit code is 1 if a check failed. Settings that cannot be read are a finding, too.
pub(super) async fn run(arguments: DoctorArguments) -> Result<ExitCode, Failure> {
    let token = match arguments.token.as_deref() {
        Some("-") => Some(standard_input().map_err(Failure::Other)?),
        other => other.map(str::to_owned),
    };
    let mut in_colour = std::io::stdout().is_terminal();
    let report = match Settings::from_environment() {
        Ok(settings) => {
            // https://no-color.org
            in_colour &= settings.get("NO_COLOR").is_none();
            if arguments.listing {
                examine_for_listing(&settings, token.as_deref()).await
            } else {
                examine(&settings, token.as_deref()).await
            }
        }
        Err(problems) => Report::of_problems(&problems),
    };
    console::print_styled(&report.print(in_colour))?;
    Ok(if report.has_failures() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(MAX_INPUT_BYTES);
    input.read_to_string(&mut text).context("the token cannot be read from standard input")?;
    Ok(text)
}
