//! A request to `POST /mcp`, as far as its method, its id and its revision.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::envelope(bytes));
