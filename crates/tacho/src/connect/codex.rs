//! Codex: which files it reads, which events it fires.
//!
//! Hooks are read from `hooks.json` beside each active `config.toml`, and from that file's own `[hooks]`:
//! <https://developers.openai.com/codex/hooks>, `codex-rs/config/src/hook_config.rs` and
//! `codex-rs/hooks/src/engine/discovery.rs` of openai/codex. A project's folder counts once the project is
//! trusted, and each hook runs only after its user has approved it under `/hooks`. The events are those
//! that `hooks/list` of Codex 0.169 answers; unknown ones are ignored by it.

use super::{Agent, Error, Report, Request, Scope, hooks_text::Event, is_hooked, parsed, same_file};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Names the folder that takes the place of `~/.codex`.
pub const CONFIG_DIR_VARIABLE: &str = "CODEX_HOME";

const NAME: &str = "codex";

/// `PreModelRequest` and `PostModelRequest` are left out: they repeat a whole model request each time.
const EVENTS: &[Event] = &[
    event("SessionStart"),
    event("UserPromptSubmit"),
    event("PreToolUse"),
    event("PermissionRequest"),
    event("PostToolUse"),
    event("SubagentStart"),
    event("SubagentStop"),
    event("PreCompact"),
    event("PostCompact"),
    event("Stop"),
    // Codex allows these two no more than 3 s, and warns about more.
    Event { name: "Interrupt", timeout_seconds: 3 },
    Event { name: "SessionEnd", timeout_seconds: 3 },
];

const fn event(name: &'static str) -> Event {
    Event { name, timeout_seconds: 10 }
}

/// Hooks every event in `hooks.json` of the scope, `Scope::Project` by default; there is no local one.
///
/// # Errors
/// Where another scope already hooks, where the file cannot be edited, and where it cannot be written.
/// Nothing has changed then.
pub fn connect(request: &Request) -> Result<Report, Error> {
    let agent = agent(request)?;
    if let Some((path, remedy)) = hooked_elsewhere(request, &agent.file) {
        return Err(Error::AlreadyHooked { agent: NAME, place: path.display().to_string(), remedy });
    }
    let mut notes =
        vec!["start codex and approve the hooks under `/hooks`: it runs none before that".to_owned()];
    if agent.scope == Scope::Project {
        notes.push(
            "codex reads this file once the project is trusted; it names paths of this machine".to_owned(),
        );
    }
    let mut configs = folders(request).into_iter().map(|(_, folder)| folder.join("config.toml"));
    if let Some(config) = configs.find(|config| read_toml(config).is_some_and(|value| switched_off(&value))) {
        notes.push(format!("`[features]` in {} switches hooks off", config.display()));
    }
    agent.connect(request, notes)
}

/// Takes the hooks out of `hooks.json` of the scope, `Scope::Project` by default.
///
/// # Errors
/// Where the file cannot be edited or written. Nothing has changed then.
pub fn disconnect(request: &Request) -> Result<Report, Error> {
    let agent = agent(request)?;
    let still = hooked_elsewhere(request, &agent.file)
        .map(|(path, remedy)| format!("it still reports through {}: {remedy}", path.display()));
    agent.disconnect(request, still.into_iter().collect())
}

fn agent(request: &Request) -> Result<Agent, Error> {
    let scope = request.scope.unwrap_or(Scope::Project);
    match folders(request).into_iter().find(|(known, _)| *known == scope) {
        Some((_, folder)) => Ok(Agent { name: NAME, events: EVENTS, scope, file: folder.join("hooks.json") }),
        None => Err(Error::NoSuchScope { agent: NAME, scope, instead: "--project or --user" }),
    }
}

fn folders(request: &Request) -> [(Scope, PathBuf); 2] {
    let user = request.config_dir.clone().unwrap_or_else(|| request.home.join(".codex"));
    [(Scope::User, user), (Scope::Project, request.project_dir.join(".codex"))]
}

/// Another file that hooks the same sessions, and what to do about it.
fn hooked_elsewhere(request: &Request, file: &Path) -> Option<(PathBuf, String)> {
    folders(request).into_iter().find_map(|(scope, folder)| {
        let json = folder.join("hooks.json");
        if !same_file(&json, file) && read_json(&json).is_some_and(|value| is_hooked(&value)) {
            let remedy = format!("keep that, or run `tacho disconnect {NAME} {}` first", scope.flag());
            return Some((json, remedy));
        }
        let config = folder.join("config.toml");
        let hooked = read_toml(&config).is_some_and(|value| is_hooked(&value));
        hooked.then(|| (config, "keep that, or remove its hooks that run `tacho hook` first".to_owned()))
    })
}

fn switched_off(config: &Value) -> bool {
    // `codex_hooks` is the feature's older name.
    let feature = |name: &str| config.get("features").and_then(|features| features.get(name));
    [feature("hooks"), feature("codex_hooks")].into_iter().flatten().any(|value| value == &Value::Bool(false))
}

fn read_json(path: &Path) -> Option<Value> {
    parsed(&fs::read_to_string(path).ok()?)
}

fn read_toml(path: &Path) -> Option<Value> {
    let table: toml::Table = fs::read_to_string(path).ok()?.parse().ok()?;
    serde_json::to_value(table).ok()
}
