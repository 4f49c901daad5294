//! Where an issue-driven orchestration stands.

use super::step::Step;
use super::{Projection, State};
use serde_json::{Value, json};

/// Most errors, checks, documents and checkpoints that are kept, each; the newest. The events have all.
const MAX_KEPT: usize = 1_000;

pub static PROJECTION: Projection = Projection {
    name: "orchestration",
    category: Some("issue"),
    version: 1,
    meaning: "Where an orchestration stands: phase, agents, gaps, commits, pull requests, checks, errors.",
    reads: &[
        "OrchestrationStarted",
        "OrchestrationCompleted",
        "OrchestrationFailed",
        "OrchestrationPaused",
        "OrchestrationResumed",
        "PhaseStarted",
        "PhaseCompleted",
        "PhaseFailed",
        "AgentSpawned",
        "AgentCompleted",
        "AgentFailed",
        "GapIdentified",
        "GapResolved",
        "GapEscalated",
        "CommitCreated",
        "PRCreated",
        "PRMerged",
        "PRClosed",
        "IssueTransitioned",
        "DocumentationCreated",
        "ConfluencePageCreated",
        "QualityCheckStarted",
        "QualityCheckCompleted",
        "QualityCheckFailed",
        "CheckpointCreated",
        "CheckpointRestored",
        "ErrorOccurred",
        "RecoveryAttempted",
        "RecoverySucceeded",
        "RecoveryFailed",
    ],
    empty,
    apply,
    apply_all: None,
};

pub(super) fn empty() -> Value {
    json!({
        "issue_key": null,
        "session_id": null,
        "status": "not_started",
        "current_phase": null,
        "completed_phases": [],
        "active_agents": [],
        "completed_agents": [],
        "failed_agents": [],
        "identified_gaps": [],
        "resolved_gaps": [],
        "commits": [],
        "prs": [],
        "jira_transitions": [],
        "documentation": [],
        "quality_checks": [],
        "errors": [],
        "checkpoints": [],
        "started_at": null,
        "completed_at": null,
        "duration_seconds": null,
    })
}

pub(super) fn apply(state: &mut State, step: &Step<'_>) {
    let kind = step.kind();
    if let Some(what) = kind.strip_prefix("Orchestration") {
        orchestration(state, step, what);
    } else if let Some(what) = kind.strip_prefix("Phase") {
        phase(state, step, what);
    } else if let Some(what) = kind.strip_prefix("Agent") {
        agent(state, step, what);
    } else if let Some(what) = kind.strip_prefix("Gap") {
        gap(state, step, what);
    } else if let Some(what) = kind.strip_prefix("PR") {
        pull_request(state, step, what);
    } else if let Some(what) = kind.strip_prefix("QualityCheck") {
        quality_check(state, step, what);
    } else if let Some(what) = kind.strip_prefix("Recovery") {
        recovery(state, step, what);
    } else {
        other(state, step);
    }
}

fn orchestration(state: &mut State, step: &Step<'_>, what: &str) {
    match what {
        "Started" => {
            state.field("issue_key").set(issue_key(step));
            state.field("session_id").set(step.attribute("sessionid"));
            state.field("status").set("in_progress");
            if let Some(phase) = step.text("initial_phase") {
                state.field("current_phase").set(phase);
            }
            state.field("started_at").set(step.time());
            for ended in ["completed_at", "duration_seconds"] {
                state.field(ended).set(Value::Null);
            }
        }
        "Completed" => {
            state.field("status").set("completed");
            state.field("completed_at").set(step.time());
            state.field("duration_seconds").set(step.value("duration_seconds"));
        }
        "Failed" => {
            state.field("status").set("failed");
            state.field("completed_at").set(step.time());
        }
        "Paused" => state.field("status").set("paused"),
        "Resumed" => {
            state.field("status").set("in_progress");
            if let Some(phase) = step.text("resume_phase") {
                state.field("current_phase").set(phase);
            }
        }
        _ => {}
    }
}

