//! What an agent's commands tell without saying so: commits, pull requests, runs of tests, checks of quality; and
//! calls of tool servers.
//!
//! A hook that tells of a shell command gives, beside its own event, those of an orchestration that follow from
//! it, in the hook's stream and session, with the hook's event as their cause. One that tells of the end of a call
//! of a tool server's tool (`mcp__<server>__<tool>`) gives the bus's event of it in the same way. Each says how sure it is
//! (`confidence`, 0 to 1) and what it was read from (`derived_from`: the tool call, else the hook's event). Their
//! ids are hashes of that call, so the same call gives them once.
//!
//! What cannot be read gives nothing. Texts are looked at up to a limit, in passes from left to right, so that no
//! hook waits for this.

mod command;
mod git;
mod github;
mod output;
mod quality;
mod scan;
mod summary;
mod test_run;
mod tool;

use super::carriers;
use super::payload::Payload;
use crate::door::{Door, within};
use crate::marker::Origin;
use command::Command;
use serde_json::{Map, Value};
use std::borrow::Cow;
use tacho_event::catalogue;
use tacho_event::derived_id;
use tacho_event::json::{self, Kind};
use tacho_event::{Draft, Event, Sameness};

/// Before the source of the hook's event: `/derived/claude-code/shop`.
pub(crate) const SOURCE: &str = "/derived";
/// Events that one hook gives beside its own; what is found behind is not told.
const FINDINGS: usize = 32;
/// Tools whose `command` is a shell's.
const SHELL_TOOLS: [&str; 4] = ["Bash", "shell", "local_shell", "exec_command"];

/// How sure a finding is.
mod confidence {
    /// The program's own words say so.
    pub(super) const PRINTED: f64 = 1.0;
    /// The command can mean nothing else.
    pub(super) const COMMAND: f64 = 0.9;
    /// The command runs a script whose name says so; and what a script's exit status says.
    pub(super) const SCRIPT: f64 = 0.7;
    /// The exit status is this command's, and all that is known.
    pub(super) const STATUS: f64 = 0.6;
    /// The exit status is perhaps another command's.
    pub(super) const GUESS: f64 = 0.3;
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    Succeeded,
    /// With this exit status, where it is known.
    Failed(Option<i64>),
    /// A person, or a limit of time.
    Interrupted,
    /// The payload does not tell.
    Unknown,
}

/// A shell command that an agent runs.
struct Call<'a> {
    commands: Vec<Command>,
    /// `None` before it runs.
    ending: Option<Ending>,
    output: Cow<'a, str>,
    /// How long the whole line took.
    seconds: Option<f64>,
    git_sha: Option<&'a str>,
    branch: Option<&'a str>,
}

/// An event that follows from a call.
struct Finding {
    kind: &'static str,
    /// What tells it from others of its type in the same call.
    key: String,
    data: Map<String, Value>,
}

/// Whether a run or check passed, and how sure that is.
struct Verdict {
    /// Why it failed, if it did.
    failure: Option<String>,
    confidence: f64,
}

impl Finding {
    fn new(
        kind: &'static str,
        key: &str,
        confidence: f64,
        data: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        let mut data: Map<String, Value> =
            data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        data.insert("confidence".to_owned(), confidence.into());
        Self { kind, key: key.to_owned(), data }
    }
}

/// The events that follow from the hook's own; `object` is its payload, redacted.
pub(super) fn events(
    event: &Event,
    payload: &Payload<'_>,
    object: &[u8],
    place: (Option<&str>, Option<&str>),
    door: &Door<'_>,
) -> Vec<Event> {
    if !door.derives {
        return Vec::new();
    }
    let mut origin = Origin::of(event);
    origin.source = format!("{SOURCE}{}", event.source());
    if let Some(event) = tool::event(payload, object, &origin, door) {
        return vec![event];
    }
    let Some(call) = Call::read(payload, object, place) else { return Vec::new() };
    let found = [git::findings, github::findings, test_run::findings, quality::findings];
    let found = found.into_iter().flat_map(|findings| findings(&call)).take(FINDINGS);
    found.filter_map(|finding| build(finding, payload, &origin, door)).collect()
}

fn build(finding: Finding, payload: &Payload<'_>, origin: &Origin, door: &Door<'_>) -> Option<Event> {
    let Finding { kind, key, mut data } = finding;
    let (mut draft, derived_from) = draft(kind, &key, payload, origin);
    data.insert("derived_from".to_owned(), derived_from.into());
    draft.set_data(Value::Object(data).to_string().into_bytes());
    let event = draft.finish(Sameness::FirstWins).ok()?;
    within(&event, &door.limits).is_ok().then_some(event)
}

/// An event without its payload, and what it is derived from: the tool call, else the hook's event.
fn draft<'a>(kind: &'a str, key: &str, payload: &'a Payload<'_>, origin: &'a Origin) -> (Draft<'a>, &'a str) {
    let call = payload.tool_use_id.as_deref().filter(|call| !call.is_empty()).unwrap_or(&origin.id);
    let session = payload.session_id.as_deref().unwrap_or_default();
    let id = derived_id("derived", &[session, call, kind, key]);
    let mut draft = Draft::new(kind, origin.source.as_str(), id);
    draft.put_text("time", &origin.time);
    for (name, value) in &origin.inherited {
        draft.put(*name, value.clone());
    }
    if let Some(context) = origin.trace(call) {
        draft.put_text("traceparent", &context.to_traceparent());
    }
    draft.put_text("causationid", &origin.id);
    if let Some(severity) = catalogue::entry_of(kind).and_then(|entry| entry.severity) {
        draft.put_text("severity", severity.as_str());
    }
    draft.subject = Some(Cow::Borrowed(&origin.stream));
    (draft, call)
}

