//! The value of an `Authorization` header.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::bearer_header(bytes));