/// The issue that the payload names, else the one that the stream is of.
fn issue_key(step: &Step<'_>) -> Value {
    match step.text("issue_key") {
        Some(key) => key.into(),
        None => step.event.stream().strip_prefix("issue/").into(),
    }
}

fn phase(state: &mut State, step: &Step<'_>, what: &str) {
    match what {
        "Started" => {
            if let Some(phase) = step.text("phase") {
                state.field("current_phase").set(phase);
            }
        }
        "Completed" => {
            if let Some(phase) = step.text("phase") {
                state.field("completed_phases").push(phase);
            }
            if let Some(next) = step.text("next_phase") {
                state.field("current_phase").set(next);
            }
        }
        "Failed" => {
            let error = json!({
                "event_id": step.event.id(),
                "error_type": "phase_failed",
                "phase": step.value("phase"),
                "error_message": step.value("failure_reason"),
                "timestamp": step.time(),
                "status": "open",
            });
            push_kept(state, "errors", error);
        }
        _ => {}
    }
}

fn agent(state: &mut State, step: &Step<'_>, what: &str) {
    let list = match what {
        "Spawned" => "active_agents",
        "Completed" => "completed_agents",
        "Failed" => "failed_agents",
        _ => return,
    };
    let Some(name) = step.text("agent_name") else { return };
    let active = state.field("active_agents").find(|active| *active == *name);
    match active {
        // Spawned again, after it was blocked for example: it is one agent all the same.
        Some(_) if list == "active_agents" => return,
        Some(index) => state.field("active_agents").item(index).remove(),
        None => {}
    }
    state.field(list).push(name);
}

fn gap(state: &mut State, step: &Step<'_>, what: &str) {
    let Some(id) = step.text("gap_id") else { return };
    let place = state.field("identified_gaps").find(|gap| gap["gap_id"] == *id);
    match (what, place) {
        ("Identified", Some(index)) => state.field("identified_gaps").item(index).set(step.object()),
        ("Identified", None) => state.field("identified_gaps").push(step.object()),
        ("Resolved", place) => {
            if let Some(index) = place {
                state.field("identified_gaps").item(index).remove();
            }
            state.field("resolved_gaps").push(id);
        }
        ("Escalated", Some(index)) => {
            for name in ["escalated_to", "escalation_reason"] {
                state.field("identified_gaps").item(index).field(name).set(step.value(name));
            }
        }
        // A gap may be escalated as soon as it is found.
        ("Escalated", None) => state.field("identified_gaps").push(step.object()),
        _ => {}
    }
}

fn pull_request(state: &mut State, step: &Step<'_>, what: &str) {
    let status = match what {
        "Created" => "open",
        "Merged" => "merged",
        "Closed" => "closed",
        _ => return,
    };
    let number = step.value("pr_number");
    let place = state.field("prs").find_last(|request| request["pr_number"] == number);
    match place {
        Some(index) if what != "Created" => {
            state.field("prs").item(index).field("status").set(status);
            let by = step.value(if what == "Merged" { "merged_by" } else { "closed_by" });
            if !by.is_null() {
                state.field("prs").item(index).field("ended_by").set(by);
            }
            state.field("prs").item(index).field("ended_at").set(step.time());
        }
        _ => {
            let mut request = step.object();
            request.insert("status".to_owned(), status.into());
            request.insert("timestamp".to_owned(), step.time());
            state.field("prs").push(request);
        }
    }
}

