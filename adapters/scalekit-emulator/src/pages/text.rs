//! Text in HTML.

use std::fmt::{self, Write as _};

/// Text as HTML, in an element or in a quoted attribute.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => formatter.write_str("&amp;"),
            '<' => formatter.write_str("&lt;"),
            '>' => formatter.write_str("&gt;"),
            '"' => formatter.write_str("&quot;"),
            '\'' => formatter.write_str("&#39;"),
            other => formatter.write_char(other),
        })
    }
}

/// Text as HTML in an element. A URL in it stays on one line, or breaks after a delimiter if it is too long
/// for that: not in the middle of a port.
pub(super) struct Breakable<'a>(pub(super) &'a str);

impl fmt::Display for Breakable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.split(' ').enumerate() {
            if index > 0 {
                formatter.write_char(' ')?;
            }
            let Some((scheme, rest)) = word.split_once("://") else {
                write!(formatter, "{}", Escaped(word))?;
                continue;
            };
            write!(formatter, "<span class=\"url\">{}://", Escaped(scheme))?;
            for part in rest.split_inclusive(['/', '?', '&', '=']) {
                write!(formatter, "<wbr>{}", Escaped(part))?;
            }
            formatter.write_str("</span>")?;
        }
        Ok(())
    }
}

/// `text` with its first character in upper case, for the start of a line.
pub(super) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_breaks_after_delimiters_and_not_in_its_port() {
        let url = |html: &str| format!("<span class=\"url\">{html}</span>");
        for (text, html) in [
            ("http://h:3002/mcp", url("http://<wbr>h:3002/<wbr>mcp")),
            (
                "x  https://h?a=<b>&c, 1/2",
                format!("x  {} 1/2", url("https://<wbr>h?<wbr>a=<wbr>&lt;b&gt;&amp;<wbr>c,")),
            ),
            ("and/or", "and/or".to_owned()),
        ] {
            assert_eq!(Breakable(text).to_string(), html);
        }
    }
}
