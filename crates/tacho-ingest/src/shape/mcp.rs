//! An event of a bus for tool servers: `event`, `serverId`, `payload`, `conversationId`, `correlationId`.
//! `conversationId` and `context_id` are one thing: either is accepted, both are written.

use super::object::Object;
use super::{Fields, Shaped};
use crate::Refusal;
use tacho_event::Recorded;

pub(super) fn parse<'a>(fields: &Fields<'a>) -> Result<Shaped<'a>, Refusal> {
    let mut shaped = Shaped::new();
    let context = fields.get("conversationId").or_else(|| fields.get("context_id"));
    for (key, value) in fields.iter() {
        match key.as_ref() {
            "event" => shaped.named("type", value)?,
            "serverId" => shaped.named("source", value)?,
            "payload" => shaped.draft.set_data(value),
            "correlationId" => shaped.named("correlationid", value)?,
            "conversationId" | "context_id" if value == b"null" || Some(value) == context => {
                shaped.named("contextid", value)?;
            }
            "conversationId" | "context_id" => {
                return Err(Refusal::event(
                    "`conversationId` and `context_id` differ: they are one thing, send one",
                ));
            }
            _ => shaped.foreign(key.clone(), value)?,
        }
    }
    shaped.stream = shaped.draft.text("contextid").map(|context| format!("context/{context}"));
    Ok(shaped)
}

pub(super) fn render(event: &Recorded, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.text("event", event.kind());
    object.text("serverId", event.source());
    object.payload("payload", event);
    object.text("timestamp", &event.time().to_rfc3339_millis());
    object.attribute("conversationId", event, "contextid");
    object.attribute("context_id", event, "contextid");
    object.attribute("correlationId", event, "correlationid");
    object.close();
}
