//! Where a task of a factory stands.

use super::orchestration::push_kept;
use super::step::Step;
use super::{Projection, State};
use serde_json::{Value, json};

pub static PROJECTION: Projection = Projection {
    name: "task",
    category: Some("task"),
    version: 1,
    meaning: "Where a task stands: its agents' attempts, validations, money, and whether a person was asked.",
    reads: &[
        "task_queued",
        "agent_started",
        "agent_completed",
        "validation_complete",
        "critic_decision",
        "hitl_escalated",
        "hitl_acknowledged",
        "hitl_answered",
        "hitl_resolved",
    ],
    empty,
    apply,
    apply_all: None,
};

fn empty() -> Value {
    json!({
        "task_id": null,
        "feature": null,
        "status": "not_started",
        "agents": [],
        "retries": 0,
        "cost_usd": 0.0,
        "validations": [],
        "escalation": null,
        "queued_at": null,
        "completed_at": null,
        "duration_seconds": null,
    })
}

fn apply(state: &mut State, step: &Step<'_>) {
    match step.kind() {
        "task_queued" => {
            state.field("task_id").set(step.value("task_id"));
            state.field("feature").set(step.value("feature"));
            state.field("status").set("queued");
            state.field("queued_at").set(step.time());
        }
        "agent_started" => {
            if state.field("task_id").get().is_none_or(Value::is_null) {
                state.field("task_id").set(step.value("task_id"));
            }
            let agent = step.value("agent");
            let again =
                state.field("agents").find(|known| known["agent"] == agent && known["status"] == "failed");
            if again.is_some() {
                state.field("retries").count_up();
            }
            state.field("status").set("in_progress");
            let entry = json!({
                "agent": agent, "model": step.value("model"), "status": "active", "started_at": step.time(),
            });
            push_kept(state, "agents", entry);
        }
        "agent_completed" => completed(state, step),
        "validation_complete" => validated(state, step),
        "critic_decision" => {
            let rejected = step.flag("rejected").unwrap_or(false);
            state.field("status").set(if rejected { "rejected" } else { "approved" });
        }
        kind => {
            if let Some(what) = kind.strip_prefix("hitl_") {
                escalation(state, step, what);
            }
        }
    }
}

fn completed(state: &mut State, step: &Step<'_>) {
    let (agent, status) = (step.value("agent"), step.text("status").unwrap_or("success".into()));
    let entry = super::state::object([
        ("agent", agent.clone()),
        ("status", status.as_ref().into()),
        ("duration_ms", step.value("duration_ms")),
        ("cost_usd", step.value("cost_usd")),
        ("completed_at", step.time()),
    ]);
    let open = |known: &Value| known["agent"] == agent && known["status"] == "active";
    match state.field("agents").find_last(open) {
        Some(index) => {
            for (name, value) in entry.as_object().into_iter().flatten() {
                state.field("agents").item(index).field(name).set(value.clone());
            }
        }
        None => push_kept(state, "agents", entry),
    }
    spend(state, step.number("cost_usd"));
    state.field("status").set(status.as_ref());
    if matches!(status.as_ref(), "success" | "approved") {
        end(state, step);
    }
}

fn validated(state: &mut State, step: &Step<'_>) {
    let entry = super::state::object([
        ("result", step.value("result")),
        ("duration_ms", step.value("duration_ms")),
        ("timestamp", step.time()),
    ]);
    push_kept(state, "validations", entry);
    spend(state, step.number("cost").or_else(|| step.number("cost_usd")));
    end(state, step);
}

fn escalation(state: &mut State, step: &Step<'_>, what: &str) {
    match what {
        "escalated" => {
            state.field("status").set("escalated");
            state.field("escalation").set(json!({
                "attempts": step.value("attempts"),
                "last_error": step.value("last_error"),
                "priority": step.value("priority"),
                "since": step.time(),
                "state": "open",
            }));
        }
        "acknowledged" | "answered" | "resolved" if state.value()["escalation"].is_object() => {
            state.field("escalation").field("state").set(what);
            state.field("escalation").field("by").set(step.value("by"));
        }
        _ => {}
    }
}

fn spend(state: &mut State, cost: Option<f64>) {
    let Some(cost) = cost else { return };
    let spent = state.field("cost_usd").get().and_then(Value::as_f64).unwrap_or(0.0);
    // Sums of dollars as people write them, without the dust of binary fractions.
    let sum = ((spent + cost) * 1e9).round() / 1e9;
    state.field("cost_usd").set(sum);
}

fn end(state: &mut State, step: &Step<'_>) {
    state.field("completed_at").set(step.time());
    let queued = state.value()["queued_at"].as_str().and_then(tacho_event::Timestamp::from_rfc3339);
    if let Some(queued) = queued {
        let seconds = (step.event.time().0 - queued.0) as f64 / 1e9;
        state.field("duration_seconds").set(seconds);
    }
}
