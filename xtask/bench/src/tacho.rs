//! The product under test: its server, its client, what its answers say.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::http::{Answer, Connection};
use crate::load::Client;
use crate::options::Options;
use crate::payload::{AppendRequest, Variety};
use crate::process::{Server, free_address};

/// How long the view may take to fold what a bench appended.
const FOLD_PATIENCE: Duration = Duration::from_secs(900);

pub struct Tacho {
    pub server: Server,
    pub data: PathBuf,
    /// From the start of the process to the first 200 of `/readyz`.
    pub ready_after: Duration,
    binary: PathBuf,
    configuration: Option<PathBuf>,
}

impl Tacho {
    /// A server on an empty folder.
    pub async fn start(options: &Options, name: &str) -> Result<Tacho> {
        let data = options.fresh_folder(name)?.join("data");
        Tacho::open(&options.tacho, &data, None).await
    }

    /// A server on an empty folder that reads this configuration.
    pub async fn start_configured(options: &Options, name: &str, configuration: &str) -> Result<Tacho> {
        let folder = options.fresh_folder(name)?;
        let path = folder.join("tacho.toml");
        std::fs::write(&path, configuration)?;
        Tacho::open(&options.tacho, &folder.join("data"), Some(&path)).await
    }

    async fn open(binary: &Path, data: &Path, configuration: Option<&Path>) -> Result<Tacho> {
        let address = free_address()?;
        let mut command = Command::new(binary);
        command
            .arg("up")
            .arg("--data")
            .arg(data)
            .arg("--listen")
            .arg(address.to_string())
            .env("NO_COLOR", "1");
        if let Some(path) = configuration {
            command.arg("--config").arg(path);
        }
        let begun = Instant::now();
        let server = Server::start(command, address, &log_of(data)).await?;
        while Connection::open(address).await?.get("/readyz").await?.status != 200 {
            ensure!(
                begun.elapsed() < FOLD_PATIENCE,
                "/readyz is not 200 after {} s",
                FOLD_PATIENCE.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (data, binary) = (data.to_owned(), binary.to_owned());
        let configuration = configuration.map(Path::to_owned);
        Ok(Tacho { server, data, ready_after: begun.elapsed(), binary, configuration })
    }

    /// Ends the server and starts it again; also answers how long the end took.
    pub async fn restart(self) -> Result<(Tacho, Duration)> {
        let Tacho { server, data, binary, configuration, .. } = self;
        let stopped_after = server.stop().await?;
        Ok((Tacho::open(&binary, &data, configuration.as_deref()).await?, stopped_after))
    }

    /// Ends the server and starts it on the same data with this configuration.
    pub async fn reconfigured(self, configuration: &str) -> Result<Tacho> {
        let Tacho { server, data, binary, .. } = self;
        server.stop().await?;
        let path = data.with_file_name("tacho.toml");
        std::fs::write(&path, configuration)?;
        Tacho::open(&binary, &data, Some(&path)).await
    }

    /// Ends the server, takes the view away and starts again: it is ready when all is folded anew.
    pub async fn fold_anew(self) -> Result<Tacho> {
        let Tacho { server, data, binary, configuration, .. } = self;
        server.stop().await?;
        std::fs::remove_dir_all(data.join("view")).context("the view cannot be taken away")?;
        Tacho::open(&binary, &data, configuration.as_deref()).await
    }

    /// What the server prints goes here.
    pub fn log(&self) -> PathBuf {
        log_of(&self.data)
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The position up to which the view has folded.
    pub async fn folded(connection: &mut Connection) -> Result<u64> {
        let answer = connection.get("/api/events?limit=1&wait=0").await?;
        expect_status(&answer, 200)?;
        // Not `last_position`: the event in the answer has a position of its own.
        let page: serde_json::Value = serde_json::from_slice(&answer.body)?;
        page["position"].as_u64().context("the answer to a query has no `position`")
    }

    /// Waits until the view has folded up to `head`; answers how long that took.
    pub async fn wait_folded(&self, head: u64) -> Result<Duration> {
        let mut connection = Connection::open(self.address()).await?;
        let begun = Instant::now();
        while Tacho::folded(&mut connection).await? < head {
            if begun.elapsed() > FOLD_PATIENCE {
                bail!("the view has not folded position {head} after {} s", FOLD_PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(begun.elapsed())
    }
}

fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

/// One keep-alive connection that appends prepared requests.
pub struct TachoClient {
    connection: Connection,
    requests: Vec<AppendRequest>,
    source: String,
    stream: String,
    next_id: u64,
    sent: usize,
    variety: Variety,
    /// The log's head as the last acknowledgement told it.
    pub head: u64,
}

impl TachoClient {
    /// Variants of a request, so that successive ones do not carry the same payloads.
    const VARIANTS: usize = 8;

    /// `name` must be new to the log: ids are counted within it.
    pub async fn connect(address: SocketAddr, name: &str) -> Result<TachoClient> {
        Ok(TachoClient {
            connection: Connection::open(address).await?,
            requests: Vec::new(),
            source: format!("/bench/{name}"),
            stream: format!("task/{name}"),
            next_id: 1,
            sent: 0,
            variety: Variety::new(name.len() as u64 + 7),
            head: 0,
        })
    }

    fn prepare(&mut self, count: usize) {
        let (address, variety) = (self.connection.address(), &mut self.variety);
        self.requests = (0..Self::VARIANTS)
            .map(|_| AppendRequest::new(address, &self.source, &self.stream, count, variety))
            .collect();
    }
}

impl Client for TachoClient {
    async fn append(&mut self, count: usize) -> Result<()> {
        if self.requests.first().is_none_or(|request| request.len() != count) {
            self.prepare(count);
        }
        self.sent += 1;
        let request = &mut self.requests[self.sent % Self::VARIANTS];
        let answer = self.connection.exchange(request.with_ids(self.next_id)).await?;
        self.next_id += count as u64;
        expect_status(&answer, 201)?;
        self.head = last_position(&answer.body).context("the answer to an append has no `position`")?;
        Ok(())
    }
}

pub fn expect_status(answer: &Answer, status: u16) -> Result<()> {
    if answer.status != status {
        let body = String::from_utf8_lossy(&answer.body);
        bail!("the server answered {} instead of {status}: {:.300}", answer.status, body);
    }
    Ok(())
}

/// The last `"position":N` of an answer.
pub fn last_position(body: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"position\":";
    let start = body.windows(KEY.len()).rposition(|window| window == KEY)? + KEY.len();
    let digits =
        body[start..].iter().skip_while(|byte| **byte == b' ').take_while(|byte| byte.is_ascii_digit());
    digits.fold(None, |number, digit| Some(number.unwrap_or(0) * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        assert_eq!(
            last_position(br#"{"appended":[{"position":41},{"position":42,"duplicate":false}]}"#),
            Some(42)
        );
        assert_eq!(last_position(br#"{"position": 7}"#), Some(7));
        assert_eq!(last_position(b"{}"), None);
    }
}
