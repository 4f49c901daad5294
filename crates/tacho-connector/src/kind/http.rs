//! `http`: events as CloudEvents to a URL, signed.

use super::Kind;
use crate::web::{self, Web};
use crate::{Settings, SettingsError, Surroundings, name_of, signature};
use tacho_engine::Engine;
use tacho_engine::delivery::{BatchLimits, Deliver, Delivered, Delivery, Failure};
use tacho_event::Recorded;

pub(super) const KIND: Kind = Kind {
    name: "http",
    about: "Posts CloudEvents to `url`: a batch (`application/cloudevents-batch+json`), or with `mode = \"structured\"` \
            one at a time, or with `mode = \"payload\"` each payload alone (`application/json`). With a secret, requests are signed as Standard Webhooks says. A `Retry-After` of 429 and 503 \
            is honoured; any other answer of 400 to 499 but 408 and 425 makes a dead letter, all else is tried again.",
    keys: &["url", "mode", "secret_env", "secret_file", "timeout_ms"],
    types: &["*"],
    batch: || BatchLimits { events: 100, bytes: 1 << 20, window_ms: 100 },
    check: |settings, _| {
        web::url(settings)?;
        mode(settings).map(drop)
    },
    open,
};

/// How events are put into requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Batch,
    Structured,
    /// One at a time, the payload alone.
    Payload,
}

fn mode(settings: &Settings) -> Result<Mode, SettingsError> {
    match settings.mode.as_deref() {
        None | Some("batch") => Ok(Mode::Batch),
        Some("structured") => Ok(Mode::Structured),
        Some("payload") => Ok(Mode::Payload),
        Some(other) => Err(SettingsError::unusable(
            "mode",
            format!("{other:?} is none of batch, structured and payload"),
        )),
    }
}

fn open(settings: &Settings, surroundings: &Surroundings) -> Result<Box<dyn Deliver>, SettingsError> {
    Ok(Box::new(Http {
        web: Web::open(settings)?,
        mode: mode(settings)?,
        key: settings.secret.as_ref().map(signature::key).transpose()?,
        engine: surroundings.engine.clone(),
        accepted: 0,
    }))
}

struct Http {
    web: Web,
    mode: Mode,
    /// What requests are signed with.
    key: Option<Vec<u8>>,
    engine: Engine,
    /// Of the delivery that is tried again, the last position that was taken; structured mode sends one by one.
    accepted: u64,
}

impl Deliver for Http {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        match self.mode {
            Mode::Batch => {
                let mut body = b"[".to_vec();
                for (index, event) in delivery.events.iter().enumerate() {
                    if index > 0 {
                        body.push(b',');
                    }
                    event.write_cloudevent(&mut body);
                }
                body.push(b']');
                self.post("application/cloudevents-batch+json", delivery.events, &body)?;
            }
            Mode::Structured | Mode::Payload => {
                let left = delivery.events.iter().filter(|event| event.position.0 > self.accepted);
                for event in left.collect::<Vec<_>>() {
                    let alone = std::slice::from_ref(event);
                    match self.mode {
                        Mode::Payload => {
                            self.post("application/json", alone, event.data().unwrap_or(b"null"))?;
                        }
                        _ => self.post("application/cloudevents+json", alone, &event.to_cloudevent())?,
                    }
                    self.accepted = event.position.0;
                }
            }
        }
        Ok(Delivered::default())
    }
}

impl Http {
    fn post(&self, media_type: &str, events: &[Recorded], body: &[u8]) -> Result<(), Failure> {
        let id = format!("msg_{}", name_of(events));
        let seconds = self.engine.now().0.div_euclid(1_000_000_000);
        let timestamp = seconds.to_string();
        let mut headers = vec![
            ("content-type", media_type),
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", timestamp.as_str()),
        ];
        let signature = self.key.as_ref().map(|key| signature::sign(key, &id, seconds, body));
        headers.extend(signature.as_deref().map(|signature| ("webhook-signature", signature)));
        self.web.post("", &headers, body, seconds).map(drop)
    }
}
