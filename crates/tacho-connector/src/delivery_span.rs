//! Deliveries to handlers as spans, each below the event that caused it.

use crate::span::{attribute, hex};
use serde_json::{Value, json};
use tacho_engine::handler::DELIVERED;
use tacho_event::{Recorded, Timestamp, TraceContext, json as text};

/// Whether the event tells of deliveries and nothing else.
pub(crate) fn is_told_by(event: &Recorded) -> bool {
    event.kind() == DELIVERED
}

/// The spans of the deliveries that an event tells of, as OTLP's JSON has them.
pub(crate) fn spans(event: &Recorded) -> Vec<Value> {
    if !is_told_by(event) {
        return Vec::new();
    }
    let data = text::to_value(event.data().unwrap_or(b"{}"));
    let handler = data["handler"].as_str().unwrap_or_default();
    data["deliveries"].as_array().into_iter().flatten().filter_map(|one| span(handler, one)).collect()
}

/// Named as the conventions for messaging name the work of a consumer.
fn span(handler: &str, delivery: &Value) -> Option<Value> {
    let own = TraceContext::parse(delivery["traceparent"].as_str()?)?;
    let parent = TraceContext::parse(delivery["parent"].as_str()?)?;
    let begin = Timestamp::from_rfc3339(delivery["started"].as_str()?)?.0;
    let end = begin + (delivery["duration_ms"].as_f64().unwrap_or(0.0).max(0.0) * 1e6) as i64;
    let member = |name: &str| delivery[name].as_str().unwrap_or_default();
    let error = &delivery["error"];
    let is_done = member("outcome") == "done";
    let mut attributes = vec![
        attribute("messaging.system", "tachograph"),
        attribute("messaging.operation.type", "process"),
        attribute("messaging.consumer.group.name", handler),
        attribute("messaging.message.id", member("event_id")),
        attribute("tacho.event.type", member("event_type")),
        attribute("tacho.stream", member("subject")),
        attribute("tacho.delivery.outcome", member("outcome")),
        json!({"key": "tacho.delivery.attempt", "value": {"intValue": delivery["attempt"].to_string()}}),
        json!({"key": "tacho.delivery.returned", "value": {"intValue": delivery["returned"].to_string()}}),
    ];
    if let Some(code) = error["code"].as_str() {
        attributes.push(attribute("error.type", code));
    }
    Some(json!({
        "traceId": hex(&own.trace_id),
        "spanId": hex(&own.span_id),
        "parentSpanId": hex(&parent.span_id),
        "name": format!("process {handler}"),
        "kind": 5,
        "startTimeUnixNano": begin.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": attributes,
        "status": {"code": if is_done { 1 } else { 2 }, "message": error["message"].as_str().unwrap_or_default()},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::{Draft, Position, Sameness, Sequence};

    #[test]
    fn a_delivery_is_a_span_below_its_event() {
        let (trace, parent, own) =
            ("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", "b7ad6b7169203331");
        let data = json!({"handler": "review", "deliveries": [{
            "position": 7, "event_id": "e1", "event_type": "demo.a", "subject": "task/x", "attempt": 2,
            "traceparent": format!("00-{trace}-{own}-01"), "parent": format!("00-{trace}-{parent}-01"),
            "outcome": "failed", "started": "2026-01-01T00:00:00Z", "duration_ms": 1.5, "returned": 0,
            "error": {"code": "timeout", "message": "too slow"},
        }]});
        let mut draft = Draft::new(DELIVERED, "/tacho/delivery", "d1");
        draft.subject = Some("handler/review".into());
        draft.set_data(data.to_string().into_bytes());
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let event =
            Recorded::new(Position(9), Sequence(1), Timestamp(0), event.bytes().to_vec().into()).unwrap();
        let spans = spans(&event);
        let span = &spans[0];
        assert_eq!((&span["traceId"], &span["parentSpanId"]), (&trace.into(), &parent.into()));
        assert_eq!((&span["spanId"], &span["name"]), (&own.into(), &"process review".into()));
        let time = |name: &str| span[name].as_str().unwrap().parse::<i64>().unwrap();
        assert_eq!(time("endTimeUnixNano") - time("startTimeUnixNano"), 1_500_000);
        assert_eq!(span["status"], json!({"code": 2, "message": "too slow"}));
    }
}
