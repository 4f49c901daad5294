//! Imported events on their way to the log, in batches.

use crate::client::{Client, ClientError};
use crate::log::Writable;
use crate::place::Place;
use crate::terminal::{Progress, escape};
use anyhow::{Context, Result};
use serde::Deserialize;
use tacho_event::{Code, Event, json};

/// A request holds at most this many events, and stays below this size in bytes, but for one large event.
const BATCH_EVENTS: usize = 500;
const BATCH_BYTES: usize = 2 << 20;

/// What became of events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub new: usize,
    pub duplicates: usize,
    pub skipped: usize,
}

/// Where events go: to a server, or straight to the log.
pub enum Delivery {
    Server(Client),
    Folder(Box<Writable>),
}

#[derive(Deserialize)]
struct Answer {
    appended: Vec<Receipt>,
}

#[derive(Deserialize)]
struct Receipt {
    duplicate: bool,
}

impl Delivery {
    pub fn open(place: &Place) -> Result<Self> {
        if place.writes_to_server()? {
            return Ok(Self::Server(place.client.clone()));
        }
        Ok(Self::Folder(Box::new(Writable::open(place)?)))
    }

    pub fn send(&mut self, events: Vec<Event>) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut progress =
            Progress::bytes("importing", events.iter().map(|event| event.bytes().len() as u64).sum());
        let mut batch = Vec::new();
        let mut bytes = 0;
        for event in events {
            if batch.len() == BATCH_EVENTS || (bytes + event.bytes().len() > BATCH_BYTES && !batch.is_empty())
            {
                self.send_batch(&std::mem::take(&mut batch), &mut tally)?;
                progress.advance(std::mem::take(&mut bytes) as u64);
            }
            bytes += event.bytes().len();
            batch.push(event);
        }
        self.send_batch(&batch, &mut tally)?;
        Ok(tally)
    }

    fn send_batch(&self, batch: &[Event], tally: &mut Tally) -> Result<()> {
        match self {
            Self::Server(client) => send_to(client, batch, tally),
            Self::Folder(log) => {
                let appended = log.append_events(batch.to_vec(), Vec::new())?;
                for receipt in &appended.events {
                    tally.count(receipt.duplicate);
                }
                Ok(())
            }
        }
    }

    pub fn close(self) -> Result<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Folder(log) => log.close(),
        }
    }
}

/// Halves a refused batch until the event that is refused stands alone: an id that is there with other
/// content came with an earlier import, where the first one wins.
fn send_to(client: &Client, batch: &[Event], tally: &mut Tally) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    match client.post("/api/events", &[], &array(batch)) {
        Ok(answer) => {
            let answer: Answer =
                serde_json::from_slice(&answer).context("the server's answer cannot be read")?;
            answer.appended.iter().for_each(|receipt| tally.count(receipt.duplicate));
            Ok(())
        }
        Err(ClientError::Refused(problem)) if (400..500).contains(&problem.status) => {
            if batch.len() > 1 {
                let (left, right) = batch.split_at(batch.len() / 2);
                send_to(client, left, tally)?;
                return send_to(client, right, tally);
            }
            if problem.code == Code::IdConflict.as_str() {
                tally.duplicates += 1;
            } else {
                tally.skipped += 1;
                eprintln!("{}", escape(&format!("skipped {}: {problem}", batch[0].id())));
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

impl Tally {
    fn count(&mut self, is_duplicate: bool) {
        if is_duplicate {
            self.duplicates += 1;
        } else {
            self.new += 1;
        }
    }
}

/// The events as a JSON array of CloudEvents.
fn array(events: &[Event]) -> Vec<u8> {
    let mut out = b"[".to_vec();
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"specversion\":\"1.0\"");
        let names = [
            ("id", event.id()),
            ("source", event.source()),
            ("type", event.kind()),
            ("subject", event.stream()),
        ];
        for (name, value) in names {
            out.extend_from_slice(format!(",\"{name}\":").as_bytes());
            json::write_string(value, &mut out);
        }
        out.extend_from_slice(event.body().strip_prefix(b"{\"specversion\":\"1.0\"").unwrap_or(b"}"));
    }
    out.push(b']');
    out
}
