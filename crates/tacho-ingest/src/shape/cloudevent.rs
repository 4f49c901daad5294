//! CloudEvents 1.0, structured JSON. Its other direction is the canonical form itself.

use super::{Fields, Shaped};
use crate::Refusal;
use crate::redact::{Redactor, redact_base64};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use tacho_event::json::{self, Kind};

pub(super) fn parse<'a>(fields: &Fields<'a>, redactor: &Redactor) -> Result<Shaped<'a>, Refusal> {
    let mut shaped = Shaped::new();
    shaped.source = Some(Cow::Borrowed(""));
    let mut payloads = 0;
    for (key, value) in fields.iter() {
        match key.as_ref() {
            "specversion" => version(value)?,
            "data" => {
                payloads += 1;
                shaped.draft.set_data(value);
            }
            "data_base64" if value == b"null" => {}
            "data_base64" => {
                payloads += 1;
                shaped.draft.set_data_base64(base64(value, redactor)?);
            }
            _ => shaped.attribute(key.clone(), value)?,
        }
    }
    if payloads > 1 {
        return Err(Refusal::event("the event has `data` and `data_base64`: send one of them"));
    }
    Ok(shaped)
}

fn version(value: &[u8]) -> Result<(), Refusal> {
    if value == b"\"1.0\"" || value == b"null" || json::text(value) == "1.0" && value.starts_with(b"\"") {
        return Ok(());
    }
    let shown: String = String::from_utf8_lossy(value).chars().take(20).collect();
    Err(Refusal::event(format!("`specversion` is {shown}, but only \"1.0\" is known")))
}

fn base64<'a>(value: &'a [u8], redactor: &Redactor) -> Result<Cow<'a, [u8]>, Refusal> {
    let text = json::text(value);
    if json::kind(value) != Kind::String || STANDARD.decode(text.as_bytes()).is_err() {
        return Err(Refusal::event(
            "`data_base64` is no string of base64: encode the bytes as RFC 4648, section 4",
        ));
    }
    Ok(match redact_base64(redactor, &text) {
        Cow::Borrowed(_) => Cow::Borrowed(value),
        Cow::Owned(clean) => Cow::Owned(format!("\"{clean}\"").into_bytes()),
    })
}
