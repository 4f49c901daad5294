//! What Tachograph says itself. Only the engine may write these.

use super::{Entry, Origin};
use crate::schema::Severity;
use crate::schema::ValueKind::{Array, Integer, Number, Object, String};
use crate::schema::{Field, REGISTERED};

pub const ENTRIES: &[Entry] = &[
    own(
        REGISTERED,
        "A version of an event type's schema came into force.",
        Severity::Info,
        &[
            Field::required("type", String),
            Field::required("version", String),
            Field::required("schema", Object),
            Field::optional("meaning", String),
            Field::optional("severity", String),
            Field::optional("declared_by", String),
        ],
        r#"{"type":"urlCacher.cacheRequested","version":"1.0.0","meaning":"Somebody asked for a page.","schema":{"type":"object"}}"#,
    ),
    own(
        "tacho.prices",
        "A table of model prices came into force, in US dollars a million tokens.",
        Severity::Info,
        &[
            Field::required("version", String),
            Field::optional("source", String),
            Field::required("prices", Array),
        ],
        r#"{"version":"2026-01-01","source":"the vendor's price page","prices":[{"model":"some-model*","effective":"2026-01-01","input":3,"output":15}]}"#,
    ),
    own(
        "tacho.alert",
        "A key figure passed its threshold, or something is far from its own past.",
        Severity::Warning,
        &[
            Field::one_of("kind", &["threshold", "anomaly", "test"]),
            Field::required("metric", String),
            Field::optional("operator", String),
            Field::optional("threshold", Number),
            Field::required("current_value", Number),
            Field::one_of("action", &["notify_admin", "warn_user"]),
            Field::required("message", String),
            Field::optional("condition", String),
            Field::optional("window_seconds", Integer),
            Field::required("timestamp", Number),
            Field::required("timestamp_iso", String),
        ],
        r#"{"kind":"threshold","metric":"validation_pass_rate","operator":"<","threshold":0.7,"current_value":0.5,"action":"notify_admin","message":"more than three in ten validations fail","condition":"validation_pass_rate < 0.7","window_seconds":3600,"timestamp":1790000000.0,"timestamp_iso":"2026-09-21T14:13:20.000Z"}"#,
    ),
    own(
        "tacho.dead_letter",
        "A handler gave up on an event: it was refused for good, or failed too often.",
        Severity::Error,
        &[
            Field::required("handler", String),
            Field::required("position", Integer),
            Field::required("event_id", String),
            Field::required("event_source", String),
            Field::required("event_type", String),
            Field::required("attempts", Integer),
            Field::required("error", Object),
            Field::required("failedAt", String),
        ],
        r#"{"handler":"http","position":7,"event_id":"e1","event_source":"/t","event_type":"demo.a","attempts":1,"error":{"message":"the receiver answered 404","code":"http_404"},"failedAt":"2026-01-01T00:00:00Z"}"#,
    ),
    own(
        "tacho.sys.progress",
        "How far a handler is: everything up to the position is settled.",
        Severity::Info,
        &[
            Field::required("position", Integer),
            Field::required("done", Integer),
            Field::required("dead", Integer),
            Field::required("skipped", Integer),
        ],
        r#"{"position":42,"done":40,"dead":1,"skipped":1}"#,
    ),
    own(
        "tacho.hook_unreadable",
        "A hook delivered bytes that are no payload; they are kept.",
        Severity::Warning,
        &[
            Field::required("agent", String),
            Field::required("bytes", Integer),
            Field::required("reason", String),
            Field::optional("text", String),
            Field::optional("base64", String),
        ],
        r#"{"agent":"claude-code","bytes":6,"reason":"the text ends at byte 6, in the middle of a value","text":"{\"sess"}"#,
    ),
    own(
        "tacho.marker_rejected",
        "An agent printed a marker that is malformed or takes a reserved name.",
        Severity::Warning,
        &[
            Field::required("reason", String),
            Field::required("bytes", Integer),
            Field::required("text", String),
        ],
        r#"{"reason":"the marker holds no JSON object","bytes":14,"text":"{\"name\": oops}"}"#,
    ),
    own(
        "tacho.spool_overflow",
        "The spool reached its limit while no server took events from it; events were lost.",
        Severity::Error,
        &[Field::required("dropped", Integer)],
        r#"{"dropped":12}"#,
    ),
];

const fn own(
    kind: &'static str,
    meaning: &'static str,
    severity: Severity,
    fields: &'static [Field<'static>],
    example: &'static str,
) -> Entry {
    Entry::new(kind, Origin::Tachograph, meaning, fields, example).with_severity(severity).once()
}
