//! A receiver of webhooks and telemetry on loopback that takes everything.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// Dropping it ends it.
pub struct Receiver {
    pub address: SocketAddr,
    paths: UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Result<Receiver> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (told, paths) = unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever breaks off is not answered any more.
                tokio::spawn(serve(stream, told.clone()));
            }
        });
        Ok(Receiver { address, paths, task })
    }

    /// Waits for a request to this path.
    pub async fn request(&mut self, path: &str) -> Result<()> {
        while self.paths.recv().await.context("the receiver ended")? != path {}
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells each request's path when its body is there, then answers.
async fn serve(mut stream: TcpStream, told: UnboundedSender<String>) -> Result<()> {
    let mut buffer = Vec::with_capacity(64 << 10);
    loop {
        let end = loop {
            if let Some(end) = memmem::find(&buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let length = head.lines().filter_map(|line| line.split_once(':'));
        let length = length
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .find_map(|(_, value)| value.trim().parse::<usize>().ok())
            .context("a request does not tell its length")?;
        while buffer.len() < end + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        buffer.drain(..end + length);
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        if told.send(path).is_err() {
            return Ok(());
        }
        stream.write_all(ANSWER).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Connection;

    #[tokio::test]
    async fn every_request_is_told_and_answered() {
        let mut receiver = Receiver::start().await.unwrap();
        let mut client = Connection::open(receiver.address).await.unwrap();
        for path in ["/a", "/b"] {
            let request = format!("POST {path} HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz");
            assert_eq!(client.exchange(request.as_bytes()).await.unwrap().body, b"{}");
        }
        receiver.request("/b").await.unwrap();
    }
}
