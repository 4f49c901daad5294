//! What the records of an orchestration and of a test factory tell of time, as a table.

use super::span::{Beginning, ROOT, SpanKind, Spans};
use super::words::{brief, field, number};
use tacho_event::{Recorded, Timestamp, json};

/// What an event does to a span.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Begin,
    End,
    Fail,
    /// Ends it; the payload says how.
    Judge,
}

struct Rule {
    kind: &'static str,
    act: Act,
    span: SpanKind,
    /// What such spans are called; the name behind it where the payload has one.
    word: &'static str,
    /// The members of the payload that name it, the first that is there.
    names: &'static [&'static str],
}

const AGENT: &[&str] = &["agent_name", "agent", "agent_id"];
const SUITE: &[&str] = &["test_suite", "test_type"];

const fn rule(
    kind: &'static str,
    act: Act,
    span: SpanKind,
    word: &'static str,
    names: &'static [&'static str],
) -> Rule {
    Rule { kind, act, span, word, names }
}

const RULES: &[Rule] = &[
    rule("OrchestrationStarted", Act::Begin, SpanKind::Orchestration, "orchestration", &[]),
    rule("OrchestrationCompleted", Act::End, SpanKind::Orchestration, "orchestration", &[]),
    rule("OrchestrationFailed", Act::Fail, SpanKind::Orchestration, "orchestration", &[]),
    rule("OrchestrationPaused", Act::Begin, SpanKind::Wait, "paused", &[]),
    rule("OrchestrationResumed", Act::End, SpanKind::Wait, "paused", &[]),
    rule("PhaseStarted", Act::Begin, SpanKind::Phase, "", &["phase"]),
    rule("PhaseCompleted", Act::End, SpanKind::Phase, "", &["phase"]),
    rule("PhaseFailed", Act::Fail, SpanKind::Phase, "", &["phase"]),
    rule("AgentSpawned", Act::Begin, SpanKind::Agent, "", AGENT),
    rule("AgentCompleted", Act::End, SpanKind::Agent, "", AGENT),
    rule("AgentFailed", Act::Fail, SpanKind::Agent, "", AGENT),
    rule("TestRunStarted", Act::Begin, SpanKind::Tool, "tests", SUITE),
    rule("TestRunCompleted", Act::End, SpanKind::Tool, "tests", SUITE),
    rule("TestRunFailed", Act::Fail, SpanKind::Tool, "tests", SUITE),
    rule("QualityCheckStarted", Act::Begin, SpanKind::Tool, "check", &["check_type"]),
    rule("QualityCheckCompleted", Act::Judge, SpanKind::Tool, "check", &["check_type"]),
    rule("QualityCheckFailed", Act::Fail, SpanKind::Tool, "check", &["check_type"]),
    rule("RecoveryAttempted", Act::Begin, SpanKind::Tool, "recovery", &[]),
    rule("RecoverySucceeded", Act::End, SpanKind::Tool, "recovery", &[]),
    rule("RecoveryFailed", Act::Fail, SpanKind::Tool, "recovery", &[]),
    rule("agent_started", Act::Begin, SpanKind::Agent, "", AGENT),
    rule("agent_completed", Act::Judge, SpanKind::Agent, "", AGENT),
    rule("tool_started", Act::Begin, SpanKind::Tool, "", &["tool"]),
    rule("tool_completed", Act::Judge, SpanKind::Tool, "", &["tool"]),
    rule("validation_complete", Act::Judge, SpanKind::Tool, "validation", &[]),
    rule("hitl_escalated", Act::Begin, SpanKind::Wait, "waiting for a person", &[]),
    rule("hitl_answered", Act::End, SpanKind::Wait, "waiting for a person", &[]),
    rule("hitl_resolved", Act::End, SpanKind::Wait, "waiting for a person", &[]),
];

const DETAILS: [&str; 5] = ["assigned_task", "issue_summary", "task_id", "command", "description"];

/// Takes an event; most say nothing of time.
pub(super) fn fold(event: &Recorded, data: &[u8], spans: &mut Spans) {
    let Some(rule) = RULES.iter().find(|rule| rule.kind == event.kind()) else { return };
    let said = rule.names.iter().find_map(|name| field(data, name));
    let name = match (rule.word, said) {
        ("", said) => said.unwrap_or_else(|| rule.span.as_str().to_owned()),
        (word, Some(said)) => format!("{word} {said}"),
        (word, None) => word.to_owned(),
    };
    let task = field(data, "task_id").unwrap_or_default();
    let key = format!("{}/{name}/{task}", rule.span.as_str());
    let at = event.time();
    let beginning = |at: Timestamp, spans: &Spans| Beginning {
        id: event.id(),
        parent: parent(rule.span, event, data, spans),
        name: name.clone(),
        detail: brief(data, &DETAILS),
        kind: rule.span,
        at,
    };
    if rule.act == Act::Begin {
        let beginning = beginning(at, spans);
        spans.begin(key, beginning);
        return;
    }
    // An end that came without its beginning tells how long it took.
    if spans.find(&key).is_none() && rule.span != SpanKind::Wait {
        let beginning = beginning(Timestamp(at.0.saturating_sub(took_ns(data))), spans);
        spans.begin(key.clone(), beginning);
    }
    spans.end(&key, at, rule.act == Act::Fail || (rule.act == Act::Judge && is_failed(data)));
}

/// The agent that does it, else the phase that is open, else the orchestration.
fn parent(kind: SpanKind, event: &Recorded, data: &[u8], spans: &Spans) -> usize {
    let agent = || {
        let named = AGENT.iter().find_map(|name| field(data, name));
        let agent = named.or_else(|| event.text("actorid").map(|id| id.into_owned()))?;
        let task = field(data, "task_id").unwrap_or_default();
        spans.find(&format!("agent/{agent}/{task}"))
    };
    let phase = || spans.innermost(SpanKind::Phase);
    let orchestration = || spans.innermost(SpanKind::Orchestration);
    let found = match kind {
        SpanKind::Stream | SpanKind::Orchestration => None,
        SpanKind::Phase => orchestration(),
        SpanKind::Agent => phase().or_else(orchestration),
        _ => agent().or_else(phase).or_else(orchestration),
    };
    found.unwrap_or(ROOT)
}

fn took_ns(data: &[u8]) -> i64 {
    let milliseconds = number(data, "duration_ms")
        .or_else(|| number(data, "duration_seconds").map(|seconds| seconds * 1e3))
        // More than a century is a mistake.
        .filter(|length| (0.0..3.2e12).contains(length));
    milliseconds.map_or(0, |length| (length * 1e6) as i64)
}

/// A rejection is a verdict, not a failure of who passed it.
fn is_failed(data: &[u8]) -> bool {
    let verdict = |object: &[u8]| {
        let passed = ["passed", "test_passed", "success"];
        passed.iter().find_map(|name| json::member(object, name)).is_some_and(|value| value == b"false")
    };
    field(data, "status").is_some_and(|status| status == "failed")
        || verdict(data)
        || json::member(data, "result").is_some_and(verdict)
}