impl<'a> Call<'a> {
    /// `None` for anything but a shell command of which something may follow.
    fn read(
        payload: &'a Payload<'_>,
        object: &'a [u8],
        (git_sha, branch): (Option<&'a str>, Option<&'a str>),
    ) -> Option<Self> {
        let tool = payload.tool_name.as_deref()?;
        let hook = payload.hook_event_name.as_deref()?;
        if !SHELL_TOOLS.contains(&tool)
            || !matches!(hook, "PreToolUse" | "PostToolUse" | "PostToolUseFailure")
        {
            return None;
        }
        let input = json::member(object, "tool_input")?;
        let commands = commands(json::member(input, "command").or_else(|| json::member(input, "cmd"))?);
        let response = json::member(object, "tool_response").unwrap_or(b"null");
        let flag = |object, name| json::member(object, name) == Some(b"true");
        let (ending, output) = match hook {
            "PreToolUse" => (None, Cow::Borrowed("")),
            // A command in the background goes on; its end comes with another call.
            "PostToolUse"
                if flag(input, "run_in_background")
                    || json::member(response, "backgroundTaskId").is_some_and(|id| id != b"null") =>
            {
                return None;
            }
            "PostToolUse" => (Some(ending(response)), carriers::output(response)),
            _ => {
                let error = payload.error.as_deref().unwrap_or_default();
                (Some(failure(error, flag(object, "is_interrupt"))), Cow::Borrowed(error))
            }
        };
        let milliseconds = json::member(object, "duration_ms").map(json::text);
        let milliseconds =
            milliseconds.and_then(|text| text.parse::<f64>().ok()).filter(|time| time.is_finite());
        Some(Self {
            commands,
            ending,
            output: bounded(output),
            seconds: milliseconds.map(|milliseconds| milliseconds / 1e3),
            git_sha,
            branch,
        })
    }

    /// Whether the command is known to have succeeded.
    fn succeeded(&self, command: &Command) -> bool {
        self.ending == Some(Ending::Succeeded) && command.succeeds_with_line
    }

    /// Whether the line runs this command and nothing else that takes time.
    fn is_alone(&self) -> bool {
        self.commands.last().is_some_and(|command| command.fails_with_line)
    }

    /// `is_told` where the program summed up itself, `failed` what it counted then, called `one` or `many`.
    fn verdict(&self, command: &Command, is_told: bool, failed: u64, [one, many]: [&str; 2]) -> Verdict {
        if is_told && failed > 0 {
            return Verdict {
                failure: Some(format!("{failed} {}", if failed == 1 { one } else { many })),
                confidence: confidence::PRINTED,
            };
        }
        let status = if self.ending.is_some() && is_told { confidence::PRINTED } else { confidence::STATUS };
        let ended = |code: &Option<i64>| match code {
            Some(code) => format!("the command ended with exit status {code}"),
            None => "the command failed".to_owned(),
        };
        match self.ending.as_ref().unwrap_or(&Ending::Unknown) {
            Ending::Failed(code) if command.fails_with_line => {
                Verdict { failure: Some(ended(code)), confidence: status }
            }
            Ending::Interrupted if !is_told => {
                Verdict { failure: Some("the command was interrupted".to_owned()), confidence: status }
            }
            _ if is_told => Verdict { failure: None, confidence: status },
            Ending::Failed(code) => {
                let reason = format!("{}; which of its commands failed is not known", ended(code));
                Verdict { failure: Some(reason), confidence: confidence::GUESS }
            }
            Ending::Succeeded if command.succeeds_with_line => Verdict { failure: None, confidence: status },
            _ => Verdict { failure: None, confidence: confidence::GUESS },
        }
    }
}

/// A shell's line, or the words of an argument list.
fn commands(value: &[u8]) -> Vec<Command> {
    match json::kind(value) {
        Kind::String => command::commands(&json::text(value)),
        Kind::Array => {
            let words = json::elements(value).filter(|word| json::kind(word) == Kind::String);
            command::of_words(words.map(|word| json::text(word).into_owned()).take(1_000).collect())
        }
        _ => Vec::new(),
    }
}

/// Claude Code answers with an object, and calls a failing command a failure; Codex answers with the output alone.
fn ending(response: &[u8]) -> Ending {
    if json::kind(response) != Kind::Object {
        return Ending::Unknown;
    }
    if json::member(response, "interrupted") == Some(b"true") {
        return Ending::Interrupted;
    }
    let status =
        json::member(response, "exit_code").and_then(|status| json::text(status).parse::<i64>().ok());
    match status {
        Some(0) | None => Ending::Succeeded,
        Some(status) => Ending::Failed(Some(status)),
    }
}

/// `Exit code 1`, then what was printed. Another error is a limit of time, or a person.
fn failure(error: &str, is_interrupt: bool) -> Ending {
    let status = error.strip_prefix("Exit code ").map(|rest| rest.lines().next().unwrap_or_default().trim());
    match status {
        Some(status) if !is_interrupt => Ending::Failed(status.parse().ok()),
        _ => Ending::Interrupted,
    }
}

fn bounded(output: Cow<'_, str>) -> Cow<'_, str> {
    match output {
        Cow::Borrowed(text) => output::bounded(text),
        Cow::Owned(text) => Cow::Owned(output::bounded(&text).into_owned()),
    }
}
