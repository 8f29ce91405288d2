//! What a caller calls a change.

use std::fmt;

use todo_domain::{ChangeNumber, WorkspaceId};

use crate::fnv;
use crate::ports::ChangeRef;

/// The name of a change, or of all changes of a call: `17-8a545db1` or `b17-8a545db1`.
///
/// It is a bookmark and not a capability: who presents one looks in their own history. The check digits turn
/// one of another workspace, or a made-up one, into the name of no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChangeId {
    named: ChangeRef,
    check: u32,
}

impl ChangeId {
    /// The most characters.
    pub const MAX_CHARACTERS: usize = "b9223372036854775807-ffffffff".len();

    pub(crate) fn new(workspace: &WorkspaceId, named: ChangeRef) -> Self {
        Self { named, check: check_digits(workspace, named) }
    }

    /// What it names, if that is of this workspace.
    pub(crate) fn open(self, workspace: &WorkspaceId) -> Option<ChangeRef> {
        (self == Self::new(workspace, self.named)).then_some(self.named)
    }

    /// `None` if a text is the name of no change.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, check) = text.split_once('-')?;
        let (number, is_batch) = number.strip_prefix('b').map_or((number, false), |it| (it, true));
        let number = ChangeNumber::new(number.parse().ok()?)?;
        let check = u32::from_str_radix(check, 16).ok()?;
        let named = if is_batch { ChangeRef::Batch(number) } else { ChangeRef::One(number) };
        let parsed = Self { named, check };
        // There is one way to write it.
        (parsed.to_string() == text).then_some(parsed)
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, number) = match self.named {
            ChangeRef::One(number) => ("", number),
            ChangeRef::Batch(number) => ("b", number),
        };
        write!(formatter, "{prefix}{}-{:08x}", number.as_i64(), self.check)
    }
}

fn check_digits(workspace: &WorkspaceId, named: ChangeRef) -> u32 {
    let (kind, number) = match named {
        ChangeRef::One(number) => (1, number),
        ChangeRef::Batch(number) => (2, number),
    };
    let number = number.as_i64().to_be_bytes();
    let hash = fnv::hash([workspace.as_str().as_bytes(), &[kind], &number]);
    let [.., a, b, c, d] = (hash ^ (hash >> 32)).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_change_can_be_written_in_one_way_and_is_of_one_workspace() {
        let [mine, yours] = ["mine", "yours"].map(|it| WorkspaceId::try_from(it).unwrap());
        let number = ChangeNumber::new(17).unwrap();
        for named in [ChangeRef::One(number), ChangeRef::Batch(number)] {
            let id = ChangeId::new(&mine, named);
            let text = id.to_string();
            assert_eq!(ChangeId::parse(&text), Some(id));
            assert_eq!(id.open(&mine), Some(named));
            assert_eq!(id.open(&yours), None);
            for other in
                ["", "-", "17", &text.to_uppercase(), &format!("+{text}"), &format!("0{text}")]
            {
                let other = ChangeId::parse(other).and_then(|it| it.open(&mine));
                assert_eq!(other, None, "{text}");
            }
        }
        assert_ne!(
            ChangeId::new(&mine, ChangeRef::One(number)).to_string(),
            ChangeId::new(&mine, ChangeRef::Batch(number)).to_string()[1..]
        );
    }
}
