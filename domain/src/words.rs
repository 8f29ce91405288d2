//! Words, as people search for them.

mod characters;
mod form;

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::{UnicodeSegmentation as _, UnicodeWords};

use crate::visible::is_ignorable;
use form::{add_comparable, case_folded};

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
            let (plain, others) = rest.split_at(plain_end(rest));
            form.push_str(plain);
            let start = form.len() - plain.len();
            form[start..].make_ascii_lowercase();
            // The first may be ASCII, the others are not.
            let end = others.char_indices().skip(1).find(|(_, c)| c.is_ascii());
            let (others, next) = others.split_at(end.map_or(others.len(), |(place, _)| place));
            add_form(others, &mut form);
            rest = next;
        }
        Self(form)
    }
}

/// Where the ASCII at the start of a text ends, without its last character if more follows, which may be a mark.
fn plain_end(text: &str) -> usize {
    match text.bytes().position(|byte| !byte.is_ascii()) {
        None => text.len(),
        Some(place) => place.saturating_sub(1),
    }
}

/// Adds the form of a text, character by character where they are compared one by one.
fn add_form(text: &str, form: &mut String) {
    let mut add = |part: &str, of_first: Option<&str>| match of_first {
        Some(of_first) => form.push_str(of_first),
        None => add_comparable(part.chars(), form),
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

/// A text in the form that is the same for every Unicode form of it, for upper and lower case, and with
/// and without invisible characters. Accents count.
pub(crate) fn without_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    case_folded(text.nfkd().filter(|c| !is_ignorable(*c))).collect()
}

impl ComparableText {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words (UAX #29). Punctuation and symbols are none; each ideograph is one.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        Words { text: &self.0, others: None }
    }
}

/// The words of a text, most of them without a search for boundaries.
struct Words<'a> {
    text: &'a str,
    /// Those of a part in which they have to be searched for.
    others: Option<UnicodeWords<'a>>,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        // At the start or the end of a part, it belongs to no word.
        let is_outside = |c: char| c.is_ascii_punctuation() && c != '_';
        loop {
            if let Some(word) = self.others.as_mut().and_then(Iterator::next) {
                return Some(word);
            }
            self.others = None;
            let part = self.next_part()?;
            let inside = part.trim_ascii().trim_matches(is_outside);
            if !inside.chars().all(characters::is_of_word) {
                self.others = Some(part.unicode_words());
            } else if !inside.is_empty() {
                return Some(inside);
            }
        }
    }
}

impl<'a> Words<'a> {
    /// What comes first in the text and ends where a word ends, whatever is before and after it: behind a space or a line
    /// feed, before what cannot be a mark on it.
    fn next_part(&mut self) -> Option<&'a str> {
        let begins_part = |c: char| c.is_ascii_graphic() || characters::is_of_word(c);
        let bytes = self.text.bytes().enumerate();
        let mut spaces = bytes.filter(|(_, byte)| matches!(byte, b' ' | b'\n'));
        let end = spaces.find(|(place, _)| self.text[place + 1..].starts_with(begins_part));
        let (part, rest) = self.text.split_at(end.map_or(self.text.len(), |(place, _)| place + 1));
        self.text = rest;
        (!part.is_empty()).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::form::comparable;
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
        let others = ('\u{2_f800}'..='\u{2_fa1f}').chain('\u{e_0000}'..='\u{e_01ff}');
        for c in ('\0'..='\u{2_00ff}').chain(others) {
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
