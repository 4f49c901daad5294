//! One marker → one event.

use super::{Carried, Ordinals, Origin, Scope};
use crate::door::{Door, within};
use crate::shape::{Fields, Shaped, annotation, moment};
use std::borrow::Cow;
use tacho_event::catalogue;
use tacho_event::derived_id;
use tacho_event::head;
use tacho_event::json::{self, Kind};
use tacho_event::{Draft, Event, Sameness, Timestamp, TraceContext};

/// How much of a rejected marker is kept, in bytes.
const KEPT_BYTES: usize = 4096;
/// What a marker cannot say, because the event that carried it does.
const INHERITED: [&str; 5] = ["subject", "sessionid", "session_id", "causationid", "correlationid"];

/// The event, or why the marker is rejected.
pub(super) fn build(
    json: &[u8],
    carried: &Carried<'_>,
    origin: &Origin,
    door: &Door<'_>,
    ordinals: &mut Ordinals,
) -> Result<Event, String> {
    let json = door.redactor.redact_json(json);
    let fields = Fields::read(&json).map_err(|refusal| refusal.detail)?;
    let name = name(&fields)?;
    let attributes = fields.get("attributes").unwrap_or(b"{}");
    if json::kind(attributes) != Kind::Object {
        return Err("`attributes` is no object".to_owned());
    }
    let mut shaped = Shaped::new();
    for (key, value) in fields.iter() {
        match key.as_ref() {
            "name" | "attributes" | "trace_id" | "span_id" => {}
            key if INHERITED.contains(&key) => {
                return Err(format!("`{key}` is that of the event that carries the marker: leave it out"));
            }
            _ => annotation(&mut shaped, key.clone(), value).map_err(|refusal| refusal.detail)?,
        }
    }
    let id = identity(&fields, &name, attributes, carried, origin, ordinals)?;
    let Shaped { mut draft, id: own_id, source, .. } = shaped;
    draft.kind = name;
    draft.id = Cow::Owned(id);
    draft.source = Cow::Borrowed(&origin.source);
    match source {
        Some(source) if own_id.is_some() => draft.source = source,
        Some(source) => draft.put_text("originsource", &source),
        None => {}
    }
    draft.set_data(attributes);
    if let Some(severity) = catalogue::find(&draft.kind).and_then(|entry| entry.severity) {
        draft.put_text_if_absent("severity", severity.as_str());
    }
    inherit(&mut draft, carried, origin);
    trace(&mut draft, &fields, origin);
    let event = draft.finish(Sameness::FirstWins).map_err(|error| error.to_string())?;
    within(&event, &door.limits).map_err(|error| error.to_string())?;
    if event.is_reserved() {
        return Err("only Tachograph itself writes such an event".to_owned());
    }
    Ok(event)
}

/// A malformed marker is reported, and keeps its text.
pub(super) fn rejected(
    text: &str,
    reason: &str,
    carried: &Carried<'_>,
    origin: &Origin,
    door: &Door<'_>,
    ordinals: &mut Ordinals,
) -> Event {
    let scope = carried.scope.to_text();
    let ordinal = ordinals.next(format!("{scope}\0rejected\0{text}"));
    let id = derived_id("marker-rejected", &[origin.session(), &scope, text, &ordinal]);
    let mut data = b"{\"reason\":".to_vec();
    json::write_string(head(reason, 500), &mut data);
    data.extend_from_slice(format!(",\"bytes\":{},\"text\":", text.len()).as_bytes());
    json::write_string(head(text, KEPT_BYTES.min(door.limits.event_bytes / 8)), &mut data);
    data.push(b'}');
    let mut draft = Draft::new("tacho.marker_rejected", origin.source.as_str(), id);
    draft.set_data(data);
    draft.put_text("severity", "warning");
    inherit(&mut draft, carried, origin);
    if let Some(context) = origin.trace(&draft.id) {
        draft.put_text("traceparent", &context.to_traceparent());
    }
    draft.finish(Sameness::FirstWins).unwrap_or_else(|_| {
        // The origin's names stand in an event that was accepted; with `/marker` its source may be too long.
        draft.source = Cow::Borrowed("/marker");
        draft.finish(Sameness::FirstWins).expect("the names are right")
    })
}

