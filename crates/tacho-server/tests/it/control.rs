//! The control token, and how a browser comes to it.

use crate::server::{Server, Setup};
use serde_json::json;
use tempfile::TempDir;

const TOKEN: (&str, &str) = ("X-Tacho-Control", "c0ffee");

fn server(change: fn(&mut tacho_server::Config)) -> Server {
    let setup = Setup { server: Some(change), ..Setup::default() };
    Server::start_with(setup, TempDir::new().unwrap())
}

#[test]
fn a_ticket_leads_to_its_page_with_a_cookie_once() {
    let server = server(|config| config.control_token = Some("c0ffee".into()));
    let refused = server.post("/api/control/tickets", &json!({}));
    assert_eq!(refused.refusal(), (401, "control_token".into()));
    assert!(refused.json()["detail"].as_str().unwrap().contains("run `tacho open`"));
    let ticket = server.post_with("/api/control/tickets", &json!({"path": "/handlers?x=1"}), &[TOKEN]);
    assert_eq!(ticket.status, 201);
    let path = ticket.json()["path"].as_str().unwrap().to_owned();
    let opened = server.get(&path);
    assert_eq!((opened.status, opened.header("location")), (303, Some("/handlers?x=1")));
    let cookie = opened.header("set-cookie").unwrap();
    assert_eq!(cookie, "tacho_control=c0ffee; Path=/; HttpOnly; SameSite=Strict");
    assert_eq!(opened.header("cache-control"), Some("no-store"));
    assert_eq!(server.get(&path).refusal(), (401, "control_token".into()));
    assert_eq!(server.get("/open").refusal(), (401, "control_token".into()));
    let by_cookie = [("Cookie", "a=b; tacho_control=c0ffee")];
    assert_eq!(server.post_with("/api/control/tickets", &json!({}), &by_cookie).status, 201);
}

#[test]
fn a_ticket_leads_to_no_other_server() {
    let server = server(|config| config.control_token = Some("c0ffee".into()));
    for path in ["//evil.example", "/\\evil.example", "http://evil.example", "", "/a\r\nb: c", "/é"] {
        let refused = server.post_with("/api/control/tickets", &json!({"path": path}), &[TOKEN]);
        assert_eq!(refused.refusal(), (400, "invalid_json".into()), "{path:?}");
    }
    let plain = server.request("POST", "/api/control/tickets", &[TOKEN], b"");
    let opened = server.get(plain.json()["path"].as_str().unwrap());
    assert_eq!(opened.header("location"), Some("/"));
}

#[test]
fn the_control_token_stands_beside_the_servers_own() {
    let server = server(|config| {
        config.control_token = Some("c0ffee".into());
        config.token = Some("secret".into());
    });
    let post = |headers: &[(&str, &str)]| server.post_with("/api/control/tickets", &json!({}), headers);
    let own = ("Authorization", "Bearer secret");
    assert_eq!(post(&[TOKEN]).refusal(), (401, "unauthorized".into()));
    assert_eq!(post(&[own]).refusal(), (401, "control_token".into()));
    let ticket = post(&[own, TOKEN]);
    // The ticket is proof enough: a browser has no other.
    assert_eq!(server.get(ticket.json()["path"].as_str().unwrap()).status, 303);
}

#[test]
fn a_server_without_a_control_token_is_controlled_by_nobody() {
    let server = Server::start();
    for value in ["", "c0ffee"] {
        let refused = server.post_with("/api/control/tickets", &json!({}), &[("X-Tacho-Control", value)]);
        assert_eq!(refused.refusal(), (401, "control_token".into()));
    }
}
