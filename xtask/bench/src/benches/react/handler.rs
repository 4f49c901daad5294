//! Handlers of a server under test: what the file says of them, how far they are, what they are told to do.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::fill::fill;
use crate::http::Connection;
use crate::options::Options;
use crate::payload::{Variety, payload};
use crate::tacho::{Tacho, expect_status};

/// The type of the events that are handled.
pub const TYPE: &str = "bench.handled";
const WORKER: &str = include_str!("../../../samples/react/worker.py");
/// How long a handler may stand still.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

/// What the file says of a handler of all events of [`TYPE`] from the first on.
pub struct Handler {
    pub name: String,
    pub mode: &'static str,
    pub command: Vec<String>,
    pub concurrency: usize,
    /// Events of a delivery.
    pub batch: usize,
}

impl Handler {
    pub fn text(&self) -> String {
        let Handler { name, mode, command, concurrency, batch } = self;
        let mut text = format!(
            "[[handler]]\nname = \"{name}\"\non = [\"{TYPE}\", \"claude.*\"]\nfrom = \"start\"\n\
             concurrency = {concurrency}\nbatch.events = {batch}\nrun.command = {command:?}\nrun.mode = \"{mode}\"\n"
        );
        if *mode == "warm" {
            // A formatted number always fits into a string.
            let _ = writeln!(text, "workers = {concurrency}");
        }
        if *batch > 1 {
            text.push_str("order = \"none\"\n");
        }
        text
    }
}

/// The warm worker's command, its script in `folder`.
pub fn worker(options: &Options, folder: &Path, arguments: &[&str]) -> Result<Vec<String>> {
    let script = folder.join("worker.py");
    std::fs::write(&script, WORKER)?;
    let words = [options.python.to_string_lossy(), script.to_string_lossy()];
    Ok(words.iter().map(|word| word.as_ref()).chain(arguments.iter().copied()).map(str::to_owned).collect())
}

/// The folder in which a server's data is.
pub fn folder(tacho: &Tacho) -> PathBuf {
    tacho.data.parent().unwrap_or(&tacho.data).to_owned()
}

/// Appends that many events, of 256 streams.
pub async fn fill_events(tacho: &Tacho, events: u64) -> Result<()> {
    let mut variety = Variety::new(11);
    let filled = fill(tacho.address(), events, |number| {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{number}\",\"source\":\"/bench/react\",\"type\":\"{TYPE}\",\
             \"subject\":\"task/{}\",\"data\":{}}}",
            number % 256,
            payload(&mut variety)
        )
    });
    let head = filled.await?.head;
    tacho.wait_folded(head).await?;
    Ok(())
}

pub async fn status(connection: &mut Connection, name: &str) -> Result<Value> {
    let answer = connection.get(&format!("/api/handlers/{name}")).await?;
    expect_status(&answer, 200)?;
    Ok(serde_json::from_slice(&answer.body)?)
}

fn count(status: &Value, what: &str) -> Result<u64> {
    status[what].as_u64().with_context(|| format!("the status of a handler has no `{what}`"))
}

/// Waits until so many events are done, or dead where `what` says so; answers how many a second that were from the
/// first look that saw some.
pub async fn settle(tacho: &Tacho, name: &str, what: &str, events: u64) -> Result<f64> {
    let mut connection = Connection::open(tacho.address()).await?;
    let (mut first, mut last) = (None, (Instant::now(), 0));
    loop {
        let status = status(&mut connection, name).await?;
        let (now, settled) = (Instant::now(), count(&status, what)?);
        if settled > 0 && first.is_none() {
            first = Some((now, settled));
        }
        if settled > last.1 {
            last = (now, settled);
        }
        if settled >= events {
            break;
        }
        ensure!(now - last.0 < PATIENCE, "{name}: {settled} of {events} events are {what}: {status}");
        tokio::time::sleep(POLL).await;
    }
    let (begun, before) = first.context("nothing was settled")?;
    Ok((last.1 - before) as f64 / (last.0 - begun).as_secs_f64())
}

/// Asks for something that needs the control token.
pub async fn order(connection: &mut Connection, tacho: &Tacho, path: &str, body: &str) -> Result<Value> {
    let token = std::fs::read_to_string(tacho.data.join("run").join("token"))
        .context("the control token cannot be read")?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nX-Tacho-Control: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        tacho.address(),
        token.trim(),
        body.len()
    );
    let answer = connection.exchange(request.as_bytes()).await?;
    expect_status(&answer, 200)?;
    Ok(serde_json::from_slice(&answer.body)?)
}
