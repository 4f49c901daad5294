//! The real Claude Code as a warm handler: it is started once, and answers each event.

use crate::claude::{CLAUDE, REPOSITORY};
use crate::server::Server;
use crate::wanted;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program is large, and its first answer takes seconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn claude_code_answers_two_events_in_one_process() {
    if !wanted("claude_code_answers_two_events_in_one_process") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = |below: &str| folder.path().join(below);
    for name in ["home", "project", "data"] {
        fs::create_dir(path(name)).unwrap();
    }
    let config = path("handlers.toml");
    fs::write(&config, configuration(folder.path())).unwrap();
    let server = Server::start_with(&path("data"), &["--config", config.to_str().unwrap()]);
    for n in 0..2 {
        let answer =
            server.answers(&["emit", "work.asked", "--attr", &format!("n={n}"), "--stream", "task/x"]);
        assert_eq!(answer.len(), 1, "{answer:?}");
    }
    let answered = until(&server, 2);
    let sessions: Vec<&str> =
        answered.iter().map(|event| event["data"]["session_id"].as_str().unwrap()).collect();
    assert_eq!(sessions[0], sessions[1], "one conversation");
    assert!(
        answered.iter().all(|event| !event["data"]["result"].as_str().unwrap().is_empty()),
        "{answered:?}"
    );
    let starts = fs::read_to_string(path("starts")).unwrap();
    assert_eq!(starts.lines().count(), 1, "one process: {starts}");
    let handler = server.answers(&["handler", "show", "claude"]);
    assert_eq!((&handler[0]["done"], &handler[0]["retried"]), (&json!(2), &json!(0)));
}

/// The agent, behind the stand-in of its model; it notes each of its starts.
fn configuration(folder: &Path) -> String {
    let below = |name: &str| folder.join(name).display().to_string();
    let script = format!(
        "echo $$ >> '{}'; exec python3 '{REPOSITORY}/tests/claude/model.py' --project '{}' '{}' -p --input-format stream-json \
         --output-format stream-json --verbose --model claude-sonnet-4-5",
        below("starts"),
        below("project"),
        CLAUDE.display()
    );
    let mut handler = toml::Table::new();
    let mut set = |name: &str, value: toml::Value| drop(handler.insert(name.to_owned(), value));
    set("name", "claude".into());
    set("on", "work.asked".into());
    set("timeout", "80s".into());
    let variables = [
        ("HOME", below("home")),
        ("ANTHROPIC_API_KEY", "sk-ant-stand-in".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        ("ENABLE_TOOL_SEARCH", "false".to_owned()),
    ];
    let variables: toml::Table =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut run = toml::Table::new();
    run.insert("command".to_owned(), ["sh", "-c", &script].map(toml::Value::from).to_vec().into());
    run.insert("mode".to_owned(), "agent".into());
    run.insert("prompt".to_owned(), "PLAY text. This happened:".into());
    run.insert("directory".to_owned(), below("project").into());
    run.insert("variables".to_owned(), variables.into());
    set("run", run.into());
    let mut file = toml::Table::new();
    file.insert("handler".to_owned(), vec![toml::Value::Table(handler)].into());
    file.to_string()
}

fn until(server: &Server, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let answered = server.answers(&["events", "--type", "agent.answered"]);
        if answered.len() >= count {
            return answered;
        }
        let handler = server.answers(&["handler", "show", "claude"]);
        assert!(begun.elapsed() < ANSWERS_WITHIN, "{handler:?}");
    }
}
