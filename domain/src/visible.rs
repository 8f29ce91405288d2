//! Characters that people can see.

use std::ops::RangeInclusive;

/// Whether this character is visible. Whitespace is not, nor are the characters that Unicode calls
/// ignorable in display, nor the blank Braille pattern, which is a symbol in name only.
pub(crate) fn is_visible(c: char) -> bool {
    const BRAILLE_PATTERN_BLANK: char = '\u{2800}';
    !c.is_whitespace() && c != BRAILLE_PATTERN_BLANK && !is_ignorable(c)
}

/// Whether a text contains a character that displays others in another order than they are stored.
pub(crate) fn has_direction_override(text: &str) -> bool {
    text.contains(['\u{202d}', '\u{202e}'])
}

/// Whether a text looks the same without this character, or could.
pub fn is_ignorable(c: char) -> bool {
    DEFAULT_IGNORABLE.iter().any(|range| range.contains(&c))
}

/// `Default_Ignorable_Code_Point` (UAX #44, `DerivedCoreProperties.txt`). It includes unassigned code
/// points, so a new version of Unicode seldom changes it.
const DEFAULT_IGNORABLE: [RangeInclusive<char>; 17] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{Class, HirKind};

    use super::*;

    #[test]
    fn the_table_is_that_of_unicode() {
        let property = regex_syntax::parse(r"\p{Default_Ignorable_Code_Point}").unwrap();
        let HirKind::Class(Class::Unicode(class)) = property.into_kind() else {
            unreachable!("a property is a class of characters")
        };
        let ranges: Vec<_> = class.iter().map(|range| range.start()..=range.end()).collect();
        assert_eq!(ranges, DEFAULT_IGNORABLE);
    }

    #[test]
    fn letters_are_visible_and_spaces_are_not() {
        assert!(['a', '.', 'ü', '字', '😀', '\u{301}'].into_iter().all(is_visible));
        assert!([' ', '\t', '\u{a0}', '\u{2800}', '\u{200b}'].into_iter().all(|c| !is_visible(c)));
    }
}
