//! What a hook said that cannot be read: kept, redacted and bounded, so that nothing is lost in silence.

use super::HookInput;
use crate::door::Door;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use tacho_event::derived_id;
use tacho_event::head;
use tacho_event::trace::to_hex;
use tacho_event::{Draft, Event, json};

/// How much is kept, in bytes.
pub const KEPT_BYTES: usize = 64 * 1024;
/// Where such events go.
const STREAM: &str = "system/hook";

pub(super) fn event(input: &HookInput<'_>, reason: &str, door: &Door<'_>) -> Event {
    let kept = KEPT_BYTES.min(door.limits.event_bytes / 8);
    let mut data =
        format!("{{\"agent\":\"{}\",\"bytes\":{}", input.agent.name(), input.payload.len()).into_bytes();
    let mut member = |key: &str, text: &str| {
        data.extend_from_slice(format!(",\"{key}\":").as_bytes());
        json::write_string(text, &mut data);
    };
    member("reason", head(reason, 500));
    match content(input.payload, door) {
        Content::Text(text) => member("text", head(&text, kept)),
        Content::Bytes => {
            member("base64", &STANDARD.encode(&input.payload[..input.payload.len().min(kept / 4 * 3)]))
        }
    }
    data.push(b'}');
    let mut draft = Draft::new("tacho.hook_unreadable", format!("/{}", input.agent.name()), input.id);
    draft.subject = Some(STREAM.into());
    draft.set_data(data);
    let sameness = draft.content();
    draft.put_text("time", &input.time.to_rfc3339());
    draft.put_text("severity", "warning");
    draft.finish(sameness).unwrap_or_else(|_| {
        // The id is the only name that is not ours.
        draft.id = Cow::Owned(derived_id("hook-unreadable", &[&to_hex(&Sha256::digest(input.payload))]));
        draft.finish(sameness).expect("the names are right")
    })
}

enum Content {
    Text(String),
    Bytes,
}

/// The text without its secrets; bytes that are no text and hold no secret stay what they are.
fn content(payload: &[u8], door: &Door<'_>) -> Content {
    let mut minified = Vec::new();
    if json::minify(payload, door.limits.depth, &mut minified).is_ok() {
        let clean = door.redactor.redact_json(&minified);
        return Content::Text(String::from_utf8_lossy(&clean).into_owned());
    }
    let text = String::from_utf8_lossy(payload);
    match (door.redactor.redact_text(&text), &text) {
        (Cow::Borrowed(_), Cow::Owned(_)) => Content::Bytes,
        (clean, _) => Content::Text(clean.into_owned()),
    }
}
