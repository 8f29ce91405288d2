//! The manual page, in the language of `man`.

use clap::{Arg, Command};
use roff::{Inline, Roff, bold, italic, roman};

use crate::config::SETTINGS;
use crate::failure::EXIT_CODES;

/// The page of the program and of all its commands.
pub(super) fn page(command: Command) -> String {
    // Every command has `--help`: it is described once, with the program.
    let mut command = command.mut_subcommands(|it| it.disable_help_flag(true));
    command.build();
    let mut page = Roff::new();
    let name = command.get_name();
    let version = format!("{name} {}", command.get_version().unwrap_or_default());
    // The date is empty: the same sources give the same page.
    page.control("TH", [name, "1", "\"\"", &version, "User Commands"]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{name} - {}", about(&command)))]);
    page.control("SH", ["SYNOPSIS"]);
    page.text([bold(usage(&command))]);
    page.control("SH", ["DESCRIPTION"]);
    paragraphs(&mut page, &description(&command));
    page.control("SH", ["OPTIONS"]);
    arguments(&mut page, &command);
    page.control("SH", ["COMMANDS"]);
    for command in command.get_subcommands().filter(|it| it.get_name() != "help") {
        page.control("SS", [usage(command).as_str()]);
        paragraphs(&mut page, &description(command));
        arguments(&mut page, command);
    }
    settings(&mut page);
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        entry(&mut page, [bold(code.to_string())], meaning);
    }
    page.render()
}

fn about(command: &Command) -> String {
    let text = command.get_about().map(ToString::to_string).unwrap_or_default();
    text.trim_end_matches('.').to_owned()
}

fn description(command: &Command) -> String {
    let text = command.get_long_about().or_else(|| command.get_about());
    text.map(ToString::to_string).unwrap_or_default()
}

/// The command as it is typed: `todo-mcp export [OPTIONS] [FILE]`.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").trim_end().to_owned()
}

fn arguments(page: &mut Roff, command: &Command) {
    for argument in command.get_arguments().filter(|it| !it.is_hide_set()) {
        let help = argument.get_long_help().or_else(|| argument.get_help());
        let mut help = help.map(ToString::to_string).unwrap_or_default();
        let values = argument.get_possible_values();
        if argument.get_action().takes_values() && !values.is_empty() {
            let names: Vec<_> =
                values.iter().map(|value| format!("`{}`", value.get_name())).collect();
            help = format!("{help}: {}", names.join(", "));
        }
        let defaults = argument.get_default_values();
        if argument.get_action().takes_values() && !defaults.is_empty() {
            let defaults: Vec<_> = defaults.iter().map(|it| it.to_string_lossy()).collect();
            help = format!("{help} [default: `{}`]", defaults.join(" "));
        }
        entry(page, spelling(argument), &help);
    }
}

/// `-V, --version`, `--token TOKEN` or `FILE`.
fn spelling(argument: &Arg) -> Vec<Inline> {
    let mut options = Vec::new();
    options.extend(argument.get_short().map(|short| format!("-{short}")));
    options.extend(argument.get_long().map(|long| format!("--{long}")));
    let mut spelling = vec![bold(options.join(", "))];
    if argument.get_action().takes_values() {
        if !options.is_empty() {
            spelling.push(roman(" "));
        }
        let names = argument.get_value_names().unwrap_or_default();
        spelling.push(italic(names.join(" ")));
    }
    spelling
}

fn settings(page: &mut Roff) {
    page.control("SH", ["ENVIRONMENT"]);
    paragraphs(
        page,
        "Settings come from the environment, and from a `.env` file in the current directory for what \
         the environment does not set. An empty value counts as unset.",
    );
    for setting in SETTINGS {
        let mut names = vec![bold(setting.name)];
        if !setting.aliases.is_empty() {
            names.push(roman(format!(" (also {})", setting.aliases.join(", "))));
        }
        let meaning = match setting.default.text() {
            "" => setting.meaning.to_owned(),
            default => format!("{} [default: {default}]", setting.meaning),
        };
        entry(page, names, &meaning);
    }
}

/// A term, and indented below it what it means.
fn entry(page: &mut Roff, term: impl Into<Vec<Inline>>, meaning: &str) {
    page.control("TP", []).text(term).text(inlines(meaning));
}

fn paragraphs(page: &mut Roff, text: &str) {
    for (position, paragraph) in text.split("\n\n").enumerate() {
        if position > 0 {
            page.control("PP", []);
        }
        page.text(inlines(paragraph));
    }
}

/// What is in backticks in a text is bold in the page.
fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { roman(part) } else { bold(part) }).collect()
}
