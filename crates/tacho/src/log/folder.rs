//! A log that is read from its folder, without a server.

use super::{Page, Question};
use crate::cloud_event::CloudEvent;
use crate::config;
use crate::data_folder::{self, PrivateFolder};
use crate::place::Place;
use crate::terminal::escape;
use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use std::io::Write;
use std::time::{Duration, Instant};
use tacho_engine::{CostQuery, Cursor, Engine, Keep, Query, QueryError, SystemClock, Wait};
use tacho_event::{Code, Position, Recorded, Sequence};
use tacho_ingest::shape::{self, Format};
use tokio::runtime::{Builder, Runtime};

/// A fold for one command alone that takes longer is told of.
const QUIET: Duration = Duration::from_secs(1);

/// An engine that only reads, and the runtime that its queries need.
pub struct Folder {
    engine: Engine,
    runtime: Runtime,
    /// Where the read side is when it may not be beside the log; removed when this is dropped.
    private: Option<PrivateFolder>,
}

impl Folder {
    /// Opens the log and folds what is not folded yet. Readers of one folder do this one after the other.
    pub fn open(place: &Place) -> Result<Self> {
        place.refuse_held()?;
        data_folder::create_for_owner_alone();
        let (turn, private) = match data_folder::take_turn(&place.data) {
            Ok(turn) => (Some(turn), None),
            Err(error) if data_folder::forbids_writing(&error) => {
                let private = PrivateFolder::of(&place.data);
                (None, Some(private.context("cannot make a folder below the system's temporary one")?))
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot write into {}", place.data.display()));
            }
        };
        let data = private.as_ref().map_or(&place.data, |private| &private.path);
        let mut config = place.config.engine(data.clone(), String::new());
        config.watch = place.config.watch()?;
        config.journal.read_only = true;
        // Nobody waits behind this reader: it may take the time that a large fold needs.
        config.query.wait_ms = config::setting::OFFLINE_WAIT_MS;
        // Tidying is the server's work: a reader leaves the read side to the next one as it is.
        config.fold.idle_ms = config::setting::OFFLINE_WAIT_MS;
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
        let engine = Engine::open(config, SystemClock)
            .with_context(|| format!("cannot open the log in {}", place.data.display()))?;
        let folder = Self { engine, runtime, private };
        let begun = Instant::now();
        folder.runtime.block_on(folder.engine.wait(Wait::Head)).context("cannot fold the log")?;
        drop(turn);
        if folder.private.is_some() && begun.elapsed() > QUIET {
            folder.tell_of_private(place, begun.elapsed());
        }
        Ok(folder)
    }

    pub fn page(&self, question: &Question, cursor: Option<&str>, wanted: u64) -> Result<Page> {
        let query = Query {
            filter: question.filters.filter.clone(),
            cursor: cursor.and_then(Cursor::from_text),
            after: question.after.map(Position),
            limit: usize::try_from(wanted).unwrap_or(usize::MAX),
            reverse: question.reverse,
            wait: Wait::Head,
        };
        let page = self.runtime.block_on(self.engine.query(query)).context("cannot read the log")?;
        let events = page.events.iter().map(|event| rendered(event, question.format.unwrap_or_default()));
        Ok(Page { events: events.collect(), next: page.next.map(Cursor::to_text) })
    }

    pub fn figures(&self, window_ns: i64, trend_days: u32) -> Result<Vec<u8>> {
        let figures = self.runtime.block_on(self.engine.figures(window_ns, trend_days, Wait::Head));
        Ok(tacho_server::figures_json(&figures.context("cannot read the log")?).into_bytes())
    }

    pub fn alert_rules(&self) -> Result<Vec<u8>> {
        let rules = self.runtime.block_on(self.engine.alert_rules()).context("cannot read the log")?;
        let anomalies = self.runtime.block_on(self.engine.anomalies()).context("cannot read the log")?;
        Ok(tacho_server::alert_rules_json(&rules, &anomalies).into_bytes())
    }

    pub fn waits(&self) -> Result<Vec<u8>> {
        let waits = self.runtime.block_on(self.engine.waits()).context("cannot read the log")?;
        Ok(tacho_server::waits_json(&waits).into_bytes())
    }

    pub fn costs(&self, query: CostQuery) -> Result<Vec<u8>> {
        let answer = self.runtime.block_on(self.engine.costs(query, Wait::Head));
        let (costs, position) = answer.context("cannot read the log")?;
        Ok(tacho_server::costs_json(query.by, &costs, position).into_bytes())
    }

    /// What the engine answers to one question.
    pub(super) fn ask<T, F: Future<Output = Result<T, QueryError>>>(
        &self,
        question: impl FnOnce(Engine) -> F,
    ) -> Result<T> {
        self.runtime.block_on(question(self.engine.clone())).map_err(|error| match error.code() {
            Code::Internal => anyhow::Error::new(error).context("cannot read the log"),
            _ => error.into(),
        })
    }

    pub fn rewound(&self, path: &str) -> Result<Value> {
        let uri = path.parse().context("the question makes no path")?;
        let answer = self.runtime.block_on(tacho_server::rewind::get(&self.engine, &uri));
        answer.map_err(|problem| anyhow!("{} [{}]", problem.detail, problem.code.as_str()))
    }

    pub fn suppose(&self, stream: &str, body: &[u8]) -> Result<Value> {
        let answer =
            self.runtime.block_on(tacho_server::rewind::suppose(&self.engine, stream.to_owned(), body));
        answer.map_err(|problem| anyhow!("{} [{}]", problem.detail, problem.code.as_str()))
    }

    pub fn create_snapshot(
        &self,
        stream: &str,
        projection: Option<&str>,
        sequence: Option<u64>,
    ) -> Result<Value> {
        let made = self.engine.create_snapshot(stream, projection, sequence.map(Sequence));
        Ok(tacho_server::rewind::snapshot(&self.runtime.block_on(made)?))
    }

    pub fn prune_snapshots(&self, stream: &str, keep: Option<u64>) -> Result<u64> {
        let keep = keep.map_or(Keep::None, Keep::Newest);
        Ok(self.runtime.block_on(self.engine.prune_snapshots(stream, keep))? as u64)
    }

    /// The last position of the log; 0 for an empty one.
    pub fn head(&self) -> u64 {
        self.engine.head().0
    }

    fn tell_of_private(&self, place: &Place, took: Duration) {
        let data = place.data.display().to_string();
        // Where standard error is closed nobody listens.
        let _ = writeln!(
            std::io::stderr(),
            "note: {} cannot be written by you, so the log was folded for this command alone, in {:.1} s",
            escape(&data),
            took.as_secs_f64()
        );
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It wrote nothing that a failure to close could lose.
        let _ = self.engine.close();
    }
}

fn rendered(event: &Recorded, format: Format) -> CloudEvent {
    let mut bytes = Vec::new();
    shape::render(event, format, &mut bytes);
    CloudEvent::new(bytes)
}
