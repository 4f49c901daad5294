//! Emit, events, timeline, tail, import, rebuild: with a server and without one.

use crate::place::{Answer, Place};
use crate::server::{PATIENCE, Server, documents, eventually};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;

#[test]
fn emit_fills_in_what_it_knows_and_prints_the_position() {
    let place = Place::new();
    let sha = "0123456789abcdef0123456789abcdef01234567";
    place.write("project/.git/HEAD", sha);
    let server = Server::start(&place);
    let emit = [
        "emit",
        "demo.done",
        "--attr",
        "n=7",
        "--attr",
        "name=x",
        "--attr",
        "list=[1,2]",
        "--data",
        r#"{"kept":true}"#,
        "--stream",
        "task/t1",
        "--actor",
        "agent:scribe:some-model",
        "--session",
        "s-1",
        "--correlation",
        "c-1",
        "--causation",
        "cause",
        "--id",
        "my-id",
    ];
    assert_eq!(server.run(&emit).ok().stdout, "1\n");
    let event = server.json(&["events", "--json"]).remove(0);
    let told = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(event["data"], json!({"kept": true, "n": 7, "name": "x", "list": [1, 2]}));
    assert_eq!([told("id"), told("source"), told("subject")], ["my-id", "/agents/scribe", "task/t1"]);
    assert_eq!([told("actortype"), told("actorid"), told("actormodel")], ["agent", "scribe", "some-model"]);
    assert_eq!([told("sessionid"), told("correlationid"), told("causationid")], ["s-1", "c-1", "cause"]);
    assert_eq!(told("gitsha"), sha);
    assert!(event.get("branch").is_none(), "HEAD is detached");
}

#[test]
fn emit_expects_a_sequence_and_repeats_harmlessly() {
    let place = Place::new();
    let server = Server::start(&place);
    let emit = |id: &str, expect: &str| {
        server.run(&["emit", "a.b", "--stream", "task/x", "--id", id, "--expect", expect, "--json"])
    };
    let first: Value = documents(&emit("1", "none").ok().stdout).remove(0);
    assert_eq!(
        first,
        json!({"id": "1", "subject": "task/x", "sequence": 1, "position": 1, "duplicate": false})
    );
    let refused = emit("2", "none");
    assert_eq!(refused.code, Some(1));
    let told = "error: the stream exists already at sequence 1, and --expect none asks for a new one [sequence_conflict]\n";
    assert_eq!(refused.stderr, told);
    let offline = Place::new();
    let emit_offline = || offline.run(&["emit", "a.b", "--stream", "task/x", "--expect", "none"]);
    emit_offline().ok();
    assert_eq!(emit_offline().stderr, told);
    assert_eq!(documents(&emit("2", "1").ok().stdout)[0]["sequence"], 2);
}

