use crate::bench::eventually;
use crate::handler_peer::{
    LONG, SHORT, Scripts, ask, command, deliver, event, events, fails, start, until_gone,
};
use serde_json::json;
use tacho_connector::{HandlerSettings, Recycle};
use tacho_engine::delivery::{Failure, Verdict};

/// Does what the event's `do` says; otherwise answers with what it was asked, its number and its count.
const WORKER: &str = r#"
import json, os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
count = 0
def say(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
def hang():
    while True:
        os.read(os.pipe()[0], 1)
for line in sys.stdin:
    request = json.loads(line)
    id, params = request["id"], request["params"]
    if request["method"] == "ping":
        open(os.path.join(os.path.dirname(__file__), "pinged"), "w").close()
        if os.path.exists(os.path.join(os.path.dirname(__file__), "deaf")):
            hang()
        say({"id": id, "error": {"code": -32601, "message": "no such method"}})
        continue
    count += 1
    what = params.get("event", {}).get("data", {}).get("do")
    if what == "hang":
        hang()
    if what == "crash":
        print("out of ideas", file=sys.stderr)
        os._exit(3)
    if what == "rubbish":
        print("I am not JSON", flush=True)
        continue
    if what == "flood":
        print("x" * 100000, flush=True)
        continue
    if what == "nothing":
        say({"id": id, "result": None})
        continue
    if what == "wrong":
        say({"id": id, "result": {"events": [7]}})
        continue
    if what == "fail":
        say({"id": id, "error": {"code": "busy", "message": "come back"}})
        continue
    if what == "refuse":
        say({"id": id, "error": {"code": -7, "message": "never", "data": {"retry": False}}})
        continue
    if what == "slow":
        for _ in range(12):
            try:
                subprocess.run(["tail", "-f", "/dev/null"], timeout=0.1)
            except subprocess.TimeoutExpired:
                say({"method": "progress", "params": {}})
    answer = {"type": "seen", "process": os.getpid(), "count": count, "params": params}
    if what == "child":
        answer["child"] = subprocess.Popen(["tail", "-f", "/dev/null"]).pid
    for _ in range(3 if what == "stutter" else 1):
        say({"id": id, "result": {"events": [answer]}})
print("left", file=open(os.path.join(os.path.dirname(__file__), "left"), "w"))
"#;

fn settings(scripts: &Scripts) -> HandlerSettings {
    command(scripts.python(WORKER), "warm")
}

/// The failure that `what` leads to; then the worker answers again, another process where it `ends`.
#[track_caller]
fn failure(what: &str, ends: bool, timeout: std::time::Duration) -> Failure {
    let scripts = Scripts::new();
    let mut worker = start(&HandlerSettings { output_bytes: Some(50_000), ..settings(&scripts) });
    let first = ask(&mut worker, "{}")["process"].clone();
    let failure = fails(&mut worker, &format!("{{\"do\":\"{what}\"}}"), timeout);
    if ends {
        until_gone(&first.to_string());
    }
    assert_eq!(ask(&mut worker, "{}")["process"] != first, ends);
    failure
}

#[test]
fn one_process_serves_many_and_is_told_all() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts));
    let first = ask(&mut worker, "{\"n\":1.50}");
    let params = &first["params"];
    assert_eq!((&params["attempt"], &params["idempotency_key"]), (&2.into(), &"key-1".into()));
    assert_eq!(params["deadline"], "2025-06-15T15:07:40Z");
    assert_eq!((&params["event"]["id"], &params["event"]["data"]["n"]), (&"e1".into(), &json!(1.5)));
    let second = &deliver(&mut worker, &events(2), LONG).unwrap()[0];
    assert_eq!((&second["process"], &second["count"]), (&first["process"], &2.into()));
    assert_eq!(
        (&second["params"]["events"][1]["id"], &second["params"]["event"]),
        (&"e2".into(), &json!(null))
    );
    assert_eq!(deliver(&mut worker, &[event(1, "s", "{\"do\":\"nothing\"}")], LONG), Ok(vec![]));
    drop(worker);
    assert!(scripts.path("left").exists(), "the end of its input is its sign to leave");
}

