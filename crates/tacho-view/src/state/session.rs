//! What a coding agent's session is at, from its hooks alone.

use super::orchestration::push_kept;
use super::step::{Step, cut};
use super::{Projection, State, board};
use serde_json::{Value, json};
use tacho_event::json::{self as text};

/// Most files that are named as changed; more are only counted.
const MAX_FILES: usize = 200;

pub static PROJECTION: Projection = Projection {
    name: "session",
    category: Some("session"),
    version: 1,
    meaning: "What a session is at: turn, running calls, subagents, what it waits for, files, commits, tests.",
    reads: &["claude.*", "codex.*", "CommitCreated", "PRCreated", "PRMerged", "TestRun*", "QualityCheck*"],
    empty,
    apply,
    apply_all: None,
};

fn empty() -> Value {
    json!({
        "session_id": null,
        "agent": null,
        "status": "not_started",
        "cwd": null,
        "model": null,
        "permission_mode": null,
        "turns": 0,
        "prompt": null,
        "last_message": null,
        "running": [],
        "waiting": null,
        "subagents": [],
        "tools": {},
        "tool_calls": 0,
        "tool_failures": 0,
        "files_changed": [],
        "files_changed_count": 0,
        "compactions": 0,
        "errors": [],
        "commits": [],
        "prs": [],
        "quality_checks": [],
        "test_runs": [],
        "started_at": null,
        "ended_at": null,
    })
}

fn apply(state: &mut State, step: &Step<'_>) {
    let kind = step.kind();
    let Some((agent, hook)) = kind.split_once('.').filter(|(agent, _)| matches!(*agent, "claude" | "codex"))
    else {
        return derived(state, step);
    };
    if state.field("session_id").get().is_none_or(Value::is_null) {
        state.field("session_id").set(step.value("session_id"));
        state.field("agent").set(if agent == "claude" { "claude-code" } else { agent });
        state.field("started_at").set(step.time());
    }
    for name in ["cwd", "permission_mode"] {
        if let Some(value) = step.text(name) {
            state.field(name).set(value);
        }
    }
    // What any hook but these says is that the agent goes on.
    if !matches!(
        hook,
        "permission_request" | "notification" | "elicitation" | "session_end" | "message_display"
    ) {
        state.field("waiting").set(Value::Null);
    }
    match hook {
        "pre_tool_use" => called(state, step),
        "post_tool_use" | "post_tool_use_failure" => answered(state, step, hook),
        "permission_request" | "elicitation" => waits(state, step, hook),
        "subagent_start" | "subagent_stop" => subagent(state, step, hook),
        "pre_compact" => state.field("compactions").count_up(),
        _ => turn(state, step, hook),
    }
}

/// What begins and ends sessions and turns.
fn turn(state: &mut State, step: &Step<'_>, hook: &str) {
    match hook {
        "session_start" => {
            state.field("status").set("idle");
            state.field("ended_at").set(Value::Null);
            if let Some(model) = step.text("model") {
                state.field("model").set(model);
            }
        }
        "post_model_switch" => {
            if let Some(model) = step.text("to_model").or_else(|| step.text("model")) {
                state.field("model").set(model);
            }
        }
        "user_prompt_submit" => {
            state.field("status").set("working");
            // An interrupt tells nothing: what was running is not, once somebody asks again.
            if step.event.text("actortype").as_deref() == Some("user") {
                state.field("running").set(json!([]));
                state.field("turns").count_up();
                state.field("prompt").set(step.value("prompt"));
            }
        }
        "stop" => {
            state.field("status").set("idle");
            state.field("running").set(json!([]));
            if let Some(message) = step.text("last_assistant_message") {
                state.field("last_message").set(cut(message));
            }
        }
        "stop_failure" => {
            state.field("status").set("failed");
            let told = ["error", "message", "reason"].into_iter().find_map(|name| step.text(name));
            let entry = json!({"what": "turn", "message": told.map(cut), "timestamp": step.time()});
            push_kept(state, "errors", entry);
        }
        "session_end" => {
            state.field("status").set("ended");
            state.field("running").set(json!([]));
            state.field("waiting").set(Value::Null);
            state.field("ended_at").set(step.time());
        }
        _ => {}
    }
}

fn called(state: &mut State, step: &Step<'_>) {
    state.field("status").set("working");
    let tool = step.text("tool_name").unwrap_or("unknown".into());
    state.field("tool_calls").count_up();
    state.field("tools").field(&tool).field("calls").count_up();
    let entry = super::state::object([
        ("tool_use_id", step.value("tool_use_id")),
        ("tool", tool.into_owned().into()),
        ("summary", tacho_event::summary(step.event).into()),
        ("agent_id", step.value("agent_id")),
        ("since", step.time()),
    ]);
    push_kept(state, "running", entry);
}

fn answered(state: &mut State, step: &Step<'_>, hook: &str) {
    let id = step.value("tool_use_id");
    if let Some(index) = state.field("running").find(|call| call["tool_use_id"] == id) {
        state.field("running").item(index).remove();
    }
    let tool = step.text("tool_name").unwrap_or("unknown".into());
    if hook == "post_tool_use_failure" {
        state.field("tool_failures").count_up();
        state.field("tools").field(&tool).field("failures").count_up();
        let told = step.text("error").or_else(|| step.text("message")).map(cut);
        let entry = json!({
            "what": "tool", "tool": tool, "tool_use_id": id, "message": told, "timestamp": step.time(),
        });
        push_kept(state, "errors", entry);
    } else if matches!(tool.as_ref(), "Write" | "Edit" | "MultiEdit" | "NotebookEdit" | "apply_patch") {
        let path = step.raw("tool_input").and_then(|input| {
            text::member(input, "file_path").or_else(|| text::member(input, "notebook_path"))
        });
        if let Some(path) = path.map(text::text) {
            changed(state, &path);
        }
    }
}

fn changed(state: &mut State, path: &str) {
    if state.field("files_changed").find(|known| known == path).is_some() {
        return;
    }
    state.field("files_changed_count").count_up();
    if state.field("files_changed").count() < MAX_FILES {
        state.field("files_changed").push(path);
    }
}

fn waits(state: &mut State, step: &Step<'_>, hook: &str) {
    let kind = if hook == "elicitation" { "question" } else { "permission" };
    state.field("status").set("waiting");
    state.field("waiting").set(json!({
        "kind": kind, "what": tacho_event::summary(step.event), "since": step.time(),
    }));
}

fn subagent(state: &mut State, step: &Step<'_>, hook: &str) {
    let id = step.value("agent_id");
    let place = state.field("subagents").find_last(|known| known["agent_id"] == id);
    if hook == "subagent_start" {
        let entry = json!({
            "agent_id": id, "agent_type": step.value("agent_type"), "status": "working", "started_at": step.time(),
        });
        push_kept(state, "subagents", entry);
    } else if let Some(index) = place {
        state.field("subagents").item(index).field("status").set("done");
        state.field("subagents").item(index).field("ended_at").set(step.time());
    }
}

/// What was derived from the session's calls.
fn derived(state: &mut State, step: &Step<'_>) {
    if let Some(what) = step.kind().strip_prefix("TestRun") {
        board::test_run(state, step, what);
    } else if matches!(step.kind(), "CommitCreated" | "PRCreated" | "PRMerged" | "PRClosed")
        || step.kind().starts_with("QualityCheck")
    {
        super::orchestration::apply(state, step);
    }
}
