//! The few words of Redis' protocol (RESP 2) that setting keys needs.

use std::fmt;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Longest line of an answer, in bytes.
const LINE_BYTES_MAX: u64 = 64 << 10;

pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// Why a command has no good answer.
#[derive(Debug)]
pub(crate) enum RespError {
    /// The server refused it, in its words.
    Refused(String),
    Io(Error),
}

impl Connection {
    pub(crate) fn open(address: &str, timeout: Duration) -> Result<Self, RespError> {
        let mut failed = Error::new(ErrorKind::NotFound, "the name has no address");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(timeout))?;
                    stream.set_write_timeout(Some(timeout))?;
                    stream.set_nodelay(true)?;
                    return Ok(Self { stream: BufReader::new(stream) });
                }
                Err(error) => failed = error,
            }
        }
        Err(failed.into())
    }

    /// Sends commands together; all of them must be answered well.
    pub(crate) fn run(&mut self, commands: &[Vec<&[u8]>]) -> Result<(), RespError> {
        let mut request = Vec::new();
        for command in commands {
            request.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
            for word in command {
                request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                request.extend_from_slice(word);
                request.extend_from_slice(b"\r\n");
            }
        }
        self.stream.get_mut().write_all(&request)?;
        let mut refused = None;
        // All answers are read, so that the next command gets its own.
        for _ in commands {
            if let Err(error) = self.answer() {
                match error {
                    RespError::Refused(_) => refused = Some(error),
                    RespError::Io(_) => return Err(error),
                }
            }
        }
        refused.map_or(Ok(()), Err)
    }

    fn answer(&mut self) -> Result<(), RespError> {
        let mut line = Vec::new();
        (&mut self.stream).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        let text = String::from_utf8_lossy(&line);
        match (text.chars().next(), text.strip_suffix("\r\n")) {
            (Some('+' | ':'), Some(_)) => Ok(()),
            (Some('-'), Some(text)) => Err(RespError::Refused(text[1..].to_owned())),
            (None, _) => Err(Error::from(ErrorKind::UnexpectedEof).into()),
            _ => Err(Error::new(ErrorKind::InvalidData, "the answer is none that was expected").into()),
        }
    }
}

impl From<Error> for RespError {
    fn from(error: Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for RespError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(words) => formatter.write_str(words),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}
