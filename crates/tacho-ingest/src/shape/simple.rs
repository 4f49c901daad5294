//! The line of a live feed: `{"event_type": …, "timestamp": <seconds>, "payload": {…}}`.

use super::object::Object;
use super::{Fields, Shaped};
use crate::Refusal;
use tacho_event::Recorded;
use tacho_event::json::{self, Kind};

pub(super) fn parse<'a>(fields: &Fields<'a>) -> Result<Shaped<'a>, Refusal> {
    let mut shaped = Shaped::new();
    for (key, value) in fields.iter() {
        match key.as_ref() {
            "event_type" => shaped.named("type", value)?,
            "payload" => shaped.draft.set_data(value),
            _ => shaped.foreign(key.clone(), value)?,
        }
    }
    let task = shaped.draft.data().and_then(|payload| json::member(payload, "task_id"));
    shaped.stream = task
        .filter(|task| matches!(json::kind(task), Kind::String | Kind::Number) && *task != b"\"\"")
        .map(|task| format!("task/{}", json::text(task)));
    Ok(shaped)
}

pub(super) fn render(event: &Recorded, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.text("event_type", event.kind());
    object.raw("timestamp", format!("{:?}", event.time().seconds()).as_bytes());
    object.payload("payload", event);
    object.close();
}
