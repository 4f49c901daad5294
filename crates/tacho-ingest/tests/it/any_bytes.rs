//! Whatever comes in: nothing panics, what comes out is valid JSON within the limits, and holds no control
//! character where a name must not.

use crate::support::{NOW, fixtures, input};
use proptest::prelude::*;
use tacho_event::Event;
use tacho_ingest::hook::Agent;
use tacho_ingest::otlp::{self, Encoding, Export, Signal};
use tacho_ingest::transcript::TranscriptInput;
use tacho_ingest::{Door, Limits, Redactor, api, hook, import, marker, transcript};

fn sound(events: &[Event], limits: &Limits) -> Result<(), TestCaseError> {
    for event in events {
        let value: Result<serde_json::Value, _> = serde_json::from_slice(event.body());
        // Lone surrogates are JSON, which serde_json does not read.
        prop_assert!(
            value.is_ok_and(|value| value.is_object())
                || event.body().windows(3).any(|part| part.eq_ignore_ascii_case(b"\\ud"))
        );
        prop_assert!(event.bytes().len() <= limits.event_bytes, "{}", event.bytes().len());
        for name in [event.id(), event.source(), event.kind(), event.stream()] {
            prop_assert!(!name.is_empty() && !name.chars().any(char::is_control));
        }
    }
    Ok(())
}

/// Text that is often nearly right: pieces of what the doors look for, among anything.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\n",
        "null",
        "1.5e3",
        "\"specversion\":\"1.0\"",
        "\"id\":\"x\"",
        "\"source\":\"/t\"",
        "\"type\":\"a\"",
        "\"data\":",
        "\"event_type\":\"x\"",
        "\"payload\":{}",
        "\"name\":\"a.b\"",
        "\"hook_event_name\":\"PostToolUse\"",
        "\"tool_name\":\"Bash\"",
        "\"session_id\":\"s\"",
        "\"tool_input\":{\"command\":\"",
        "git commit -m \\\"$(cat <<'EOF'",
        " && npm test | tail; pytest",
        "gh pr create",
        "[main 9fceb02] x\\n 3 files changed",
        "test result: ok. 5 passed; 0 failed",
        "99999999999999999999 failed, 18446744073709551615 passed in 1e999s",
        "Tests run: 18446744073709551615, Failures: 9",
        "\"attributes\":{}",
        "\"tool_response\":",
        "<EVENT>",
        "</EVENT>",
        "{\"name\":\"a.b\"}",
        "\"password\":",
        "sk-ant-",
        "AKIA",
        "eyJ",
        "://",
        "user:pass@",
        "Bearer ",
        "-----BEGIN PRIVATE KEY-----",
        "\\u0073",
        "\\ud83d",
        "é",
        "🚀",
        "token=",
        "secret: '",
        "\"timestamp\":1",
        "\"event\":\"e\"",
        "\"serverId\":\"s\"",
        "\"trace_id\":\"z\"",
        "\"uuid\":\"u\"",
        "\"message\":{",
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{",
        "\"attributes\":[{\"key\":\"session.id\",\"value\":{\"stringValue\":\"",
        "\"body\":{\"kvlistValue\":{\"values\":[",
        "}]}]}]}",
    ]);
    let piece = prop_oneof![4 => pieces.prop_map(|text| text.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..6)];
    prop::collection::vec(piece, 0..40).prop_map(|parts| parts.concat())
}