/// Answers whether a check that ended has passed.
pub(super) fn quality_check(state: &mut State, step: &Step<'_>, what: &str) -> Option<bool> {
    let mut verdict = None;
    let check = step.value("check_type");
    let mut entry = super::state::object([
        ("check_type", check.clone()),
        ("status", "started".into()),
        ("timestamp", step.time()),
    ]);
    match what {
        "Started" => {}
        "Completed" => {
            let passed = step.flag("passed_quality_gate").or_else(|| step.flag("passed")).unwrap_or(true);
            verdict = Some(passed);
            for name in ["overall_score", "issues_found"] {
                let value = step.value(name);
                if !value.is_null() {
                    entry[name] = value;
                }
            }
        }
        "Failed" => {
            verdict = Some(false);
            entry["failure_reason"] = step.value("failure_reason");
        }
        _ => return None,
    }
    if let Some(passed) = verdict {
        entry["status"] = if passed { "passed" } else { "failed" }.into();
    }
    let open = |known: &Value| known["check_type"] == check && known["status"] == "started";
    let begun = state.field("quality_checks").find_last(open).filter(|_| what != "Started");
    match begun {
        Some(index) => state.field("quality_checks").item(index).set(entry),
        None => push_kept(state, "quality_checks", entry),
    }
    verdict
}

fn recovery(state: &mut State, step: &Step<'_>, what: &str) {
    let from = step.text("recovery_from");
    let place = match &from {
        Some(id) => state.field("errors").find_last(|error| error["event_id"] == **id),
        None => state.field("errors").find_last(|error| error["status"] != "recovered"),
    };
    let Some(index) = place else { return };
    let status = match what {
        "Attempted" => "recovering",
        "Succeeded" => "recovered",
        "Failed" => "failed",
        _ => return,
    };
    state.field("errors").item(index).field("status").set(status);
    if what == "Attempted" {
        state.field("errors").item(index).field("attempts").count_up();
    }
}

fn other(state: &mut State, step: &Step<'_>) {
    match step.kind() {
        "CommitCreated" => state.field("commits").push(json!({
            "sha": step.value("commit_sha"),
            "message": step.value("commit_message"),
            "timestamp": step.time(),
        })),
        "IssueTransitioned" => {
            let entry = json!({
                "from_status": step.value("from_status"),
                "to_status": step.value("to_status"),
                "timestamp": step.time(),
            });
            push_kept(state, "jira_transitions", entry);
        }
        "DocumentationCreated" => {
            let entry = super::state::object([
                ("doc_type", step.value("doc_type")),
                ("path", step.value("doc_path")),
                ("title", step.value("doc_title")),
                ("timestamp", step.time()),
            ]);
            push_kept(state, "documentation", entry);
        }
        "ConfluencePageCreated" => {
            let entry = super::state::object([
                ("doc_type", "confluence_page".into()),
                ("path", step.value("page_url")),
                ("title", step.value("page_title")),
                ("timestamp", step.time()),
            ]);
            push_kept(state, "documentation", entry);
        }
        "ErrorOccurred" => {
            let entry = super::state::object([
                ("event_id", step.event.id().into()),
                ("error_type", step.value("error_type")),
                ("error_code", step.value("error_code")),
                ("error_message", step.value("error_message")),
                ("timestamp", step.time()),
                ("status", "open".into()),
            ]);
            push_kept(state, "errors", entry);
        }
        "CheckpointCreated" => {
            let entry = super::state::object([
                ("checkpoint_id", step.value("checkpoint_id")),
                ("phase", step.value("checkpoint_phase")),
                ("reason", step.value("checkpoint_reason")),
                ("git_sha", step.value("git_sha")),
                ("timestamp", step.time()),
            ]);
            push_kept(state, "checkpoints", entry);
        }
        "CheckpointRestored" => {
            let id = step.value("checkpoint_id");
            let place = state.field("checkpoints").find_last(|known| known["checkpoint_id"] == id);
            if let Some(index) = place {
                state.field("checkpoints").item(index).field("restored_at").set(step.time());
            }
        }
        _ => {}
    }
}

/// Adds an entry; the oldest makes room.
pub(super) fn push_kept(state: &mut State, list: &str, entry: Value) {
    if state.field(list).count() >= MAX_KEPT {
        state.field(list).item(0).remove();
    }
    state.field(list).push(entry);
}
