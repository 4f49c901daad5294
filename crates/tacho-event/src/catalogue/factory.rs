//! The types of a multi-agent test factory, with the payloads of its event line, and those that client libraries emit
//! beside them.

use super::{Entry, Origin};
use crate::schema::Field;
use crate::schema::Severity::{self, Error, Info, Warning};
use crate::schema::ValueKind::{Array, Boolean, Integer, Number, Object, String};

pub const ENTRIES: &[Entry] = &[
    of(
        "task_queued",
        Info,
        "A task waits for an agent.",
        &[
            Field::required("task_id", String),
            Field::required("feature", String),
            Field::optional("est_cost", Number),
            Field::optional("timestamp", Number),
        ],
        r#"{"task_id":"t_1","feature":"checkout","est_cost":0.12,"timestamp":1734567890.5}"#,
    )
    .read_by(&["task"]),
    of(
        "agent_started",
        Info,
        "An agent took up a task.",
        &[
            Field::required("agent", String),
            Field::required("task_id", String),
            Field::optional("model", String),
            Field::optional("tools", Array),
        ],
        r#"{"agent":"scribe","task_id":"t_1","model":"sonnet","tools":["Read","Write"]}"#,
    )
    .with_agent("agent")
    .read_by(&["agents", "task"]),
    of(
        "agent_completed",
        Info,
        "An agent ended its work on a task.",
        &[
            Field::required("agent", String),
            Field::required("task_id", String),
            Field::one_of("status", &["success", "failed", "approved", "rejected"]),
            Field::optional("duration_ms", Number),
            Field::optional("cost_usd", Number),
        ],
        r#"{"agent":"scribe","task_id":"t_1","status":"success","duration_ms":5120,"cost_usd":0.08}"#,
    )
    .with_agent("agent")
    .read_by(&["agents", "task"]),
    of(
        "validation_complete",
        Info,
        "A task's result was validated.",
        &[
            Field::required("task_id", String),
            Field::required("result", Object),
            Field::optional("cost", Number),
            Field::optional("duration_ms", Number),
            Field::optional("screenshots", Integer),
        ],
        r#"{"task_id":"t_1","result":{"test_passed":true},"cost":0.02,"duration_ms":1800,"screenshots":3}"#,
    )
    .read_by(&["task"]),
    of(
        "hitl_escalated",
        Warning,
        "A task was handed to a human.",
        &[
            Field::required("task_id", String),
            Field::required("attempts", Integer),
            Field::optional("last_error", String),
            Field::optional("priority", String),
        ],
        r#"{"task_id":"t_1","attempts":3,"last_error":"selector not found","priority":"high"}"#,
    )
    .once()
    .read_by(&["task"]),
    of(
        "hitl_acknowledged",
        Info,
        "Somebody has seen that a task or an agent waits for a human.",
        &[
            Field::optional("task_id", String),
            Field::optional("wait", String),
            Field::optional("by", String),
            Field::optional("note", String),
        ],
        r#"{"task_id":"t_1","by":"ada"}"#,
    )
    .once()
    .read_by(&["task"]),
    of(
        "hitl_answered",
        Info,
        "A human answered what a task or an agent asked.",
        &[
            Field::optional("task_id", String),
            Field::optional("wait", String),
            Field::required("answer", String),
            Field::optional("by", String),
        ],
        r#"{"task_id":"t_1","answer":"use the other selector","by":"ada"}"#,
    )
    .once()
    .read_by(&["task"]),
    of(
        "hitl_resolved",
        Info,
        "A task or an agent waits for no human any more.",
        &[
            Field::optional("task_id", String),
            Field::optional("wait", String),
            Field::optional("resolution", String),
            Field::optional("by", String),
        ],
        r#"{"task_id":"t_1","resolution":"the selector was mended","by":"ada"}"#,
    )
    .once()
    .read_by(&["task"]),
    of(
        "review_noted",
        Info,
        "Somebody gave a session or an event a score, or wrote a note.",
        &[Field::optional("score", Integer), Field::optional("note", String)],
        r#"{"score":4,"note":"the second attempt was the right one"}"#,
    )
    .once(),
    of(
        "critic_decision",
        Info,
        "A critic approved or rejected a task's result.",
        &[Field::required("rejected", Boolean), Field::optional("task_id", String)],
        r#"{"rejected":true,"task_id":"t_1"}"#,
    ),
    of(
        "tool_started",
        Info,
        "An agent began to use a tool.",
        &[
            Field::required("tool", String),
            Field::optional("agent", String),
            Field::optional("task_id", String),
        ],
        r#"{"tool":"Bash","agent":"scribe","task_id":"t_1","command":"make test"}"#,
    )
    .with_agent("agent"),
    of(
        "tool_completed",
        Info,
        "An agent ended its use of a tool.",
        &[
            Field::required("tool", String),
            Field::one_of("status", &["success", "failed"]),
            Field::optional("agent", String),
            Field::optional("task_id", String),
            Field::optional("duration_ms", Number),
            Field::optional("error", String),
        ],
        r#"{"tool":"Bash","status":"success","agent":"scribe","task_id":"t_1","duration_ms":5120}"#,
    )
    .with_agent("agent"),
    of(
        "budget_warning",
        Warning,
        "Most of a budget is spent.",
        &[],
        r#"{"budget":"day","day":"2026-01-31","spent_usd":8.1,"limit_usd":10.0,"used":0.81}"#,
    )
    .once(),
    of(
        "budget_exceeded",
        Error,
        "A budget is spent.",
        &[],
        r#"{"budget":"day","day":"2026-01-31","spent_usd":10.2,"limit_usd":10.0,"used":1.02}"#,
    )
    .once(),
];

const fn of(
    kind: &'static str,
    severity: Severity,
    meaning: &'static str,
    fields: &'static [Field<'static>],
    example: &'static str,
) -> Entry {
    Entry::new(kind, Origin::Factory, meaning, fields, example).with_severity(severity)
}
