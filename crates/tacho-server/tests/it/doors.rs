//! Who may come in, what stands where, the documents.

use crate::server::{Server, Setup};
use serde_json::json;
use tacho_ingest::shape::Format;
use tempfile::TempDir;

#[test]
fn foreign_hosts_and_origins_are_refused() {
    let server = Server::start();
    let get = |headers: &[(&str, &str)]| server.request("GET", "/api/events", headers, b"");
    assert_eq!(get(&[("Host", "evil.example")]).refusal(), (403, "forbidden_host".into()));
    assert_eq!(get(&[("Host", "localhost:1")]).status, 200);
    let hook = server.request("POST", "/hooks/claude-code", &[("Host", "evil.example")], b"{}");
    assert_eq!((hook.status, hook.body.len()), (403, 0));
    let event = json!({"specversion": "1.0", "id": "a", "source": "/t", "type": "demo.a"});
    let post = |headers: &[(&str, &str)]| server.post_with("/api/events", &event, headers);
    assert_eq!(post(&[("Origin", "http://evil.example")]).refusal(), (403, "forbidden_origin".into()));
    assert_eq!(post(&[("Sec-Fetch-Site", "cross-site")]).refusal(), (403, "forbidden_origin".into()));
    assert_eq!(server.engine.head().0, 0);
    let own = format!("http://{}", server.address);
    assert_eq!(post(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]).status, 201);
}

#[test]
fn an_allowed_origin_may_read_and_write() {
    let allow = |config: &mut tacho_server::Config| {
        config.allowed_origins = vec!["http://app.example".to_owned()];
    };
    let setup = Setup { engine: None, server: Some(allow) };
    let server = Server::start_with(setup, TempDir::new().unwrap());
    let headers = [("Origin", "http://app.example"), ("Sec-Fetch-Site", "cross-site")];
    let event = json!({"specversion": "1.0", "id": "a", "source": "/t", "type": "demo.a"});
    let answer = server.post_with("/api/events", &event, &headers);
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://app.example"));
    let asked = server.request("OPTIONS", "/api/events", &headers, b"");
    assert_eq!(
        (asked.status, asked.header("access-control-allow-origin")),
        (204, Some("http://app.example"))
    );
    let exports = [("Access-Control-Request-Headers", "content-encoding,content-type")];
    let asked = server.request("OPTIONS", "/v1/traces", &[&headers[..], &exports].concat(), b"");
    let allowed = asked.header("access-control-allow-headers").unwrap();
    for name in ["content-encoding", "content-type", "authorization", "traceparent"] {
        assert!(allowed.split(", ").any(|known| known == name), "{name} is not among {allowed}");
    }
    assert_eq!(server.get("/api/events").header("access-control-allow-origin"), None);
}

#[test]
fn a_token_is_asked_for() {
    let set = |config: &mut tacho_server::Config| config.token = Some("secret".to_owned());
    let server = Server::start_with(Setup { engine: None, server: Some(set) }, TempDir::new().unwrap());
    assert_eq!(server.get("/api/events").refusal(), (401, "unauthorized".into()));
    let with = server.request("GET", "/api/events", &[("Authorization", "Bearer secret")], b"");
    assert_eq!((with.status, server.get("/healthz").status), (200, 200));
}

#[test]
fn paths_and_methods() {
    let server = Server::start();
    assert_eq!(server.get("/nowhere").refusal(), (404, "not_found".into()));
    let wrong = server.request("DELETE", "/api/events", &[], b"");
    assert_eq!(wrong.refusal(), (405, "method_not_allowed".into()));
    let large = vec![b'x'; 5_000_000];
    assert_eq!(server.request("POST", "/nowhere", &[], &large).refusal(), (404, "not_found".into()));
}

#[test]
fn health_and_numbers() {
    let server = Server::start();
    server.append("demo.a", "task/x", 3);
    server.get("/api/events");
    assert_eq!(server.get("/healthz").json(), json!({"status": "ok"}));
    let ready = server.get("/readyz").json();
    assert_eq!((&ready["status"], &ready["head"]), (&json!("ready"), &json!(3)));
    let numbers = String::from_utf8(server.get("/metrics").body).unwrap();
    for line in
        ["tacho_log_head 3", "tacho_view_position 3", "tacho_events_appended_total 3", "tacho_subscribers 0"]
    {
        assert!(numbers.lines().any(|known| known == line), "{line} is not in\n{numbers}");
    }
}

#[test]
fn schemas_are_registered_and_hold_where_strict() {
    let server = Server::start();
    let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
    let registration = json!({"type": "demo.a", "version": "1.0.0", "schema": schema});
    let receipt = server.post("/api/schemas", &registration);
    assert_eq!((receipt.status, &receipt.json()["position"]), (201, &json!(1)));
    let again = server.post("/api/schemas", &registration).json();
    assert_eq!((&again["position"], &again["duplicate"]), (&json!(1), &json!(true)));
    let known = server.get("/api/schemas/demo.a").json();
    assert_eq!(known["versions"][0]["schema"], schema);
    assert_eq!(server.get("/api/schemas/none").refusal(), (404, "not_found".into()));

    let event = |id: &str, n: &str| json!({"specversion": "1.0", "id": id, "source": "/t", "type": "demo.a", "data": {"n": n}});
    let refused = server.post("/api/events?validate=strict", &event("a", "seven"));
    assert_eq!(refused.refusal(), (422, "schema_violation".into()));
    assert_eq!(server.post("/api/events", &event("a", "seven")).status, 201);
    let reserved = json!({"type": "tacho.x", "version": "1.0.0", "schema": {}});
    assert_eq!(server.post("/api/schemas", &reserved).refusal(), (403, "reserved_type".into()));
}