#[test]
fn without_a_server_the_folder_answers_the_same() {
    let place = Place::new();
    for n in 0..5 {
        place
            .run(&["emit", "demo.n", "--attr", &format!("n={n}"), "--stream", &format!("task/{}", n % 2)])
            .ok();
    }
    let refused = place.run(&["emit", "demo.n", "--stream", "task/0", "--expect", "1"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("is at sequence 3"), "{}", refused.stderr);
    let questions: [&[&str]; 6] = [
        &["events", "--json"],
        &["events", "--json", "--reverse", "--limit", "2"],
        &["events", "--json", "--after", "3"],
        &["events", "--stream", "task/1"],
        &["events", "--format", "simple"],
        &["timeline", "task/0"],
    ];
    let offline = questions.map(|question| place.run(question).ok().stdout);
    assert_eq!(documents(&offline[1])[0]["data"]["n"], 4);
    assert_eq!(documents(&offline[4])[0]["event_type"], "demo.n");
    let server = Server::start(&place);
    assert_eq!(questions.map(|question| server.run(question).ok().stdout), offline);
}

#[test]
fn the_limit_is_kept_across_pages() {
    let place = Place::new();
    let server = Server::start(&place);
    for batch in 0..3 {
        let events: Vec<Value> = (0..800)
            .map(|n| json!({"specversion": "1.0", "id": format!("{batch}-{n}"), "source": "/t", "type": "demo.many", "data": {}}))
            .collect();
        assert!(server.post("/api/events", &json!(events).to_string()).starts_with("HTTP/1.1 201"));
    }
    assert_eq!(server.json(&["events", "--json", "--limit", "2100"]).len(), 2100);
    assert_eq!(server.json(&["events", "--json", "--limit", "9999"]).len(), 2400);
    assert_eq!(server.json(&["events", "--json"]).len(), 100);
    assert_eq!(server.run(&["events", "--limit", "0"]).code, Some(2));
}

#[test]
fn tail_shows_what_happens_and_survives_a_restart() {
    let place = Place::new();
    let server = Server::start(&place);
    let address = server.address.clone();
    server.run(&["emit", "task_queued", "--attr", "task_id=t_0"]).ok();
    let mut child = server
        .tacho(&["tail", "--from", "start", "--type", "task_*"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (sender, lines) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let next = || lines.recv_timeout(PATIENCE).unwrap();
    let headline = next();
    assert!(headline.starts_with('[') && headline.ends_with("] TASK_QUEUED"), "{headline}");
    assert_eq!(next(), "  task_id: t_0");
    server.run(&["emit", "task_queued", "--attr", "task_id=t_1"]).ok();
    assert_eq!((next(), next()).1, "  task_id: t_1");
    server.stop(rustix::process::Signal::TERM);
    place.run(&["emit", "task_queued", "--attr", "task_id=t_2"]).ok();
    let again = Server::start_at(&place, &address, &[]);
    again.run(&["emit", "task_queued", "--attr", "task_id=t_3"]).ok();
    assert_eq!((next(), next()).1, "  task_id: t_2");
    assert_eq!((next(), next()).1, "  task_id: t_3");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_export_imports_once() {
    let place = Place::new();
    for n in 0..3 {
        place.run(&["emit", "demo.n", "--attr", &format!("n={n}")]).ok();
    }
    let export = place.run(&["events", "--json"]).ok().stdout;
    let lines = format!(
        "{export}\n{}\nnonsense\n",
        r#"{"event_type":"task_queued","timestamp":1729012418.123,"payload":{"task_id":"t"}}"#
    );
    let file = place.write("export/events.jsonl", &lines);
    let other = Place::new();
    let server = Server::start(&other);
    for (new, there) in [(4, 0), (0, 4)] {
        let told = server.json(&["import", file.to_str().unwrap(), "--json"]).remove(0);
        assert_eq!(
            (&told["new"], &told["duplicates"], &told["skipped"]),
            (&json!(new), &json!(there), &json!(1)),
            "{told}"
        );
    }
    let folder = place.path("export").display().to_string();
    assert!(other.run(&["import", &folder]).ok().stdout.contains(": 0 new, 4 there already, 1 skipped"));
}

#[test]
fn rebuild_gives_the_same_answers_with_and_without_a_server() {
    let place = Place::new();
    for n in 0..5 {
        place.run(&["emit", "demo.n", "--attr", &format!("n={n}")]).ok();
    }
    let before = place.run(&["events", "--json"]).ok().stdout;
    let view = std::fs::read_dir(place.path("data/view")).unwrap().map(|entry| entry.unwrap().path());
    view.filter(|path| path.is_file()).for_each(|path| std::fs::write(path, "damaged").unwrap());
    assert!(place.run(&["rebuild"]).ok().stdout.ends_with("from 5 events\n"));
    assert_eq!(place.run(&["events", "--json"]).ok().stdout, before);
    let server = Server::start(&place);
    assert!(server.run(&["rebuild"]).ok().stdout.ends_with("from 5 events\n"));
    assert_eq!(server.run(&["events", "--json"]).ok().stdout, before);
}

#[test]
fn a_marker_that_was_emitted_and_seen_is_one_event() {
    let place = Place::new();
    let server = Server::start(&place);
    let emit = server
        .run(&[
            "emit",
            "urlCacher.urlCached",
            "--attr",
            "url=https://x.example/</EVENT>",
            "--session",
            "s-1",
            "--marker",
        ])
        .ok();
    let marker = emit.stdout.lines().nth(1).unwrap().to_owned();
    assert!(marker.starts_with("<EVENT>{") && marker.ends_with("}</EVENT>"), "{marker}");
    let payload = json!({"session_id": "s-1", "hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_use_id": "t",
        "tool_input": {}, "tool_response": {"stdout": marker, "stderr": ""}});
    let answer = server.post("/hooks/claude-code", &payload.to_string());
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    eventually("the hook is on the log", || {
        server.json(&["events", "--type", "claude.*", "--json"]).len() == 1
    });
    assert_eq!(server.json(&["events", "--type", "urlCacher.*", "--json"]).len(), 1);
    assert!(server.json(&["events", "--type", "tacho.*", "--json"]).is_empty());
}

#[test]
fn several_readers_fold_a_folder_one_after_the_other() {
    let place = Place::new();
    place.run(&["import", place.write("events.jsonl", &lines(2_000)).to_str().unwrap()]).ok();
    std::fs::remove_dir_all(place.path("data/view")).unwrap();
    let readers: Vec<_> = (0..6)
        .map(|_| {
            let mut command = place.tacho(&["events", "--json", "--limit", "5000"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for reader in readers {
        let answer = Answer::of(reader.wait_with_output().unwrap()).ok();
        assert_eq!(answer.stdout.lines().count(), 2_000);
    }
}

fn lines(count: usize) -> String {
    (0..count)
        .map(|n| {
            format!("{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"/t\",\"type\":\"demo.n\"}}\n")
        })
        .collect()
}

#[test]
fn a_named_event_can_be_emitted_again() {
    let place = Place::new();
    let emit = ["emit", "t", "--id", "r1", "--source", "/cron", "--json"];
    let first = documents(&place.run(&emit).ok().stdout).remove(0);
    let again = documents(&place.run(&emit).ok().stdout).remove(0);
    assert_eq!((&first["duplicate"], &again["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(first["position"], again["position"]);
    let server = Server::start(&place);
    assert_eq!(documents(&server.run(&emit).ok().stdout).remove(0), again);
    assert!(server.json(&["events", "--json"])[0]["time"].is_string());
}

#[test]
fn an_import_of_nothing_that_can_be_taken_fails() {
    let place = Place::new();
    let nonsense = place.write("nonsense.jsonl", "nonsense\n{}\n");
    let refused = place.run(&["import", nonsense.to_str().unwrap()]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stdout.contains("0 new, 0 there already, 2 skipped"), "{}", refused.stdout);
    assert!(refused.stderr.contains("error: nothing was taken in"), "{}", refused.stderr);
    let events = place.write("events.jsonl", &lines(3));
    let refused = place.run(&["import", events.to_str().unwrap(), "--as", "claude-transcript"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("looks like CloudEvents, not like a transcript of Claude Code"),
        "{}",
        refused.stderr
    );
    assert!(place.run(&["events", "--json"]).stdout.is_empty());
}

#[test]
fn a_stream_is_named_by_a_part_that_only_it_has() {
    let place = Place::new();
    let ids = ["018bcfe5-6800-7000-bfff-000000000001", "018bcfe5-6800-7000-bfff-000000000002"];
    for id in ids {
        place.run(&["emit", "demo.n", "--session", id, "--attr", &format!("name={id}")]).ok();
    }
    let shown = place.run(&["events"]).ok().stdout;
    assert!(ids.iter().all(|id| shown.contains(&format!("session/{id} "))), "{shown}");
    let told = place.run(&["timeline", "session/…00000002"]).ok().stdout;
    assert!(told.contains(ids[1]) && !told.contains(ids[0]), "{told}");
    let refused = place.run(&["timeline", "session/018bcfe5"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("fits 2 streams, such as session/018bcfe5-"), "{}", refused.stderr);
}

#[test]
fn what_was_not_today_shows_its_date() {
    let place = Place::new();
    let old = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/t\",\"type\":\"demo.n\",\"time\":\"2020-02-03T12:00:00Z\"}";
    place.run(&["import", place.write("old.jsonl", old).to_str().unwrap()]).ok();
    assert!(place.run(&["events"]).ok().stdout.starts_with("2020-02-03 12:00:00.000 "));
}

#[test]
fn a_tail_without_a_log_fails() {
    let place = Place::new();
    assert_eq!(place.run(&["tail", "--no-follow"]).code, Some(1));
}
