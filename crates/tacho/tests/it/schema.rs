//! The registry: the same with a server and without one.

use crate::place::Place;
use crate::server::{Server, documents};
use serde_json::json;

const SCHEMA: &str = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#;

#[test]
fn a_schema_is_registered_shown_and_checked_against() {
    for with_server in [false, true] {
        let place = Place::new();
        let server = with_server.then(|| Server::start(&place));
        let file = place.write("project/schema.json", SCHEMA);
        let register =
            ["schema", "register", file.to_str().unwrap(), "--type", "demo.counted", "--meaning", "Counted."];
        let told = place.run(&register).ok().stdout;
        assert_eq!(told, "demo.counted 1.0.0 registered at position 1\n");
        assert_eq!(place.run(&register).ok().stdout, "demo.counted 1.0.0 was registered already\n");
        place.run(&["emit", "demo.counted", "--data", "{\"n\":1}", "--id", "old"]).ok();
        std::fs::write(&file, SCHEMA.replace("\"integer\"", "\"string\"")).unwrap();
        let refused = place.run(&register);
        assert!(refused.code == Some(1) && refused.stderr.contains("upcast"), "{refused:?}");
        let steps = place.write("project/upcast.json", r#"[{"convert": "n", "to": "string"}]"#);
        let with_steps = [&register[..], &["--upcast", steps.to_str().unwrap()]].concat();
        assert!(place.run(&with_steps).ok().stdout.starts_with("demo.counted 2.0.0 registered"));
        place.run(&["emit", "demo.counted", "--data", "{\"n\":\"2\"}", "--id", "new"]).ok();
        let read = documents(&place.run(&["events", "--type", "demo.counted", "--json"]).ok().stdout);
        let urn = json!("urn:tacho:schema:demo.counted:2.0.0");
        assert_eq!(
            (&read[0]["data"]["n"], &read[0]["dataschema"]),
            (&json!("1"), &urn),
            "an old one reads as new"
        );
        assert_eq!(read[1]["data"]["n"], "2");
        if let Some(server) = &server {
            let stored = server.get("/api/events/old?raw=true");
            assert!(stored.contains("\"data\":{\"n\":1}"), "what is stored does not change: {stored}");
        }
        let shown = documents(
            &place.run(&["schema", "show", "demo.counted", "--version", "1.0.0", "--json"]).ok().stdout,
        );
        assert_eq!(
            (&shown[0]["meaning"], &shown[0]["schema"]["required"]),
            (&json!("Counted."), &json!(["n"]))
        );
        let listed = documents(&place.run(&["schema", "list", "--json"]).ok().stdout);
        let of =
            |kind: &str| listed.iter().find(|line| line["type"] == kind).map(|line| line["version"].clone());
        assert_eq!((of("demo.counted"), of("task_queued")), (Some(json!("2.0.0")), Some(json!("1.0.0"))));
        let fits = place.write("fits.jsonl", "{\"n\":\"one\"}\n");
        place.run(&["schema", "check", fits.to_str().unwrap(), "--type", "demo.counted"]).ok();
        let not = place.write("not.jsonl", "{\"type\":\"demo.counted\",\"data\":{\"n\":1}}\n");
        let told = place.run(&["schema", "check", not.to_str().unwrap()]);
        assert!(told.code == Some(3) && told.stdout.starts_with("line 1: "), "{told:?}");
        drop(server);
    }
}

#[test]
fn what_agents_declare_is_registered_once() {
    let place = Place::new();
    let agent = "---\nname: page-keeper\n---\n\n<events>\n  <event name=\"pageKept\" type=\"info\">\n    <description>A page was kept.</description>\n    <attributes>\n      <attribute name=\"url\" type=\"string\" required=\"true\"/>\n    </attributes>\n  </event>\n</events>\n";
    place.write("project/.claude/agents/page-keeper.md", agent);
    assert_eq!(
        place.run(&["schema", "scan", ".", "--dry-run"]).ok().stdout,
        "pageKeeper.pageKept 1.0.0 is declared by page-keeper\n"
    );
    assert!(!place.path("data").exists());
    assert!(
        place
            .run(&["schema", "scan", "."])
            .ok()
            .stdout
            .starts_with("pageKeeper.pageKept 1.0.0 registered at position ")
    );
    assert_eq!(
        place.run(&["schema", "scan", "."]).ok().stdout,
        "pageKeeper.pageKept 1.0.0 was registered already\n"
    );
    place.write("project/.claude/agents/broken.md", "<events>\n  <evnt name=\"x\"/>\n</events>\n");
    let told = place.run(&["schema", "scan", "."]);
    assert!(told.code == Some(3) && told.stderr.contains("broken.md:2: "), "{told:?}");
}
