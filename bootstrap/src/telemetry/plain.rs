//! The fields of an event as text.

use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use crate::escape::Line;

/// Writes what [`DefaultFields`](tracing_subscriber::fmt::format::DefaultFields) writes without
/// colours, in a quarter of the time: there is an event for each request. Values pass the filter of
/// `escape`.
pub(super) struct PlainFields;

impl<'writer> FormatFields<'writer> for PlainFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut all = Fields { writer, is_empty: true, written: Ok(()) };
        fields.record(&mut all);
        all.written
    }
}

struct Fields<'writer> {
    writer: Writer<'writer>,
    is_empty: bool,
    written: fmt::Result,
}

impl Fields<'_> {
    /// Writes the name of a field, unless it is the message, and its value.
    fn field(
        &mut self,
        field: &Field,
        value: impl FnOnce(&mut Line<&mut Writer<'_>>) -> fmt::Result,
    ) {
        if self.written.is_err() {
            return;
        }
        let between = if std::mem::take(&mut self.is_empty) { "" } else { " " };
        let name = field.name();
        self.written = self.writer.write_str(between).and_then(|()| {
            if name != "message" {
                self.writer.write_str(name.strip_prefix("r#").unwrap_or(name))?;
                self.writer.write_char('=')?;
            }
            value(&mut Line(&mut self.writer))
        });
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |writer| {
            if field.name() == "message" {
                return writer.write_str(value);
            }
            if value
                .bytes()
                .any(|byte| matches!(byte, b'"' | b'\\') || !(b' '..=b'~').contains(&byte))
            {
                return write!(writer, "{value:?}");
            }
            // Nothing of it is to be escaped.
            let Line(writer) = writer;
            writer.write_char('"')?;
            writer.write_str(value)?;
            writer.write_char('"')
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field, |writer| write!(writer, "{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::fmt::format::DefaultFields;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn logged_with<F>(fields: F, colours: bool, events: impl FnOnce()) -> String
    where
        F: for<'writer> FormatFields<'writer> + Send + Sync + 'static,
    {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(colours)
            .without_time()
            .fmt_fields(fields)
            .with_writer(lines.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, events);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn logged<F>(fields: F) -> String
    where
        F: for<'writer> FormatFields<'writer> + Send + Sync + 'static,
    {
        logged_with(fields, false, || {
            let nothing: Option<&str> = None;
            let text = "plain text";
            let odd = "a \"quoted\"\nline, \\ and é";
            let shown = "\"a\\b\" é";
            let error = io::Error::other("the cause");
            tracing::info!(status = 200_u16, elapsed_us = 7_u64, text, odd, nothing, "request");
            tracing::info!(%error, %shown, looked_at = ?odd, flag = true, ratio = 0.5, r#type = -1);
            tracing::info!(error = &error as &dyn std::error::Error, "{} left", 3);
            tracing::info!("");
        })
    }

    #[test]
    fn no_value_acts_on_a_terminal_or_ends_the_line() {
        let text = "a\nb\u{1b}[2J\u{9b}\u{202e}\u{3164}";
        let lines = logged_with(PlainFields, true, || {
            tracing::info!(text, shown = %text, looked_at = ?text, "{text}");
        });
        let (header, fields) = lines.split_once("a\\nb").unwrap();
        assert!(header.contains("\u{1b}["), "the level has a colour: {header:?}");
        assert!(!fields.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{3164}']), "{fields:?}");
        assert_eq!(fields.matches(r"\u{1b}[2J\u{9b}\u{202e}\u{3164}").count(), 4, "{fields}");
        assert_eq!(lines.matches('\n').count(), 1);
    }

    #[test]
    fn an_event_looks_as_it_does_everywhere() {
        let plain = logged(PlainFields);
        assert_eq!(plain, logged(DefaultFields::new()));
        assert!(
            plain.contains(r#"request status=200 elapsed_us=7 text="plain text" odd="a \"quo"#)
        );
    }
}
