//! Backup and restore.

use crate::place::Place;
use crate::server::Server;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_backup_of_a_stopped_log_comes_back_whole() {
    let place = Place::new();
    for n in 0..10 {
        place.run(&["emit", "demo.n", "--attr", &format!("n={n}")]).ok();
    }
    let (file, other) =
        (place.path("log.backup").display().to_string(), place.path("other").display().to_string());
    place.run(&["backup", &file]).ok();
    assert!(place.run(&["backup", &file]).stderr.contains("exists: choose another name"));
    let told = place.run(&["restore", &file, "--data", &other]).ok().stdout;
    assert!(told.starts_with("10 events are in "), "{told}");
    assert_eq!(
        place.run(&["events", "--json", "--data", &other]).ok().stdout,
        place.run(&["events", "--json"]).ok().stdout
    );
    assert!(place.run(&["restore", &file, "--data", &other]).stderr.contains("is not empty"));
}

#[test]
fn a_backup_of_a_running_server_holds_what_was_durable() {
    let place = Place::new();
    let server = Server::start(&place);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                let event = format!(r#"{{"specversion":"1.0","id":"{n}","source":"/t","type":"demo.n","data":{{"text":"{}"}}}}"#, "x".repeat(n % 5000));
                assert!(server.post("/api/events", &event).starts_with("HTTP/1.1 201"));
            }
        });
        for round in 0..5 {
            let head = server.json(&["events", "--reverse", "--limit", "1", "--json"]);
            let head = head.first().map_or(0, |event| event["position"].as_u64().unwrap());
            let (file, data) =
                (place.path(&format!("{round}.backup")), place.path(&format!("restored-{round}")));
            let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
            place.run(&["backup", file]).ok();
            place.run(&["restore", file, "--data", data]).ok();
            let restored = place.run(&["events", "--limit", "100000", "--json", "--data", data]).ok().stdout;
            assert!(restored.lines().count() as u64 >= head, "{} of {head}", restored.lines().count());
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_log_of_more_files_than_may_be_open_is_backed_up() {
    let place = Place::new();
    let events: String = (0..40)
        .map(|n| format!("{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"/t\",\"type\":\"demo.n\",\"data\":\"{}\"}}\n", "x".repeat(900_000)))
        .collect();
    let mut import = place.tacho(&["import", place.write("events.jsonl", &events).to_str().unwrap()]);
    assert!(import.env("TACHO_JOURNAL_SEGMENT_BYTES", "1 MiB").output().unwrap().status.success());
    assert!(fs::read_dir(place.path("data/journal")).unwrap().count() > 16);
    let (file, other) =
        (place.path("log.backup").display().to_string(), place.path("other").display().to_string());
    let mut limited = std::process::Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 12 && exec \"$0\" backup \"$1\"", env!("CARGO_BIN_EXE_tacho"), &file]);
    let output = limited.env("TACHO_DATA", place.path("data")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    place.run(&["restore", &file, "--data", &other]).ok();
    let ids = |data: &str| place.run(&["events", "--json", "--data", data]).ok().stdout.lines().count();
    assert_eq!(ids(&other), 40);
}

#[test]
fn a_backup_of_no_log_is_refused() {
    let place = Place::new();
    let refused = place.run(&["backup", place.path("log.backup").to_str().unwrap()]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.starts_with("error: there is no log in "), "{}", refused.stderr);
}

#[test]
fn what_is_no_backup_is_refused_and_leaves_nothing() {
    let place = Place::new();
    place.run(&["emit", "demo.one"]).ok();
    let file = place.path("log.backup");
    place.run(&["backup", file.to_str().unwrap()]).ok();
    let whole = fs::read(&file).unwrap();
    let data = place.path("other");
    let (none, cut) = ("it is no backup of tacho", "it is cut short");
    let mut bad = vec![
        (b"not an archive".to_vec(), none),
        (whole[..whole.len() / 2].to_vec(), cut),
        (Vec::new(), none),
    ];
    let mut flipped = whole;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    bad.push((flipped, ""));
    for (bytes, reason) in bad {
        fs::write(&file, bytes).unwrap();
        let told = place.run(&["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap()]);
        assert_eq!(told.code, Some(1), "{told:?}");
        assert!(
            told.stderr
                .starts_with(&format!("error: cannot restore {}\n  because: {reason}", file.display())),
            "{told:?}"
        );
        assert!(!data.exists());
    }
    let told = place.run(&[
        "restore",
        file.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
        "--max-bytes",
        "10",
    ]);
    assert_eq!(told.code, Some(1));
}
