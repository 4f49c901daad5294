//! What an event says of work: read from the event alone.

use super::money::NanoUsd;
use crate::facts::Facts;
use std::borrow::Cow;
use tacho_event::Recorded;
use tacho_event::json::{self, Kind};

/// The numbers are those of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A task waits for an agent.
    Queued = 1,
    /// An agent took up a task.
    Started = 2,
    /// An agent ended its work, for the time given as duration.
    Completed = 3,
    /// A task's result was validated.
    Validated = 4,
    /// A critic's decision, recorded apart from its completion.
    Decided = 5,
    /// An agent begins to work on its own; the event names no end.
    TurnStarted = 6,
    TurnEnded = 7,
    ToolCalled = 8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Unknown = 0,
    Success = 1,
    Failed = 2,
    Approved = 3,
    Rejected = 4,
}

#[derive(Debug, Default)]
pub(crate) struct Observation<'a> {
    pub what: Option<What>,
    pub outcome: Option<Outcome>,
    pub task: Option<Cow<'a, str>>,
    pub feature: Option<Cow<'a, str>>,
    pub agent: Option<Cow<'a, str>>,
    pub model: Option<Cow<'a, str>>,
    /// In nanoseconds.
    pub duration: i64,
    pub cost: Option<NanoUsd>,
}

impl What {
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        use What::{Completed, Decided, Queued, Started, ToolCalled, TurnEnded, TurnStarted, Validated};
        [Queued, Started, Completed, Validated, Decided, TurnStarted, TurnEnded, ToolCalled]
            .into_iter()
            .find(|what| *what as i64 == number)
    }
}

impl Outcome {
    pub(crate) fn from_number(number: i64) -> Self {
        use Outcome::{Approved, Failed, Rejected, Success, Unknown};
        [Success, Failed, Approved, Rejected]
            .into_iter()
            .find(|outcome| *outcome as i64 == number)
            .unwrap_or(Unknown)
    }

    fn passed(passed: bool) -> Self {
        if passed { Self::Success } else { Self::Failed }
    }
}

impl<'a> Observation<'a> {
    /// `None` where the event says nothing of work.
    pub(crate) fn of(event: &'a Recorded, facts: &Facts<'a>) -> Option<Self> {
        let kind = event.kind();
        if let Some(hook) = kind.strip_prefix("claude.").or_else(|| kind.strip_prefix("codex.")) {
            return of_hook(hook, event, facts);
        }
        // What was read from a command tells again what the command's hook told; figures are of what was reported.
        if event.source().starts_with("/derived/") {
            return None;
        }
        let data = event.data().unwrap_or(b"{}");
        let (what, outcome) = match kind {
            "task_queued" => (What::Queued, Outcome::Unknown),
            "agent_started" | "AgentSpawned" => (What::Started, Outcome::Unknown),
            "agent_completed" => (What::Completed, status(data)),
            "tool_completed" => (What::ToolCalled, status(data)),
            "AgentCompleted" => (What::Completed, Outcome::Success),
            "AgentFailed" => (What::Completed, Outcome::Failed),
            // One that tells no verdict has its cost all the same.
            "validation_complete" => {
                (What::Validated, has_passed(data).map_or(Outcome::Unknown, Outcome::passed))
            }
            "TestRunCompleted" | "QualityCheckCompleted" => {
                (What::Validated, Outcome::passed(has_passed(data).unwrap_or(true)))
            }
            "TestRunFailed" | "QualityCheckFailed" => (What::Validated, Outcome::Failed),
            "critic_decision" => (What::Decided, decision(data)?),
            _ => return None,
        };
        Some(Self {
            what: Some(what),
            outcome: Some(outcome),
            task: text(data, &["task_id"]),
            feature: text(data, &["feature"]),
            agent: text(data, &["agent", "agent_name", "agent_id"]),
            model: text(data, &["model"]),
            duration: duration_ns(data),
            cost: number(data, &["cost_usd", "cost"]).and_then(NanoUsd::from_usd),
        })
    }
}

