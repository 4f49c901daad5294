//! `.claude/observability.yaml`: what a project brings, and how far it may go.

use crate::place::Place;
use crate::server::{Server, eventually};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;

const FILE: &str = "project/.claude/observability.yaml";

/// The file that the documentation shows.
fn example() -> String {
    let page = include_str!("../../../../docs/observability.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// What `config show` says of a name: values with their origin.
fn shown(place: &Place, name: &str) -> Vec<(String, String)> {
    let lines = place.run(&["config", "show", "--json"]).ok().stdout;
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines
        .filter(|line| line["name"] == name)
        .map(|line| (text(&line["value"]), text(&line["origin"])))
        .collect()
}

#[test]
fn the_example_of_the_documentation_is_right_and_shown() {
    let place = Place::new();
    place.write(FILE, &example());
    let checked = place.run(&["config", "check"]).ok();
    assert_eq!(checked.stdout, ".claude/observability.yaml is right\n");
    let one = |value: &str, line| vec![(value.to_owned(), format!(".claude/observability.yaml:{line}"))];
    assert_eq!(shown(&place, "ingest.rule"), one("drop validation_complete", 10));
    assert_eq!(shown(&place, "sink.observability-console"), one("console", 14));
    assert_eq!(shown(&place, "sink.observability-file"), one("jsonl \"logs/agent-events.jsonl\"", 16));
    assert_eq!(shown(&place, "sink.alerts-console"), one("console", 43));
    assert_eq!(shown(&place, "alert.window"), one("60m", 29));
    assert_eq!(shown(&place, "alert")[1].0, "cost_per_feature > 1 (warn_user)");
    assert!(
        shown(&place, "sink.observability-redis").is_empty()
            && shown(&place, "sink.alerts-webhook").is_empty()
    );
    let page = include_str!("../../../../docs/observability.md");
    for key in ["on", "emit", "level", "path", "url", "secret_env", "track", "condition", "channels", "email"]
    {
        assert!(page.contains(&format!("`{key}`")), "the page says nothing of {key}");
    }
}

#[test]
fn a_server_does_what_the_file_says() {
    let place = Place::new();
    place.write(FILE, &example());
    let server = Server::start(&place);
    for kind in ["task_queued", "validation_complete", "agent_started", "something_else"] {
        server.run(&["emit", kind, "--data", "{\"task_id\":\"t_1\"}"]).ok();
    }
    let types: Vec<Value> =
        server.json(&["events", "--json"]).iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["task_queued", "agent_started", "something_else"]);
    let lines = || fs::read_to_string(place.path("project/logs/agent-events.jsonl")).unwrap_or_default();
    eventually("the file has the types that it is to have", || lines().lines().count() == 2);
    assert!(!lines().contains("something_else"), "{}", lines());
    let rules = server.json(&["alerts", "list", "--json"]);
    let conditions: Vec<&Value> = rules.iter().map(|rule| &rule["condition"]).collect();
    assert_eq!(conditions, ["critic_rejection_rate > 0.5", "cost_per_feature > 1"]);
    let (_, said) = server.stop(Signal::TERM);
    assert!(said.contains(".claude/observability.yaml is in force"), "{said}");
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn alerts_go_to_the_channels_that_they_name() {
    let place = Place::new();
    let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook/s3cret-path", receiver.local_addr().unwrap());
    place.write(
        FILE,
        "alerts:\n  - condition: failure_rate > 0.5\n    channels: [webhook]\n  - condition: cost_usd > 5\n    channels: [console]\nchannels:\n  webhook: {url_env: HOOK_URL}\n",
    );
    let mut command = place.tacho(&["config", "show", "--json"]);
    let shown = String::from_utf8(command.env("HOOK_URL", &url).output().unwrap().stdout).unwrap();
    assert!(shown.contains("\"sink.alerts-webhook\",\"value\":\"http\""), "{shown}");
    assert!(!shown.contains("s3cret-path"), "{shown}");
    place.write(
        FILE,
        &format!("alerts:\n  - condition: failure_rate > 0.5\n    channels: [webhook]\nchannels:\n  webhook:\n    url: {url}\n"),
    );
    let server = Server::start(&place);
    server.run(&["alerts", "test"]).ok();
    let (mut connection, _) = receiver.accept().unwrap();
    let mut told = [0; 4096];
    let mut length = 0;
    while !String::from_utf8_lossy(&told[..length]).contains("\"window_seconds\"") {
        length += std::io::Read::read(&mut connection, &mut told[length..]).unwrap();
    }
    let request = String::from_utf8_lossy(&told[..length]).into_owned();
    assert!(request.starts_with("POST /hook/s3cret-path"), "{request}");
    assert!(request.contains("\"condition\":\"failure_rate > 0.5\""), "{request}");
    drop(connection);
    let (_, said) = server.stop(Signal::TERM);
    assert!(!said.contains("s3cret-path"), "{said}");
}

#[test]
fn what_is_not_done_is_told_with_its_place_and_without_its_secret() {
    let place = Place::new();
    place.write(
        FILE,
        "version: 1\nmetrcs:\n  x: 1\nalerts:\n  - condition: cost_usd > 1\n    channels: [email]\n    windw: 5\nchannels:\n  email:\n    smtp_host: mail.example\n    smtp_password: hunter2-hunter2\n",
    );
    let server = Server::start(&place);
    let (code, said) = server.stop(Signal::TERM);
    assert_eq!(code, Some(0), "{said}");
    for told in [
        "observability.yaml:2:1: there is no key `metrcs` here, it is left out; did you mean `metrics`? (known are version, events, destinations, metrics, alerts, channels)",
        "observability.yaml:7:5: there is no key `windw` here",
        "(known are condition, action, message, channels)",
        "observability.yaml:6:16: `channels`: mail is set up in tacho.toml alone",
        "observability.yaml:9:3: `channels.email`: mail is set up in tacho.toml alone",
    ] {
        assert!(said.contains(told), "{told}\n{said}");
    }
    let shown = place.run(&["config", "show"]).ok().stdout;
    let checked = place.run(&["config", "check", "--json"]).ok().stdout;
    assert!(checked.contains("\"warnings\":[\".claude/observability.yaml:2:1:"), "{checked}");
    assert!(!format!("{said}{shown}{checked}").contains("hunter2"));
}

#[test]
fn tacho_toml_wins_where_both_say_something() {
    let place = Place::new();
    place.write(FILE, &example());
    place.write(
        "project/tacho.toml",
        "[[sink]]\nkind = \"console\"\nname = \"mine\"\n[[alert]]\ncondition = \"cost_per_feature > 7\"\n[[ingest.rule]]\ntype = \"validation_complete\"\naction = \"sample\"\nkeep = 1.0\n",
    );
    let left_out = ", left out: tacho.toml says something of it";
    for (name, value) in
        [("sink.observability-console", "console"), ("ingest.rule", "drop validation_complete")]
    {
        assert_eq!(shown(&place, name)[0].0, format!("{value}{left_out}"));
    }
    let server = Server::start(&place);
    server.run(&["emit", "validation_complete", "--data", "{}"]).ok();
    assert_eq!(server.json(&["events", "--json"]).len(), 1);
    let rules = server.json(&["alerts", "list", "--json"]);
    let conditions: Vec<&Value> = rules.iter().map(|rule| &rule["condition"]).collect();
    assert_eq!(conditions, ["cost_per_feature > 7", "critic_rejection_rate > 0.5"]);
    let names: Vec<Value> =
        server.json(&["handler", "list", "--json"]).iter().map(|sink| sink["name"].clone()).collect();
    assert!(names.contains(&"mine".into()) && !names.contains(&"observability-console".into()), "{names:?}");
    drop(server);
    place.write("project/tacho.toml", "[server]\nobservability_file = \"\"\n");
    assert!(shown(&place, "alert").is_empty());
    place.write("project/tacho.toml", "[server]\nobservability_file = \"nowhere.yaml\"\n");
    let answer = place.run(&["config", "check"]);
    assert_eq!(answer.code, Some(3));
    assert!(answer.stderr.contains("there is no file nowhere.yaml, which tacho.toml:2 names"), "{answer:?}");
}

#[test]
fn what_goes_too_far_or_cannot_be_read_is_refused_with_its_place() {
    let place = Place::new();
    std::os::unix::fs::symlink(place.path("home"), {
        fs::create_dir_all(place.path("project")).unwrap();
        place.path("project/away")
    })
    .unwrap();
    for (text, told) in [
        (
            "destinations:\n  - type: file\n    path: ../out.jsonl\n",
            "3:11: `path`: \"../out.jsonl\" is not below",
        ),
        ("destinations:\n  - type: file\n    path: /tmp/out.jsonl\n", "3:11: `path`: "),
        ("destinations:\n  - type: file\n    path: away/out.jsonl\n", "3:11: `path`: "),
        ("destinations:\n  - type: fil\n", "2:11: there is no destination `fil`: did you mean `file`?"),
        (
            "destinations:\n  - {type: redis, url: 'redis://far.example', secret_env: HOME}\n",
            "2:24: a secret for another machine",
        ),
        ("events:\n  - on: claude.*\n    enabled: false\n", "2:9: `on`: \"claude.*\" is a pattern"),
        ("alerts:\n  - condition: cost_usd > much\n", "2:16: `condition`: \"much\" is no number"),
        (
            "alerts:\n  - condition: cost_usd > 1\n    action: shout\n",
            "3:13: `action`: \"shout\" is no action",
        ),
        ("version: 2\n", "1:10: there is no version 2 of this file"),
        ("events: task_queued\n", "1:9: `events`: expected a list, found a single value"),
        ("version: [1\n", ".claude/observability.yaml:"),
        (
            "channels:\n  webhook:\n    url: http://user:s3cret@127.0.0.1/\n",
            "3:5: sink `alerts-webhook`: `url`: a secret does not belong into a URL",
        ),
    ] {
        place.write(FILE, text);
        let answer = place.run(&["config", "check"]);
        assert_eq!(answer.code, Some(3), "{text}{answer:?}");
        assert!(answer.stderr.contains(told), "{told}\n{}", answer.stderr);
        assert!(!answer.stderr.contains("s3cret"), "{}", answer.stderr);
    }
}
