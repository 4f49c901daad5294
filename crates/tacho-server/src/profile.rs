//! Where the time and the money of a stream went, as JSON, for the server's answers and the command line.

use crate::problem::quoted;
use tacho_engine::{AgentTime, ModelTime, NanoUsd, PathStep, Profile, ProfileSpan, ToolTime};

/// Most spans of an answer; parents stand before their children, so that what is left out leaves no gap.
const SPANS_MAX: usize = 10_000;

/// The answer of `GET /api/profile/{category}/{id}`.
pub fn profile_json(profile: &Profile) -> String {
    let wall = profile.wall_ns();
    let tools: i64 = profile.by_tool.iter().map(|tool| tool.duration_ns).sum();
    let spans = profile.spans.iter().take(SPANS_MAX).map(|span| span_json(span, &profile.spans));
    let time = profile.time;
    format!(
        "{{\"stream\":{},\"from\":\"{}\",\"until\":\"{}\",\"wall_ms\":{},\"active_ms\":{},\
         \"waiting_for_people_ms\":{},\"idle_ms\":{},\"cost_usd\":{},\"events\":{},\"by_model\":[{}],\"by_tool\":[{}],\
         \"by_agent\":[{}],\"critical_path\":[{}],\"spans\":[{}],\"truncated\":{}}}",
        quoted(&profile.stream),
        profile.from,
        profile.until,
        milliseconds(wall),
        milliseconds(time.active_ns),
        milliseconds(time.waiting_ns),
        milliseconds(time.idle_ns),
        money(profile.cost),
        profile.events,
        joined(profile.by_model.iter().map(model_json)),
        joined(profile.by_tool.iter().map(|tool| tool_json(tool, tools))),
        joined(profile.by_agent.iter().map(agent_json)),
        joined(profile.critical_path.iter().map(|step| step_json(step, wall))),
        joined(spans),
        profile.truncated || profile.spans.len() > SPANS_MAX
    )
}

/// Stacks as other tools for flame graphs read them: the frames joined by `;`, a space, milliseconds; a stack a line.
pub fn profile_folded(profile: &Profile) -> String {
    let stacks = profile.stacks();
    let lines = stacks.iter().map(|(stack, length)| (stack, milliseconds(*length)));
    lines.filter(|(_, length)| *length > 0).map(|(stack, length)| format!("{stack} {length}\n")).collect()
}

fn model_json(model: &ModelTime) -> String {
    format!(
        "{{\"name\":{},\"requests\":{},\"ms\":{},\"cost_usd\":{}}}",
        quoted(&model.name),
        model.requests,
        milliseconds(model.duration_ns),
        money(model.cost)
    )
}

fn tool_json(tool: &ToolTime, all: i64) -> String {
    format!(
        "{{\"name\":{},\"calls\":{},\"failures\":{},\"ms\":{},\"share\":{}}}",
        quoted(&tool.name),
        tool.calls,
        tool.failures,
        milliseconds(tool.duration_ns),
        share(tool.duration_ns, all)
    )
}

fn agent_json(agent: &AgentTime) -> String {
    format!(
        "{{\"name\":{},\"ms\":{},\"cost_usd\":{},\"calls\":{}}}",
        quoted(&agent.name),
        milliseconds(agent.duration_ns),
        money(agent.cost),
        agent.calls
    )
}

fn step_json(step: &PathStep, wall: i64) -> String {
    format!(
        "{{\"name\":{},\"kind\":\"{}\",\"at\":\"{}\",\"ms\":{},\"share\":{},\"id\":{}}}",
        quoted(&step.name),
        step.kind.as_str(),
        step.at,
        milliseconds(step.length_ns),
        share(step.length_ns, wall),
        quoted(&step.id)
    )
}

fn span_json(span: &ProfileSpan, spans: &[ProfileSpan]) -> String {
    let parent = span.parent.and_then(|parent| spans.get(parent));
    format!(
        "{{\"id\":{},\"parent\":{},\"name\":{},\"detail\":{},\"kind\":\"{}\",\"at\":\"{}\",\"until\":\"{}\",\"ms\":{},\
         \"failed\":{},\"open\":{}}}",
        quoted(&span.id),
        parent.map_or("null".to_owned(), |parent| quoted(&parent.id)),
        quoted(&span.name),
        quoted(&span.detail),
        span.kind.as_str(),
        span.at,
        span.until,
        milliseconds(span.length_ns()),
        span.failed,
        span.open
    )
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// Rounded to the next one.
pub(crate) fn milliseconds(nanoseconds: i64) -> i64 {
    nanoseconds.saturating_add(500_000) / 1_000_000
}

fn money(amount: Option<NanoUsd>) -> String {
    amount.map_or("null".to_owned(), |amount| amount.usd().to_string())
}

fn share(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { (part as f64 / whole as f64 * 1e4).round() / 1e4 }
}
