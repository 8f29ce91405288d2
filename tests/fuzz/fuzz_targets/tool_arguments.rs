//! The arguments of `tools/call`, as every tool reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::tool_arguments(bytes));
