//! The form in which texts are compared, by its definition.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::visible::is_ignorable;

/// The form of a text; see [`ComparableText`](super::ComparableText).
pub(super) fn comparable(text: impl Iterator<Item = char>) -> String {
    let mut form = String::new();
    add_comparable(text, &mut form);
    form
}

/// Adds it.
pub(super) fn add_comparable(text: impl Iterator<Item = char>, form: &mut String) {
    /// The iota below a Greek vowel, a letter in upper case.
    const IOTA_BELOW: char = '\u{345}';
    let mut takes_accents = false;
    let bare = text.nfkd().filter(|&c| {
        if is_combining_mark(c) && c != IOTA_BELOW {
            return !takes_accents;
        }
        takes_accents = c == IOTA_BELOW || is_latin_greek_or_cyrillic(c);
        !is_ignorable(c)
    });
    form.extend(case_folded(bare));
}

pub(super) fn case_folded(decomposed: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    // Folding may compose what the decomposition has taken apart.
    decomposed.flat_map(fold).nfkd()
}

/// Case folding: upper case brings together what lower case keeps apart (`ß` and `SS`, both small sigmas),
/// and the first step is for the capital `ẞ`, which has no upper case.
fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Whether a letter is of a script in which a mark is an accent on a letter.
fn is_latin_greek_or_cyrillic(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z'
        | '\u{c0}'..='\u{2af}' | '\u{370}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}'
        | '\u{1d00}'..='\u{1dbf}' | '\u{1e00}'..='\u{1fff}' | '\u{2c60}'..='\u{2c7f}'
        | '\u{a640}'..='\u{a69f}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}')
}