#[test]
fn an_error_is_the_handlers_own() {
    assert_eq!(failure("fail", false, LONG), Failure::retry("error_busy", "come back"));
    let refused = failure("refuse", false, LONG);
    assert_eq!((refused.code.as_str(), refused.verdict), ("error_-7", Verdict::Reject));
    assert_eq!(failure("wrong", false, LONG).code, "bad_answer");
}

#[test]
fn a_worker_that_fails_is_replaced() {
    let died = failure("crash", true, LONG);
    assert_eq!(died.code, "worker_died");
    assert!(died.message.contains("status: 3") && died.message.contains("out of ideas"), "{}", died.message);
    assert_eq!(failure("hang", true, SHORT).code, "timeout");
    assert_eq!(failure("rubbish", true, LONG).code, "bad_answer");
    let flood = failure("flood", true, LONG);
    assert_eq!(flood.code, "output_too_large");
    assert!(flood.message.contains("output_bytes"), "{}", flood.message);
}

#[test]
fn its_children_end_with_it() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts));
    let child = ask(&mut worker, "{\"do\":\"child\"}")["child"].to_string();
    assert_eq!(fails(&mut worker, "{\"do\":\"hang\"}", SHORT).code, "timeout");
    until_gone(&child);
    let child = ask(&mut worker, "{\"do\":\"child\"}")["child"].to_string();
    drop(worker);
    until_gone(&child);
}

#[test]
fn progress_gives_it_its_time_anew() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts));
    ask(&mut worker, "{}");
    let slow = [event(1, "task/x", "{\"do\":\"slow\"}")];
    let timeout = std::time::Duration::from_millis(1_000);
    assert_eq!(deliver(&mut worker, &slow, timeout).unwrap()[0]["count"], 2);
}

#[test]
fn answers_that_come_twice_count_once() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts));
    assert_eq!(ask(&mut worker, "{\"do\":\"stutter\"}")["count"], 1);
    assert_eq!(ask(&mut worker, "{}")["count"], 2);
}

#[test]
fn one_that_ended_unasked_costs_no_attempt() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts));
    let process = ask(&mut worker, "{}")["process"].to_string();
    std::process::Command::new("kill").args(["-9", &process]).status().unwrap();
    until_gone(&process);
    assert_eq!(ask(&mut worker, "{}")["count"], 1);
}

#[test]
fn it_is_recycled_by_count_age_and_memory() {
    let scripts = Scripts::new();
    let recycled = |recycle| {
        let mut worker = start(&HandlerSettings { recycle, ..settings(&scripts) });
        (0..4).map(|_| ask(&mut worker, "{}")["count"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(recycled(Recycle { events: Some(2), ..Recycle::default() }), [1, 2, 1, 2]);
    assert_eq!(recycled(Recycle { age_ms: Some(1), ..Recycle::default() }), [1, 1, 1, 1]);
    if cfg!(target_os = "linux") {
        assert_eq!(recycled(Recycle { memory_bytes: Some(1), ..Recycle::default() }), [1, 1, 1, 1]);
    }
    assert_eq!(recycled(Recycle { age_ms: Some(3_600_000), ..Recycle::default() }), [1, 2, 3, 4]);
}

#[test]
fn when_idle_it_is_asked_for_its_health() {
    let scripts = Scripts::new();
    let mut worker = start(&HandlerSettings { health_ms: Some(1), ..settings(&scripts) });
    let process = ask(&mut worker, "{}")["process"].clone();
    eventually("it was asked", || {
        assert!(worker.rest().unwrap().unwrap() <= std::time::Duration::from_millis(1));
        scripts.path("pinged").exists().then_some(())
    });
    assert_eq!(ask(&mut worker, "{}")["process"], process, "any answer is a sign of life");
    std::fs::write(scripts.path("deaf"), "").unwrap();
    eventually("it is replaced", || {
        worker.rest().unwrap();
        (!crate::handler_peer::is_there(&process.to_string())).then_some(())
    });
    assert_ne!(ask(&mut worker, "{}")["process"], process);
}
