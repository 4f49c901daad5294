//! A server that was named and is not there, and folders that may only be read, or not even that.

use crate::place::{Answer, Place};
use crate::server::{Server, documents};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;

/// Nothing listens there: the port of a listener that is gone.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn what_is_written_to_a_named_server_goes_nowhere_else() {
    let place = Place::new();
    let (server, lines) =
        (nobody(), place.write("lines.jsonl", "{\"event_type\":\"a\",\"timestamp\":1,\"payload\":{}}\n"));
    for write in [
        &["emit", "a.b", "--server", &server][..],
        &["import", lines.to_str().unwrap(), "--server", &server],
        &["rebuild", "--server", &server],
    ] {
        let refused = place.run(write);
        assert_eq!(refused.code, Some(1), "{write:?}");
        let told = format!("error: no server answers at {server}; nothing was written, ");
        assert!(refused.stderr.starts_with(&told), "{}", refused.stderr);
        assert!(!place.path("data").exists(), "{write:?}");
    }
}

#[test]
fn a_read_says_when_the_folder_answers_for_the_server() {
    let place = Place::new();
    place.run(&["emit", "a.b"]).ok();
    let server = nobody();
    let mut events = place.tacho(&["events", "--json"]);
    let answer = Answer::of(events.env("TACHO_SERVER", &server).output().unwrap()).ok();
    assert_eq!(documents(&answer.stdout).len(), 1);
    let data = place.path("data").display().to_string();
    assert_eq!(answer.stderr, format!("note: no server answers at {server}: reading the log in {data}\n"));
    assert_eq!(place.run(&["events"]).ok().stderr, "");
}

#[test]
fn who_answers_but_is_no_tacho_is_not_taken_for_one() {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        }
    });
    let place = Place::new();
    let refused = place.run(&["emit", "a.b", "--server", &server]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains(&format!("what answers at {server} is no tacho")), "{}", refused.stderr);
}

#[test]
fn what_is_no_url_is_wrong_usage() {
    let place = Place::new();
    place.run(&["emit", "a.b"]).ok();
    for wrong in ["garbage", "http://", "http://a b", "ftp://127.0.0.1:1"] {
        let refused = place.run(&["events", "--server", wrong]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{wrong}");
        assert!(refused.stderr.contains("write http://HOST:PORT"), "{}", refused.stderr);
    }
}

/// Runs the command as somebody who may not write what this test wrote.
fn as_reader(place: &Place, arguments: &[&str]) -> Answer {
    let mut command = place.tacho(arguments);
    if fs::metadata(place.path("data")).unwrap().uid() == 0 {
        let binary = place.path("tacho");
        fs::copy(env!("CARGO_BIN_EXE_tacho"), &binary).unwrap();
        fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let mut other = std::process::Command::new(binary);
        other.args(arguments).env_clear().env("TACHO_DATA", place.path("data")).current_dir("/");
        other.uid(65_534).gid(65_534);
        command = other;
    }
    Answer::of(command.output().unwrap())
}

fn set_modes(path: &Path, folder: u32, file: u32) {
    let is_folder = path.is_dir();
    if is_folder {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        fs::read_dir(path).unwrap().for_each(|entry| set_modes(&entry.unwrap().path(), folder, file));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(if is_folder { folder } else { file })).unwrap();
}

#[test]
fn a_folder_that_may_only_be_read_is_read() {
    let place = Place::new();
    for n in 0..3 {
        place.run(&["emit", "demo.n", "--attr", &format!("n={n}"), "--stream", "task/t"]).ok();
    }
    let wanted = place.run(&["events", "--json"]).ok().stdout;
    let view = fs::read(place.path("data/view/view.sqlite")).unwrap();
    set_modes(&place.path("data"), 0o555, 0o444);
    assert_eq!(as_reader(&place, &["events", "--json"]).ok().stdout, wanted);
    assert_eq!(as_reader(&place, &["timeline", "task/t", "--json"]).ok().stdout, wanted);
    assert_eq!(fs::read(place.path("data/view/view.sqlite")).unwrap(), view);
    set_modes(&place.path("data"), 0o700, 0o600);
}

#[test]
fn a_folder_that_may_not_even_be_read_is_no_empty_one() {
    let place = Place::new();
    place.run(&["emit", "demo.one"]).ok();
    set_modes(&place.path("data"), 0, 0);
    let refused = as_reader(&place, &["events"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("Permission denied") && !refused.stderr.contains("there is no log"),
        "{}",
        refused.stderr
    );
    set_modes(&place.path("data"), 0o700, 0o600);
    let file = place.write("project/file", "");
    let refused = place.run(&["up", "--data", file.to_str().unwrap()]);
    assert!(refused.stderr.contains("is a file"), "{}", refused.stderr);
}

#[track_caller]
fn assert_for_owner_alone(path: &Path) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mode = metadata.permissions().mode() & 0o777;
    let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(mode, wanted, "{} has mode {mode:o}", path.display());
    if metadata.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| assert_for_owner_alone(&entry.unwrap().path()));
    }
}

#[test]
fn what_is_recorded_is_for_its_owner_alone() {
    let place = Place::new();
    place.run(&["emit", "demo.one"]).ok();
    assert_for_owner_alone(&place.path("data"));
    place.run(&["rebuild"]).ok();
    let (file, other) = (place.path("log.backup"), place.path("other"));
    let (file, other) = (file.to_str().unwrap(), other.to_str().unwrap());
    place.run(&["backup", file]).ok();
    place.run(&["restore", file, "--data", other]).ok();
    place.run(&["events", "--data", other]).ok();
    let server = Server::start(&place);
    server.run(&["emit", "demo.two"]).ok();
    place.run(&["hook"]).ok();
    server.stop(rustix::process::Signal::TERM);
    place.run(&["hook"]).ok();
    ["data", "other", "log.backup"].iter().for_each(|name| assert_for_owner_alone(&place.path(name)));
}
