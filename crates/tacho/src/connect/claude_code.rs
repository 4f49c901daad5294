//! Claude Code: which files it reads, which events it fires.
//!
//! Settings files and their scopes: <https://code.claude.com/docs/en/settings>. Events, handlers and
//! timeouts: <https://code.claude.com/docs/en/hooks>.

use super::{Agent, Error, Outcome, Report, Request, Scope, hooks_text::Event, is_hooked, parsed, same_file};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Names the folder that takes the place of `~/.claude`.
pub const CONFIG_DIR_VARIABLE: &str = "CLAUDE_CONFIG_DIR";

const NAME: &str = "claude-code";
/// As `integrations/claude-code/.claude-plugin/plugin.json` names it.
const PLUGIN: &str = "tachograph";

/// Told to the user, who may miss them.
const LEFT_OUT: &str =
    "every event but WorktreeCreate and WorktreeRemove is hooked: a hook there would take over from git";

/// Every event but `WorktreeCreate` and `WorktreeRemove`: a hook there takes over the making of worktrees
/// from git, or vouches that a worktree made by a hook is gone, so mere observing would change what happens.
const EVENTS: &[Event] = &[
    event("SessionStart"),
    event("Setup"),
    event("InstructionsLoaded"),
    event("UserPromptSubmit"),
    event("UserPromptExpansion"),
    event("MessageDisplay"),
    event("PreToolUse"),
    event("PermissionRequest"),
    event("PermissionDenied"),
    event("PostToolUse"),
    event("PostToolUseFailure"),
    event("PostToolBatch"),
    event("Notification"),
    event("Elicitation"),
    event("ElicitationResult"),
    event("SubagentStart"),
    event("SubagentStop"),
    event("TeammateIdle"),
    event("TaskCreated"),
    event("TaskCompleted"),
    event("PreCompact"),
    event("PostCompact"),
    event("PreModelSwitch"),
    event("PostModelSwitch"),
    event("ConfigChange"),
    event("CwdChanged"),
    event("DirectoryAdded"),
    event("FileChanged"),
    event("Stop"),
    event("StopFailure"),
    event("SessionEnd"),
];

/// The hook answers in milliseconds; the limit only keeps a frozen disk from holding the agent up.
const fn event(name: &'static str) -> Event {
    Event { name, timeout_seconds: 10 }
}

/// Hooks every event in the settings of the scope, `Scope::Local` by default.
///
/// # Errors
/// Where another scope or the plugin already hooks, where the file cannot be edited, and where it cannot
/// be written. Nothing has changed then.
pub fn connect(request: &Request) -> Result<Report, Error> {
    let agent = agent(request);
    let settings = settings(request);
    if let Some(other) =
        settings.iter().find(|other| !same_file(&other.path, &agent.file) && other.is_hooked())
    {
        return Err(Error::AlreadyHooked {
            agent: NAME,
            place: other.path.display().to_string(),
            remedy: format!("keep that, or run `tacho disconnect {NAME} {}` first", other.scope.flag()),
        });
    }
    if let Some(place) = plugin_place(&settings) {
        return Err(Error::AlreadyHooked {
            agent: NAME,
            place: format!("the plugin that {} enables", place.display()),
            remedy: format!("keep that, or disable the plugin `{PLUGIN}` with `/plugin` in claude first"),
        });
    }
    let mut notes = vec![LEFT_OUT.to_owned()];
    if agent.scope == Scope::Project {
        notes.push("this file is usually committed, and the hooks name paths of this machine".to_owned());
    }
    if let Some(off) = settings.iter().find(|settings| settings.flag("disableAllHooks")) {
        notes.push(format!("`disableAllHooks` in {} keeps every hook from running", off.path.display()));
    }
    let mut report = agent.connect(request, notes)?;
    if report.outcome == Outcome::Connected {
        report.notes.insert(0, "sessions that are running pick it up when they are started again".to_owned());
    }
    Ok(report)
}

/// Takes the hooks out of the settings of the scope, `Scope::Local` by default.
///
/// # Errors
/// Where the file cannot be edited or written. Nothing has changed then.
pub fn disconnect(request: &Request) -> Result<Report, Error> {
    let agent = agent(request);
    let settings = settings(request);
    let others = settings.iter().filter(|other| !same_file(&other.path, &agent.file) && other.is_hooked());
    let still = |other: &Settings| {
        let (file, flag) = (other.path.display(), other.scope.flag());
        format!("it still reports through {file}: `tacho disconnect {NAME} {flag}` removes that")
    };
    agent.disconnect(request, others.map(still).collect())
}

fn agent(request: &Request) -> Agent {
    let scope = request.scope.unwrap_or(Scope::Local);
    Agent { name: NAME, events: EVENTS, scope, file: file(request, scope) }
}

fn file(request: &Request, scope: Scope) -> PathBuf {
    let project = request.project_dir.join(".claude");
    match scope {
        Scope::User => {
            let folder = request.config_dir.clone().unwrap_or_else(|| request.home.join(".claude"));
            folder.join("settings.json")
        }
        Scope::Project => project.join("settings.json"),
        Scope::Local => project.join("settings.local.json"),
    }
}

/// One file of those that a session in this project merges.
struct Settings {
    path: PathBuf,
    scope: Scope,
    value: Value,
}

impl Settings {
    fn is_hooked(&self) -> bool {
        is_hooked(&self.value)
    }

    fn flag(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whether this file switches our plugin, from whatever marketplace, on or off.
    fn plugin(&self) -> Option<bool> {
        let plugins = self.value.get("enabledPlugins")?.as_object()?;
        let mut ours = plugins.iter().filter(|(name, _)| name.split('@').next() == Some(PLUGIN));
        ours.next().map(|(_, enabled)| enabled.as_bool() == Some(true))
    }
}

/// The files that can be read, the weakest first. An unreadable one is Claude Code's to complain about.
fn settings(request: &Request) -> Vec<Settings> {
    let read = |scope| {
        let path = file(request, scope);
        let value = parsed(&fs::read_to_string(&path).ok()?)?;
        Some(Settings { path, scope, value })
    };
    [Scope::User, Scope::Project, Scope::Local].into_iter().filter_map(read).collect()
}

fn plugin_place(settings: &[Settings]) -> Option<&Path> {
    let strongest = settings.iter().rev().find_map(|settings| Some((settings, settings.plugin()?)));
    strongest.filter(|(_, enabled)| *enabled).map(|(settings, _)| settings.path.as_path())
}
