//! The real Claude Code, offline, against a stand-in of its model (`tests/claude/model.py`).
//!
//! A second hook, which shares no code with `tacho`, writes down what the session fired; all of it must be on
//! the log, no more and no less.

use crate::server::Server;
use crate::wanted;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const VERSION: &str = "2.1.328";
/// Spooled events reach the log a moment after the hook that spooled them.
const ON_THE_LOG_WITHIN: Duration = Duration::from_secs(10);
pub const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const TOOLS: &str = "Bash,Write,Read,Edit,Agent,TaskCreate,TaskUpdate";

/// All events of Claude Code but the two whose hooks act in git's place.
const EVENTS: &str = "PreToolUse PostToolUse PostToolUseFailure PostToolBatch Notification UserPromptSubmit \
    UserPromptExpansion SessionStart SessionEnd Stop StopFailure SubagentStart SubagentStop PreCompact PostCompact \
    PreModelSwitch PostModelSwitch PermissionRequest PermissionDenied Setup TeammateIdle TaskCreated TaskCompleted \
    Elicitation ElicitationResult ConfigChange InstructionsLoaded CwdChanged FileChanged DirectoryAdded MessageDisplay";

#[test]
fn every_event_of_a_connected_session_is_on_the_log() {
    if !wanted("every_event_of_a_connected_session_is_on_the_log") {
        return;
    }
    let stage = Stage::new();
    let server = Server::start(&stage.path("data"));
    let connected = Command::new(env!("CARGO_BIN_EXE_tacho"))
        .args(["connect", "claude-code"])
        .current_dir(stage.path("project"))
        .env("HOME", stage.path("home"))
        .env_remove("CLAUDE_CONFIG_DIR")
        .env("TACHO_DATA", stage.path("data"))
        .output()
        .unwrap();
    assert!(connected.status.success(), "tacho connect: {}", String::from_utf8_lossy(&connected.stderr));
    let scenes = [
        ("text", TOOLS, 5),
        ("full", TOOLS, 40),
        ("task", TOOLS, 12),
        ("bgagent", TOOLS, 14),
        ("denied", "Read", 7),
    ];
    let mut compared = 0;
    for (scene, tools, fired_min) in scenes {
        let fired = stage.play(scene, tools, &[]);
        assert!(fired.len() >= fired_min, "{scene}: only {} hooks fired", fired.len());
        assert_on_the_log(&server, scene, &fired);
        let Some((told, reported)) = cost_and_what_the_agent_reports(&server, &fired) else { continue };
        compared += 1;
        assert_eq!(told, reported, "{scene}");
    }
    assert!(compared > 0, "no transcript tells what its session cost");
}

#[test]
fn the_agent_of_the_plugin_emits_all_its_declared_events() {
    if !wanted("the_agent_of_the_plugin_emits_all_its_declared_events") {
        return;
    }
    let stage = Stage::new();
    let server = Server::start(&stage.path("data"));
    let plugin = format!("{REPOSITORY}/integrations/claude-code");
    let fired = stage.play("urlcacher", TOOLS, &["--plugin-dir", &plugin]);
    let events = assert_on_the_log(&server, "urlcacher", &fired);
    let markers: Vec<_> = events.iter().filter(|event| kind(event).starts_with("urlCacher.")).collect();
    let told = tally(markers.iter().map(|event| kind(event).to_owned()));
    // Two URLs were asked for; the markers of each went through text, Bash output and the Agent tool's answer.
    let expected = [
        ("cacheRequested", 2),
        ("urlValidated", 1),
        ("cacheCheckStarted", 1),
        ("urlAlreadyCached", 1),
        ("downloadStarted", 1),
        ("downloadCompleted", 1),
        ("urlCached", 1),
        ("urlCacheFailed", 1),
    ];
    let expected = expected.map(|(name, count)| (format!("urlCacher.{name}"), count));
    assert_eq!(told, BTreeMap::from(expected));
    for marker in markers {
        assert!(marker["source"].as_str().unwrap().ends_with("/marker"), "{marker}");
        assert!(events.iter().any(|event| event["id"] == marker["causationid"]), "no cause: {marker}");
    }
}

