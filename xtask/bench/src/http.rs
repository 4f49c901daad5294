//! A keep-alive HTTP/1.1 client that costs little: requests are prepared bytes, answers are read into one buffer.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer's head may have this many bytes.
const HEAD_BYTES: usize = 64 << 10;

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    address: SocketAddr,
}

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

enum Framing {
    Length(usize),
    Chunked,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("{address} does not answer"))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(64 << 10), address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        self.exchange(request.as_bytes()).await
    }

    /// Sends a prepared request and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        let (status, framing) = self.head().await?;
        let mut body = Vec::new();
        match framing {
            Framing::Length(length) => {
                while self.buffer.len() < length {
                    self.fill().await?;
                }
                body.extend(self.buffer.drain(..length));
            }
            Framing::Chunked => while self.chunk(&mut body).await? {},
        }
        Ok(Answer { status, body })
    }

    /// Sends a request whose answer does not end; `chunk` then reads it.
    pub async fn follow(&mut self, path: &str) -> Result<()> {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\r\n", self.address);
        self.stream.write_all(request.as_bytes()).await?;
        match self.head().await? {
            (200, Framing::Chunked) => Ok(()),
            (status, _) => bail!("{path} answered {status} instead of a stream"),
        }
    }

    /// Appends the next chunk to `body`; false at the end of the answer.
    pub async fn chunk(&mut self, body: &mut Vec<u8>) -> Result<bool> {
        let line = loop {
            match find(&self.buffer, b"\r\n") {
                Some(line) => break line,
                None => self.fill().await?,
            }
        };
        let size = std::str::from_utf8(&self.buffer[..line])?.split(';').next().unwrap_or_default().trim();
        let length =
            usize::from_str_radix(size, 16).with_context(|| format!("`{size}` is no chunk's size"))?;
        let end = line + 2 + length + 2;
        while self.buffer.len() < end {
            self.fill().await?;
        }
        body.extend_from_slice(&self.buffer[line + 2..line + 2 + length]);
        self.buffer.drain(..end);
        Ok(length > 0)
    }

    async fn head(&mut self) -> Result<(u16, Framing)> {
        let end = loop {
            match find(&self.buffer, b"\r\n\r\n") {
                Some(end) => break end + 4,
                None if self.buffer.len() > HEAD_BYTES => {
                    bail!("the answer's head is over {HEAD_BYTES} bytes")
                }
                None => self.fill().await?,
            }
        };
        let head = parse_head(&self.buffer[..end])?;
        self.buffer.drain(..end);
        Ok(head)
    }

    async fn fill(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => bail!("{} closed the connection in mid-answer", self.address),
            _ => Ok(()),
        }
    }
}

fn parse_head(head: &[u8]) -> Result<(u16, Framing)> {
    let head = std::str::from_utf8(head).context("the answer's head is not text")?;
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).context("no status line")?;
    let mut framing = Framing::Length(0);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            framing = Framing::Length(value.trim().parse().context("content-length is no number")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") && value.contains("chunked") {
            framing = Framing::Chunked;
        }
    }
    Ok((status, framing))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A server that reads one request's head and answers with these bytes, split at every byte.
    async fn answering(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while find(&request, b"\r\n\r\n").is_none() {
                stream.read_buf(&mut request).await.unwrap();
            }
            for byte in bytes {
                stream.write_all(&[*byte]).await.unwrap();
                stream.flush().await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn an_answer_with_a_length() {
        let address = answering(b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello").await;
        let answer = Connection::open(address).await.unwrap().get("/").await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, b"hello".as_slice()));
    }

    #[tokio::test]
    async fn an_answer_in_chunks() {
        let bytes =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n";
        let answer = Connection::open(answering(bytes).await).await.unwrap().get("/").await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"hello".as_slice()));
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off() {
        let address = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel").await;
        assert!(Connection::open(address).await.unwrap().get("/").await.is_err());
    }
}
