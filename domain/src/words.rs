//! Words, as people search for them.

mod characters;

use std::iter;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::visible::is_ignorable;

/// A text in the form in which it is compared with what a person typed: the same for every Unicode form of
/// the text and for upper and lower case.
///
/// It is the compatibility decomposition (NFKD, UAX #15), case-folded, without invisible characters, and in
/// Latin, Greek and Cyrillic without accents: people leave them out, and some keyboards lack them. In
/// other scripts a mark makes another letter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComparableText(String);

impl From<&str> for ComparableText {
    fn from(text: &str) -> Self {
        let mut form = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let (plain, others) = rest.split_at(plain_start(rest));
            form.push_str(plain);
            let start = form.len() - plain.len();
            form[start..].make_ascii_lowercase();
            // Its first character is not followed by ASCII.
            let end = others.char_indices().skip(1).find(|(_, c)| c.is_ascii());
            let (others, next) = others.split_at(end.map_or(others.len(), |(place, _)| place));
            add_form(others, &mut form);
            rest = next;
        }
        Self(form)
    }
}

/// Where the ASCII at the start of a text ends, without what has marks after it.
fn plain_start(text: &str) -> usize {
    match text.bytes().position(|byte| !byte.is_ascii()) {
        None => text.len(),
        Some(place) => place.saturating_sub(1),
    }
}

/// Adds the form of a text, character by character where they are compared one by one.
fn add_form(text: &str, form: &mut String) {
    let mut add = |part: &str, of_first: Option<&str>| match of_first {
        Some(of_first) => form.push_str(of_first),
        None => form.push_str(&comparable(part.chars())),
    };
    // A part that has begun, and its form unless there is more than a character of it.
    let (mut start, mut of_first) = (0, None);
    for (place, c) in text.char_indices() {
        let next = characters::form(c);
        if next.is_some() {
            add(&text[start..place], of_first);
            start = place;
        }
        of_first = next;
    }
    add(&text[start..], of_first);
}

/// The form of a text.
fn comparable(text: impl Iterator<Item = char>) -> String {
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
    case_folded(bare)
}

/// A text in the form that is the same for every Unicode form of it, for upper and lower case, and with
/// and without invisible characters. Accents count.
pub(crate) fn without_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    case_folded(text.nfkd().filter(|c| !is_ignorable(*c)))
}

fn case_folded(decomposed: impl Iterator<Item = char>) -> String {
    // Folding may compose what the decomposition has taken apart.
    decomposed.flat_map(fold).nfkd().collect()
}

impl ComparableText {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words (UAX #29). Punctuation and symbols are none; each ideograph is one.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        parts(&self.0).flat_map(|part| {
            let trimmed = part.trim_ascii_end();
            let is_word = !trimmed.is_empty() && trimmed.chars().all(characters::is_letter);
            let (word, other) = if is_word { (Some(trimmed), None) } else { (None, Some(part)) };
            word.into_iter().chain(other.into_iter().flat_map(str::unicode_words))
        })
    }
}

