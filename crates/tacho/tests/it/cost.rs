//! Money: what hooks, transcripts and budgets tell, against what the agent itself reports.

use crate::place::Place;
use crate::server::{Server, eventually};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const SESSION: &str = "6de14646-dff7-4706-a66d-b9884b862135";
const SUBAGENT: &str = "afd80d6c36420fd4b";

fn transcript(part: &str) -> String {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tacho-testkit/fixtures/claude-code/transcripts");
    fs::read_to_string(folder.join(format!("A328__-home-dev-demo__{SESSION}{part}.jsonl"))).unwrap()
}

/// What Claude Code itself says at the end of its transcript, in millionths of a dollar.
fn reported_micros(transcript: &str) -> i64 {
    let mut states = transcript.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = states.rfind(|line| line["type"] == "cost-state").unwrap();
    (last["totalCostUSD"].as_f64().unwrap() * 1e6).round() as i64
}

fn micros(row: &Value) -> i64 {
    row["cost_usd"].as_f64().map_or(0, |dollars| (dollars * 1e6).round() as i64)
}

#[test]
fn hooks_alone_tell_what_a_session_cost_as_the_agent_reports_it() {
    let place = Place::new();
    let server = Server::start(&place);
    let (main, subagent) = (transcript(""), transcript(&format!("__subagents__agent-{SUBAGENT}")));
    let main_path = place.write(&format!(".claude/projects/demo/{SESSION}.jsonl"), &main);
    // Where Claude Code keeps it.
    let subagent_path =
        place.write(&format!(".claude/projects/demo/{SESSION}/subagents/agent-{SUBAGENT}.jsonl"), &subagent);
    let lines = main.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut prompts: Vec<String> =
        lines.filter_map(|line| line["promptId"].as_str().map(str::to_owned)).collect();
    prompts.dedup();
    let ended = |hook: &str, prompt: &str, more: Value| {
        let mut payload = json!({
            "session_id": SESSION, "prompt_id": prompt, "hook_event_name": hook,
            "transcript_path": main_path, "cwd": "/home/dev/demo"
        });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert!(server.post("/hooks/claude-code", &payload.to_string()).starts_with("HTTP/1.1 200"));
    };
    let of_subagent = json!({
        "agent_id": SUBAGENT, "agent_type": "general-purpose", "agent_transcript_path": subagent_path.display().to_string()
    });
    ended("SubagentStart", &prompts[0], of_subagent);
    // Its end is told before its last answer is in its file, or not at all: the session's end finds it.
    for prompt in &prompts {
        ended("Stop", prompt, json!({}));
    }
    let reported = reported_micros(&main);
    let spent = |by: &str| server.json(&["cost", "--by", by, "--json"]);
    eventually("the whole cost is known", || spent("session").first().map(micros) == Some(reported));
    // Neither another stop of the same turn nor an import adds anything.
    ended("Stop", &prompts[0], json!({}));
    server.run(&["import", main_path.to_str().unwrap()]).ok();
    assert_eq!(spent("session").iter().map(micros).sum::<i64>(), reported);
    let by_agent = spent("agent");
    let names: Vec<&Value> = by_agent.iter().map(|row| &row["agent"]).collect();
    assert_eq!(names, ["claude-code", "general-purpose"]);
    assert_eq!(by_agent[1]["requests"], 2);
    assert_eq!(spent("model")[0]["model"], "claude-sonnet-4-5");
    let by_day = spent("model,day");
    assert_eq!(by_day.iter().map(micros).sum::<i64>(), reported);
    assert_eq!(
        (&by_day[0]["model"], &by_day[0]["day"]),
        (&json!("claude-sonnet-4-5"), &spent("day")[0]["day"])
    );
    let shown = server.run(&["cost", "--by", "model,day"]).ok().stdout;
    let day = by_day[0]["day"].as_str().unwrap();
    assert!(shown.contains(&format!("{day}  claude-sonnet-4-5 ")), "{shown}");
    let shown = server.run(&["cost"]).ok().stdout;
    assert!(shown.contains("claude-sonnet-4-5") && shown.contains("$0.075405"), "{shown}");
}

#[test]
fn an_empty_log_has_no_cost_and_says_so() {
    let place = Place::new();
    let server = Server::start(&place);
    assert!(server.run(&["cost"]).ok().stdout.contains("nothing was spent"));
    assert!(server.json(&["cost", "--json"]).is_empty());
    let stats = server.json(&["stats", "--json"]).remove(0);
    assert_eq!((&stats["window_seconds"], &stats["cost_usd"]), (&json!(3600), &Value::Null));
    assert_eq!(stats["agent_utilization"], json!({}));
    assert!(server.run(&["stats"]).ok().stdout.contains("no data"));
    let rules = server.json(&["alerts", "list", "--json"]);
    assert!(rules.iter().all(|rule| rule["state"] == "no_data"), "{rules:?}");
    assert!(server.run(&["alerts", "history"]).ok().stdout.contains("no alert"));
    server.run(&["alerts", "test"]).ok();
    eventually("the test alert is on the log", || !server.json(&["alerts", "history", "--json"]).is_empty());
}

#[test]
fn what_no_server_holds_is_answered_from_the_folder() {
    let place = Place::new();
    let server = Server::start(&place);
    let queued = r#"[{"event_type":"task_queued","timestamp":1790000000.5,"payload":{"task_id":"t","feature":"f"}},
        {"event_type":"agent_completed","timestamp":1790000001.5,"payload":{"agent":"a","task_id":"t","status":"success","duration_ms":5,"cost_usd":0.25}}]"#;
    assert!(server.post("/api/events", queued).starts_with("HTTP/1.1 201"));
    let asked = server.json(&["cost", "--by", "feature", "--json"]);
    assert_eq!(asked[0]["cost_usd"], 0.25);
    server.stop(rustix::process::Signal::TERM);
    let offline = crate::server::documents(&place.run(&["cost", "--by", "feature", "--json"]).ok().stdout);
    assert_eq!(offline, asked);
    place.run(&["stats", "--window", "7d"]).ok();
    place.run(&["alerts", "list"]).ok();
}
