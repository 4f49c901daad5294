//! `handler`, `dead`, `heal`: what they ask a server, and how they show what it answers.

use crate::place::{Answer, Place};
use crate::server::documents;
use crate::stub::{Stub, TOKEN};
use serde_json::{Value, json};

const HANDLER: &str = r#"{"name":"review","kind":"process","role":"handler","state":"running","position":9,"head":12,"pending":3,"in_flight":1,"done":7,"dead":1,"skipped":0,"latency_ms":{"p50":2.5,"p99":40.25},"success_rate":0.875,"last_error":"exit_1: it broke","breaker":"open","workers":{"alive":1,"busy":0,"max":2},"types":["a.*"],"version":null}"#;
const LETTER: &str = r#"{"id":"d1","handler":"review","attempts":5,"error":{"message":"it broke","code":"exit_1"},"event":{"type":"a.b","subject":"task/t","data":{"n":1}},"failedAt":"2026-01-01T10:00:00Z"}"#;

struct Desk {
    place: Place,
    stub: Stub,
}

impl Desk {
    fn with(answers: &[(&str, u16, &str)]) -> Self {
        Self { place: Place::new(), stub: Stub::start(answers) }
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        let mut command = self.place.tacho(arguments);
        command.env("TACHO_SERVER", &self.stub.url).env("TACHO_CONTROL_TOKEN", TOKEN).env("USER", "ann");
        command.env("TZ", "UTC");
        Answer::of(command.output().unwrap())
    }

    /// The last request, and its body.
    fn asked(&self) -> (String, Value) {
        let asked = self.stub.asked().pop().unwrap();
        (asked.line, serde_json::from_str(&asked.body).unwrap_or(Value::Null))
    }
}

#[test]
fn handlers_are_a_table_or_lines_of_json() {
    let list = format!("{{\"handlers\":[{HANDLER},{{\"name\":\"jsonl\",\"state\":\"paused\"}}]}}");
    let desk = Desk::with(&[("GET /api/handlers/review", 200, HANDLER), ("GET /api/handlers", 200, &list)]);
    let told = desk.run(&["handler", "list"]).ok().stdout;
    let lines: Vec<Vec<&str>> = told.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    let cells =
        |index: usize| lines[index].iter().filter(|cell| !cell.is_empty()).copied().collect::<Vec<_>>();
    assert_eq!(cells(0)[..4], ["name", "kind", "state", "pending"]);
    assert_eq!(
        cells(1),
        [
            "review",
            "process",
            "running, breaker open",
            "3",
            "7",
            "1",
            "0",
            "40.2 ms",
            "87.5 %",
            "exit_1: it broke"
        ]
    );
    assert_eq!(cells(2)[..4], ["jsonl", "–", "paused", "–"]);
    assert_eq!(documents(&desk.run(&["handler", "list", "--json"]).ok().stdout).len(), 2);
    let shown = desk.run(&["handler", "show", "review"]).ok().stdout;
    assert!(shown.contains("workers          alive 1, busy 0, max 2\n"), "{shown}");
    assert!(shown.contains("types            a.*\n") && !shown.contains("version"), "{shown}");
    assert!(desk.stub.asked().iter().all(|asked| !asked.head.contains(TOKEN)), "looking needs no token");
}

#[test]
fn what_waits_and_what_was_delivered_is_shown() {
    let pending = r#"{"pending":[{"position":8,"event_id":"e","event_type":"a.b","subject":"task/t","attempt":2,"state":"retrying","error":{"code":"exit_1","message":"it broke"},"next_attempt":"2026-01-01T10:00:00Z","priority":"high"}],"total":1}"#;
    let deliveries = r#"{"deliveries":[{"position":7,"event_type":"a.b","subject":"task/t","attempt":1,"outcome":"done","started":"2026-01-01T10:00:00Z","duration_ms":12.5,"returned":1,"error":null}]}"#;
    let desk = Desk::with(&[
        ("GET /api/handlers/a%20b/pending", 200, pending),
        ("GET /api/handlers/a%20b/deliveries", 200, deliveries),
    ]);
    let told = desk.run(&["handler", "show", "a b", "--pending"]).ok().stdout;
    assert!(told.ends_with("retrying        2  2026-01-01 10:00:00  high      exit_1: it broke\n"), "{told}");
    let told = desk.run(&["handler", "show", "a b", "--deliveries"]).ok().stdout;
    assert!(told.contains("done           1  2026-01-01 10:00:00  12.5 ms"), "{told}");
    assert_eq!(desk.run(&["handler", "show", "x", "--pending", "--deliveries"]).code, Some(2));
}

