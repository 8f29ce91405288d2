//! The words of a text of 16 KiB, for search.

use divan::{Bencher, black_box};
use todo_application::domain::ComparableText;

const TEXTS: [(&str, &str); 8] = [
    ("ASCII", "Ask for the blue one; they close at six. "),
    ("a dash", "Ask for the blue one – they close at six. "),
    ("German", "Die Küche muss größer werden, sonst hört es nie auf. "),
    ("Russian", "Купить молоко и хлеб; спросить про счёт. "),
    (
        "Vietnamese, decomposed",
        "Mua su\u{31b}\u{303}a va\u{300} ba\u{301}nh mi\u{300}, ro\u{302}\u{300}i go\u{323}i cho me\u{323}. ",
    ),
    ("Hindi", "दूध खरीदें और माँ को फोन करें। "),
    ("Japanese", "牛乳を買って、ママに電話する。"),
    ("Korean", "우유를 사고 엄마에게 전화하기. "),
];

#[divan::bench(args = TEXTS.map(|(name, _)| name))]
fn words_of_16_kib(bencher: Bencher<'_, '_>, name: &str) {
    let text = TEXTS.into_iter().find(|(other, _)| *other == name).unwrap().1;
    let text = text.repeat(16 * 1024 / text.len());
    bencher.bench_local(|| ComparableText::from(black_box(text.as_str())).words().count());
}
