//! Gives new events to the search for anomalies, and tells what it finds.

use super::alert::{self, Action};
use super::anomaly::{Anomalies, Finding};
use super::{Look, write_text};
use crate::engine::Engine;
use crate::error::{QueryError, WatchError};
use std::fmt::Write;
use tacho_event::{Event, Position, Recorded, derived_id};
use tacho_journal::ReadLimit;

/// Events that are read at once.
const CHUNK: ReadLimit = ReadLimit { events: 2_000, bytes: 4 << 20 };
/// When more wait, the oldest are passed over: the search is for what is unusual now.
const MAX_WAITING: u64 = 20_000;

pub(super) struct Follower {
    anomalies: Anomalies,
    position: Position,
}

impl Follower {
    pub(super) fn new(head: Position) -> Self {
        Self { anomalies: Anomalies::default(), position: head }
    }

    pub(super) async fn look(&mut self, engine: &Engine) -> Result<(), WatchError> {
        let look = Look { engine, now: engine.now() };
        let head = engine.head();
        self.position = self.position.max(Position(head.0.saturating_sub(MAX_WAITING)));
        let mut found = Vec::new();
        while self.position < head {
            let events = read(engine, self.position.next()).await?;
            let Some(last) = events.last() else { break };
            self.position = last.position;
            found.extend(events.iter().flat_map(|event| self.anomalies.observe(event)));
        }
        found.extend(self.anomalies.silent(look.now));
        let events: Result<Vec<Event>, WatchError> =
            found.iter().map(|finding| look.anomaly(finding)).collect();
        look.say(events?).await
    }
}

async fn read(engine: &Engine, from: Position) -> Result<Vec<Recorded>, QueryError> {
    engine.on_a_thread(move |shared| Ok(shared.log.read(from, CHUNK)?)).await
}

impl Look<'_> {
    fn anomaly(&self, finding: &Finding) -> Result<Event, WatchError> {
        let Finding { metric, usual, current, message, session, agent } = finding;
        let mut data = format!(
            "{{\"kind\":\"anomaly\",\"metric\":\"{metric}\",\"operator\":\">\",\"threshold\":{usual:.3},\
             \"current_value\":{current:.3},\"action\":\"{}\",\"message\":",
            Action::WarnUser.name()
        );
        write_text(message, &mut data);
        for (name, value) in [("session", session), ("agent", agent)] {
            let _ = write!(data, ",\"{name}\":");
            write_text(value, &mut data);
        }
        let _ = write!(
            data,
            ",\"timestamp\":{},\"timestamp_iso\":\"{}\"}}",
            self.now.seconds(),
            self.now.to_rfc3339_millis()
        );
        let id =
            derived_id("anomaly", &[alert::TYPE, metric, session, agent, message, &self.now.0.to_string()]);
        Ok(self.event(alert::TYPE, "system/alerts".to_owned(), "/tacho/alerts", id, data)?)
    }
}
