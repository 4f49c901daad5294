use crate::support::{NOW, post, recorded, table};
use expect_test::expect;
use tacho_event::Sameness;
use tacho_ingest::import::{self, Import};
use tacho_ingest::{Door, Redactor};

fn lines(file: &str) -> Import {
    let redactor = Redactor::builtin();
    import::lines(file.as_bytes(), &Door::new(&redactor), NOW)
}

#[test]
fn an_export_imports() {
    let event = post(r#"{"specversion":"1.0","id":"1","source":"/t","type":"a","data":{"n":1.50}}"#)
        .unwrap()
        .remove(0);
    let export = String::from_utf8(recorded(&event).to_cloudevent()).unwrap();
    let import = lines(&format!("{export}\n{export}\n"));
    assert_eq!((import.events.len(), import.skipped.len()), (2, 0));
    assert_eq!(import.events[0].bytes(), event.bytes());
    assert_eq!(import.events[0].sameness(), &Sameness::FirstWins);
    assert_eq!(lines(&format!("[{export}]")).events, import.events[..1]);
}

#[test]
fn lines_without_ids_are_derived_from_what_they_say() {
    let file = "{\"event_type\":\"a\",\"timestamp\":1.5,\"payload\":{\"n\":1}}\n\
        {\"event_type\": \"a\", \"timestamp\":1.5, \"payload\":{\"n\":1}}\n\
        {\"event_type\":\"b\",\"payload\":{}}\n";
    let first = lines(file);
    assert_eq!(first.events, lines(file).events);
    let ids: std::collections::HashSet<&str> = first.events.iter().map(|event| event.id()).collect();
    assert_eq!(ids.len(), 3, "equal lines are as many events");
    let grown = lines(&format!("{file}{{\"event_type\":\"c\",\"payload\":{{}}}}\n"));
    assert_eq!(grown.events[..3], first.events);
    expect![[r#"
        a 1970-01-01T00:00:01.500Z source/api
        a 1970-01-01T00:00:01.500Z source/api
        b 2026-01-01T00:00:00Z source/api"#]]
    .assert_eq(&table(&first.events, &["type", "time", "subject"]));
}

#[test]
fn what_is_no_event_is_told_and_stops_nothing() {
    let import = lines(
        "{\"event_type\":\"a\",\"payload\":1}\n{torn\n\n{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/\",\"type\":\"tacho.x\"}\n{\"event_type\":\"b\"}",
    );
    assert_eq!(import.events.len(), 2);
    let told: Vec<String> = import
        .skipped
        .iter()
        .map(|skipped| format!("{} {}", skipped.line, skipped.refusal.code.as_str()))
        .collect();
    assert_eq!(told, ["2 invalid_json", "4 reserved_type"]);
}
