//! Causes, explanations of failures, profiles: over stories, and over sessions as they were captured.

use crate::server::Server;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tacho_event::Timestamp;
use tacho_ingest::hook::{self, Agent, HookInput};
use tacho_ingest::{Door, Redactor};

/// 2026-01-01T00:00:00Z.
const BEGIN_NS: i64 = 1_767_225_600_000_000_000;
const MINUTE_NS: i64 = 60_000_000_000;

fn at(minute: f64) -> String {
    Timestamp(BEGIN_NS + (minute * MINUTE_NS as f64) as i64).to_rfc3339()
}

fn event(kind: &str, id: &str, stream: &str, minute: f64, data: Value) -> Value {
    json!({"specversion": "1.0", "type": kind, "id": id, "source": "/t", "subject": stream, "time": at(minute), "data": data})
}

fn append(server: &Server, events: Vec<Value>) {
    let answer = server.post("/api/events", &Value::from(events));
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// Plays a captured session of hooks at the times at which they came; answers the session's stream.
fn play(server: &Server, name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tacho-testkit/fixtures/claude-code/sessions");
    let lines = fs::read_to_string(folder.join(name)).unwrap();
    let redactor = Redactor::builtin();
    let mut stream = String::new();
    for (number, line) in lines.lines().enumerate() {
        let line: Value = serde_json::from_str(line).unwrap();
        let payload = line["payload"].to_string();
        let input = HookInput {
            agent: Agent::ClaudeCode,
            id: &format!("hook-{number}"),
            time: Timestamp((line["t"].as_f64().unwrap() * 1e9) as i64),
            git_sha: None,
            branch: None,
            traceparent: None,
            payload: payload.as_bytes(),
        };
        let events = hook::parse(&input, &Door::new(&redactor));
        stream = events[0].stream().to_owned();
        server.engine.append_and_wait(events).unwrap();
    }
    stream
}

/// The id of the first event of a type that fits a condition.
fn find(server: &Server, kind: &str, fits: impl Fn(&Value) -> bool) -> String {
    let page = server.get(&format!("/api/events?type={kind}&limit=1000")).json();
    let found = page["events"].as_array().unwrap().iter().find(|event| fits(event)).cloned();
    found.unwrap_or_else(|| panic!("no {kind}"))["id"].as_str().unwrap().to_owned()
}

fn causes(server: &Server, id: &str, rest: &str) -> Value {
    let answer = server.get(&format!("/api/causes/{id}{rest}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// `relation depth type` of each node.
fn nodes(causes: &Value) -> Vec<String> {
    let text = |node: &Value| {
        format!("{} {} {}", node["relation"].as_str().unwrap(), node["depth"], node["type"].as_str().unwrap())
    };
    causes["nodes"].as_array().unwrap().iter().map(text).collect()
}

fn texts(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_story_is_explained() {
    let text = include_str!("stories/failures.json");
    let stories: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(stories.len() >= 10);
    for story in stories {
        let server = Server::start();
        let stream = story["stream"].as_str().unwrap();
        for told in story["events"].as_array().unwrap() {
            let at = told["minute"].as_f64().unwrap();
            let (kind, id) = (told["type"].as_str().unwrap(), told["id"].as_str().unwrap());
            let of = told["stream"].as_str().unwrap_or(stream);
            let mut event = event(kind, id, of, at, told["data"].clone());
            for (from, to) in [("causation", "causationid"), ("severity", "severity")] {
                if !told[from].is_null() {
                    event[to] = told[from].clone();
                }
            }
            append(&server, vec![event]);
        }
        let why = server.get(&format!("/api/why/{stream}")).json();
        let recovery = |one: &Value| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("id"), text("strategy"), text("outcome"))
        };
        let recoveries: Vec<String> = why["recoveries"].as_array().unwrap().iter().map(recovery).collect();
        let found = json!({
            "failed": why["failed"], "sentence": why["sentence"], "chain": texts(&why["chain"], "id"),
            "edges": texts(&why["edges"], "kind"), "recoveries": recoveries, "next_actions": why["next_actions"]
        });
        assert_eq!(found, story["expect"], "{}", story["name"]);
        let chain = why["chain"].as_array().unwrap();
        assert_eq!(&why["first_cause"], chain.first().unwrap_or(&Value::Null));
        assert_eq!(&why["failure"], chain.last().unwrap_or(&Value::Null));
        let before = why["sequence_before"].as_u64().filter(|before| *before > 0);
        let state = before.map(|before| server.get(&format!("/api/state/{stream}?sequence={before}")).json());
        assert_eq!(why["state_before"], state.map_or(Value::Null, |state| state["state"].clone()));
    }
}

#[test]
fn a_story_can_be_asked_for_as_it_stood() {
    let server = Server::start();
    let events = vec![
        event("PhaseStarted", "e1", "issue/A", 0.0, json!({"phase": "TEST"})),
        event("TestRunFailed", "e2", "issue/A", 1.0, json!({"test_suite": "unit"})),
        event("TestRunCompleted", "e3", "issue/A", 2.0, json!({"test_suite": "unit", "tests_failed": 0})),
    ];
    append(&server, events);
    let failed = |rest: &str| server.get(&format!("/api/why/issue/A{rest}")).json()["failed"].clone();
    assert_eq!(failed(""), false);
    assert_eq!(failed("?at=2"), true, "a position is meant with its event");
    assert_eq!(failed("?at=1"), false);
    assert_eq!(failed(&format!("?at={}", at(1.5))), true);
    assert_eq!(failed(&format!("?at={}", at(0.5))), false);
    assert_eq!(server.get("/api/why/issue/B").refusal(), (404, "stream_not_found".into()));
    assert_eq!(server.get("/api/why/issue/A?at=never").refusal(), (400, "invalid_filter".into()));
    assert_eq!(server.get("/api/why/issue/A?nope=1").refusal(), (400, "invalid_filter".into()));
}

#[test]
fn sessions_say_what_went_wrong() {
    let server = Server::start();
    let stream = play(&server, "api-error.jsonl");
    let why = server.get(&format!("/api/why/{stream}")).json();
    assert_eq!((&why["failed"], &why["failure"]["type"]), (&json!(true), &json!("claude.stop_failure")));
    assert!(why["sentence"].as_str().unwrap().contains("the last turn ended in an error because "), "{why}");

    let server = Server::start();
    let stream = play(&server, "full.jsonl");
    let why = server.get(&format!("/api/why/{stream}")).json();
    let sentence = why["sentence"].as_str().unwrap();
    assert_eq!(why["failure"]["type"], "claude.post_tool_use_failure");
    assert!(sentence.contains(": Read: ") && sentence.contains("nothing put it right"), "{sentence}");
    assert_eq!(why["next_actions"].as_array().unwrap().len(), 3);
}

#[test]
fn a_session_shows_who_set_off_whom() {
    let server = Server::start();
    play(&server, "full.jsonl");
    let is_subagents = |event: &Value| event["data"]["agent_id"].is_string();
    let id = find(&server, "claude.post_tool_use", is_subagents);
    let found = causes(&server, &id, "");
    assert_eq!(
        nodes(&found),
        [
            "cause -4 claude.user_prompt_submit",
            "cause -3 claude.pre_tool_use",
            "cause -2 claude.subagent_start",
            "cause -1 claude.pre_tool_use",
            "self 0 claude.post_tool_use",
        ]
    );
    assert_eq!(texts(&found["edges"], "kind"), ["trace"; 4]);
    assert_eq!((&found["event"], &found["truncated"]), (&json!(id), &json!(false)));

    let prompt = find(&server, "claude.user_prompt_submit", |_| true);
    let below = causes(&server, &prompt, "");
    let ends = nodes(&below).iter().filter(|node| node.starts_with("effect 2 claude.post_tool_use")).count();
    assert_eq!(ends, 9, "each call of the main agent has its end below it: {:?}", nodes(&below));
    let near = causes(&server, &prompt, "?depth=1");
    assert!(near["truncated"] == true && nodes(&near).iter().all(|node| !node.contains(" 2 ")), "{near}");
}

#[test]
fn what_events_name_is_followed_both_ways() {
    let server = Server::start();
    let mut chain = Vec::new();
    for number in 0..6 {
        let mut event = event("demo.step", &format!("s{number}"), "task/x", f64::from(number), json!({}));
        if number > 0 {
            event["causationid"] = json!(format!("s{}", number - 1));
        }
        chain.push(event);
    }
    append(&server, chain);
    let found = causes(&server, "s3", "?depth=2");
    assert_eq!(
        nodes(&found),
        [
            "cause -2 demo.step",
            "cause -1 demo.step",
            "self 0 demo.step",
            "effect 1 demo.step",
            "effect 2 demo.step"
        ]
    );
    assert_eq!(found["truncated"], true, "s0 is three steps away");
    assert_eq!(causes(&server, "s3", "")["truncated"], false);
    assert_eq!(server.types("/api/events?causation=s0"), ["demo.step"]);
    assert_eq!(server.get("/api/causes/absent").refusal(), (404, "event_not_found".into()));
    for bad in ["depth=0", "depth=101", "depth=x", "nope=1"] {
        assert_eq!(server.get(&format!("/api/causes/s1?{bad}")).refusal(), (400, "invalid_filter".into()));
    }
}

#[test]
fn of_several_events_with_the_id_the_nearest_is_the_cause() {
    let server = Server::start();
    let with = |mut event: Value, name: &str, value: &str| {
        event[name] = json!(value);
        event
    };
    append(
        &server,
        vec![
            with(event("demo.far", "same", "task/far", 0.0, json!({})), "source", "/far"),
            with(event("demo.near", "same", "task/x", 1.0, json!({})), "source", "/near"),
            with(event("demo.effect", "e", "task/x", 2.0, json!({})), "causationid", "same"),
        ],
    );
    assert_eq!(nodes(&causes(&server, "e", "")), ["cause -1 demo.near", "self 0 demo.effect"]);
    assert_eq!(server.get("/api/causes/same").refusal(), (409, "ambiguous_id".into()));
    assert_eq!(nodes(&causes(&server, "same", "?source=/far")), ["self 0 demo.far"]);
    assert_eq!(
        nodes(&causes(&server, "same", "?source=/near")),
        ["self 0 demo.near", "effect 1 demo.effect"]
    );
}

#[test]
fn circles_and_crowds_end() {
    let server = Server::start();
    let caused = |id: &str, by: &str| {
        let mut event = event("demo.a", id, "task/x", 0.0, json!({}));
        event["causationid"] = json!(by);
        event
    };
    append(&server, vec![caused("a", "b"), caused("b", "a"), caused("own", "own")]);
    let circle = causes(&server, "a", "");
    assert_eq!(circle["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(circle["edges"].as_array().unwrap().len(), 2, "{circle}");
    assert_eq!(nodes(&causes(&server, "own", "")), ["self 0 demo.a"]);
    for batch in 0..2 {
        append(&server, (0..600).map(|number| caused(&format!("c{batch}-{number}"), "own")).collect());
    }
    let crowd = causes(&server, "own", "");
    assert_eq!((crowd["nodes"].as_array().unwrap().len(), &crowd["truncated"]), (1_000, &json!(true)));
}

#[test]
fn what_shares_a_correlation_is_told_when_asked_for() {
    let server = Server::start();
    let correlated = |id: &str| {
        let mut event = event("demo.a", id, "task/x", 0.0, json!({}));
        event["correlationid"] = json!("c");
        event
    };
    append(&server, vec![correlated("a"), correlated("b"), correlated("c")]);
    assert_eq!(nodes(&causes(&server, "b", "")), ["self 0 demo.a"]);
    let all = causes(&server, "b", "?correlated=true");
    assert_eq!(nodes(&all), ["correlated 0 demo.a", "self 0 demo.a", "correlated 0 demo.a"]);
    assert_eq!(texts(&all["edges"], "kind"), ["correlation", "correlation"]);
}

fn profile(server: &Server, stream: &str) -> Value {
    let answer = server.get(&format!("/api/profile/{stream}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let profile = answer.json();
    let number = |name: &str| profile[name].as_i64().unwrap();
    let wall = number("wall_ms");
    let parts = number("active_ms") + number("waiting_for_people_ms") + number("idle_ms");
    assert!((wall - parts).abs() <= 2, "the parts are the whole: {parts} of {wall}");
    let path = profile["critical_path"].as_array().unwrap();
    let steps: i64 = path.iter().map(|step| step["ms"].as_i64().unwrap()).sum();
    assert!((wall - steps).abs() <= path.len() as i64, "the path is the whole: {steps} of {wall}");
    profile
}

fn row<'a>(profile: &'a Value, list: &str, name: &str) -> &'a Value {
    let found = profile[list].as_array().unwrap().iter().find(|row| row["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {}", profile[list]))
}

#[test]
fn a_session_has_a_profile_from_its_hooks_alone() {
    let server = Server::start();
    let stream = play(&server, "full.jsonl");
    let profile = profile(&server, &stream);
    assert_eq!(
        (&profile["events"], &profile["cost_usd"], &profile["truncated"]),
        (&json!(37), &Value::Null, &json!(false))
    );
    let counts = |name: &str| {
        let tool = row(&profile, "by_tool", name);
        (tool["calls"].as_u64().unwrap(), tool["failures"].as_u64().unwrap())
    };
    assert_eq!(
        [counts("Bash"), counts("Read"), counts("Edit"), counts("Agent")],
        [(5, 1), (2, 1), (1, 0), (1, 0)]
    );
    assert_eq!(row(&profile, "by_agent", "claude-code")["calls"], 9);
    let spans = profile["spans"].as_array().unwrap();
    let kinds = |kind: &str| spans.iter().filter(|span| span["kind"] == kind).count();
    assert_eq!((kinds("stream"), kinds("turn"), kinds("agent"), kinds("tool")), (1, 1, 1, 10));
    let parent = |kind: &str| {
        let of = spans.iter().find(|span| span["kind"] == kind).unwrap()["parent"].clone();
        spans.iter().find(|span| span["id"] == of).unwrap()["name"].clone()
    };
    assert_eq!((parent("turn"), parent("agent")), (json!(stream), json!("Agent")));

    let folded = server.get(&format!("/api/profile/{stream}/flamegraph?format=folded"));
    let folded = String::from_utf8(folded.body).unwrap();
    let bash = folded.lines().find(|line| line.starts_with(&format!("{stream};turn 1;Bash "))).unwrap();
    assert!(bash.rsplit(' ').next().unwrap().parse::<u64>().unwrap() > 0);
    let picture = server.get(&format!("/api/profile/{stream}/flamegraph"));
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    let again = server.get(&format!("/api/profile/{stream}/flamegraph"));
    assert_eq!(picture.body, again.body, "the same log gives the same picture");
    let picture = String::from_utf8(picture.body).unwrap();
    assert!(picture.starts_with("<svg ") && picture.contains("<title>Bash: "), "{picture}");
    let bad = server.get(&format!("/api/profile/{stream}/flamegraph?format=png"));
    assert_eq!(bad.refusal(), (400, "invalid_filter".into()));
}

#[test]
fn waiting_for_a_person_is_no_work() {
    let server = Server::start();
    let stream = play(&server, "permission-denied.jsonl");
    let waited = profile(&server, &stream);
    assert!(waited["spans"].as_array().unwrap().iter().any(|span| span["kind"] == "wait"), "{waited}");
    assert!(waited["waiting_for_people_ms"].as_i64().unwrap() > 0, "{waited}");

    let server = Server::start();
    let stream = play(&server, "background-agent.jsonl");
    let background = profile(&server, &stream);
    let spans = background["spans"].as_array().unwrap();
    let agent = spans.iter().find(|span| span["kind"] == "agent").unwrap();
    assert_eq!(agent["parent"], json!(stream), "it outlives the call that sent it out");
}

#[test]
fn an_orchestration_has_a_profile() {
    let server = Server::start();
    let of = "issue/PROJ-1";
    append(
        &server,
        vec![
            event("OrchestrationStarted", "e1", of, 0.0, json!({"issue_summary": "x"})),
            event("PhaseStarted", "e2", of, 0.0, json!({"phase": "CODE"})),
            event("AgentSpawned", "e3", of, 1.0, json!({"agent_name": "coder"})),
            event("AgentSpawned", "e4", of, 1.0, json!({"agent_name": "writer"})),
            event("TestRunStarted", "e5", of, 2.0, json!({"test_suite": "unit", "agent": "coder"})),
            event("TestRunFailed", "e6", of, 4.0, json!({"test_suite": "unit", "agent": "coder"})),
            event("AgentFailed", "e7", of, 5.0, json!({"agent_name": "writer"})),
            event("AgentCompleted", "e8", of, 6.0, json!({"agent_name": "coder"})),
            event("PhaseCompleted", "e9", of, 6.0, json!({"phase": "CODE"})),
            event("OrchestrationPaused", "e10", of, 7.0, json!({})),
            event("OrchestrationResumed", "e11", of, 17.0, json!({})),
            event("OrchestrationCompleted", "e12", of, 20.0, json!({})),
        ],
    );
    let profile = profile(&server, of);
    assert_eq!((&profile["wall_ms"], &profile["active_ms"]), (&json!(1_200_000), &json!(360_000)));
    assert_eq!((&profile["waiting_for_people_ms"], &profile["idle_ms"]), (&json!(600_000), &json!(240_000)));
    let tests = row(&profile, "by_tool", "tests unit");
    assert_eq!((&tests["calls"], &tests["failures"], &tests["ms"]), (&json!(1), &json!(1), &json!(120_000)));
    assert_eq!(
        row(&profile, "by_agent", "coder"),
        &json!({"name": "coder", "ms": 300_000, "cost_usd": null, "calls": 1})
    );
    let path: Vec<(&str, i64)> = profile["critical_path"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["name"].as_str().unwrap(), step["ms"].as_i64().unwrap() / 60_000))
        .collect();
    assert_eq!(
        path,
        [
            ("CODE", 1),
            ("coder", 1),
            ("tests unit", 2),
            ("coder", 2),
            ("idle", 1),
            ("paused", 10),
            ("idle", 3)
        ],
        "the writer ended before the coder, so it is not on the path"
    );
}

#[test]
fn a_task_has_a_profile_with_money() {
    let server = Server::start();
    let of = "task/t_1";
    append(
        &server,
        vec![
            event("task_queued", "e1", of, 0.0, json!({"task_id": "t_1", "feature": "f"})),
            event(
                "agent_started",
                "e2",
                of,
                1.0,
                json!({"agent": "scribe", "task_id": "t_1", "model": "sonnet"}),
            ),
            event(
                "agent_completed",
                "e3",
                of,
                3.0,
                json!({"agent": "scribe", "task_id": "t_1", "status": "failed", "cost_usd": 0.25}),
            ),
            event("hitl_escalated", "e4", of, 4.0, json!({"task_id": "t_1", "attempts": 3})),
            event("hitl_answered", "e5", of, 9.0, json!({"task_id": "t_1", "answer": "x"})),
            event(
                "validation_complete",
                "e6",
                of,
                10.0,
                json!({"task_id": "t_1", "result": {"passed": true}, "cost": 0.5, "duration_ms": 60_000}),
            ),
        ],
    );
    let profile = profile(&server, of);
    assert_eq!((&profile["cost_usd"], &profile["waiting_for_people_ms"]), (&json!(0.75), &json!(300_000)));
    assert_eq!(row(&profile, "by_model", "sonnet")["cost_usd"], 0.25);
    assert_eq!(row(&profile, "by_tool", "validation")["ms"], 60_000);
    let spans = profile["spans"].as_array().unwrap();
    assert!(spans.iter().any(|span| span["name"] == "scribe" && span["failed"] == true), "{spans:?}");
}

#[test]
fn requests_to_models_are_part_of_a_sessions_profile() {
    let server = Server::start();
    let stream = play(&server, "full.jsonl");
    let before = profile(&server, &stream);
    let session = stream.strip_prefix("session/").unwrap();
    let turn =
        before["spans"].as_array().unwrap().iter().find(|span| span["kind"] == "turn").unwrap().clone();
    let request = json!({
        "specversion": "1.0", "type": "claude_code.api_request", "id": "r1", "source": "/t", "subject": stream,
        "sessionid": session, "time": turn["until"],
        "data": {"request_id": "r1", "model": "sonnet", "cost_usd": 0.5, "duration_ms": 100, "input_tokens": 1}
    });
    append(&server, vec![request]);
    let after = profile(&server, &stream);
    assert_eq!(after["cost_usd"], 0.5);
    assert_eq!(
        row(&after, "by_model", "sonnet"),
        &json!({"name": "sonnet", "requests": 1, "ms": 100, "cost_usd": 0.5})
    );
    let span =
        after["spans"].as_array().unwrap().iter().find(|span| span["kind"] == "request").unwrap().clone();
    assert_eq!((&span["parent"], &span["ms"]), (&turn["id"], &json!(100)));
}