/// A home, a project and a data folder of the test's own.
struct Stage {
    folder: TempDir,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "project", "data"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Stage { folder }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Plays a scene with the real Claude Code; answers the payloads that its hooks were given.
    fn play(&self, scene: &str, tools: &str, more: &[&str]) -> Vec<Value> {
        let dump = self.path(&format!("{scene}.jsonl"));
        let settings = self.path("settings.json");
        let command = format!("python3 '{REPOSITORY}/tests/claude/dump_hook.py' '{}'", dump.display());
        let group = json!([{"hooks": [{"type": "command", "command": command, "timeout": 20}]}]);
        let hooks: BTreeMap<_, _> = EVENTS.split_whitespace().map(|event| (event, &group)).collect();
        fs::write(&settings, json!({"hooks": hooks}).to_string()).unwrap();
        let output = offline()
            .args(["python3", &format!("{REPOSITORY}/tests/claude/model.py"), "--project"])
            .arg(self.path("project"))
            .arg(&*CLAUDE)
            .args(["-p", &format!("PLAY {scene}"), "--model", "claude-sonnet-4-5", "--allowedTools", tools])
            .arg("--settings")
            .arg(&settings)
            .args(more)
            .current_dir(self.path("project"))
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.path("home"))
            .env("ANTHROPIC_API_KEY", "sk-ant-stand-in")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1")
            .env("ENABLE_TOOL_SEARCH", "false")
            .env("TACHO_BIN", env!("CARGO_BIN_EXE_tacho"))
            .env("TACHO_DATA", self.path("data"))
            .output()
            .expect("python3 is installed");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "claude failed in {scene}: {said}");
        let text = fs::read_to_string(&dump)
            .unwrap_or_else(|error| panic!("{scene} fired no hook: {error}: {said}"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Waits until the log holds what fired, and answers the session's events.
#[track_caller]
fn assert_on_the_log(server: &Server, scene: &str, fired: &[Value]) -> Vec<Value> {
    let session = fired[0]["session_id"].as_str().unwrap();
    let expected = tally(fired.iter().map(|payload| {
        let event = payload["hook_event_name"].as_str().unwrap();
        fingerprint(&format!("claude.{}", snake_case(event)), payload)
    }));
    let begun = Instant::now();
    loop {
        let events = server.events_of_session(session);
        let is_hook = |kind: &str| kind.starts_with("claude.") && !kind.starts_with("claude.transcript.");
        let hooks = events.iter().filter(|event| is_hook(kind(event)));
        let logged = tally(hooks.map(|event| fingerprint(kind(event), &event["data"])));
        if logged == expected {
            return events;
        }
        if begun.elapsed() > ON_THE_LOG_WITHIN {
            assert_eq!(logged, expected, "{scene}");
        }
    }
}

/// What hooks alone told of a session's cost, once that is all, or for as long as is waited for it, and what the agent
/// itself says at the end of its transcript, in millionths of a dollar; `None` where it says nothing.
fn cost_and_what_the_agent_reports(server: &Server, fired: &[Value]) -> Option<(i64, i64)> {
    let transcript = fs::read_to_string(fired[0]["transcript_path"].as_str().unwrap()).unwrap();
    let lines: Vec<Value> = transcript.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let state = lines.iter().rfind(|line| line["type"] == "cost-state")?;
    // Null until prices are in force.
    let micros = |dollars: &Value| dollars.as_f64().map_or(0, |dollars| (dollars * 1e6).round() as i64);
    let reported = micros(&state["totalCostUSD"]);
    let begun = Instant::now();
    loop {
        let rows = server.answers(&["cost", "--by", "session"]);
        let row = rows.iter().find(|row| row["session"] == fired[0]["session_id"]);
        let told = row.map_or(0, |row| micros(&row["cost_usd"]));
        if told == reported || begun.elapsed() > ON_THE_LOG_WITHIN {
            return Some((told, reported));
        }
    }
}

/// What tells one hook event of a session from another.
fn fingerprint(kind: &str, payload: &Value) -> String {
    let of = |key: &str| payload[key].as_str().unwrap_or("-").to_owned();
    [kind.to_owned(), of("tool_use_id"), of("agent_id"), of("prompt_id"), of("reason"), of("source")]
        .join(" ")
}

fn tally(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    names.fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// Begins a command that reaches nothing but loopback where the system lets us forbid it.
fn offline() -> Command {
    let alone = ["unshare", "--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"];
    let mut command = Command::new("env");
    let works = Command::new(alone[0]).args(&alone[1..]).arg("true").output();
    if works.is_ok_and(|output| output.status.success()) {
        command.args(alone);
    }
    command
}

pub static CLAUDE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("claude-code");
    if installed(&folder).is_none() {
        fs::create_dir_all(&folder).unwrap();
        let package = format!("@anthropic-ai/claude-code@{VERSION}");
        let npm = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .arg(&folder)
            .arg(&package)
            .output()
            .expect("npm is needed to install Claude Code: install Node.js");
        assert!(npm.status.success(), "npm install {package}: {}", String::from_utf8_lossy(&npm.stderr));
    }
    installed(&folder).expect("npm has installed no Claude Code for this platform")
});

/// The program inside the package of this platform, when it is of the version that we test against.
fn installed(folder: &Path) -> Option<PathBuf> {
    let scope = folder.join("node_modules/@anthropic-ai");
    let manifest = fs::read_to_string(scope.join("claude-code/package.json")).ok()?;
    let manifest: Value = serde_json::from_str(&manifest).ok()?;
    let packages = fs::read_dir(&scope).ok()?.map(|entry| entry.unwrap().path());
    let program = packages.map(|package| package.join("claude")).find(|program| program.is_file());
    program.filter(|_| manifest["version"] == VERSION)
}
