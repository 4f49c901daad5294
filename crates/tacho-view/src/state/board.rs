//! The orchestration with all that its page shows: who is blocked, what the tests said, why it ended.

use super::orchestration::{self, push_kept};
use super::step::Step;
use super::{Projection, State};
use serde_json::{Value, json};

pub static PROJECTION: Projection = Projection {
    name: "board",
    category: None,
    version: 1,
    meaning: "An orchestration with who is blocked by what, its phases with their times, test runs, and why it failed.",
    reads: &[
        "Orchestration*",
        "Phase*",
        "Agent*",
        "Gap*",
        "CommitCreated",
        "PR*",
        "IssueTransitioned",
        "DocumentationCreated",
        "ConfluencePageCreated",
        "QualityCheck*",
        "TestRun*",
        "Checkpoint*",
        "ErrorOccurred",
        "Recovery*",
    ],
    empty,
    apply,
    apply_all: None,
};

fn empty() -> Value {
    let mut value = orchestration::empty();
    for name in ["blocked_agents", "phases", "test_runs"] {
        value[name] = json!([]);
    }
    value["issue_summary"] = Value::Null;
    value["failure"] = Value::Null;
    value
}

fn apply(state: &mut State, step: &Step<'_>) {
    match step.kind() {
        "OrchestrationStarted" => {
            state.field("issue_summary").set(step.value("issue_summary"));
            state.field("failure").set(Value::Null);
            if let Some(phase) = step.text("initial_phase") {
                begin_phase(state, step, &phase);
            }
        }
        "OrchestrationFailed" => {
            state.field("failure").set(json!({
                "phase": step.value("failure_phase"),
                "reason": step.value("failure_reason"),
                "message": step.value("error_message"),
                "next_actions": step.value("next_actions"),
                "timestamp": step.time(),
            }));
        }
        "PhaseStarted" => {
            if let Some(phase) = step.text("phase") {
                begin_phase(state, step, &phase);
            }
        }
        "PhaseCompleted" | "PhaseFailed" => end_phase(state, step),
        "AgentBlocked" => block(state, step),
        "AgentSpawned" | "AgentCompleted" | "AgentFailed" => unblock(state, step),
        kind => {
            if let Some(what) = kind.strip_prefix("TestRun") {
                test_run(state, step, what);
            }
        }
    }
    orchestration::apply(state, step);
}

fn begin_phase(state: &mut State, step: &Step<'_>, phase: &str) {
    let open = |known: &Value| known["phase"] == phase && known["status"] == "in_progress";
    if state.field("phases").find_last(open).is_none() {
        let entry =
            json!({"phase": phase, "status": "in_progress", "started_at": step.time(), "ended_at": null});
        push_kept(state, "phases", entry);
    }
}

fn end_phase(state: &mut State, step: &Step<'_>) {
    let Some(phase) = step.text("phase") else { return };
    let completed = step.kind() == "PhaseCompleted";
    let status = if completed { "completed" } else { "failed" };
    let open = |known: &Value| known["phase"] == *phase && known["status"] == "in_progress";
    match state.field("phases").find_last(open) {
        Some(index) => {
            state.field("phases").item(index).field("status").set(status);
            state.field("phases").item(index).field("ended_at").set(step.time());
        }
        None => {
            let entry =
                json!({"phase": phase, "status": status, "started_at": null, "ended_at": step.time()});
            push_kept(state, "phases", entry);
        }
    }
    if let Some(next) = step.text("next_phase").filter(|_| completed) {
        begin_phase(state, step, &next);
    }
}

fn block(state: &mut State, step: &Step<'_>) {
    unblock(state, step);
    let entry = super::state::object([
        ("agent_name", step.value("agent_name")),
        ("blocked_by", step.value("blocked_by")),
        ("blocking_agent", step.value("blocking_agent")),
        ("since", step.time()),
    ]);
    push_kept(state, "blocked_agents", entry);
}

fn unblock(state: &mut State, step: &Step<'_>) {
    let name = step.value("agent_name");
    if let Some(index) = state.field("blocked_agents").find(|blocked| blocked["agent_name"] == name) {
        state.field("blocked_agents").item(index).remove();
    }
}

/// Answers whether a run that ended has passed.
pub(super) fn test_run(state: &mut State, step: &Step<'_>, what: &str) -> Option<bool> {
    let suite = step.value("test_suite");
    let verdict = match what {
        "Started" => None,
        "Completed" => Some(step.number("failed").is_none_or(|failed| failed == 0.0)),
        "Failed" => Some(false),
        _ => return None,
    };
    let status = verdict.map_or("started", |passed| if passed { "passed" } else { "failed" });
    let entry = super::state::object([
        ("test_suite", suite.clone()),
        ("test_runner", step.value("test_runner")),
        ("status", status.into()),
        ("total_tests", step.value("total_tests")),
        ("passed", step.value("passed")),
        ("failed", step.value("failed")),
        ("skipped", step.value("skipped")),
        ("coverage", step.value("coverage")),
        ("duration_seconds", step.value("duration_seconds")),
        ("failure_reason", step.value("failure_reason")),
        ("timestamp", step.time()),
    ]);
    let open = |known: &Value| known["test_suite"] == suite && known["status"] == "started";
    match state.field("test_runs").find_last(open).filter(|_| what != "Started") {
        Some(index) => state.field("test_runs").item(index).set(entry),
        None => push_kept(state, "test_runs", entry),
    }
    verdict
}
