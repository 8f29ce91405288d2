use std::sync::OnceLock;

use protected_mcp::Outcome;

/// A map that only grows, to a fixed size, and in which entries are found without a lock: what is used
/// first, and so probably most, is found first.
pub(super) struct Table<K, V, const N: usize> {
    entries: [OnceLock<(K, V)>; N],
}

impl<K, V, const N: usize> Default for Table<K, V, N> {
    fn default() -> Self {
        Self { entries: [const { OnceLock::new() }; N] }
    }
}

/// A key that is found fast where it is the very one that is known, as the names of methods and tools are: their
/// texts are compared only if they are in different places.
pub(super) trait Key: Copy {
    fn is(self, other: Self) -> bool;
}

impl Key for &'static str {
    fn is(self, other: Self) -> bool {
        std::ptr::eq(self, other) || self == other
    }
}

impl<K: Key> Key for Option<K> {
    fn is(self, other: Self) -> bool {
        match (self, other) {
            (Some(one), Some(other)) => one.is(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn is(self, other: Self) -> bool {
        self.0.is(other.0) && self.1.is(other.1)
    }
}

macro_rules! keys {
    ($($of:ty)+) => {$(
        impl Key for $of {
            fn is(self, other: Self) -> bool {
                self == other
            }
        }
    )+};
}

keys! { u16 Outcome }

impl<K: Key, V: Default, const N: usize> Table<K, V, N> {
    /// The value of this key, added if there is none. `None` if there is no room for it.
    pub(super) fn at(&self, key: K) -> Option<&V> {
        self.entries.iter().find_map(|entry| {
            let (known, value) = entry.get_or_init(|| (key, V::default()));
            known.is(key).then_some(value)
        })
    }

    /// All entries, in the order in which they were added.
    pub(super) fn entries(&self) -> impl Iterator<Item = (K, &V)> {
        self.entries.iter().map_while(|entry| entry.get().map(|(key, value)| (*key, value)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_text_is_one_key_wherever_it_is() {
        let table = Table::<Option<&'static str>, AtomicU64, 4>::default();
        let elsewhere: &'static str = String::from("get_todo").leak();
        for key in [Some("get_todo"), Some(elsewhere), Some("create_todo"), None, None] {
            table.at(key).unwrap().fetch_add(1, Ordering::Relaxed);
        }
        let counts = table.entries().map(|(key, it)| (key, it.load(Ordering::Relaxed)));
        let expected = [(Some("get_todo"), 2), (Some("create_todo"), 1), (None, 2)];
        assert_eq!(counts.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_key_has_one_value_whoever_adds_it_and_there_are_never_too_many() {
        let table = Table::<u16, AtomicU64, 64>::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for key in 0..100 {
                        if let Some(count) = table.at(key) {
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let counts: Vec<_> = table.entries().map(|(_, it)| it.load(Ordering::Relaxed)).collect();
        assert_eq!(counts, [4; 64]);
        assert!(table.at(3).is_some() && table.at(99).is_none());
    }
}
