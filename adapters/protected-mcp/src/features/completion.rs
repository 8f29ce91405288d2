use serde::Serialize;

/// Values that fit what was typed, the best first (MCP `CompleteResult.completion`).
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    values: Vec<String>,
    has_more: bool,
    #[serde(skip)]
    looked_at: usize,
}

impl Completion {
    /// The most values in one answer.
    pub const MAX_VALUES: usize = 100;

    /// Keeps each value once, and at most [`Completion::MAX_VALUES`]. `has_more` if others may fit too.
    pub fn new(values: impl IntoIterator<Item = String>, has_more: bool) -> Self {
        let mut completion = Self { values: Vec::new(), has_more, looked_at: 0 };
        for value in values {
            if completion.values.contains(&value) {
                continue;
            }
            if completion.values.len() == Self::MAX_VALUES {
                completion.has_more = true;
                break;
            }
            completion.values.push(value);
        }
        completion
    }

    /// Notes how many bytes were looked at for the values, which the caller is charged for.
    #[must_use]
    pub fn with_bytes_looked_at(self, bytes: usize) -> Self {
        Self { looked_at: bytes, ..self }
    }

    pub(super) fn bytes_looked_at(&self) -> usize {
        self.looked_at
    }
}
