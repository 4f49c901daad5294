//! `emit`: an event made of another one; nothing outside takes part.

use super::settings::program;
use super::{Emit, HandlerKind, HandlerSettings, OpenedHandler, output};
use crate::SettingsError;
use std::sync::Arc;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Returned, Workers};
use tacho_event::json::{self, Kind};
use tacho_event::{Jq, Recorded};

pub(super) const KIND: HandlerKind = HandlerKind {
    name: "emit",
    about: "Makes one event of each: its `type` is `emit.type`; `emit.subject` and `emit.data` are jq programs over the CloudEvent \
            (its own subject and its `.data` when they are missing).",
    keys: &["emit"],
    check: |settings| read(settings).map(drop),
    open: |settings, _| opened(settings),
};

fn opened(settings: &HandlerSettings) -> OpenedHandler {
    Ok(Arc::new(read(settings)?))
}

fn read(settings: &HandlerSettings) -> Result<Emitter, SettingsError> {
    let Emit { kind, subject, data } = settings.emit.as_ref().ok_or(SettingsError::Missing("emit"))?;
    if kind.is_empty() {
        return Err(SettingsError::Missing("emit.type"));
    }
    Ok(Emitter {
        kind: kind.clone(),
        subject: subject.as_deref().map(|text| program("emit.subject", text)).transpose()?,
        data: data.as_deref().map(|text| program("emit.data", text)).transpose()?,
    })
}

#[derive(Clone)]
struct Emitter {
    kind: String,
    subject: Option<Jq>,
    data: Option<Jq>,
}

impl Workers for Emitter {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Deliver for Emitter {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let returned = delivery.events.iter().map(|event| self.emit(event)).collect::<Result<_, _>>()?;
        Ok(Delivered { returned, ..Delivered::default() })
    }
}

impl Emitter {
    fn emit(&self, event: &Recorded) -> Result<Returned, Failure> {
        let cloud_event = event.to_cloudevent();
        let mut subject = Vec::new();
        match &self.subject {
            Some(program) => {
                subject = answer("emit.subject", program, &cloud_event)?;
                if json::kind(&subject) != Kind::String {
                    return Err(refused("emit.subject", "the answer is no text"));
                }
            }
            None => json::write_string(event.stream(), &mut subject),
        }
        let data = match &self.data {
            Some(program) => answer("emit.data", program, &cloud_event)?,
            None => event.data().unwrap_or(b"null").to_vec(),
        };
        Ok(output::event(&self.kind, &subject, &data))
    }
}

/// What a program answers to an event, minified. It will answer no other thing the next time.
pub(super) fn answer(key: &str, program: &Jq, cloud_event: &[u8]) -> Result<Vec<u8>, Failure> {
    let answer = program.first_of(cloud_event).map_err(|reason| refused(key, &reason))?;
    output::minified(answer.as_bytes()).map_err(|reason| refused(key, &reason))
}

pub(super) fn refused(key: &str, reason: &str) -> Failure {
    Failure::reject("jq_failed", format!("the program of `{key}` has no answer to this event: {reason}"))
}
