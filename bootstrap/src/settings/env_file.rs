//! The syntax of a `.env` file, in the style of python-dotenv. It is stricter where that guesses: a space in a
//! value needs quotes, a `${NAME}` that is not set and a name without `=` are problems, and nothing is
//! substituted in single quotes.
//!
//! No problem repeats a value, which may be a secret: it names the line.

use std::collections::BTreeMap;

/// A line that sets a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Reads a file. `environment` takes precedence over the file in `${NAME}`. The error holds every
/// problem, each as the rest of a sentence such as "cannot be read: line 3 ..".
pub(super) fn parse(
    content: &[u8],
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Entry>, Vec<String>> {
    let text = decode(content).map_err(|problem| vec![problem])?;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut entries, mut problems, mut known) = (Vec::new(), Vec::new(), BTreeMap::new());
    let (mut rest, mut line) = (text.as_str(), 1);
    while !rest.is_empty() {
        let lookup = |name: &str| environment(name).or_else(|| known.get(name).cloned());
        let end_of_line = rest.find('\n').map_or(rest.len(), |index| index + 1);
        let (found, length) = match statement(rest, &lookup) {
            Ok(Statement { assignment, length }) => (assignment, length),
            Err(problem) => {
                problems.push(format!("line {line} {problem}"));
                (None, end_of_line)
            }
        };
        if let Some((name, value)) = found {
            known.insert(name.clone(), value.clone());
            entries.push(Entry { name, value, line });
        }
        let (read, after) = rest.split_at(length);
        line += read.matches('\n').count();
        rest = after;
    }
    if problems.is_empty() { Ok(entries) } else { Err(problems) }
}

fn decode(content: &[u8]) -> Result<&str, String> {
    if content.starts_with(b"\xff\xfe") || content.starts_with(b"\xfe\xff") || content.contains(&0)
    {
        return Err("it is in UTF-16: save it as UTF-8".to_owned());
    }
    // Some editors begin a file with a byte order mark.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    str::from_utf8(content).map_err(|error| {
        let before = content.iter().take(error.valid_up_to());
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        format!(
            "line {line} is not valid UTF-8, perhaps because the file is in Latin-1 or \
             Windows-1252: save it as UTF-8"
        )
    })
}

/// One line, or several with a value in quotes that spans them.
struct Statement {
    assignment: Option<(String, String)>,
    /// In bytes, with the end of the line.
    length: usize,
}

fn statement(text: &str, lookup: &impl Fn(&str) -> Option<String>) -> Result<Statement, String> {
    const FORM: &str = "is not of the form NAME=value";
    let line = text.split('\n').next().unwrap_or_default();
    let length_of = |length: usize| (length + 1).min(text.len());
    let content = line.trim();
    if content.is_empty() || content.starts_with('#') {
        return Ok(Statement { assignment: None, length: length_of(line.len()) });
    }
    let (left, right) = line.split_once('=').ok_or(FORM)?;
    let name = match left.trim().split_once(char::is_whitespace) {
        Some(("export", name)) => name.trim_start(),
        _ => left.trim(),
    };
    if !is_a_name(name) {
        return Err(FORM.to_owned());
    }
    let start = line.len() - right.trim_start().len();
    let (value, end) = match line[start..].chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let (value, length) = quoted(&text[start + 1..], quote, lookup)?;
            let end = start + 1 + length;
            let after = text[end..].split('\n').next().unwrap_or_default();
            if !after.trim_start().is_empty() && !after.trim_start().starts_with('#') {
                return Err("has text after the closing quote".to_owned());
            }
            (value, end + after.len())
        }
        _ => (unquoted(name, right, lookup)?, line.len()),
    };
    Ok(Statement { assignment: Some((name.to_owned(), value)), length: length_of(end) })
}

fn is_a_name(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && text.bytes().all(is_inside)
}

/// A value without quotes: all to the end of the line, or to a `#` after a space.
fn unquoted(
    name: &str,
    right: &str,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let spaces = right.match_indices(char::is_whitespace);
    let is_comment = |index: &usize| right[*index..].trim_start().starts_with('#');
    let (value, comment) = match spaces.map(|(index, _)| index).find(is_comment) {
        Some(index) => right.split_at(index),
        None => (right, ""),
    };
    let value = value.trim();
    // The end of a password that contains ` #` must not be cut off silently.
    if value.contains("://") && comment.contains('@') {
        return Err(format!("has ` #` inside a URL: write {name}='..' in single quotes"));
    }
    if value.contains(char::is_whitespace) {
        return Err(format!(
            "has a space in a value without quotes: write {name}='..' in single quotes"
        ));
    }
    substitute(value, lookup)
}

/// The value up to the closing quote, and the length of what was read, with that quote.
fn quoted(
    text: &str,
    quote: char,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<(String, usize), String> {
    let (mut value, mut literal) = (String::new(), String::new());
    let flush = |literal: &mut String, value: &mut String| {
        let text = std::mem::take(literal);
        value.push_str(&if quote == '"' { substitute(&text, lookup)? } else { text });
        Ok::<(), String>(())
    };
    let mut chars = text.char_indices();
    while let Some((index, char)) = chars.next() {
        if char == quote {
            flush(&mut literal, &mut value)?;
            return Ok((value, index + quote.len_utf8()));
        }
        let next = text[index + char.len_utf8()..].chars().next();
        match (char, next) {
            ('\\', Some(escaped)) if escaped == '\\' || escaped == '\'' || quote == '"' => {
                chars.next();
                flush(&mut literal, &mut value)?;
                match escaped {
                    'n' => value.push('\n'),
                    'r' => value.push('\r'),
                    't' => value.push('\t'),
                    '\\' | '\'' | '"' | '$' => value.push(escaped),
                    other => value.extend(['\\', other]),
                }
            }
            _ => literal.push(char),
        }
    }
    Err(format!("has a value that begins with {quote} and never ends with it"))
}

/// Replaces `${NAME}` and `${NAME:-default}`. Every other `$` is literal.
fn substitute(text: &str, lookup: &impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut value = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, after)) = after.split_once('}') else { break };
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (inside, None),
        };
        let found = lookup(name).or(default).ok_or(
            "has a `${NAME}` that is not set: set it above this line, or write the value in single \
             quotes to keep `$` as it is",
        )?;
        value.push_str(before);
        value.push_str(&found);
        rest = after;
    }
    value.push_str(rest);
    Ok(value)
}

#[cfg(test)]
mod tests;
