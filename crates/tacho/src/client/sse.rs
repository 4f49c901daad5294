//! Server-sent events (WHATWG HTML, section 9.2), as far as this server sends them.

use std::io::{self, BufRead, BufReader, Read};

/// Longest line, in bytes: an event and its names.
const LINE_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    pub id: Option<String>,
    /// `event`, `heartbeat`, `gap`, `caught_up`, `reset`, `error`.
    pub kind: String,
    pub data: String,
}

/// The messages of a live stream, in order; ends when the server closes it.
pub struct Messages {
    reader: BufReader<Box<dyn Read + Send>>,
}

impl Messages {
    pub fn new(reader: impl Read + Send + 'static) -> Self {
        Self { reader: BufReader::new(Box::new(reader)) }
    }

    fn next_message(&mut self) -> io::Result<Option<Message>> {
        let mut message = Message::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = self.reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            if text.is_empty() {
                if message != Message::default() {
                    return Ok(Some(message));
                }
                continue;
            }
            let (name, value) = text.split_once(':').unwrap_or((text, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => message.id = Some(value.to_owned()),
                "event" => value.clone_into(&mut message.kind),
                "data" if message.data.is_empty() => value.clone_into(&mut message.data),
                "data" => {
                    message.data.push('\n');
                    message.data.push_str(value);
                }
                _ => {}
            }
        }
    }
}

impl Iterator for Messages {
    type Item = io::Result<Message>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_message().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_stream() {
        let text =
            ": hello\n\nid: 7\nevent: event\ndata: {\"a\":1}\n\nevent: heartbeat\r\ndata:\r\n\r\nid: 8\nda";
        let messages: Vec<Message> = Messages::new(text.as_bytes()).map(Result::unwrap).collect();
        let event = Message { id: Some("7".into()), kind: "event".into(), data: "{\"a\":1}".into() };
        let heartbeat = Message { kind: "heartbeat".into(), ..Message::default() };
        assert_eq!(messages, [event, heartbeat]);
    }
}
