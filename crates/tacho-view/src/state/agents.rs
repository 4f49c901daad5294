//! How each agent did.

use super::step::Step;
use super::{Projection, State};
use serde_json::{Value, json};

pub static PROJECTION: Projection = Projection {
    name: "agents",
    category: None,
    version: 1,
    meaning: "Each agent by its name: since when, how long, with what result and what score.",
    reads: &[
        "AgentSpawned",
        "AgentCompleted",
        "AgentFailed",
        "AgentBlocked",
        "agent_started",
        "agent_completed",
    ],
    empty: || json!({}),
    apply,
    apply_all: None,
};

fn apply(state: &mut State, step: &Step<'_>) {
    let name = match step.kind() {
        "AgentSpawned" | "AgentCompleted" | "AgentFailed" | "AgentBlocked" => step.text("agent_name"),
        "agent_started" | "agent_completed" => step.text("agent"),
        _ => return,
    };
    let Some(name) = name else { return };
    let is_known = state.field(&name).get().is_some();
    let begins = matches!(step.kind(), "AgentSpawned" | "agent_started");
    if begins || !is_known {
        state.field(&name).set(json!({
            "spawned_at": if begins { step.time() } else { Value::Null },
            "completed_at": null,
            "duration_seconds": null,
            "status": "active",
            "outputs_created": [],
            "quality_score": null,
        }));
    }
    let mut set = |field: &str, value: Value| {
        if !value.is_null() {
            state.field(&name).field(field).set(value);
        }
    };
    match step.kind() {
        "AgentSpawned" => {
            set("model", step.value("agent_model"));
            set("task", step.value("assigned_task"));
        }
        "AgentCompleted" => {
            set("completed_at", step.time());
            set("duration_seconds", step.value("duration_seconds"));
            set("status", "completed".into());
            set("outputs_created", step.value("outputs_created"));
            set("quality_score", step.value("quality_metrics")["maintainability_score"].take());
        }
        "AgentFailed" => {
            set("status", "failed".into());
            set("failed_at", step.time());
            set("failure_reason", step.value("failure_reason"));
            set("fallback_agent", step.value("fallback_agent"));
        }
        "AgentBlocked" => {
            set("status", "blocked".into());
            set("blocked_by", step.value("blocked_by"));
            set("blocking_agent", step.value("blocking_agent"));
        }
        "agent_started" => {
            set("model", step.value("model"));
            set("task", step.value("task_id"));
        }
        _ => {
            set("completed_at", step.time());
            set(
                "duration_seconds",
                step.number("duration_ms").map_or(Value::Null, |ms| (ms / 1000.0).into()),
            );
            let failed = matches!(step.text("status").as_deref(), Some("failed" | "rejected"));
            set("status", if failed { "failed" } else { "completed" }.into());
            set("cost_usd", step.value("cost_usd"));
        }
    }
}
