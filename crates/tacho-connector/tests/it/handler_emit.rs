use crate::handler_peer::{LONG, ask, deliver, events, fails, start};
use serde_json::json;
use tacho_connector::{Emit, HandlerSettings, check_handler};
use tacho_engine::delivery::Verdict;

fn settings(subject: Option<&str>, data: Option<&str>) -> HandlerSettings {
    let (subject, data) = (subject.map(str::to_owned), data.map(str::to_owned));
    HandlerSettings {
        emit: Some(Emit { kind: "task.seen".into(), subject, data }),
        ..HandlerSettings::default()
    }
}

#[test]
fn an_event_makes_an_event() {
    let returned = ask(&mut start(&settings(None, None)), "{\"n\":1.50}");
    assert_eq!(returned, json!({"type": "task.seen", "subject": "task/x", "data": {"n": 1.5}}));
    let mut worker = start(&settings(Some("\"done/\" + .id"), Some("{was: .type, n: .data.n}")));
    let returned = deliver(&mut worker, &events(2), LONG).unwrap();
    let second = json!({"type": "task.seen", "subject": "done/e2", "data": {"was": "demo.a", "n": 2}});
    assert_eq!((returned.len(), &returned[1]), (2, &second));
}

#[test]
fn a_program_without_an_answer_is_told() {
    for (subject, data) in [(Some(".data"), None), (None, Some("error(\"no\")")), (None, Some("empty"))] {
        let failure = fails(&mut start(&settings(subject, data)), "{}", LONG);
        assert_eq!((failure.code.as_str(), failure.verdict), ("jq_failed", Verdict::Reject));
        assert!(failure.message.contains("`emit."), "{}", failure.message);
    }
    let refused = check_handler(&settings(None, Some(".data ==")));
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("`emit.data`"), "{refused}");
}
