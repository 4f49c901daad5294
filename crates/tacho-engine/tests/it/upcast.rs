//! Old payloads read as new ones, everywhere.

use crate::rewind::{STREAM, events_of, state_of, told};
use crate::{open, runtime};
use serde_json::{Value, json};
use std::sync::Arc;
use tacho_engine::{Moment, Program};
use tacho_event::schema::Registration;
use tacho_event::{Jq, JqKind, Sequence};
use tacho_testkit::random::Random;
use tempfile::TempDir;

/// Steps that make the second form of a payload of the first one, and the same as a function.
const STEPS: &str = r#"[{"rename":"n","to":"count.total"},{"default":"unit","value":"piece"},
    {"map":"state","values":{"ok":"success"}},{"convert":"size","to":"string"}]"#;

fn rewritten(old: &Value) -> Value {
    let mut new = old.as_object().unwrap().clone();
    if let Some(n) = new.shift_remove("n") {
        new.insert("count".to_owned(), json!({"total": n}));
    }
    new.entry("unit").or_insert("piece".into());
    if new.get("state") == Some(&json!("ok")) {
        new.insert("state".to_owned(), "success".into());
    }
    if let Some(size) = new.get("size").and_then(Value::as_u64) {
        new.insert("size".to_owned(), size.to_string().into());
    }
    Value::Object(new)
}

fn registration(version: &str, upcast: Option<&str>) -> Registration {
    let schema = if version == "1.0.0" {
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
    } else {
        json!({"type": "object", "properties": {"count": {"type": "object"}}, "required": ["count"]})
    };
    let mut data = json!({"type": "demo.counted", "version": version, "schema": schema});
    if let Some(steps) = upcast {
        data["upcast"] = serde_json::from_str(steps).unwrap();
    }
    Registration::from_data(data.to_string().as_bytes()).unwrap()
}

#[test]
fn the_fold_of_old_events_upcast_is_the_fold_of_the_rewritten_history() {
    for seed in 0..10 {
        let mut random = Random::new(seed);
        let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let program = |config: &mut tacho_engine::Config| {
            let jq = Jq::compile_as(".seen += [$event.data]", JqKind::Fold).unwrap();
            let (name, meaning) = ("seen".to_owned(), String::new());
            config.rewind.programs = vec![Arc::new(Program { name, category: None, meaning, jq })];
            config.rewind.snapshot_events = 7;
        };
        let (grown, fresh) = (open(old.path(), program), open(new.path(), program));
        runtime().block_on(async {
            grown.register_schema(registration("1.0.0", None)).await.unwrap();
            let mut payloads = Vec::new();
            for number in 0..60 {
                let state = ["ok", "bad"][random.index(2)];
                let mut data = json!({"n": number, "state": state});
                if random.once_in(3) {
                    data["size"] = random.below(100).into();
                }
                payloads.push(data);
            }
            let event = |number: usize, data: &Value| {
                told(STREAM, "demo.counted", number.to_string(), number as i64, data)
            };
            for (number, data) in payloads.iter().enumerate() {
                grown.append(vec![event(number, data)], Vec::new()).await.unwrap();
                fresh.append(vec![event(number, &rewritten(data))], Vec::new()).await.unwrap();
            }
            // Snapshots of before are of no use any more.
            let before = state_of(&grown, "seen", Moment::Now).await;
            assert_eq!(before.state["seen"][0], payloads[0]);
            let refused = grown.register_schema(registration("2.0.0", None)).await.unwrap_err();
            assert!(refused.to_string().contains("upcast"), "{refused}");
            grown.register_schema(registration("2.0.0", Some(STEPS))).await.unwrap();
            for sequence in [1, 30, 60] {
                let moment = Moment::Sequence(Sequence(sequence));
                let upcast = state_of(&grown, "seen", moment).await;
                assert_eq!(upcast.state, state_of(&fresh, "seen", moment).await.state, "seed {seed}");
            }
            let listed = events_of(&grown, STREAM).await;
            assert!(listed.iter().all(|event| {
                event.text("dataschema").as_deref() == Some("urn:tacho:schema:demo.counted:2.0.0")
            }));
            let stored = grown.stored_event("0", None, Default::default()).await.unwrap();
            assert_eq!(stored.data().map(tacho_event::json::to_value), Some(payloads[0].clone()));
        });
        // The same after a restart, when nobody has asked for schemas yet.
        grown.close().unwrap();
        let grown = open(old.path(), program);
        runtime().block_on(async {
            let all = state_of(&grown, "seen", Moment::Now).await;
            assert_eq!(all.state, state_of(&fresh, "seen", Moment::Now).await.state);
        });
        grown.close().unwrap();
        fresh.close().unwrap();
    }
}
