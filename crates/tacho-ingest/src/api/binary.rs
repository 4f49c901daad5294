//! CloudEvents in binary mode: attributes in `ce-*` headers, the payload in the body (HTTP protocol
//! binding 1.0, section 3.1).

use super::{Request, is_json};
use crate::Refusal;
use crate::door::{Door, Moment, complete};
use crate::shape::Shaped;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use tacho_event::{Code, Event, json};

pub(super) fn parse(
    request: &Request<'_>,
    media_type: &str,
    door: &Door<'_>,
    moment: &mut Moment<'_, '_>,
) -> Result<Event, Refusal> {
    let attributes = headers(request, door)?;
    let body = payload(request.body, media_type, door)?;
    let mut shaped = Shaped::new();
    shaped.source = Some(Cow::Borrowed(""));
    for (index, (name, value)) in attributes.iter().enumerate() {
        if attributes[..index].iter().any(|(known, _)| known == name) {
            return Err(Refusal::event(format!("`ce-{name}` stands twice in the headers: send it once")));
        }
        match name.as_str() {
            "specversion" if value == b"\"1.0\"" => {}
            "specversion" => {
                return Err(Refusal::event("`ce-specversion` is not 1.0, and nothing else is known"));
            }
            "datacontenttype" | "data" => {
                return Err(Refusal::event(format!(
                    "`ce-{name}` is no header of binary mode: it is the body's"
                )));
            }
            _ => shaped.attribute(Cow::Borrowed(name), value)?,
        }
    }
    match &body {
        Payload::None => {}
        Payload::Json(data) => shaped.draft.set_data(data.as_slice()),
        Payload::Base64(data) => shaped.draft.set_data_base64(data.as_slice()),
    }
    if !matches!(body, Payload::None) && media_type != "application/json" && !media_type.is_empty() {
        shaped.draft.put_text("datacontenttype", request.content_type.unwrap_or_default());
    }
    complete(shaped, &door.limits, moment)
}

/// Names without their prefix, values as minified JSON.
fn headers(request: &Request<'_>, door: &Door<'_>) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    let mut attributes = Vec::with_capacity(request.attributes.len());
    for (header, value) in request.attributes {
        let name = header.get(..3).filter(|prefix| prefix.eq_ignore_ascii_case("ce-")).map(|_| &header[3..]);
        let Some(name) = name.map(str::to_ascii_lowercase) else { continue };
        let text = decode(value).ok_or_else(|| {
            Refusal::new(Code::InvalidHeader, format!("`{header}` is not UTF-8: percent-encode it"))
        })?;
        let text = door.redactor.redact_text(&text);
        let mut json = Vec::with_capacity(text.len() + 2);
        // Every header is text; `hops` alone is a number among the attributes.
        if name == "hops" && text.parse::<u64>().is_ok() {
            json.extend_from_slice(text.parse::<u64>().unwrap_or_default().to_string().as_bytes());
        } else {
            json::write_string(&text, &mut json);
        }
        attributes.push((name, json));
    }
    Ok(attributes)
}

/// Undoes quotes and percent-encoding (HTTP protocol binding, section 3.1.3.2).
fn decode(value: &[u8]) -> Option<String> {
    let quoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let mut rest = quoted.unwrap_or(value);
    let mut out = Vec::with_capacity(rest.len());
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| hex_pair(tail)).flatten();
        match (first, escaped) {
            (_, Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
                continue;
            }
            (b'\\', _) if quoted.is_some() && !tail.is_empty() => {
                out.push(tail[0]);
                rest = &tail[1..];
                continue;
            }
            (byte, _) => out.push(*byte),
        }
        rest = tail;
    }
    String::from_utf8(out).ok()
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let pair = std::str::from_utf8(text.get(..2)?).ok()?;
    pair.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(pair, 16).ok())?
}

/// The body as an attribute's minified JSON.
enum Payload {
    None,
    Json(Vec<u8>),
    Base64(Vec<u8>),
}

fn payload(body: &[u8], media_type: &str, door: &Door<'_>) -> Result<Payload, Refusal> {
    if body.is_empty() {
        return Ok(Payload::None);
    }
    let mut out = Vec::with_capacity(body.len() + 2);
    if media_type.is_empty() || is_json(media_type) {
        json::minify(body, door.limits.depth, &mut out)?;
        return Ok(Payload::Json(door.redactor.redact_json(&out).into_owned()));
    }
    match std::str::from_utf8(body) {
        Ok(text) if is_text(media_type) => {
            json::write_string(&door.redactor.redact_text(text), &mut out);
            Ok(Payload::Json(out))
        }
        Ok(text) => Ok(Payload::Base64(quoted_base64(door.redactor.redact_text(text).as_bytes()))),
        Err(error) if is_text(media_type) => Err(Refusal::new(
            Code::InvalidUtf8,
            format!("not UTF-8 at byte {}: send the text as UTF-8", error.valid_up_to()),
        )),
        Err(_) => Ok(Payload::Base64(quoted_base64(body))),
    }
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type.ends_with("/xml") || media_type.ends_with("+xml")
}

fn quoted_base64(bytes: &[u8]) -> Vec<u8> {
    format!("\"{}\"", STANDARD.encode(bytes)).into_bytes()
}
