//! The control token: made, kept, shown to its own server alone, and handed to a browser.

use crate::place::{Answer, Place};
use crate::server::{Server, eventually};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_token_is_made_for_its_owner_and_kept() {
    let place = Place::new();
    let file = place.path("data/run/token");
    let server = Server::start(&place);
    let token = fs::read_to_string(&file).unwrap();
    assert!(token.len() == 65 && token.trim().bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    server.stop(Signal::TERM);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let server = Server::start(&place);
    assert_eq!(fs::read_to_string(&file).unwrap(), token);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    drop(server);
}

#[test]
fn a_ticket_becomes_a_cookie_once() {
    let place = Place::new();
    let server = Server::start(&place);
    let token = fs::read_to_string(place.path("data/run/token")).unwrap();
    assert!(server.post("/api/control/tickets", "").contains("\"code\":\"control_token\""));
    let address = server.run(&["open", "/handlers", "--print"]).ok().stdout;
    let path = address.trim().strip_prefix(&format!("http://{}", server.address)).unwrap();
    let opened = server.get(path);
    assert!(opened.starts_with("HTTP/1.1 303") && opened.contains("location: /handlers\r\n"), "{opened}");
    let cookie = format!("set-cookie: tacho_control={}; Path=/; HttpOnly; SameSite=Strict\r\n", token.trim());
    assert!(opened.contains(&cookie), "{opened}");
    let again = server.get(path);
    assert!(again.starts_with("HTTP/1.1 401") && again.contains("run `tacho open` again"), "{again}");
    assert_eq!(server.run(&["open", "//evil.example", "--print"]).code, Some(2));
}

#[test]
fn a_browser_is_started_where_there_is_one() {
    let place = Place::new();
    let server = Server::start(&place);
    let without = server.run(&["open"]).ok().stdout;
    assert!(without.contains("/open?ticket="), "{without}");
    let browser = place.write("bin/xdg-open", "#!/bin/sh\nprintf %s \"$1\" > opened\n");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = server.tacho(&["open"]);
    let told = Answer::of(command.env("DISPLAY", ":0").output().unwrap()).ok().stdout;
    assert!(told.contains("opens in the browser") && !told.contains("ticket"), "{told}");
    let opened = || fs::read_to_string(place.path("project/opened")).unwrap_or_default();
    eventually("the browser got the address", || opened().contains("/open?ticket="));
}

#[test]
fn the_token_is_not_shown_to_another_server() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let (server, other) = (Server::start(&place), Server::start(&elsewhere));
    let told = server.run(&["open", "--print", "--server", &other.address]);
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("set TACHO_CONTROL_TOKEN"), "{}", told.stderr);
    let mut command = server.tacho(&["open", "--print", "--server", &other.address]);
    let token = fs::read_to_string(elsewhere.path("data/run/token")).unwrap();
    let told = Answer::of(command.env("TACHO_CONTROL_TOKEN", token.trim()).output().unwrap()).ok().stdout;
    assert!(told.starts_with(&format!("http://{}/open?ticket=", other.address)), "{told}");
}
