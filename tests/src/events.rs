//! Server-sent events, as far as MCP uses them.

/// The data of the complete events, in order.
///
/// An event ends with an empty line; an incomplete one at the end is dropped. Comments and other
/// fields are ignored (HTML section 9.2.6).
pub fn data(stream: &str) -> Vec<String> {
    let mut events = Vec::new();
    let mut data: Vec<&str> = Vec::new();
    for line in stream.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(value) = line.strip_prefix("data:") {
            data.push(value.strip_prefix(' ').unwrap_or(value));
        } else if line.is_empty() && !data.is_empty() {
            events.push(data.join("\n"));
            data.clear();
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::data;

    #[test]
    fn an_event_is_its_data_lines_up_to_an_empty_line() {
        let stream =
            ": hello\n\nid: 1\ndata: {\"a\":\ndata:1}\r\n\r\nretry: 5\n\ndata: 2\n\ndata: 3\n";
        assert_eq!(data(stream), ["{\"a\":\n1}", "2"]);
    }
}