/// The hooks of a coding agent. A main agent's turn lasts from a prompt to its stop, a subagent's from its start.
fn of_hook<'a>(hook: &str, event: &'a Recorded, facts: &Facts<'a>) -> Option<Observation<'a>> {
    let data = event.data().unwrap_or(b"{}");
    let (what, outcome) = match hook {
        // What the program itself puts into the conversation has another actor, but sets the agent to work too.
        "user_prompt_submit" | "subagent_start" => (What::TurnStarted, Outcome::Unknown),
        "stop" | "subagent_stop" | "session_end" => (What::TurnEnded, Outcome::Success),
        "stop_failure" => (What::TurnEnded, Outcome::Failed),
        "post_tool_use" => (What::ToolCalled, Outcome::Success),
        "post_tool_use_failure" => (What::ToolCalled, Outcome::Failed),
        "task_created" => (What::Queued, Outcome::Unknown),
        "task_completed" => (What::Completed, Outcome::Success),
        _ => return None,
    };
    let session = facts.session.as_deref().unwrap_or_default();
    // Task numbers begin anew in each session.
    let task = text(data, &["task_id"]).map(|task| Cow::Owned(format!("{session}/{task}")));
    let agent = match hook {
        "task_created" | "task_completed" => None,
        "subagent_start" | "subagent_stop" => text(data, &["agent_id"]),
        // A prompt is the user's; the work that it sets off is the session's main agent's.
        _ => text(data, &["agent_id"]).or(Some(Cow::Borrowed(main_agent(event.kind())))),
    };
    Some(Observation {
        what: Some(what),
        outcome: Some(outcome),
        task,
        agent,
        duration: duration_ns(data),
        ..Observation::default()
    })
}

fn main_agent(kind: &str) -> &'static str {
    if kind.starts_with("codex.") { "codex" } else { "claude-code" }
}

fn status(data: &[u8]) -> Outcome {
    match text(data, &["status"]).as_deref() {
        Some("success") => Outcome::Success,
        Some("failed") => Outcome::Failed,
        Some("approved") => Outcome::Approved,
        Some("rejected") => Outcome::Rejected,
        _ => Outcome::Unknown,
    }
}

/// `None` where the payload does not tell.
fn has_passed(data: &[u8]) -> Option<bool> {
    let result = json::member(data, "result").filter(|result| json::kind(result) == Kind::Object);
    [result, Some(data)].into_iter().flatten().find_map(|object| {
        ["passed", "test_passed", "success", "status"].iter().find_map(|name| verdict(object, name))
    })
}

fn verdict(object: &[u8], name: &str) -> Option<bool> {
    match json::member(object, name)? {
        b"true" => Some(true),
        b"false" => Some(false),
        value if json::kind(value) == Kind::String => {
            Some(matches!(&*json::text(value), "passed" | "pass" | "success" | "succeeded" | "ok"))
        }
        _ => None,
    }
}

fn decision(data: &[u8]) -> Option<Outcome> {
    let rejected = verdict(data, "rejected")?;
    Some(if rejected { Outcome::Rejected } else { Outcome::Approved })
}

fn duration_ns(data: &[u8]) -> i64 {
    let milliseconds = number(data, &["duration_ms"])
        .or_else(|| number(data, &["duration_seconds", "duration_s"]).map(|seconds| seconds * 1e3));
    // More than a century is a mistake.
    milliseconds.filter(|length| (0.0..3.2e12).contains(length)).map_or(0, |length| (length * 1e6) as i64)
}

/// The first of these members that is a text.
pub(super) fn text<'a>(data: &'a [u8], names: &[&str]) -> Option<Cow<'a, str>> {
    let found = names.iter().filter_map(|name| json::member(data, name));
    let text = found.map(|value| (json::kind(value), value)).find_map(|(kind, value)| match kind {
        Kind::String | Kind::Number => Some(json::text(value)),
        _ => None,
    })?;
    (!text.is_empty()).then(|| match text {
        Cow::Borrowed(text) => Cow::Borrowed(super::bounded(text)),
        Cow::Owned(text) => Cow::Owned(super::bounded(&text).to_owned()),
    })
}

/// The first of these members that is a number, or a text that is one.
pub(super) fn number(data: &[u8], names: &[&str]) -> Option<f64> {
    let mut found = names.iter().filter_map(|name| json::member(data, name));
    found.find_map(|value| json::text(value).parse().ok()).filter(|number: &f64| number.is_finite())
}