fn name<'a>(fields: &Fields<'a>) -> Result<Cow<'a, str>, String> {
    let name = fields.text("name").filter(|name| !name.is_empty()).ok_or("`name` is missing or no string")?;
    if name.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err("`name` contains white space".to_owned());
    }
    if catalogue::is_reserved_for_markers(&name) {
        return Err(format!(
            "{name:?} is a reserved name: name the event after its agent, such as urlCacher.urlCached"
        ));
    }
    Ok(name)
}

/// See the module's documentation for the rule.
fn identity(
    fields: &Fields<'_>,
    name: &str,
    attributes: &[u8],
    carried: &Carried<'_>,
    origin: &Origin,
    ordinals: &mut Ordinals,
) -> Result<String, String> {
    if let Some(id) = fields.get("id") {
        return crate::shape::identifier(id).map(Cow::into_owned).map_err(|refusal| refusal.detail);
    }
    let mut canonical = Vec::new();
    write_canonical(attributes, &mut canonical);
    let canonical = String::from_utf8_lossy(&canonical);
    if let Some(timestamp) = fields.get("timestamp") {
        let moment = moment(timestamp).map_err(|refusal| refusal.detail)?;
        let nanos = Timestamp::from_rfc3339(&json::text(&moment)).unwrap_or_default().0.to_string();
        return Ok(derived_id("marker", &[origin.session(), name, &canonical, "time", &nanos]));
    }
    let scope = carried.scope.to_text();
    let ordinal = ordinals.next(format!("{scope}\0{name}\0{canonical}"));
    Ok(derived_id("marker", &[origin.session(), name, &canonical, "scope", &scope, &ordinal]))
}

/// Members by name, strings in one way of writing; numbers as they are.
fn write_canonical(value: &[u8], out: &mut Vec<u8>) {
    match json::kind(value) {
        Kind::Object => {
            let mut members: Vec<_> = json::members(value).collect();
            members.sort_by_key(|(key, _)| *key);
            out.push(b'{');
            for (key, value) in members {
                out.push(b'"');
                out.extend_from_slice(key);
                out.extend_from_slice(b"\":");
                write_canonical(value, out);
                out.push(b',');
            }
            out.push(b'}');
        }
        Kind::Array => {
            out.push(b'[');
            for element in json::elements(value) {
                write_canonical(element, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Kind::String => json::write_string(&json::text(value), out),
        _ => out.extend_from_slice(value),
    }
}

fn inherit(draft: &mut Draft<'_>, carried: &Carried<'_>, origin: &Origin) {
    let time = carried.time.map_or_else(|| origin.time.clone(), Timestamp::to_rfc3339);
    if draft.attribute("time").is_none() {
        draft.put_text("time", &time);
    }
    for (name, value) in &origin.inherited {
        if draft.attribute(name).is_none() {
            draft.put(*name, value.clone());
        }
    }
    // What a subagent hands back was said by it, whoever called it.
    if let Scope::Agent(agent) = &carried.scope {
        crate::hook::put(draft, "actorid", Some(agent));
    }
    draft.put_text("causationid", &origin.id);
    draft.subject = Some(Cow::Owned(origin.stream.clone()));
}

/// The trace is the session's; the marker's span counts when it is one, else it is derived. What the marker
/// said of another trace is kept beside it.
fn trace(draft: &mut Draft<'_>, fields: &Fields<'_>, origin: &Origin) {
    let text = |key| fields.text(key).unwrap_or_default().to_ascii_lowercase();
    let (trace, span) = (text("trace_id"), text("span_id"));
    let own = TraceContext::parse(&format!("00-{trace}-{span}-01"));
    let Some(mut context) = origin.trace(&draft.id).or(own) else { return };
    let placeholder = "1".repeat(32);
    if let Some(spanned) = TraceContext::parse(&format!("00-{placeholder}-{span}-01")) {
        context.span_id = spanned.span_id;
    }
    if let Some(own) = own.filter(|own| own.trace_id != context.trace_id) {
        draft.put_text("origintraceparent", &own.to_traceparent());
    }
    draft.put_text("traceparent", &context.to_traceparent());
}
