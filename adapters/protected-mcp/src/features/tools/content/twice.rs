//! JSON that is written twice in one pass: as it is, and as the inside of a JSON string.
//!
//! `serde_json` hands its output to a formatter in pieces of a character or two, and each would go to both places
//! by itself. This writes a name with its punctuation, or a text without escapes, as one piece. Numbers and the
//! names of maps are left to `serde_json`.

use std::fmt::Display;
use std::io::Write as _;

use serde::ser::{Error as _, Serialize};
use serde_json::{Error, Result};

#[derive(Default)]
pub(super) struct Twice {
    pub(super) json: Vec<u8>,
    /// `json` again, escaped for the inside of a JSON string.
    pub(super) text: Vec<u8>,
    /// What is written next is JSON: a text of any JSON, or something that displays [both](Self::both) forms.
    pub(super) is_raw: bool,
}

impl Twice {
    /// With room for about so many bytes of JSON.
    pub(super) fn with_capacity(size: usize) -> Self {
        let (json, text) = (Vec::with_capacity(size), Vec::with_capacity(size * 5 / 4));
        Self { json, text, is_raw: false }
    }

    /// What is the same in both.
    pub(super) fn plain(&mut self, piece: &[u8]) {
        self.json.extend_from_slice(piece);
        self.text.extend_from_slice(piece);
    }

    pub(super) fn quotation_mark(&mut self) {
        self.json.push(b'"');
        self.text.extend_from_slice(br#"\""#);
    }

    pub(super) fn string(&mut self, string: &str) {
        self.quotation_mark();
        self.inside(string);
        self.quotation_mark();
    }

    /// What stands between the quotation marks of a string, or a part of it.
    pub(super) fn inside(&mut self, part: &str) {
        if has_escapes(part.as_bytes()) {
            self.escaped(part);
        } else {
            self.plain(part.as_bytes());
        }
    }

    #[cold]
    fn escaped(&mut self, part: &str) {
        let mut rest = part.as_bytes();
        while let Some(plain) = rest.iter().position(|byte| must_be_escaped(*byte)) {
            self.plain(&rest[..plain]);
            self.escape(rest[plain]);
            rest = &rest[plain + 1..];
        }
        self.plain(rest);
    }

    /// As `serde_json` does.
    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\x08' => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            b'\x0c' => b'f',
            b'\r' => b'r',
            _ => {
                let digit = |it: u8| b"0123456789abcdef"[usize::from(it)];
                let escape = [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0xf)];
                return self.any(&escape);
            }
        };
        self.any(&[b'\\', short]);
    }

    /// Any JSON.
    pub(super) fn any(&mut self, json: &[u8]) {
        self.json.extend_from_slice(json);
        escape(json, &mut self.text);
    }

    /// JSON that displays as it is, and in the alternate form as the inside of a string.
    pub(super) fn both(&mut self, forms: &(impl Display + ?Sized)) -> Result<()> {
        write!(self.json, "{forms}").map_err(Error::io)?;
        write!(self.text, "{forms:#}").map_err(Error::io)
    }

    /// A number, or anything else without quotation marks.
    pub(super) fn number(&mut self, number: &impl Serialize) -> Result<()> {
        let start = self.json.len();
        serde_json::to_writer(&mut self.json, number)?;
        self.text.extend_from_slice(&self.json[start..]);
        Ok(())
    }

    /// The name of a field, and what stands before and after it.
    pub(super) fn name(&mut self, is_first: bool, name: &str) {
        // At once, so that what follows need not grow them.
        self.json.reserve(name.len() + 4);
        self.text.reserve(name.len() + 6);
        if is_first {
            self.quotation_mark();
        } else {
            self.json.extend_from_slice(br#",""#);
            self.text.extend_from_slice(br#",\""#);
        }
        self.inside(name);
        self.json.extend_from_slice(br#"":"#);
        self.text.extend_from_slice(br#"\":"#);
    }

    /// The name of a member of a map, which may be a number.
    pub(super) fn member(&mut self, name: &(impl Serialize + ?Sized)) -> Result<()> {
        let start = self.json.len();
        serde_json::to_writer(&mut self.json, name)?;
        match self.json.get(start) {
            Some(b'"') => {}
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.json.insert(start, b'"');
                self.json.push(b'"');
            }
            _ => return Err(Error::custom("the name of a member must be a string")),
        }
        escape(&self.json[start..], &mut self.text);
        Ok(())
    }

    /// An object of one member, whose value is to be written and closed.
    pub(super) fn variant(&mut self, variant: &str) {
        self.plain(b"{");
        self.name(true, variant);
    }
}

/// Whether a string has a byte that must be escaped.
fn has_escapes(string: &[u8]) -> bool {
    // Chunks of a fixed size and without a way out become a few instructions each. The last one may overlap.
    fn any<const N: usize>(chunk: &[u8; N]) -> bool {
        chunk.iter().fold(false, |any, byte| any | must_be_escaped(*byte))
    }
    let (chunks, rest) = string.as_chunks::<16>();
    if chunks.iter().any(any) {
        return true;
    }
    match (string.last_chunk::<16>(), string.first_chunk::<8>(), string.last_chunk::<8>()) {
        _ if rest.is_empty() => false,
        (Some(last), ..) => any(last),
        (None, Some(first), Some(last)) => any(first) | any(last),
        (None, ..) => rest.iter().any(|byte| must_be_escaped(*byte)),
    }
}

fn must_be_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Escapes JSON for the inside of a JSON string.
fn escape(json: &[u8], text: &mut Vec<u8>) {
    for byte in json {
        match byte {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            // Raw JSON may have whitespace between its tokens.
            b'\n' => text.extend_from_slice(br"\n"),
            b'\r' => text.extend_from_slice(br"\r"),
            b'\t' => text.extend_from_slice(br"\t"),
            plain => text.push(*plain),
        }
    }
}
