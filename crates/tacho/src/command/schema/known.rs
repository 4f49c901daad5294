//! The registry as the log has it.

use crate::data_folder;
use crate::filters::FilterArguments;
use crate::log::{Log, Question, Writable};
use crate::place::Place;
use anyhow::{Context, Result};
use tacho_event::Position;
use tacho_event::schema::{REGISTERED, Registration, RegistrationError, Registry};

/// The schemas in force, and where new ones go.
pub struct Known<'a> {
    pub registry: Registry,
    place: &'a Place,
}

impl<'a> Known<'a> {
    /// The catalogue, and what the log registers on top of it; without a log, the catalogue alone.
    pub fn read(place: &'a Place) -> Result<Self> {
        let mut registry = Registry::with_catalogue();
        if place.answers() || data_folder::holds_log(&place.data) {
            let filters = FilterArguments::of_type(REGISTERED).check()?;
            let question = Question { filters, limit: u64::MAX, ..Question::default() };
            Log::open(place)?.each(&question, &mut |event| {
                let registration = event.data().map(Registration::from_data);
                if let Some(Ok(registration)) = registration {
                    // What an older program accepted may not fit any more: it does not stop the others.
                    let _ = registry.register(registration, Position(event.position()));
                }
                Ok(())
            })?;
        }
        Ok(Self { registry, place })
    }

    /// Puts a schema on the log; `None` when it is there already.
    pub fn register(&mut self, registration: Registration) -> Result<Option<u64>> {
        let Some(registration) = self.registry.check(registration)? else { return Ok(None) };
        let position = append(self.place, registration.clone())?;
        let taken: Result<bool, RegistrationError> = self.registry.register(registration, Position(position));
        taken.context("the registry changed meanwhile: run this again")?;
        Ok(Some(position))
    }
}

fn append(place: &Place, registration: Registration) -> Result<u64> {
    if place.writes_to_server()? {
        let answer = place.client.post("/api/schemas", &[], &registration.to_data())?;
        let answer: serde_json::Value =
            serde_json::from_slice(&answer).context("the server's answer cannot be read")?;
        return answer["position"].as_u64().context("the server's answer names no position");
    }
    let log = Writable::open(place)?;
    let position = log.register(registration)?;
    log.close()?;
    Ok(position)
}
