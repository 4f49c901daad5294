//! Plays the story against a server.

use super::{Step, telemetry};
use crate::client::{Client, query_string};
use crate::identity;
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tacho_event::Timestamp;

/// The pause behind every step that is told at its own pace.
const BREATH: Duration = Duration::from_millis(180);
/// How long the story waits for what handlers do, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
/// The commit that the project's `.git` names.
const COMMIT: &str = "9d3f7a1c5b8e2046fa7c1d9e3b5a8f60c2d4e6f8";
const BRANCH: &str = "feature/voucher-expiry";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As a reader can follow.
    Told,
    AsFastAsItGoes,
}

pub struct Player {
    client: Client,
    data: PathBuf,
    project: PathBuf,
    program: PathBuf,
    pace: Pace,
    begun: Timestamp,
    /// Ids of the sessions by their names in the story.
    sessions: HashMap<String, String>,
    /// Requests to models that were told.
    requests: u32,
}

impl Player {
    /// Prepares the folder that the agents of the story work in, below the data folder.
    pub fn new(client: Client, data: &Path, pace: Pace) -> Result<Self> {
        let project = data.join("project");
        let git = project.join(".git");
        let branch = git.join("refs/heads").join(BRANCH);
        let write = |path: &Path, text: String| -> std::io::Result<()> {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            fs::write(path, text)
        };
        write(&git.join("HEAD"), format!("ref: refs/heads/{BRANCH}\n"))
            .and_then(|()| write(&branch, format!("{COMMIT}\n")))
            .with_context(|| format!("cannot write into {}", project.display()))?;
        let program = std::env::current_exe().context("the path of this program cannot be read")?;
        Ok(Self {
            client,
            data: data.to_owned(),
            project,
            program,
            pace,
            begun: identity::now(),
            sessions: HashMap::new(),
            requests: 0,
        })
    }

    /// Plays one step; what it says goes to `say`.
    pub fn play(&mut self, step: Step, say: &mut impl FnMut(&str) -> Result<()>) -> Result<()> {
        match step {
            Step::Say { say: text } => say(&text)?,
            Step::Wait { wait_ms } => self.pause(Duration::from_millis(wait_ms)),
            Step::Hook { hook, session, payload } => {
                let payload = self.payload(&hook, &session, payload);
                self.run(&["hook", "claude-code"], &payload.to_string())?;
                self.pause(BREATH);
            }
            Step::Request(request) => {
                self.requests += 1;
                let body = telemetry::export(&request, &self.session(&request.session), self.requests);
                self.client.post("/v1/logs", &[], body.to_string().as_bytes())?;
            }
            Step::Post { post } => {
                let body = self.filled(post).to_string();
                self.client.post("/api/events", &[], body.as_bytes())?;
                self.pause(BREATH);
            }
            Step::Emit { emit } => {
                let arguments: Vec<&str> =
                    ["emit"].into_iter().chain(emit.iter().map(String::as_str)).collect();
                self.run(&arguments, "")?;
                self.pause(BREATH);
            }
            Step::Until { until, count } => self.until(&until, count)?,
        }
        Ok(())
    }

    /// Waits until so many events of a type are on the log.
    fn until(&self, kind: &str, count: u64) -> Result<()> {
        let begun = Instant::now();
        let path = format!("/api/events{}", query_string([("type", kind), ("limit", &count.to_string())]));
        loop {
            let answer = self.client.get_value(&path)?;
            if answer["events"].as_array().is_some_and(|events| events.len() as u64 >= count) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                bail!("the story waits for {kind}, and it does not come: see `tacho handler list`");
            }
            std::thread::sleep(LOOK);
        }
    }

    fn pause(&self, pause: Duration) {
        if self.pace == Pace::Told {
            std::thread::sleep(pause);
        }
    }

    /// What every hook of a session carries, and what this one adds.
    fn payload(&mut self, hook: &str, session: &str, more: Map<String, Value>) -> Value {
        let id = self.session(session);
        let mut payload = json!({
            "session_id": id,
            "transcript_path": self.project.join(format!("{id}.jsonl")),
            "cwd": self.project,
            "permission_mode": "default",
            "hook_event_name": hook,
        });
        if let (Some(members), Value::Object(more)) =
            (payload.as_object_mut(), self.filled(Value::Object(more)))
        {
            members.extend(more);
        }
        payload
    }

    fn session(&mut self, name: &str) -> String {
        let fresh = || identity::uuid7(identity::now(), identity::random());
        self.sessions.entry(name.to_owned()).or_insert_with(fresh).clone()
    }

    /// The value with its placeholders filled in.
    fn filled(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) if text == "$seconds" => json!(identity::now().seconds()),
            Value::String(text) if text.contains('$') => Value::String(self.filled_text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.filled(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (name, self.filled(value)))
                .collect::<Map<_, _>>()
                .into(),
            other => other,
        }
    }

    fn filled_text(&mut self, text: &str) -> String {
        if let Some(name) = text.strip_prefix("$session:") {
            return self.session(name);
        }
        if let Some(minutes) = text.strip_prefix("$ago:").and_then(|minutes| minutes.parse::<f64>().ok()) {
            return Timestamp(self.begun.0 - (minutes * 60e9) as i64).to_rfc3339_millis();
        }
        let project = self.project.display().to_string();
        let now = identity::now().to_rfc3339_millis();
        text.replace("$now", &now)
            .replace("$begun", &self.begun.to_rfc3339_millis())
            .replace("$project", &project)
    }

    /// Runs this program as an agent would.
    fn run(&self, arguments: &[&str], input: &str) -> Result<()> {
        let mut child = Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.project)
            .env("TACHO_DATA", &self.data)
            .env("TACHO_SERVER", self.client.server())
            .env_remove("CLAUDE_PROJECT_DIR")
            .env_remove("CLAUDE_CODE_SESSION_ID")
            .env_remove("TRACEPARENT")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start this program")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).context("cannot hand over a payload")?;
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("`tacho {}` failed with {status}", arguments.join(" "));
        }
        Ok(())
    }
}
