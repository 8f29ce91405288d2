use std::io::{self, ErrorKind};

use httparse::{EMPTY_HEADER, Request, Status};

use super::MAX_HEADER_BYTES;
use super::connection::Connection;

/// The first size of the buffer, in bytes, which doubles when it is full.
const FIRST_SIZE: usize = 1024;

/// More headers than this are left to hyper to refuse.
const MAX_HEADERS: usize = 100;

/// Reads until the headers of the first request are complete, too large or malformed, or the client has
/// closed its sending side. No bytes if it has sent nothing.
///
/// This holds little more than what has come, while hyper has buffers of 16 KiB from the beginning.
pub(super) async fn read(connection: &Connection) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while is_unfinished(&head) && head.len() < MAX_HEADER_BYTES {
        connection.socket.readable().await?;
        if head.len() == head.capacity() {
            head.reserve_exact(head.len().max(FIRST_SIZE));
        }
        match connection.socket.try_read_buf(&mut head) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(head)
}

fn is_unfinished(head: &[u8]) -> bool {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    matches!(Request::new(&mut headers).parse(head), Ok(Status::Partial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_can_become_a_request_are_unfinished() {
        for head in ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: a\r\n"] {
            assert!(is_unfinished(head.as_bytes()), "{head:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(MAX_HEADERS + 1));
        for head in [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET / HTTP/1.1\nhost: a\n\n",
            "\u{16}\u{3}\u{1}",
            "GET / HTTP/1.1\r\nho st: a\r\n",
            "HELO there\r\n",
            &many,
        ] {
            assert!(!is_unfinished(head.as_bytes()), "{head:?}");
        }
    }
}
