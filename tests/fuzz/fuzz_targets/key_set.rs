//! What a key-set endpoint may answer with.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::key_set(bytes));
