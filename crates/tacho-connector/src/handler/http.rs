//! `http`: events to a URL, signed; what it answers are events.

use super::{HandlerKind, HandlerSettings, HandlerSurroundings, OpenedHandler, TIMEOUT, output};
use crate::web::{self, Web};
use crate::{SettingsError, signature};
use std::sync::Arc;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Returned, Workers};
use tacho_event::json::{self, Kind};
use tacho_event::{Recorded, Timestamp};

pub(super) const KIND: HandlerKind = HandlerKind {
    name: "http",
    about: "Posts the CloudEvent to `url` (`application/cloudevents+json`; a batch: `application/cloudevents-batch+json`) with the header `idempotency-key`, \
            signed as Standard Webhooks says when there is a secret. Any answer of 200 to 299 means done; JSON in it \
            (`{\"events\":[…]}`, a CloudEvent, or an array) are the events it returns. A `Retry-After` of 429 and 503 is honoured; any other answer of 400 to 499 but \
            408 and 425 makes a dead letter, all else is tried again.",
    keys: &["url", "secret", "output_bytes"],
    check: |settings| url(settings).map(drop),
    open,
};

fn url(settings: &HandlerSettings) -> Result<ureq::http::Uri, SettingsError> {
    web::parse_url(settings.url.as_deref().ok_or(SettingsError::Missing("url"))?)
}

fn open(settings: &HandlerSettings, surroundings: &HandlerSurroundings) -> OpenedHandler {
    Ok(Arc::new(Plan {
        web: Arc::new(Web::at(url(settings)?, TIMEOUT)),
        key: settings.secret.as_ref().map(signature::key).transpose()?,
        output_bytes: settings.output_bytes(),
        now: surroundings.now.clone(),
    }))
}

#[derive(Clone)]
struct Plan {
    /// Workers share its connections.
    web: Arc<Web>,
    /// What requests are signed with.
    key: Option<Vec<u8>>,
    output_bytes: usize,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Workers for Plan {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Deliver for Plan {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let (media_type, body) = body(delivery.events);
        let seconds = (self.now)().0.div_euclid(1_000_000_000);
        let timestamp = seconds.to_string();
        let mut headers = vec![
            ("content-type", media_type),
            ("accept", "application/json, application/cloudevents+json, application/cloudevents-batch+json"),
            ("idempotency-key", delivery.key),
            ("webhook-id", delivery.key),
            ("webhook-timestamp", timestamp.as_str()),
        ];
        let signature = self.key.as_ref().map(|key| signature::sign(key, delivery.key, seconds, &body));
        headers.extend(signature.as_deref().map(|signature| ("webhook-signature", signature)));
        let timeout = delivery.timeout.unwrap_or(TIMEOUT);
        let mut answer = self.web.send("", &headers, &body, Some(timeout), seconds)?;
        let media_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        let is_json = media_type.is_some_and(|media_type| media_type.contains("json"));
        let body = self.web.body(&mut answer, self.output_bytes)?;
        if !is_json || body.trim_ascii().is_empty() {
            return Ok(Delivered::default());
        }
        let returned = returned(&body).map_err(|reason| {
            Failure::retry("bad_answer", format!("{} answered what is no event: {reason}", self.web.host()))
        })?;
        Ok(Delivered { returned, ..Delivered::default() })
    }
}

fn body(events: &[Recorded]) -> (&'static str, Vec<u8>) {
    if let [event] = events {
        return ("application/cloudevents+json", event.to_cloudevent());
    }
    let mut body = b"[".to_vec();
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        event.write_cloudevent(&mut body);
    }
    body.push(b']');
    ("application/cloudevents-batch+json", body)
}

/// The events of an answer. An object that is neither a CloudEvent nor has events says nothing to us.
fn returned(body: &[u8]) -> Result<Vec<Returned>, String> {
    let answer = output::minified(body)?;
    match json::kind(&answer) {
        Kind::Array => output::elements(&answer),
        Kind::Object if json::member(&answer, "events").is_some() => output::events(&answer),
        Kind::Object if json::member(&answer, "specversion").is_some() => Ok(vec![Returned(answer)]),
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_events_or_says_nothing() {
        let count = |body: &str| returned(body.as_bytes()).map(|events| events.len());
        assert_eq!(count("{\"events\":[{\"type\":\"a\"},{\"type\":\"b\"}]}"), Ok(2));
        assert_eq!(count("[{\"type\":\"a\"}]"), Ok(1));
        assert_eq!(count("{\"specversion\":\"1.0\",\"type\":\"a\"}"), Ok(1));
        assert_eq!((count("{\"ok\":true}"), count("true"), count("null")), (Ok(0), Ok(0), Ok(0)));
        assert!(count("[1]").is_err() && count("{\"events\":1}").is_err() && count("{").is_err());
    }
}
