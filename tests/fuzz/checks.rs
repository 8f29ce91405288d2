//! Properties of any bytes, checked by the fuzz targets with libFuzzer, and by
//! `tests/fuzz_corpus.rs` with the corpus and variations on it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The token is a part of the header's value, without whitespace around it.
pub fn bearer_header(value: &[u8]) {
    let Some(token) = todo_adapter_mcp::fuzzing::bearer_token(value) else { return };
    assert!(value.to_ascii_lowercase().starts_with(b"bearer "), "another scheme");
    assert!(!token.is_empty(), "no token");
    assert_eq!(token, token.trim_ascii(), "whitespace around the token");
    let (within, part) = (value.as_ptr_range(), token.as_ptr_range());
    assert!(within.start <= part.start && part.end <= within.end, "not a part of the value");
    assert!(value.trim_ascii_end().ends_with(token), "not all of the token");
    // The extracted token is extracted again from any other request.
    let again = [b"Bearer ", token].concat();
    assert_eq!(todo_adapter_mcp::fuzzing::bearer_token(&again), Some(token));
}

/// Verifying a token ends with a verdict.
///
/// The input is taken as a token, and also split into the header (its first line) and the claims of
/// one: base64 hides the JSON from mutations.
pub fn token(bytes: &[u8]) {
    scalekit::fuzzing::parse_token(bytes);
    if let Some((header, claims)) = split_once(bytes, b"\n") {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let token = format!("{header}.{claims}.c2lnbmF0dXJl");
        scalekit::fuzzing::parse_token(token.as_bytes());
    }
}

/// Parsing a key set ends, and so does every lookup in it.
pub fn key_set(bytes: &[u8]) {
    scalekit::fuzzing::parse_key_set(bytes);
}

/// A request is accepted, or rejected with an error code of MCP.
///
/// The input is written as in HTTP: headers, an empty line, the body. The headers may be missing.
pub fn envelope(bytes: &[u8]) {
    let (headers, body) = split_once(bytes, b"\n\n").unwrap_or((b"", bytes));
    let headers: Vec<_> =
        headers.split(|byte| *byte == b'\n').filter_map(|line| split_once(line, b": ")).collect();
    let json = serde_json::from_slice::<serde_json::Value>(body);
    match todo_adapter_mcp::fuzzing::envelope(&headers, body) {
        // A parsed value has limited depth and numbers in range. Members that are skipped have
        // neither limit.
        Ok(()) => assert!(
            json.map_or_else(|error| !error.is_eof(), |json| json.is_object() || json.is_array())
        ),
        Err(-32700) => assert!(json.is_err(), "this is JSON"),
        Err(code) => assert!([-32600, -32602, -32020, -32022].contains(&code), "{code}"),
    }
}

/// Arguments are accepted, or rejected with one sentence for each that is wrong.
pub fn tool_arguments(bytes: &[u8]) {
    for answer in todo_adapter_mcp::fuzzing::tool_calls(bytes) {
        match answer {
            Ok(json) => {
                let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
                assert!(json.is_object(), "a payload is an object");
            }
            Err(sentence) => {
                let wrong = sentence.matches("Invalid argument `").count().clamp(1, 30);
                let bytes = sentence.len();
                assert!(bytes > 0 && bytes < 500 * wrong, "{bytes} bytes about {wrong}");
                // The engine catches the panic of a tool.
                assert!(!sentence.contains("went wrong on the server"), "a tool panicked");
            }
        }
    }
}

fn split_once<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let position = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..position], &bytes[position + separator.len()..]))
}