#[test]
fn records_are_strict_and_what_agents_say_is_not() {
    let server = Server::start();
    let record = |id: &str, agent: serde_json::Value| {
        json!({"event_id": id, "event_type": "AgentFailed", "event_version": "1.0.0",
            "issue_key": "P-1", "metadata": {"agent_name": agent}})
    };
    let refused = server.post("/api/events", &json!([record("a", json!("scribe")), record("b", json!(7))]));
    let problem = refused.json();
    assert_eq!(
        (refused.status, &problem["code"], &problem["index"]),
        (422, &json!("schema_violation"), &json!(1))
    );
    assert!(problem["detail"].as_str().unwrap().contains("/agent_name must be string"), "{problem}");
    assert_eq!(server.post("/api/events", &record("a", json!("scribe"))).status, 201);
    assert_eq!(server.post("/api/events?validate=lenient", &record("b", json!(7))).status, 201);
    let unknown = json!({"event_id": "c", "event_type": "MineAlone", "metadata": {"n": 1}});
    assert_eq!(server.post("/api/events", &unknown).status, 201);
    let simple = |id: &str| json!({"id": id, "event_type": "task_queued", "timestamp": 1.5, "payload": {"task_id": 7}});
    assert_eq!(server.post("/api/events", &simple("d")).status, 201);
    assert_eq!(
        server.post("/api/events?validate=strict", &simple("e")).refusal(),
        (422, "schema_violation".into())
    );

    // Of the seven that were read, three were refused before they were counted.
    let listed = server.get("/api/schemas").json();
    let expected = json!({"valid": 1, "invalid": 2, "unknown": 1, "unchecked": 0, "share": 1.0 / 3.0});
    assert_eq!(listed["validity"], expected);
    let numbers = String::from_utf8(server.get("/metrics").body).unwrap();
    for line in
        ["tacho_schema_events_total{result=\"valid\"} 1", "tacho_schema_events_total{result=\"invalid\"} 2"]
    {
        assert!(numbers.lines().any(|known| known == line), "{line} is not in\n{numbers}");
    }
}

#[test]
fn the_shapes_that_are_strict_are_configured() {
    let set = |config: &mut tacho_server::Config| config.intake.strict = vec![Format::Simple];
    let server = Server::start_with(Setup { engine: None, server: Some(set) }, TempDir::new().unwrap());
    let simple = json!({"event_type": "task_queued", "timestamp": 1.5, "payload": {"task_id": 7}});
    assert_eq!(server.post("/api/events", &simple).refusal(), (422, "schema_violation".into()));
    let record = json!({"event_id": "b", "event_type": "AgentFailed", "metadata": {"agent_name": 7}});
    assert_eq!(server.post("/api/events", &record).status, 201);
}

#[test]
fn the_dashboard_asks_nobody_else() {
    let server = Server::start();
    let document = server.get("/");
    assert_eq!(document.header("cache-control"), Some("no-cache"));
    let policy = document.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let html = String::from_utf8(document.body).unwrap();
    let assets: Vec<&str> = html.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(assets.len() >= 2, "a script and a style are named in {html}");
    for path in assets {
        let asset = server.get(path);
        assert_eq!(asset.status, 200);
        assert!(asset.header("cache-control").unwrap().contains("immutable"));
        assert_eq!(asset.header("content-encoding"), None);
        let packed = server.request("GET", path, &[("Accept-Encoding", "br, gzip")], b"");
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert!(packed.body.starts_with(&[0x1f, 0x8b]) && packed.body.len() < asset.body.len(), "{path}");
        let text = String::from_utf8(asset.body).unwrap();
        assert_eq!(text.find("https://"), None, "{path} names an address");
        for (at, _) in text.match_indices("http://") {
            assert!(text[at..].starts_with("http://www.w3.org/"), "{path} names another address");
        }
    }
    assert!(!html.contains("<style") && !html.contains("style=") && !html.contains("https://"));
}

#[test]
fn every_page_is_the_same_document() {
    let server = Server::start();
    let document = server.get("/").body;
    for path in [
        "/sessions",
        "/session/6de14646?turn=1",
        "/events?type=a*",
        "/cost",
        "/alerts",
        "/handlers",
        "/dead-letters",
        "/delivery",
    ] {
        let page = server.get(path);
        assert_eq!((page.status, &page.body), (200, &document), "{path}");
    }
    assert_eq!(server.get("/session").status, 200);
    assert_eq!(server.get("/assets/none.js").refusal(), (404, "not_found".into()));
}

#[test]
fn the_checked_in_openapi_document_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    let document = tacho_server::openapi_document();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, format!("{document}\n")).unwrap();
        return;
    }
    assert!(
        checked_in == format!("{document}\n"),
        "spec/openapi.json is stale: run this test with UPDATE_EXPECT=1"
    );
    let server = Server::start();
    assert_eq!(server.get("/openapi.json").body, document.as_bytes());
}
