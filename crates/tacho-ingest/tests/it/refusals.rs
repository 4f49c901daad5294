//! What bad input gets: each its own code, and words that say what to do.

use crate::support::{post, post_as};
use expect_test::expect;
use std::fmt::Write;
use tacho_event::Code;
use tacho_ingest::{Door, Limits, Redactor, api};

fn event(extra: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"1","source":"/t","type":"demo.a"{extra}}}"#)
}

/// One body for each thing that can be wrong.
fn bad_bodies() -> Vec<String> {
    let long = "x".repeat(300);
    vec![
        "{nope".to_owned(),
        "".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        "\"text\"".to_owned(),
        "[[1]]".to_owned(),
        "{}".to_owned(),
        format!("[{},{{\"x\":1}}]", event("")),
        r#"{"specversion":"0.3","id":"1","source":"/t","type":"a"}"#.to_owned(),
        r#"{"specversion":"1.0","id":"1","source":"/t"}"#.to_owned(),
        r#"{"specversion":"1.0","id":"1","type":"a"}"#.to_owned(),
        r#"{"specversion":"1.0","id":"","source":"/t","type":"a"}"#.to_owned(),
        r#"{"specversion":"1.0","id":7,"source":"/t","type":"a"}"#.to_owned(),
        format!(r#"{{"specversion":"1.0","id":"{long}","source":"/t","type":"a"}}"#),
        r#"{"specversion":"1.0","id":"a\u0007","source":"/t","type":"a"}"#.to_owned(),
        r#"{"specversion":"1.0","id":"1","source":"/t","type":["a"]}"#.to_owned(),
        event(r#","id":"2""#),
        event(r#","nested":{"a":1}"#),
        event(r#","Upper":"x""#),
        event(r#","time":"yesterday""#),
        event(r#","priority":"urgent""#),
        event(r#","traceparent":"00-zz""#),
        event(r#","sequence":"9""#),
        event(r#","position":9"#),
        event(r#","recordedtime":"2026-01-01T00:00:00Z""#),
        event(r#","hops":33"#),
        event(r#","subject":"lease/x""#),
        event("").replace("demo.a", "tacho.alert_raised"),
        event(r#","data":1,"data_base64":"AA==""#),
        event(r#","data_base64":"***""#),
        r#"{"event_type":"x","event_id":"1","actor":"me","metadata":{}}"#.to_owned(),
        r#"{"event_type":"x","payload":{},"timestamp":"soon"}"#.to_owned(),
        r#"{"event":"x","serverId":"s","conversationId":"a","context_id":"b"}"#.to_owned(),
        r#"{"name":"x","trace_id":"zz","attributes":{}}"#.to_owned(),
    ]
}

#[test]
fn each_has_a_code_and_a_remedy() {
    let mut told = String::new();
    for body in bad_bodies() {
        let refusal = post(&body).unwrap_err();
        let index = refusal.index.map(|index| format!(" [{index}]")).unwrap_or_default();
        writeln!(told, "{}{index}: {}", refusal.code.as_str(), refusal.detail).unwrap();
    }
    expect![[r#"
        invalid_json: unexpected 'n' at byte 1: send one JSON object, an array of objects, or one object a line
        invalid_event: the body holds no event: send one object, an array or JSON lines
        invalid_event: the body holds no event: send one object, an array or JSON lines
        invalid_event: an event is a JSON object: this is none
        invalid_event: an event is a JSON object: this is none
        invalid_event [0]: an event is a JSON object: this is none
        invalid_event: the object is no event that is known: send a CloudEvent (`specversion`, `id`, `source`, `type`, `data`), or one of the shapes with `event_type`, `event` and `serverId`, `name` and `attributes`, or `hook_event_name`
        invalid_event [1]: the object is no event that is known: send a CloudEvent (`specversion`, `id`, `source`, `type`, `data`), or one of the shapes with `event_type`, `event` and `serverId`, `name` and `attributes`, or `hook_event_name`
        invalid_event: `specversion` is "0.3", but only "1.0" is known
        invalid_event: `type` is missing: every event needs one
        invalid_event: `source` is missing: every event needs one
        invalid_id: `id` is missing: every event needs one
        invalid_id: `id` is 7, but must be a string
        invalid_id: `id` is longer than 256 bytes
        invalid_id: `id` contains a control character
        invalid_attribute: `type` is ["a"], but must be a string
        invalid_event: `id` stands twice in the event: send it once
        invalid_event: attribute `nested` is no string, number or boolean: put it into `data`
        invalid_event: attribute name "Upper" is not made of 1 to 20 characters a-z and 0-9: put it into `data`
        invalid_attribute: `time` is "yesterday", but must be a moment of RFC 3339, such as 2026-01-31T14:00:00Z
        invalid_attribute: `priority` is "urgent", but must be critical, high, normal or low
        invalid_traceparent: `traceparent` is "00-zz", but must be a W3C traceparent, such as 00-<32 hex>-<16 hex>-01
        reserved_attribute: `sequence` is given by the log: leave it out
        reserved_attribute: `position` is given by the log: leave it out
        reserved_attribute: `recordedtime` is given by the log: leave it out
        loop_detected: the event has passed through more than 32 handlers: they answer each other in a loop
        reserved_type: "lease/x" is reserved: only Tachograph itself writes types `tacho.*` and streams handler/, lease/, registry/, dead-letter/, tacho/
        reserved_type: "tacho.alert_raised" is reserved: only Tachograph itself writes types `tacho.*` and streams handler/, lease/, registry/, dead-letter/, tacho/
        invalid_event: the event has `data` and `data_base64`: send one of them
        invalid_event: `data_base64` is no string of base64: encode the bytes as RFC 4648, section 4
        invalid_event: `actor` is no object: send {"type": …, "id": …}
        invalid_attribute: `timestamp` is "soon", but must be a moment of RFC 3339 or seconds since 1970
        invalid_event: `conversationId` and `context_id` differ: they are one thing, send one
        invalid_traceparent: `trace_id` must be 32 and `span_id` 16 hex digits, neither all zeros
    "#]].assert_eq(&told);
}

#[test]
fn bytes_depth_and_media_types() {
    let code = |content_type: &str, body: &[u8]| post_as(content_type, &[], body).unwrap_err().code;
    assert_eq!(
        code("application/json", b"{\"specversion\":\"1.0\",\"type\":\"\xff\xfe\"}"),
        Code::InvalidUtf8
    );
    let deep = format!(
        "{}{}",
        event(",\"data\":").trim_end_matches('}'),
        "[".repeat(5000) + &"]".repeat(5000) + "}"
    );
    assert_eq!(code("application/json", deep.as_bytes()), Code::TooDeep);
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"] {
        assert_eq!(code(media_type, b"{}"), Code::UnsupportedMediaType, "{media_type}");
    }
}

#[test]
fn limits() {
    let redactor = Redactor::builtin();
    let limits = Limits { event_bytes: 300, batch_events: 3, batch_bytes: 1000, depth: 10 };
    let door = Door { limits, ..Door::new(&redactor) };
    let code = |body: String| {
        let request =
            api::Request { content_type: Some("application/json"), attributes: &[], body: body.as_bytes() };
        api::parse(&request, &door, Default::default(), &mut String::new)
            .map(|events| events.len())
            .map_err(|refusal| refusal.code)
    };
    let many = |count: usize| format!("[{}]", vec![event(""); count].join(","));
    assert_eq!(code(many(3)), Ok(3));
    assert_eq!(code(many(4)), Err(Code::BatchTooLarge));
    assert_eq!(code(many(20)), Err(Code::BatchTooLarge));
    assert_eq!(code(event(&format!(",\"data\":\"{}\"", "x".repeat(300)))), Err(Code::EventTooLarge));
}
