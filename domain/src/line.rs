//! What fits on one line.

/// Whether a text is one line: no line break of any kind, and no other control character, which would
/// reach a terminal.
///
/// This is the one definition for every field of one line. U+2028 and U+2029 are line breaks that are no
/// control characters: programs that read JSON or a log line by line split there. U+0085 is both.
pub(crate) fn is_one_line(text: &str) -> bool {
    is_printable_ascii(text)
        || !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Whether a text contains a control character that is not in `allowed`.
pub(crate) fn has_control_character(text: &str, allowed: &str) -> bool {
    !is_printable_ascii(text) && text.chars().any(|c| c.is_control() && !allowed.contains(c))
}

/// Most texts are, and it is faster to check than what it spares.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_line_break_and_no_control_character() {
        for text in ["", "Buy milk", "Öl kaufen – 2 €", "a\u{a0}b", "a\u{200b}b", "\u{202e}"] {
            assert!(is_one_line(text), "{text:?}");
        }
        let breaks = ["\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"];
        for character in breaks.into_iter().chain(["\0", "\t", "\u{1b}", "\u{7f}", "\u{9b}"]) {
            let text = format!("a{character}b");
            assert!(!is_one_line(&text), "{text:?}");
        }
    }
}
