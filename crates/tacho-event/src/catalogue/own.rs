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
            Field::optional("retry_of", String),
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
            Field::optional("save", Integer),
            Field::optional("read_to", Integer),
            Field::optional("open", Array),
            Field::optional("retries", Array),
            Field::optional("breaker", Object),
            Field::optional("paused", Object),
            Field::optional("seen", Array),
            Field::optional("seen_before", Integer),
        ],
        r#"{"position":42,"done":40,"dead":1,"skipped":1,"save":7,"read_to":45,"open":[[43,45]]}"#,
    ),
    own(
        "tacho.delivered",
        "Deliveries to a handler ended; each is a span below the event that caused it.",
        Severity::Info,
        &[
            Field::required("handler", String),
            Field::required("deliveries", Array),
            Field::optional("others", Integer),
        ],
        r#"{"handler":"review","deliveries":[{"position":7,"event_id":"e1","event_type":"demo.a","subject":"task/x","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","parent":"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01","attempt":1,"outcome":"done","started":"2026-01-01T00:00:00Z","duration_ms":1.25,"returned":1}]}"#,
    ),
    own(
        "tacho.delivery_failed",
        "An attempt to deliver an event to a handler failed; the time of the next one is fixed.",
        Severity::Warning,
        &[
            Field::required("handler", String),
            Field::required("event_id", String),
            Field::required("event_type", String),
            Field::required("position", Integer),
            Field::required("attempt", Integer),
            Field::required("error", Object),
            Field::optional("next_attempt", String).or_null(),
        ],
        r#"{"handler":"review","event_id":"e1","event_type":"demo.a","position":7,"attempt":1,"error":{"code":"timeout","message":"no answer within 2 s"},"next_attempt":"2026-01-01T00:00:00.200Z"}"#,
    ),
    own(
        "tacho.breaker_changed",
        "A handler's breaker opened, is half open, or closed.",
        Severity::Info,
        &[
            Field::required("handler", String),
            Field::one_of("state", &["closed", "open", "half_open"]),
            Field::optional("until", String).or_null(),
            Field::optional("reason", String).or_null(),
        ],
        r#"{"handler":"review","state":"open","until":"2026-01-01T00:00:30Z","reason":"timeout: no answer within 2 s"}"#,
    ),
    own(
        "tacho.handler_paused",
        "Somebody had a handler begin nothing new.",
        Severity::Info,
        &[
            Field::required("handler", String),
            Field::required("by", String),
            Field::required("reason", String),
        ],
        r#"{"handler":"review","by":"user:ann","reason":"deploying"}"#,
    ),
    own(
        "tacho.handler_resumed",
        "Somebody had a handler go on.",
        Severity::Info,
        &[
            Field::required("handler", String),
            Field::required("by", String),
            Field::required("reason", String),
        ],
        r#"{"handler":"review","by":"user:ann","reason":"deployed"}"#,
    ),
    own(
        "tacho.delivery_retried",
        "Somebody had what waited for its next attempt tried at once.",
        Severity::Info,
        &[
            Field::required("handler", String),
            Field::required("by", String),
            Field::required("reason", String),
        ],
        r#"{"handler":"review","by":"user:ann","reason":"the network is back"}"#,
    ),
    own(
        "tacho.dead_letter_retried",
        "A dead letter's event was given to its handler again, with another payload where `data` is there.",
        Severity::Info,
        &[
            Field::required("letter", String),
            Field::required("handler", String),
            Field::required("position", Integer),
            Field::required("by", String),
            Field::required("reason", String),
        ],
        r#"{"letter":"1f6a","handler":"review","position":7,"by":"user:ann","reason":"the payload was wrong","data":{"n":888}}"#,
    ),
    own(
        "tacho.dead_letter_discarded",
        "A dead letter was given up for good.",
        Severity::Info,
        &[
            Field::required("letter", String),
            Field::required("handler", String),
            Field::required("position", Integer),
            Field::required("by", String),
            Field::required("reason", String),
        ],
        r#"{"letter":"1f6a","handler":"review","position":7,"by":"user:ann","reason":"a test"}"#,
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
