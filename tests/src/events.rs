//! Streams of server-sent events, as far as MCP uses them.

/// The data of the events that are complete, in order.
///
/// An event ends with an empty line; what comes after the last one was cut off. Comments and the
/// other fields mean nothing here (HTML, section 9.2.6).
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
    fn an_event_is_its_lines_of_data_up_to_an_empty_line() {
        let stream =
            ": hello\n\nid: 1\ndata: {\"a\":\ndata:1}\r\n\r\nretry: 5\n\ndata: 2\n\ndata: 3\n";
        assert_eq!(data(stream), ["{\"a\":\n1}", "2"]);
    }
}
