use std::sync::OnceLock;

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

impl<K: Copy + PartialEq, V: Default, const N: usize> Table<K, V, N> {
    /// The value of this key, added if there is none. `None` if there is no room for it.
    pub(super) fn at(&self, key: K) -> Option<&V> {
        self.entries.iter().find_map(|entry| {
            let (known, value) = entry.get_or_init(|| (key, V::default()));
            (*known == key).then_some(value)
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
    fn each_key_has_one_value_whoever_adds_it_and_there_are_never_too_many() {
        let table = Table::<u64, AtomicU64, 64>::default();
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
