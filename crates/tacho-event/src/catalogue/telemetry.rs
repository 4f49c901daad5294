//! What comes over OTLP: `claude_code.<event>` for the log records of Claude Code's telemetry, as of version
//! 2.1, and `otel.…` for every other record.

use super::{Entry, Origin};
use crate::schema::Severity;
use crate::schema::ValueKind::{Integer, Number, Object, String};
use crate::schema::{Field, ValueKind};

const NAME: Field<'static> = Field::required("event.name", String);
/// A record's attributes beyond its name are the program's to change.
const FIELDS: &[Field<'static>] = &[NAME];

const fn entry(
    kind: &'static str,
    meaning: &'static str,
    fields: &'static [Field<'static>],
    example: &'static str,
) -> Entry {
    Entry::new(kind, Origin::Telemetry, meaning, fields, example).once()
}

/// A record of which nothing is promised but its name.
macro_rules! record {
    ($event:literal, $meaning:literal) => {
        entry(
            concat!("claude_code.", $event),
            $meaning,
            FIELDS,
            concat!(
                r#"{"session.id":"6de14646-dff7-4706-a66d-b9884b862135","event.name":""#,
                $event,
                r#""}"#
            ),
        )
    };
}

const fn optional(name: &'static str, kind: ValueKind) -> Field<'static> {
    Field::optional(name, kind)
}

pub const ENTRIES: &[Entry] = &[
    record!("managed_settings_resolved", "Claude Code found out which managed settings hold."),
    record!("hook_registered", "A hook was found in the settings."),
    record!("plugin_loaded", "A plugin was loaded."),
    record!("user_prompt", "A prompt reached the agent."),
    entry(
        "claude_code.api_request",
        "A request to the model was answered: its tokens, cost and duration.",
        &[
            NAME,
            optional("model", String),
            optional("input_tokens", Integer),
            optional("output_tokens", Integer),
            optional("cache_read_tokens", Integer),
            optional("cache_creation_tokens", Integer),
            optional("cost_usd", Number),
            optional("duration_ms", Number),
            optional("request_id", String),
            optional("query_source", String),
            optional("agent_id", String),
            optional("prompt.id", String),
        ],
        r#"{"session.id":"6de14646-dff7-4706-a66d-b9884b862135","event.name":"api_request","model":"claude-sonnet-4-5","input_tokens":1200,"output_tokens":42,"cache_read_tokens":5000,"cache_creation_tokens":300,"cost_usd":0.006855,"duration_ms":87,"request_id":"req_c16dd4041a804c0ab05c627c"}"#,
    ),
    record!("api_error", "A request to the model failed.").with_severity(Severity::Error),
    record!("assistant_response", "The model answered."),
    record!("tool_decision", "A tool use was allowed or refused, and by whom."),
    entry(
        "claude_code.tool_result",
        "A tool did its work, or failed.",
        &[
            NAME,
            optional("tool_name", String),
            optional("tool_use_id", String),
            optional("duration_ms", Number),
        ],
        r#"{"session.id":"6de14646-dff7-4706-a66d-b9884b862135","event.name":"tool_result","tool_name":"Bash","tool_use_id":"toolu_4649e47c2f8d43b094fe9cc3","success":"true","duration_ms":43}"#,
    ),
    record!("hook_execution_start", "Hooks begin to run."),
    record!("hook_execution_complete", "Hooks have run."),
    entry(
        "claude_code.subagent_completed",
        "A subagent ended: all of its tokens and tool uses.",
        &[
            NAME,
            optional("agent_id", String),
            optional("agent_type", String),
            optional("total_tokens", Integer),
            optional("total_tool_uses", Integer),
            optional("duration_ms", Number),
        ],
        r#"{"session.id":"6de14646-dff7-4706-a66d-b9884b862135","event.name":"subagent_completed","agent_id":"acfabddd71d3a87cf","agent_type":"general-purpose","total_tokens":6542,"total_tool_uses":1,"duration_ms":527}"#,
    ),
    record!("*", "An event of Claude Code's telemetry that came after this list."),
    entry(
        "otel.log",
        "A log record of OpenTelemetry: its attributes, and its body.",
        &[optional("severity_text", String), optional("scope", String), optional("resource", Object)],
        r#"{"http.route":"/pay","body":"payment refused","severity_text":"WARN","resource":{"service.name":"shop"}}"#,
    ),
    entry(
        "otel.span",
        "A span of OpenTelemetry ended.",
        &[
            Field::required("kind", String),
            Field::required("status", Object),
            Field::required("attributes", Object),
            optional("name", String),
            optional("start", String),
            optional("end", String),
            optional("duration_ms", Number),
            optional("parent_span_id", String),
            optional("usage", Object),
            optional("resource", Object),
        ],
        r#"{"name":"chat gpt-5","kind":"SPAN_KIND_CLIENT","start":"2026-01-31T14:00:00Z","end":"2026-01-31T14:00:01.500Z","duration_ms":1500,"status":{"code":"STATUS_CODE_UNSET"},"usage":{"input_tokens":1200,"output_tokens":42,"cache_read_tokens":5000,"cache_creation_tokens":0},"attributes":{"gen_ai.operation.name":"chat","gen_ai.usage.input_tokens":6200,"gen_ai.usage.output_tokens":42,"gen_ai.usage.cache_read.input_tokens":5000},"resource":{"service.name":"shop"}}"#,
    ),
    entry(
        "otel.metric",
        "A data point of a metric of OpenTelemetry.",
        &[
            Field::required("kind", String),
            Field::required("attributes", Object),
            optional("name", String),
            optional("unit", String),
            optional("temporality", String),
            optional("start", String),
            optional("resource", Object),
        ],
        r#"{"name":"claude_code.cost.usage","unit":"USD","kind":"sum","temporality":"delta","monotonic":true,"value":0.020565,"start":"2026-01-31T14:00:00Z","attributes":{"model":"claude-sonnet-4-5"},"resource":{"service.name":"claude-code"}}"#,
    ),
];
