//! FNV-1a, 64 bits: stable across builds and machines, which the standard hasher does not promise.

/// The hash of the concatenated fields. It is easy to forge, so nothing may depend on it for security.
pub(crate) fn hash<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    fields.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    /// From the test vectors of the algorithm's authors.
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(super::hash([&b""[..]]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(super::hash([&b"foo"[..], b"bar"]), 0x8594_4171_f739_67e8);
    }
}
