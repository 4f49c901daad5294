//! A span event of OpenTelemetry: `name`, `trace_id`, `span_id`, `parent_span_id`, `kind`, `status`,
//! `attributes`.

use super::object::Object;
use super::{Fields, Shaped};
use crate::Refusal;
use std::borrow::Cow;
use tacho_event::json::{self, Kind};
use tacho_event::trace::to_hex;
use tacho_event::{Code, Recorded, TraceContext};

pub(super) fn parse<'a>(fields: &Fields<'a>) -> Result<Shaped<'a>, Refusal> {
    let mut shaped = Shaped::new();
    for (key, value) in fields.iter() {
        match key.as_ref() {
            "name" => shaped.named("type", value)?,
            "attributes" => shaped.draft.set_data(value),
            "trace_id" | "span_id" => {}
            _ => annotation(&mut shaped, key.clone(), value)?,
        }
    }
    if let Some(trace) = fields.get("trace_id") {
        let trace = super::fields::string("trace_id", trace)?;
        let span = fields.get("span_id").map(|span| super::fields::string("span_id", span)).transpose()?;
        let moment = fields.get("timestamp").map(json::text).unwrap_or_default();
        let parent = traceparent(&trace, span.as_deref(), &format!("{}:{moment}", shaped.draft.kind))?;
        shaped.draft.put_text("traceparent", &parent);
    } else if let Some(span) = fields.get("span_id") {
        shaped.named("originspanid", span)?;
    }
    Ok(shaped)
}

/// What a span event and a marker have in common beside name, ids and attributes.
pub(crate) fn annotation<'a>(
    shaped: &mut Shaped<'a>,
    key: Cow<'a, str>,
    value: &'a [u8],
) -> Result<(), Refusal> {
    match key.as_ref() {
        "parent_span_id" => shaped.named("parentspanid", value),
        "kind" => shaped.named("otelkind", value),
        "type" => shaped.named("severity", value),
        "status" if json::kind(value) == Kind::Object => {
            for (key, value) in json::members(value) {
                match key {
                    b"code" => shaped.named("otelstatus", value)?,
                    b"message" => shaped.named("otelstatusmessage", value)?,
                    _ => {
                        let key = String::from_utf8_lossy(key);
                        return Err(Refusal::event(format!(
                            "`status.{key}` is unknown: put it into `attributes`"
                        )));
                    }
                }
            }
            Ok(())
        }
        _ => shaped.foreign(key, value),
    }
}

/// A span without an id gets one that is derived from its trace, name and moment, so that the same event has
/// the same span.
fn traceparent(trace: &str, span: Option<&str>, part: &str) -> Result<String, Refusal> {
    let derived;
    let span = match span {
        Some(span) => span,
        None => {
            derived = to_hex(&TraceContext::derived(trace, part).span_id);
            &derived
        }
    };
    let text = format!("00-{}-{}-01", trace.to_ascii_lowercase(), span.to_ascii_lowercase());
    TraceContext::parse(&text).map(TraceContext::to_traceparent).ok_or_else(|| {
        Refusal::new(
            Code::InvalidTraceparent,
            "`trace_id` must be 32 and `span_id` 16 hex digits, neither all zeros",
        )
    })
}

pub(super) fn render(event: &Recorded, out: &mut Vec<u8>) {
    let context =
        event.text("traceparent").and_then(|text| TraceContext::parse(&text)).unwrap_or_else(|| {
            let session = event.text("sessionid");
            TraceContext::derived(session.as_deref().unwrap_or(event.stream()), event.id())
        });
    let mut object = Object::open(out);
    object.text("timestamp", &event.time().to_rfc3339_millis());
    object.text("trace_id", &to_hex(&context.trace_id));
    object.text("span_id", &to_hex(&context.span_id));
    object.attribute("parent_span_id", event, "parentspanid");
    object.text("name", event.kind());
    object.raw("kind", event.attribute("otelkind").unwrap_or(b"\"SPAN_KIND_INTERNAL\""));
    let mut status = object.object("status");
    let is_error = event.text("severity").as_deref() == Some("error");
    let default: &[u8] = if is_error { b"\"STATUS_CODE_ERROR\"" } else { b"\"STATUS_CODE_OK\"" };
    status.raw("code", event.attribute("otelstatus").unwrap_or(default));
    status.attribute("message", event, "otelstatusmessage");
    status.close();
    object.payload("attributes", event);
    object.close();
}
