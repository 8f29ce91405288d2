//! What clients call themselves.

const LONGEST: usize = 100;

/// A name that fits on one line of the consent page.
pub(crate) fn presentable(name: &str) -> Option<String> {
    let printable: String =
        name.chars().filter(|character| !character.is_control()).take(LONGEST).collect();
    let name = printable.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