/// JSON objects of the fields that the doors know, with values of any kind.
fn object() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "data",
        "data_base64",
        "traceparent",
        "sessionid",
        "event_id",
        "event_type",
        "event_version",
        "timestamp",
        "issue_key",
        "actor",
        "metadata",
        "payload",
        "name",
        "attributes",
        "trace_id",
        "span_id",
        "status",
        "kind",
        "event",
        "serverId",
        "conversationId",
        "context_id",
        "hook_event_name",
        "session_id",
        "cwd",
        "agent_id",
        "tool_name",
        "tool_use_id",
        "tool_response",
        "prompt",
        "last_assistant_message",
        "password",
        "extra",
    ]);
    let value = leaf().prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| format!("[{}]", parts.join(","))),
            prop::collection::vec(("[a-z_]{1,8}", inner), 0..4).prop_map(|parts| {
                let members: Vec<String> =
                    parts.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    prop::collection::btree_map(key, value, 0..10).prop_map(|members| {
        let members: Vec<String> =
            members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

/// Values without members: among them texts that matter, and one that is long.
fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("\"1.0\"".to_owned()),
        Just("\"Bash\"".to_owned()),
        Just("\"PostToolUse\"".to_owned()),
        Just("\"Stop\"".to_owned()),
        any::<f64>()
            .prop_filter("JSON has no such numbers", |number| number.is_finite())
            .prop_map(|number| number.to_string()),
        "\\PC{0,20}".prop_map(|text| serde_json::Value::String(text).to_string()),
        "[ -~]{0,60}"
            .prop_map(|text| serde_json::Value::String(format!("<EVENT>{{\"name\":\"a.b\"}}</EVENT>{text}"))
                .to_string()),
        "x{900,1200}".prop_map(|text| format!("\"{text}\"")),
    ]
}

fn through_every_door(bytes: &[u8]) -> Result<(), TestCaseError> {
    let redactor = Redactor::builtin();
    let limits = Limits { event_bytes: 4096, ..Limits::default() };
    let door = Door { limits, ..Door::new(&redactor) };
    for content_type in ["application/json", "application/cloudevents-batch+json"] {
        let request = api::Request { content_type: Some(content_type), attributes: &[], body: bytes };
        if let Ok(events) = api::parse(&request, &door, NOW, &mut || "made".to_owned()) {
            sound(&events, &limits)?;
        }
    }
    let header: [(&str, &[u8]); 4] =
        [("ce-id", bytes), ("ce-source", b"/t"), ("ce-type", b"t"), ("ce-note", bytes)];
    let request = api::Request { content_type: Some("text/xml"), attributes: &header, body: bytes };
    if let Ok(events) = api::parse(&request, &door, NOW, &mut || "made".to_owned()) {
        sound(&events, &limits)?;
    }
    for agent in Agent::ALL {
        let events = hook::parse(&input(agent, bytes), &door);
        prop_assert!(!events.is_empty());
        sound(&events, &limits)?;
        sound(&marker::from_transcript(&events[0], bytes, &door), &limits)?;
        let input = TranscriptInput { agent, session: None, now: NOW, jsonl: bytes };
        sound(&transcript::parse(&input, &door).events, &limits)?;
    }
    for (signal, encoding) in telemetry() {
        if let Ok(export) = Export::read(signal, encoding, bytes, &limits) {
            sound(&export.events(&door, NOW).filter_map(Result::ok).collect::<Vec<_>>(), &limits)?;
        }
    }
    sound(&otlp::import(bytes, &door, NOW).events, &limits)?;
    sound(&import::lines(bytes, &door, NOW).events, &limits)
}

fn telemetry() -> impl Iterator<Item = (Signal, Encoding)> {
    Signal::ALL.into_iter().flat_map(|signal| [(signal, Encoding::Json), (signal, Encoding::Protobuf)])
}

/// A captured export with some of its bytes changed, and perhaps cut off.
fn damaged_export() -> impl Strategy<Value = Vec<u8>> {
    let captures = fixtures("otlp/json").into_iter().chain(fixtures("otlp/protobuf"));
    let bodies: Vec<Vec<u8>> = captures.map(|path| std::fs::read(path).unwrap()).collect();
    let change = (any::<prop::sample::Index>(), any::<u8>());
    (prop::sample::select(bodies), prop::collection::vec(change, 0..8), any::<prop::sample::Index>())
        .prop_map(|(mut body, changes, end)| {
            for (at, byte) in changes {
                let at = at.index(body.len());
                body[at] = byte;
            }
            let end = end.index(body.len() * 2);
            body.truncate(end.max(1));
            body
        })
}

proptest! {
    #[test]
    fn damaged_exports(bytes in damaged_export()) {
        let redactor = Redactor::builtin();
        let limits = Limits { event_bytes: 4096, ..Limits::default() };
        let door = Door { limits, ..Door::new(&redactor) };
        for (signal, encoding) in telemetry() {
            if let Ok(export) = Export::read(signal, encoding, &bytes, &limits) {
                sound(&export.events(&door, NOW).filter_map(Result::ok).collect::<Vec<_>>(), &limits)?;
            }
        }
    }

    #[test]
    fn nearly_right_bytes(bytes in nearly()) {
        through_every_door(&bytes)?;
    }

    #[test]
    fn objects_of_known_fields(object in object()) {
        through_every_door(object.as_bytes())?;
    }
}
