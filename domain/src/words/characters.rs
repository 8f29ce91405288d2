//! What is known of single characters. It is computed once, as looking it up in the tables of Unicode takes longer
//! than all else that is done with a text.

use std::array;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_segmentation::UnicodeSegmentation as _;

use super::form::comparable;
use crate::visible::is_ignorable;

/// How many characters a page has.
const LENGTH: usize = 256;

/// The characters of all living scripts and the symbols: those before U+20000. Others are rare: ideographs, tags,
/// variants, and those for private use.
const COUNT: usize = 0x2_0000 / LENGTH;

/// Each is computed when one of its characters is met first.
static PAGES: [OnceLock<Box<Page>>; COUNT] = [const { OnceLock::new() }; COUNT];

struct Page {
    characters: [Character; LENGTH],
    /// Of all of them, one after the other.
    forms: String,
}

#[derive(Clone, Copy)]
struct Character {
    is_letter: bool,
    /// Where its form begins and ends. It has none unless it depends on nothing before it, and is never empty then.
    start: u16,
    end: u16,
}

/// The form in which this character is compared, if what precedes it makes no difference: then the form of a text is
/// that of the part before it, and that of the part that begins with it.
pub(super) fn form(c: char) -> Option<&'static str> {
    let (page, character) = find(c)?;
    let form = page.forms.get(character.start.into()..character.end.into());
    form.filter(|form| !form.is_empty())
}

/// Whether a text of only such characters is one word: letters and the digits of ASCII.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || find(c).is_some_and(|(_, character)| character.is_letter)
}

fn find(c: char) -> Option<(&'static Page, &'static Character)> {
    let number = c as usize;
    let page = PAGES.get(number / LENGTH)?.get_or_init(|| Box::new(Page::new(number / LENGTH)));
    Some((page, &page.characters[number % LENGTH]))
}

impl Page {
    fn new(number: usize) -> Self {
        let mut forms = String::new();
        let characters = array::from_fn(|place| {
            let start = forms.len();
            let c = u32::try_from(number * LENGTH + place).ok().and_then(char::from_u32);
            forms.extend(c.and_then(form_of_start));
            // The longest of a page has 3 KiB.
            let [start, end] =
                [start, forms.len()].map(|place| u16::try_from(place).unwrap_or_default());
            Character { is_letter: c.is_some_and(joins_letters), start, end }
        });
        Self { characters, forms }
    }
}

/// The form of a character, if it does not depend on what precedes it, and that does not depend on it.
///
/// So it is if neither its decomposition nor its form begins with what the canonical order (UAX #15) may move before
/// what precedes it, if it is no accent, and if it remains, so that an accent is on it and not on what precedes it.
fn form_of_start(c: char) -> Option<String> {
    let first = [c].into_iter().nfkd().next()?;
    let form = comparable([c].into_iter());
    let moves = |c| canonical_combining_class(c) != 0;
    let is_start = !moves(first)
        && !is_combining_mark(first)
        && !is_ignorable(first)
        && !form.starts_with(moves);
    is_start.then_some(form)
}

/// Whether it is a letter for word boundaries (`AHLetter`, UAX #29): a colon separates no others.
fn joins_letters(c: char) -> bool {
    c.is_alphanumeric() && format!("a:{c}").unicode_words().eq([format!("a:{c}").as_str()])
}