#[test]
fn control_shows_the_token_and_who_asks() {
    let desk = Desk::with(&[("POST /api/handlers/review/", 200, HANDLER)]);
    let told = desk.run(&["handler", "pause", "review", "--reason", "lunch"]).ok().stdout;
    assert_eq!(told, "review is running; 3 pending\n");
    assert_eq!(desk.asked(), ("POST /api/handlers/review/pause".into(), json!({"reason": "lunch"})));
    let head = desk.stub.asked()[0].head.clone();
    assert!(head.contains("x-tacho-control: c0ffee\n") && head.contains("x-tacho-actor: ann\n"), "{head}");
    desk.run(&["handler", "resume", "review", "--json"]).ok();
    assert_eq!(desk.asked(), ("POST /api/handlers/review/resume".into(), json!({})));
    desk.run(&["handler", "retry", "review", "--position", "8"]).ok();
    assert_eq!(desk.asked(), ("POST /api/handlers/review/retry".into(), json!({"position": 8})));
}

#[test]
fn a_test_prints_what_is_returned_and_fails_as_the_handler_does() {
    let done =
        r#"{"outcome":"done","duration_ms":1.5,"returned":[{"type":"b.c"},{"type":"b.d"}],"error":null}"#;
    let failed =
        r#"{"outcome":"failed","duration_ms":1.5,"returned":[],"error":{"code":"exit_3","message":"no"}}"#;
    let desk = Desk::with(&[
        ("POST /api/handlers/review/test", 200, done),
        ("POST /api/handlers/review/test", 200, failed),
    ]);
    let event = desk.place.write("project/event.json", "{\"type\":\"a.b\"}");
    let told = desk.run(&["handler", "test", "review", "--event", event.to_str().unwrap()]).ok().stdout;
    assert_eq!(told, "{\"type\":\"b.c\"}\n{\"type\":\"b.d\"}\n");
    let event = &desk.asked().1["event"];
    assert_eq!((&event["type"], &event["source"]), (&json!("a.b"), &json!("/tacho/handler-test")));
    assert!(event["id"].is_string(), "{event}");
    let told = desk.run(&["handler", "test", "review", "--event", "41"]);
    assert_eq!(desk.asked().1, json!({"position": 41}));
    assert_eq!((told.code, told.stderr.as_str()), (Some(1), "error: handler review failed: exit_3: no\n"));
    desk.place.write("project/wrong.json", "{nope");
    assert_eq!(desk.run(&["handler", "test", "review", "--event", "wrong.json"]).code, Some(2));
}

#[test]
fn dead_letters_are_listed_over_pages() {
    let page = |next: &str| format!("{{\"dead_letters\":[{LETTER}],\"next\":{next},\"total\":2}}");
    let causes = r#"{"causes":[{"handler":"review","code":"exit_1","count":2,"first":"2026-01-01T10:00:00Z","last":"2026-01-01T11:00:00Z","message":"it broke"}],"total":2}"#;
    let desk = Desk::with(&[
        ("GET /api/dead-letters/causes", 200, causes),
        ("GET /api/dead-letters/d1", 200, LETTER),
        ("GET /api/dead-letters?handler=review&code=exit_1&limit=5", 200, &page("\"c1\"")),
        ("GET /api/dead-letters?handler=review&code=exit_1&limit=4&cursor=c1", 200, &page("null")),
    ]);
    let choice = ["dead", "list", "--handler", "review", "--code", "exit_1", "--limit", "5"];
    let told = desk.run(&choice).ok().stdout;
    let line = "d1  review          5  2026-01-01 10:00:00  a.b   task/t  exit_1: it broke";
    assert_eq!(told.lines().skip(1).collect::<Vec<_>>(), [line, line]);
    assert_eq!(documents(&desk.run(&[&choice[..], &["--json"]].concat()).ok().stdout).len(), 2);
    let told = desk.run(&["dead", "causes"]).ok().stdout;
    let line = "review   exit_1      2  2026-01-01 10:00:00  2026-01-01 11:00:00  it broke";
    assert_eq!(told.lines().nth(1), Some(line));
    let told = desk.run(&["dead", "show", "d1"]).ok().stdout;
    assert!(
        told.contains("error      exit_1: it broke\n") && told.contains("  \"type\": \"a.b\",\n"),
        "{told}"
    );
    assert_eq!(documents(&desk.run(&["dead", "show", "d1", "--json"]).ok().stdout)[0]["id"], "d1");
}

