//! What waits for a person, however much happened since.

use crate::{event_with, open, runtime};
use tacho_engine::Engine;
use tempfile::TempDir;

fn tell(engine: &Engine, kind: &str, data: &str) {
    engine.append_and_wait(vec![event_with(engine, kind, "task/x", data)]).unwrap();
}

fn waiting(engine: &Engine) -> Vec<String> {
    let waits = runtime().block_on(engine.waits()).unwrap();
    waits.iter().filter_map(|wait| wait.task()).collect()
}

#[test]
fn a_deed_counts_behind_any_number_of_others() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| {});
    tell(&engine, "hitl_escalated", r#"{"task_id":"a"}"#);
    tell(&engine, "hitl_escalated", r#"{"task_id":"b"}"#);
    tell(&engine, "hitl_escalated", r#"{"task_id":"c"}"#);
    // More than are looked at of one kind.
    for kind in ["validation_complete", "hitl_acknowledged"] {
        for _ in 0..11 {
            let others = (0..1000)
                .map(|_| event_with(&engine, kind, "task/z", r#"{"task_id":"z","result":{"passed":true}}"#));
            engine.append_and_wait(others.collect()).unwrap();
        }
    }
    assert_eq!(waiting(&engine), ["a", "b", "c"]);
    tell(&engine, "hitl_resolved", r#"{"task_id":"a"}"#);
    tell(&engine, "validation_complete", r#"{"task_id":"b","passed":true}"#);
    assert_eq!(waiting(&engine), ["c"]);
    engine.close().unwrap();
}
