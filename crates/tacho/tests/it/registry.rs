//! Who is there: reloads, the folder of handlers, and who registers themselves, from the files to the log.

use crate::place::Place;
use crate::server::{Server, eventually};
use crate::stub::Stub;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// A handler that answers an event of this type.
fn answers(name: &str, kind: &str) -> String {
    format!(
        "[[handler]]\nname = \"{name}\"\non = \"demo.asked\"\nrun = {{ command = [\"/bin/sh\", \"-c\", \"read event; echo '{{\\\"type\\\":\\\"{kind}\\\"}}'\"] }}\n"
    )
}

fn entry(server: &Server<'_>, id: &str) -> Value {
    let entries = server.json(&["registry", "list", "--all", "--json"]);
    entries.into_iter().find(|entry| entry["id"] == id).unwrap_or_default()
}

fn handler(server: &Server<'_>, name: &str) -> Value {
    let handlers = server.json(&["handler", "list", "--json"]);
    handlers.into_iter().find(|handler| handler["name"] == name).unwrap_or_default()
}

#[test]
fn a_reload_takes_what_changed_and_loses_nothing() {
    let place = Place::new();
    let file = place.write("named.toml", &(answers("echo", "demo.one") + &answers("gone", "demo.gone")));
    let mut server = Server::start_with(&place, &["--config", file.to_str().unwrap()]);
    server.run(&["emit", "demo.asked"]).ok();
    eventually("it is done", || {
        handler(&server, "echo")["done"] == 1 && handler(&server, "gone")["done"] == 1
    });
    server.run(&["handler", "pause", "echo"]).ok();
    server.run(&["emit", "demo.asked"]).ok();
    eventually("it waits", || handler(&server, "echo")["pending"] == 1);

    fs::write(&file, "[[handler]]\nnam = \"echo\"\n").unwrap();
    let refused = server.run(&["handler", "reload"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("nothing of it is in force"), "{refused:?}");
    assert!(refused.stderr.contains("there is no key `nam`: did you mean `name`?"), "{refused:?}");

    fs::write(&file, answers("echo", "demo.two") + &answers("new", "demo.new")).unwrap();
    let told = server.run(&["handler", "reload", "--reason", "a new version"]).ok().stdout;
    assert_eq!(told, "changed: echo, gone, new\n");
    assert_eq!(handler(&server, "echo")["state"], "paused");
    server.run(&["handler", "resume", "echo"]).ok();
    eventually("what waited is done", || handler(&server, "echo")["done"] == 2);
    assert_eq!(server.json(&["events", "--type", "demo.two", "--json"]).len(), 1);
    assert_eq!(entry(&server, "gone")["state"], "removed");
    let changed = server.json(&["events", "--type", "tacho.configuration_changed", "--json"]);
    assert_eq!(changed[0]["data"]["reason"], "a new version");

    fs::write(&file, answers("echo", "demo.two")).unwrap();
    server.signal(rustix::process::Signal::HUP);
    loop {
        let line = server.said();
        assert!(!line.is_empty(), "the server ended");
        if line.contains("the configuration was read again; changed: new") {
            break;
        }
    }
    assert_eq!(handler(&server, "new"), Value::Null);
}

#[test]
fn a_folder_of_handlers_is_followed() {
    let place = Place::new();
    let file = place.write("named.toml", "[registry]\ndirectory = \"../handlers\"\n");
    let echo = answers("other", "demo.one").replace("[[handler]]\nname = \"other\"\n", "");
    place.write("handlers/echo.toml", &echo);
    let keep =
        |path: &str, mode| fs::set_permissions(place.path(path), Permissions::from_mode(mode)).unwrap();
    keep("handlers", 0o700);
    keep("handlers/echo.toml", 0o600);
    let server = Server::start_with(&place, &["--config", file.to_str().unwrap()]);
    server.run(&["emit", "demo.asked"]).ok();
    eventually("it is done", || handler(&server, "echo")["done"] == 1);
    place.write("handlers/wrong.toml", "on = 1\n");
    keep("handlers/wrong.toml", 0o600);
    place.write("handlers/open.toml", &echo);
    keep("handlers/open.toml", 0o666);
    let reason = |id: &str| entry(&server, id)["health"]["reason"].as_str().unwrap_or_default().to_owned();
    eventually("others may not write it", || {
        reason("open").ends_with("others may write it (mode 666): run chmod go-w on it")
    });
    eventually("it is told", || reason("wrong").contains("wrong.toml: handler `wrong`: "));
    assert_eq!(
        (&entry(&server, "echo")["origin"], &entry(&server, "wrong")["state"]),
        (&"directory".into(), &"failed".into())
    );

    keep("handlers/open.toml", 0o600);
    eventually("it may run now", || entry(&server, "open")["state"] == "running");
    fs::remove_file(place.path("handlers/echo.toml")).unwrap();
    eventually("it is gone", || entry(&server, "echo")["state"] == "removed");
    assert_eq!(handler(&server, "echo"), Value::Null);
}

#[test]
fn a_found_file_that_names_a_folder_of_handlers_must_be_trusted() {
    let place = Place::new();
    place.write("project/tacho.toml", "[registry]\ndirectory = \"handlers\"\n");
    let told = place.run(&["up", "--listen", "127.0.0.1:0"]);
    assert!(
        told.code == Some(1) && told.stderr.contains("(registry.directory: what is in handlers)"),
        "{told:?}"
    );
    place.write("project/tacho.toml", "[[mcp]]\nname = \"tools\"\ncommand = [\"srv\"]\n");
    let told = place.run(&["up", "--listen", "127.0.0.1:0"]);
    assert!(told.code == Some(1) && told.stderr.contains("(tools: srv)"), "{told:?}");
}

#[test]
fn who_registers_themselves_is_there_after_a_restart() {
    let (place, stub) =
        (Place::new(), Stub::start(&[("POST /", 200, "{\"events\":[{\"type\":\"demo.said\"}]}")]));
    let url = format!("{}/handle", stub.url);
    let register = ["registry", "register", "mine", "--url", &url, "--on", "demo.asked", "--json"];
    {
        let server = Server::start(&place);
        eventually("the registry is read", || server.run(&register).code == Some(0));
        assert_eq!(entry(&server, "mine")["run"], "127.0.0.1");
        server.run(&["emit", "demo.asked"]).ok();
        eventually("it is done", || handler(&server, "mine")["done"] == 1);
    }
    let server = Server::start(&place);
    eventually("it is there again", || handler(&server, "mine")["state"] == "running");
    server.run(&["emit", "demo.asked"]).ok();
    eventually("it is done", || handler(&server, "mine")["done"] == 2);
    assert_eq!(server.json(&["registry", "drain", "mine", "--json"])[0]["state"], "draining");
    assert_eq!(handler(&server, "mine")["state"], "paused");
    assert_eq!(server.json(&["registry", "restore", "mine", "--json"])[0]["state"], "running");
    server.run(&["registry", "remove", "mine", "--reason", "a test"]).ok();
    assert_eq!(
        (entry(&server, "mine")["state"].as_str(), handler(&server, "mine")),
        (Some("removed"), Value::Null)
    );
}

#[test]
fn a_registration_names_no_program_and_no_secret() {
    let place = Place::new();
    let server = Server::start(&place);
    let token = fs::read_to_string(place.path("data/run/token")).unwrap();
    let post = |body: &str| {
        server.send(&format!(
            "POST /api/registry HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-Tacho-Control: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.address,
            token.trim(),
            body.len()
        ))
    };
    eventually("the registry is read", || {
        !post("{\"id\":\"x\",\"kind\":\"http\",\"url\":\"nowhere\"}").contains("view_behind")
    });
    for (rest, told) in [
        (
            "\"command\":[\"sh\"],\"url\":\"http://127.0.0.1:1/\",\"kind\":\"http\"",
            "`command` means nothing here",
        ),
        (
            "\"kind\":\"process\",\"url\":\"http://127.0.0.1:1/\"",
            "`kind` is http or mcp; programs are named in the configuration",
        ),
        ("\"kind\":\"http\",\"url\":\"http://example.com/\",\"on\":\"a\"", "write https://"),
        ("\"kind\":\"http\",\"url\":\"https://ann:pw@example.com/\",\"on\":\"a\"", "no secret may be in it"),
        ("\"kind\":\"http\",\"url\":\"https://example.com/?key=1\",\"on\":\"a\"", "no secret may be in it"),
        ("\"kind\":\"http\",\"url\":\"https://example.com/\"", "it gets nothing"),
        ("\"kind\":\"mcp\",\"url\":\"https://example.com/\",\"on\":\"a\"", "`on` and `tool` go together"),
    ] {
        let answer = post(&format!("{{\"id\":\"x\",{rest}}}"));
        assert!(answer.starts_with("HTTP/1.1 422") && answer.contains(told), "{answer}");
    }
    let without =
        server.post("/api/registry", "{\"id\":\"x\",\"kind\":\"http\",\"url\":\"https://example.com/\"}");
    assert!(without.starts_with("HTTP/1.1 401"), "{without}");
    assert!(server.json(&["registry", "list", "--json"]).is_empty());
}
