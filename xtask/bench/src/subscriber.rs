//! A live subscriber that costs little: it reads no frame, it looks for the moments at which events were sent.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Stands before the moment in an event's payload, in SSE and in unmasked WebSocket frames alike.
const KEY: &[u8] = b"\"sent\":\"";
/// Digits of the moment, in nanoseconds.
const DIGITS: usize = 16;
/// An answer's head may have this many bytes.
const HEAD_BYTES: usize = 64 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Sse,
    WebSocket,
}

pub struct Subscriber {
    stream: TcpStream,
    /// What was read and may be the beginning of a moment.
    rest: Vec<u8>,
}

impl Subscriber {
    /// Subscribes to a type from now on: what is appended after this is received.
    pub async fn open(address: SocketAddr, transport: Transport, kind: &str) -> Result<Subscriber> {
        let mut stream = TcpStream::connect(address).await?;
        let (request, status) = match transport {
            Transport::Sse => {
                (format!("GET /api/events/stream?type={kind} HTTP/1.1\r\nHost: {address}\r\n\r\n"), "200")
            }
            // The key may be any 16 bytes; it proves nothing here.
            Transport::WebSocket => (
                format!(
                    "GET /ws?type={kind} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                ),
                "101",
            ),
        };
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::with_capacity(4 << 10);
        let end = loop {
            if let Some(end) = memmem::find(&head, b"\r\n\r\n") {
                break end + 4;
            }
            ensure!(head.len() < HEAD_BYTES, "the answer's head is over {HEAD_BYTES} bytes");
            ensure!(stream.read_buf(&mut head).await? > 0, "the subscription was closed");
        };
        let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
        ensure!(line.split(' ').nth(1) == Some(status), "a subscription was answered `{line}`");
        head.drain(..end);
        Ok(Subscriber { stream, rest: head })
    }

    /// Waits for bytes and answers when they came; `each` is told the moments in them.
    pub async fn receive(&mut self, mut each: impl FnMut(Duration)) -> Result<Instant> {
        let count = self.stream.read_buf(&mut self.rest).await.context("a subscription broke off")?;
        ensure!(count > 0, "the server ended a subscription");
        let now = Instant::now();
        let read = moments(&self.rest, |nanos| each(Duration::from_nanos(nanos)));
        self.rest.drain(..read);
        Ok(now)
    }
}

/// Tells each moment, and answers how many bytes need not be looked at again.
fn moments(bytes: &[u8], mut each: impl FnMut(u64)) -> usize {
    let mut read = 0;
    while let Some(found) = memmem::find(&bytes[read..], KEY) {
        let start = read + found + KEY.len();
        let Some(digits) = bytes.get(start..start + DIGITS) else { return read + found };
        each(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')));
        read = start + DIGITS;
    }
    read.max(bytes.len().saturating_sub(KEY.len() - 1))
}

/// The payload's member that a subscriber finds.
pub fn moment_member(moment: Duration) -> String {
    format!("\"sent\":\"{:0DIGITS$}\"", moment.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_found_wherever_the_bytes_were_torn() {
        let event =
            |nanos| format!("data: {{{},\"text\":\"x\"}}\n\n", moment_member(Duration::from_nanos(nanos)));
        let stream = [event(7), event(123_456_789)].concat();
        for cut in 0..stream.len() {
            let (mut found, mut rest) = (Vec::new(), Vec::new());
            for part in [&stream[..cut], &stream[cut..]] {
                rest.extend_from_slice(part.as_bytes());
                let read = moments(&rest, |nanos| found.push(nanos));
                rest.drain(..read);
            }
            assert_eq!(found, [7, 123_456_789], "torn at {cut}");
        }
    }
}
