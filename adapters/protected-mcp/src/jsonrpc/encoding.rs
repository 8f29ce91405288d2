//! The encoding of a body: UTF-8 (RFC 8259 section 8.1), and a name for what else it may be.

use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderValue, StatusCode};

use super::error::Error;

/// The text of a body. A byte order mark before it is ignored, as RFC 8259 allows.
pub(super) fn text(body: &[u8]) -> Result<&str, Error> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    match body {
        // gzip, zstd and zlib; bzip2 and xz.
        [0x1f, 0x8b, ..]
        | [0x28, 0xb5, 0x2f, 0xfd, ..]
        | [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]
        | [b'B', b'Z', b'h', ..]
        | [0xfd, b'7', b'z', b'X', b'Z', ..] => Err(compressed()),
        _ if is_wide(body) => Err(Error::parse(
            "The body is encoded in UTF-16 or UTF-32. Send it in UTF-8 (RFC 8259 section 8.1).",
        )),
        _ => std::str::from_utf8(body).map_err(|_| {
            Error::parse("The body is not valid UTF-8. Send it in UTF-8 (RFC 8259 section 8.1).")
        }),
    }
}

/// HTTP 415, with the encoding that is accepted (RFC 9110 section 12.5.3).
pub(crate) fn compressed() -> Error {
    let message = "The body is compressed. Send it as it is, without `Content-Encoding`.";
    Error::transport(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
        .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
}

/// UTF-16 and UTF-32 have a byte order mark, or a zero byte beside each ASCII character, with which JSON
/// begins.
fn is_wide(body: &[u8]) -> bool {
    match body {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..] => true,
        [0, 0, 0, fourth, ..] => *fourth != 0,
        [first, second, ..] => (*first == 0) != (*second == 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(body: &[u8]) -> (StatusCode, String) {
        let error = text(body).unwrap_err();
        let status = error.status();
        (status, str::from_utf8(error.into_reply(None).as_json()).unwrap().to_owned())
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        assert_eq!(text("\u{feff}{}".as_bytes()).unwrap(), "{}");
        assert_eq!(text("{\"é\":1}".as_bytes()).unwrap(), "{\"é\":1}");
        assert_eq!(text(b"").unwrap(), "");
    }

    #[test]
    fn other_encodings_are_named() {
        let units: Vec<u16> = "{\"jsonrpc\":\"2.0\",\"é\":1}".encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for body in
            [&little, &big, &[b"\xff\xfe", &*little].concat(), &[b"\xfe\xff", &*big].concat()]
        {
            let (status, json) = rejection(body);
            assert!(json.contains("UTF-16"), "{json}");
            assert_eq!(status, StatusCode::BAD_REQUEST);
        }
        let wide = "{}".chars().map(u32::from);
        let little: Vec<u8> = wide.clone().flat_map(u32::to_le_bytes).collect();
        let big: Vec<u8> = wide.flat_map(u32::to_be_bytes).collect();
        for body in [&little, &big, &[b"\0\0\xfe\xff", &*big].concat()] {
            assert!(rejection(body).1.contains("UTF-32"));
        }
        assert!(rejection(b"{\"caf\xe9\":1}").1.contains("not valid UTF-8"));
    }

    #[test]
    fn a_compressed_body_is_an_unsupported_media_type() {
        for body in [
            &b"\x1f\x8b\x08\0\0"[..],
            b"\x78\x9c\xab\x56",
            b"\x78\xda\xab",
            b"\x28\xb5\x2f\xfd\x04",
            b"BZh91AY&SY",
            b"\xfd7zXZ\0\0",
        ] {
            let (status, json) = rejection(body);
            assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
            assert!(json.contains("compressed"), "{json}");
            let response = text(body).unwrap_err().into_response(None);
            assert_eq!(response.headers()[ACCEPT_ENCODING], "identity");
        }
    }
}