/// A text in parts between which a word ends, whatever they are: after white space, unless a mark follows.
fn parts(mut text: &str) -> impl Iterator<Item = &str> {
    let begins_part = |c: char| c.is_ascii_graphic() || characters::is_letter(c);
    iter::from_fn(move || {
        let spaces = text.match_indices([' ', '\n']).map(|(place, _)| place + 1);
        let end = { spaces }.find(|end| text[*end..].starts_with(begins_part));
        let (part, rest) = text.split_at(end.unwrap_or(text.len()));
        text = rest;
        (!part.is_empty()).then_some(part)
    })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        ComparableText::from(text).words().map(str::to_owned).collect()
    }

    #[test]
    fn a_word_is_the_same_in_every_unicode_form_and_case() {
        for (one, other) in [
            ("Café", "cafe\u{301}"),
            ("Café", "CAFE"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("Ελλάδα", "ΕΛΛΑΔΑ"),
            ("Йод", "и\u{306}од"),
            ("İzmir", "izmir"),
            ("ﬁle ②", "FILE 2"),
            ("Ａｂｃ", "abc"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("が", "か\u{3099}"),
            ("ｶﾞ", "ガ"),
            ("to\u{ad}do", "todo"),
            ("Việt Nam", "viet nam"),
        ] {
            assert_eq!(words(one), words(other), "{one} {other}");
            assert!(!words(one).is_empty());
        }
    }

    #[test]
    fn marks_that_make_another_letter_are_kept() {
        for (one, other) in [("が", "か"), ("Ελ", "El"), ("हि", "ह"), ("שׁ", "ש"), ("ø", "o")]
        {
            assert_ne!(words(one), words(other), "{one} {other}");
        }
    }

    #[test]
    fn punctuation_is_no_part_of_a_word() {
        for (text, expected) in [
            ("(Call) mum", &["call", "mum"][..]),
            ("¡Hola! «qué»", &["hola", "que"]),
            ("\"quoted\", – dash…", &["quoted", "dash"]),
            ("don't e-mail 3.14", &["don't", "e", "mail", "3.14"]),
            ("[x] #tag @home 🎉", &["x", "tag", "home"]),
            ("買牛乳", &["買", "牛", "乳"]),
            (" -- … 🎉 ", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn accents_count_where_only_case_does_not() {
        for (one, other) in [("Café", "CAFE\u{301}"), ("Straße", "STRASSE"), ("ﬁx", "FIX")] {
            assert_eq!(without_case(one), without_case(other), "{one} {other}");
        }
        assert_ne!(without_case("Café"), without_case("Cafe"));
    }

    /// Texts in which what follows depends on what precedes, often.
    fn tricky() -> impl Strategy<Value = String> {
        let parts = [
            "a",
            "E",
            "é",
            "e\u{301}",
            "\u{301}",
            "\u{316}",
            "\u{345}",
            "\u{ad}",
            "\u{200d}",
            "\u{200b}",
            " ",
            "\n",
            "\r",
            "\t",
            "\u{a0}",
            ".",
            ":",
            "'",
            "_",
            "1",
            "ß",
            "Σ",
            "ς",
            "ά",
            "ᾳ",
            "й",
            "И",
            "か",
            "\u{3099}",
            "カ",
            "ﾞ",
            "한",
            "\u{1112}",
            "\u{1161}",
            "\u{11ab}",
            "ﬁ",
            "②",
            "İ",
            "ı",
            "ŉ",
            "ا",
            "\u{64e}",
            "ﷺ",
            "א",
            "\u{5b0}",
            "\"",
            "ह",
            "\u{93f}",
            "\u{903}",
            "ไ",
            "漢",
            "🎉",
            "👩\u{200d}👩",
            "🇩",
            "🇪",
            "\u{1d15e}",
            "\u{2f800}",
            "\u{fe0f}",
            "\u{f73}",
            "\u{1e9b}\u{323}",
            "\u{10d}",
            "ẞ",
            "\u{e0001}",
            "\u{115f}",
        ];
        proptest::collection::vec(proptest::sample::select(parts.to_vec()), 0..12)
            .prop_map(|parts| parts.concat())
    }

    /// Of every character that is looked up, after and before others of all kinds, and of some that are not.
    #[test]
    fn a_text_has_the_form_of_its_parts() {
        for c in ('\0'..='\u{2_00ff}').chain('\u{2_f800}'..='\u{2_fa1f}') {
            let text = format!("{c}e{c}\u{301}か\u{3099}{c}\u{316} {c}");
            let form = ComparableText::from(text.as_str());
            assert_eq!(form.as_str(), comparable(text.chars()), "{text:?}");
            assert!(form.words().eq(form.as_str().unicode_words()), "{form:?}");
        }
    }

    proptest! {
        #[test]
        fn the_form_is_that_of_the_text_as_a_whole(text in prop_oneof![tricky(), any::<String>()]) {
            let form = ComparableText::from(text.as_str());
            prop_assert_eq!(form.as_str(), comparable(text.chars()));
        }

        #[test]
        fn words_are_those_of_the_text_as_a_whole(text in prop_oneof![tricky(), any::<String>()]) {
            let form = ComparableText(text);
            let words: Vec<_> = form.words().collect();
            prop_assert_eq!(words, form.0.unicode_words().collect::<Vec<_>>());
        }

        #[test]
        fn comparing_again_changes_nothing(text in any::<String>()) {
            let once = ComparableText::from(text.as_str());
            prop_assert_eq!(ComparableText::from(once.as_str()), once);
        }

        #[test]
        fn every_form_and_case_of_a_text_compares_equal(text in any::<String>()) {
            let comparable = ComparableText::from(text.as_str());
            let forms: [String; 4] = [
                text.nfc().collect(), text.nfd().collect(), text.nfkc().collect(), text.nfkd().collect(),
            ];
            for form in forms {
                prop_assert_eq!(&ComparableText::from(form.as_str()), &comparable);
                prop_assert_eq!(without_case(&form), without_case(&text));
            }
        }
    }

    #[test]
    fn every_character_folds_like_its_other_cases() {
        let has_cases = |c: &char| !c.to_lowercase().eq([*c]) || !c.to_uppercase().eq([*c]);
        for c in ('\0'..=char::MAX).filter(has_cases) {
            let folded = ComparableText::from(c.to_string().as_str());
            for other in [c.to_uppercase().to_string(), c.to_lowercase().to_string()] {
                assert_eq!(ComparableText::from(other.as_str()), folded, "{c:?} {other:?}");
            }
        }
    }
}