#[test]
fn a_dead_letter_is_retried_with_another_payload_or_discarded() {
    let desk = Desk::with(&[
        ("POST /api/dead-letters/d%2F1/retry", 200, "{\"id\":\"d/1\",\"state\":\"retried\"}"),
        ("POST /api/dead-letters/d%2F1/discard", 200, "{\"id\":\"d/1\",\"state\":\"discarded\"}"),
    ]);
    assert_eq!(desk.run(&["dead", "retry", "d/1"]).ok().stdout, "d/1 is retried\n");
    assert_eq!(desk.asked().1, json!({}));
    desk.place.write("project/payload.json", "{\"n\": 2}");
    desk.run(&["dead", "retry", "d/1", "--data", "@payload.json", "--reason", "typo"]).ok();
    assert_eq!(desk.asked().1, json!({"data": {"n": 2}, "reason": "typo"}));
    desk.run(&["dead", "retry", "d/1", "--data", "null"]).ok();
    assert_eq!(desk.asked().1, json!({"data": null}));
    let told = desk.run(&["dead", "discard", "d/1", "--reason", "old", "--json"]).ok().stdout;
    assert_eq!(told, "{\"id\":\"d/1\",\"state\":\"discarded\"}\n");
    for wrong in [
        &["dead", "retry"][..],
        &["dead", "retry", "d1", "--all"],
        &["dead", "retry", "d1", "--handler", "review"],
        &["dead", "retry", "d1", "--data", "{nope"],
        &["dead", "discard", "d1"],
        &["dead", "discard", "--all", "--reason", "old"],
    ] {
        assert_eq!(desk.run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn all_of_a_cause_go_some_at_a_time() {
    let desk = Desk::with(&[
        ("POST /api/dead-letters/retry", 200, "{\"count\":1000,\"left\":234}"),
        // Some died again.
        ("POST /api/dead-letters/retry", 200, "{\"count\":234,\"left\":7}"),
        ("POST /api/dead-letters/discard", 200, "{\"count\":0,\"left\":3}"),
    ]);
    let told = desk.run(&["dead", "retry", "--all", "--code", "exit_1"]).ok().stdout;
    assert_eq!(told, "1234 dead letters were retried\n");
    assert_eq!(desk.stub.asked().len(), 2);
    assert_eq!(desk.asked().1, json!({"code": "exit_1"}));
    let told = desk.run(&["dead", "discard", "--all", "--handler", "review", "--reason", "old"]);
    let wanted = "error: 0 dead letters were discarded, but 3 cannot be now: see `tacho dead list`\n";
    assert_eq!((told.code, told.stderr.as_str()), (Some(1), wanted));
}

#[test]
fn healing_is_told() {
    let heal = r#"{"rules":[{"name":"again","on":{"code":"timeout"},"do":"retry","attempts":2}],"attempts":[{"letter":"d1","handler":"review","rule":"again","action":"retry","attempt":1,"at":"2026-01-01T10:00:00Z","state":"succeeded"}]}"#;
    let desk = Desk::with(&[("GET /api/heal", 200, heal)]);
    let told = desk.run(&["heal"]).ok().stdout;
    assert!(told.contains("again  retry         2  code timeout\n"), "{told}");
    assert!(told.contains("2026-01-01 10:00:00  review   again  retry         1  succeeded  d1\n"), "{told}");
    let lines = documents(&desk.run(&["heal", "--json"]).ok().stdout);
    assert_eq!((&lines[0]["rule"]["name"], &lines[1]["attempt"]["letter"]), (&json!("again"), &json!("d1")));
}

#[test]
fn text_of_a_handler_commands_no_terminal() {
    let list = "{\"handlers\":[{\"name\":\"x\",\"last_error\":\"a\\u001b[2Jb\\nc\"}]}";
    let desk = Desk::with(&[("GET /api/handlers", 200, list)]);
    assert!(desk.run(&["handler", "list"]).ok().stdout.ends_with("a\\x1b[2Jb\\nc\n"));
}
