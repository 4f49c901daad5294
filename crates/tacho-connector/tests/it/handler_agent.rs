use crate::handler_peer::{LONG, SHORT, Scripts, ask, command, deliver, event, fails, start};
use tacho_connector::HandlerSettings;

/// Speaks streaming JSON as an agent does: some messages of its own, then a result.
const AGENT: &str = r#"
import json, os, sys
turns = 0
def say(**message):
    print(json.dumps(message), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    assert message["type"] == "user" and message["message"]["role"] == "user"
    text = message["message"]["content"][0]["text"]
    turns += 1
    if "please hang" in text:
        while True:
            os.read(os.pipe()[0], 1)
    if "please chat" in text:
        print("Hello! How can I help?", flush=True)
    say(type="system", subtype="init", session_id="s-1")
    say(type="assistant", message={"content": [{"type": "text", "text": "thinking"}]})
    failed = "please fail" in text
    say(type="result", subtype="success", is_error=failed, result="no credit" if failed else text,
        num_turns=turns, duration_ms=5, session_id=str(os.getpid()), total_cost_usd=turns * 0.1)
"#;

fn settings(scripts: &Scripts) -> HandlerSettings {
    HandlerSettings { prompt: Some("Look at this:".into()), ..command(scripts.python(AGENT), "agent") }
}

#[test]
fn one_agent_answers_many_events() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts));
    let first = ask(&mut worker, "{\"n\":7}");
    assert_eq!((&first["type"], &first["subject"]), (&"agent.answered".into(), &"task/x".into()));
    let said = first["data"]["result"].as_str().unwrap();
    let event = said.strip_prefix("Look at this:\n\n").unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(event).unwrap()["data"]["n"], 7);
    let second = ask(&mut worker, "{}");
    assert_eq!(second["data"]["session_id"], first["data"]["session_id"]);
    assert_eq!((&second["data"]["turns"], &second["data"]["duration_ms"]), (&2.into(), &5.into()));
    assert_eq!(second["data"]["cost_usd"], 0.1, "what this answer cost, not the whole session");
}

#[test]
fn an_error_of_the_agent_is_tried_again() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts));
    let failed = fails(&mut worker, "\"please fail\"", LONG);
    assert_eq!(failed.code, "agent_error");
    assert!(failed.message.contains("no credit"), "{}", failed.message);
    assert_eq!(ask(&mut worker, "{}")["data"]["turns"], 2, "it goes on");
    assert_eq!(fails(&mut worker, "\"please hang\"", SHORT).code, "timeout");
    assert_eq!(ask(&mut worker, "{}")["data"]["turns"], 1, "it is another one");
    assert_eq!(fails(&mut worker, "\"please chat\"", LONG).code, "bad_answer");
}

#[test]
fn each_stream_can_have_a_conversation_of_its_own() {
    let scripts = Scripts::new();
    let returns = Some("review.done".into());
    let mut worker =
        start(&HandlerSettings { session: Some("stream".into()), returns, ..settings(&scripts) });
    let mut turns = |streams: &[&str]| {
        let events: Vec<_> = streams.iter().zip(1..).map(|(stream, n)| event(n, stream, "{}")).collect();
        let returned = deliver(&mut worker, &events, LONG).unwrap();
        assert!(returned.iter().all(|event| event["type"] == "review.done"));
        returned.iter().map(|event| event["data"]["turns"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(turns(&["a", "b", "a", "a"]), [1, 1, 2], "events in a row are told together");
    assert_eq!(turns(&["c", "d", "b", "e"]), [1, 1, 2, 1]);
    assert_eq!(turns(&["b", "a"]), [3, 1], "the one that was quiet longest made room");
}
