//! What tool servers and the agents that work with them say over the event bus: tools, handovers between agents,
//! shared memory, the registry, healing. Types of tools are as many as there are tools, so patterns stand for them.

use super::{Entry, Origin};
use crate::schema::Field;
use crate::schema::Severity::{self, Error, Info, Warning};
use crate::schema::ValueKind::{Array, Integer, Number, Object, String};

/// What a call of a tool is about; `result` and `error` are the tool's to shape.
const CALL: &[Field<'static>] = &[
    Field::optional("tool", String),
    Field::optional("arguments", Object),
    Field::optional("serverId", String),
    Field::optional("duration_ms", Number),
    Field::optional("context_id", String),
    Field::optional("correlationId", String),
];

pub const ENTRIES: &[Entry] = &[
    of(
        "tool.*.started",
        Info,
        "A tool server began a call of the tool that the type names.",
        CALL,
        r#"{"tool":"browser_take_screenshot","arguments":{"fullPage":true}}"#,
    ),
    of(
        "tool.*.completed",
        Info,
        "A tool server ended a call of the tool that the type names.",
        CALL,
        r#"{"tool":"browser_take_screenshot","arguments":{"fullPage":true},"result":{"path":"shot-1.png"},"duration_ms":840}"#,
    ),
    of(
        "tool.*.failed",
        Error,
        "A call of the tool that the type names failed.",
        CALL,
        r#"{"tool":"browser_take_screenshot","error":{"message":"the page did not load","code":"timeout"},"duration_ms":30000}"#,
    ),
    of(
        "mcp.session_started",
        Info,
        "A client and a tool server agreed to talk; `tacho mcp proxy` stands between them.",
        &[
            Field::required("serverId", String),
            Field::optional("server_name", String),
            Field::optional("server_version", String),
            Field::optional("client", String),
            Field::optional("client_version", String),
            Field::optional("protocol_version", String),
        ],
        r#"{"serverId":"com.example/search","server_name":"com.example/search","server_version":"1.4.0","client":"claude-code","client_version":"2.1.328","protocol_version":"2025-06-18"}"#,
    )
    .once(),
    of(
        "mcp.session_ended",
        Info,
        "A tool server ended; how many calls it had, and how many of them are not on the log.",
        &[
            Field::required("serverId", String),
            Field::optional("calls", Integer),
            Field::optional("failed", Integer),
            Field::optional("unanswered", Integer),
            Field::optional("dropped", Integer),
            Field::optional("duration_ms", Number),
            Field::optional("exit_code", Integer),
            Field::optional("signal", Integer),
        ],
        r#"{"serverId":"com.example/search","calls":12,"failed":1,"unanswered":0,"dropped":0,"duration_ms":84012,"exit_code":0}"#,
    )
    .once(),
    of(
        "*.captured",
        Info,
        "Something was captured, such as a page, a picture or a recording.",
        &[
            Field::optional("url", String),
            Field::optional("path", String),
            Field::optional("media_type", String),
            Field::optional("bytes", Integer),
        ],
        r#"{"url":"https://example.com/house/7","path":"shot-1.png","media_type":"image/png","bytes":48213}"#,
    ),
    of(
        "vision.analysis.started",
        Info,
        "A picture is being looked at.",
        &[Field::optional("image_url", String)],
        r#"{"image_url":"shot-1.png"}"#,
    ),
    of(
        "vision.analysis.completed",
        Info,
        "A picture was looked at: what is on it.",
        &[
            Field::optional("image_url", String),
            Field::optional("description", String),
            Field::optional("objects", Array),
            Field::optional("confidence", Number),
        ],
        r#"{"image_url":"shot-1.png","description":"a brick house with two floors","objects":["house","garden"],"confidence":0.93}"#,
    ),
    of(
        "vision.analysis.failed",
        Error,
        "A picture could not be looked at.",
        &[Field::optional("image_url", String)],
        r#"{"image_url":"shot-1.png","error":{"message":"the file is no picture","code":"unreadable"}}"#,
    ),
    of(
        "agent.thinking",
        Info,
        "An agent says what it is about, for those who watch.",
        &[Field::optional("agent", String), Field::optional("state", String), Field::optional("text", String)],
        r#"{"agent":"researcher","state":"ResearcherQueued","text":"comparing the house with those sold nearby"}"#,
    )
    .with_agent("agent"),
    of(
        "agent.handover",
        Info,
        "An agent handed its work to another, with everything that is needed to go on.",
        &[
            Field::required("context_id", String),
            Field::required("intent", String),
            Field::optional("last_tool_output", Object),
            Field::optional("memory_snapshot_url", String),
            Field::optional("token_budget", Integer),
            Field::optional("status", String),
            Field::optional("from_agent", String),
            Field::optional("to_agent", String),
        ],
        r#"{"context_id":"c-7","intent":"value the house","last_tool_output":{"tool":"vision","serverId":"com.example/vision","result":{"floors":2},"timestamp":"2026-01-31T14:00:00Z"},"memory_snapshot_url":"/api/contexts/c-7?at=42","token_budget":120000,"status":"ready","from_agent":"vision","to_agent":"researcher"}"#,
    )
    .with_agent("from_agent"),
    of(
        "context.upserted",
        Info,
        "The shared context of a conversation was written: tool outputs, state, preferences, facts.",
        &[
            Field::required("context_id", String),
            Field::optional("tool_outputs", Array),
            Field::optional("conversation_state", Object),
            Field::optional("preferences", Object),
            Field::optional("facts", Array),
        ],
        r#"{"context_id":"c-7","facts":["the house has two floors"],"conversation_state":{"step":"valuation"}}"#,
    ),
    of(
        "memory.stored",
        Info,
        "Something was put into the shared memory.",
        &[
            Field::required("memory_id", String),
            // One of preference, fact, context and instruction, and whatever else a team remembers.
            Field::optional("type", String),
            Field::optional("context_id", String),
            Field::optional("user_id", String),
            Field::optional("importance", Number),
        ],
        r#"{"memory_id":"m-12","type":"fact","context_id":"c-7","content":"the roof was renewed in 2019","importance":0.8}"#,
    ),
    of(
        "memory.recalled",
        Info,
        "Something was read from the shared memory, which counts as an access.",
        &[Field::required("memory_id", String), Field::optional("access_count", Integer)],
        r#"{"memory_id":"m-12","access_count":3}"#,
    )
    .once(),
    of(
        "memory.searched",
        Info,
        "The shared memory was searched.",
        &[
            Field::required("query", String),
            Field::optional("context_id", String),
            Field::optional("results", Integer),
        ],
        r#"{"query":"roof","context_id":"c-7","results":2}"#,
    )
    .once(),
    of(
        "registry.locked",
        Info,
        "An agent took an entry of the registry for itself.",
        &[
            Field::required("entry", String),
            Field::required("locked_by", String),
            Field::optional("state", String),
            Field::optional("attempts", Integer),
            Field::optional("context_id", String),
        ],
        r#"{"entry":"house-7","locked_by":"vision","state":"VisionAnalyzing","attempts":1,"context_id":"c-7"}"#,
    )
    .with_agent("locked_by"),
    of(
        "registry.moved",
        Info,
        "An entry of the registry went from one state to another.",
        &[
            Field::required("entry", String),
            Field::required("to_state", String),
            Field::optional("from_state", String),
            Field::optional("locked_by", String),
            Field::optional("context_id", String),
        ],
        r#"{"entry":"house-7","from_state":"VisionAnalyzing","to_state":"VisionCompleted","locked_by":"vision","context_id":"c-7"}"#,
    )
    .with_agent("locked_by"),
    of(
        "registry.released",
        Info,
        "An agent gave an entry of the registry back.",
        &[Field::required("entry", String), Field::optional("locked_by", String)],
        r#"{"entry":"house-7","locked_by":"vision"}"#,
    )
    .with_agent("locked_by"),
    of(
        "registry.stalled",
        Warning,
        "An entry of the registry has been in one state for too long.",
        &[
            Field::required("entry", String),
            Field::optional("state", String),
            Field::optional("locked_by", String),
            Field::optional("stalled_seconds", Number),
        ],
        r#"{"entry":"house-7","state":"ResearcherQueued","locked_by":"researcher","stalled_seconds":900}"#,
    )
    .with_agent("locked_by"),
    of(
        "healing.attempted",
        Warning,
        "A healer took up a failed event: with other parameters, another tool or another plan.",
        &[
            Field::optional("strategy", String),
            Field::optional("event_id", String),
            Field::optional("attempt", Integer),
            Field::optional("tool", String),
        ],
        r#"{"strategy":"another_tool","event_id":"e-31","attempt":1,"tool":"ocr"}"#,
    ),
    of(
        "healing.succeeded",
        Info,
        "A healer put a failed event right.",
        &[Field::optional("strategy", String), Field::optional("event_id", String)],
        r#"{"strategy":"another_tool","event_id":"e-31"}"#,
    ),
    of(
        "healing.failed",
        Error,
        "A healer found no way to put a failed event right.",
        &[Field::optional("strategy", String), Field::optional("event_id", String)],
        r#"{"strategy":"plan_b","event_id":"e-31","error":{"message":"no tool has this capability"}}"#,
    ),
];

const fn of(
    kind: &'static str,
    severity: Severity,
    meaning: &'static str,
    fields: &'static [Field<'static>],
    example: &'static str,
) -> Entry {
    Entry::new(kind, Origin::Bus, meaning, fields, example).with_severity(severity)
}
