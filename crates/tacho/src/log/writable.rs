//! A log that is appended to without a server.

use crate::data_folder;
use crate::place::Place;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tacho_engine::{Engine, Precondition, SystemClock};
use tacho_event::schema::Registration;
use tacho_event::{Event, Sequence};
use tacho_ingest::{Door, api};
use tacho_server::Intake;
use tokio::runtime::{Builder, Runtime};

/// An engine that holds the log.
pub struct Writable {
    engine: Engine,
    runtime: Runtime,
    intake: Intake,
}

impl Writable {
    /// Takes the log of the folder, which is made when it is not there.
    pub fn open(place: &Place) -> Result<Self> {
        place.refuse_held()?;
        data_folder::create_for_owner_alone();
        data_folder::create(&place.data)
            .with_context(|| format!("cannot create {}", place.data.display()))?;
        let holder = format!("process {}", std::process::id());
        let config = place.config.engine(place.data.clone(), holder);
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
        let engine = Engine::open(config, SystemClock)
            .with_context(|| format!("cannot open the log in {}", place.data.display()))?;
        Ok(Self { engine, runtime, intake: place.config.intake()? })
    }

    /// Appends an event in any accepted shape, as the server's door would; answers its receipt.
    pub fn append(&self, event: &Value, expected: Option<u64>) -> Result<Value> {
        let body = serde_json::to_vec(event)?;
        let request = api::Request { content_type: Some("application/json"), attributes: &[], body: &body };
        let Intake { redactor, limits, markers, derives, .. } = &self.intake;
        let door = Door { redactor, limits: *limits, markers: markers.clone(), derives: *derives };
        let now = self.engine.now();
        let events = api::parse(&request, &door, now, &mut || self.engine.new_id());
        let events =
            events.map_err(|refusal| anyhow::anyhow!("{} [{}]", refusal.detail, refusal.code.as_str()))?;
        let Some(first) = events.first() else { bail!("there is no event") };
        let (id, subject) = (first.id().to_owned(), first.stream().to_owned());
        let preconditions = expected
            .map(|expected| Precondition { stream: subject.clone(), expected: Sequence(expected) })
            .into_iter()
            .collect();
        let appended = self.append_events(events, preconditions)?;
        let receipt =
            appended.events.first().context("an ingest rule of the configuration drops this event")?;
        Ok(json!({
            "id": id,
            "subject": subject,
            "sequence": receipt.sequence.0,
            "position": receipt.position.0,
            "duplicate": receipt.duplicate,
        }))
    }

    /// Puts a schema on the log; answers its position.
    pub fn register(&self, registration: Registration) -> Result<u64> {
        let receipt = self.runtime.block_on(self.engine.register_schema(registration))?;
        receipt.position.map(|position| position.0).context("the catalogue has this schema already")
    }

    pub fn append_events(
        &self,
        events: Vec<Event>,
        preconditions: Vec<Precondition>,
    ) -> Result<tacho_engine::Appended> {
        let (events, _) = self.intake.rules.apply(events);
        Ok(self.runtime.block_on(self.engine.append(events, preconditions))?)
    }

    /// Releases the folder.
    pub fn close(self) -> Result<()> {
        self.engine.close().context("the log could not be closed")
    }
}
