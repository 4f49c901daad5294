//! What an event says of failing, healing and trying again: a table of types, read into one shape.

use tacho_event::json::{self, Kind};
use tacho_event::{Position, Recorded, Timestamp};

/// Longest text that is taken from a payload, in characters.
const TEXT_CHARACTERS: usize = 200;
/// Most actions that one event recommends.
const ACTIONS_MAX: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Fails,
    /// What failed before works now.
    Heals,
    /// Somebody tries to put it right.
    Tries,
    /// The try was right.
    Succeeds,
    GivesUp,
}

/// What it is that fails or works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The orchestration.
    Whole,
    Phase,
    Agent,
    Test,
    Check,
    Error,
    Task,
    /// An agent's call of a tool.
    Call,
    /// A session's turn.
    Turn,
}

/// How a row of the table decides on the role.
#[derive(Clone, Copy)]
enum Verdict {
    Always(Role),
    /// By `status`, `passed` and counts of what failed: [`Role::Fails`] or [`Role::Heals`].
    Told,
}

use Verdict::{Always, Told};

const TABLE: &[(&str, Scope, Verdict)] = &[
    ("OrchestrationStarted", Scope::Whole, Always(Role::Heals)),
    ("OrchestrationCompleted", Scope::Whole, Told),
    ("OrchestrationFailed", Scope::Whole, Always(Role::Fails)),
    ("PhaseCompleted", Scope::Phase, Always(Role::Heals)),
    ("PhaseFailed", Scope::Phase, Always(Role::Fails)),
    ("AgentCompleted", Scope::Agent, Told),
    ("AgentFailed", Scope::Agent, Always(Role::Fails)),
    ("TestRunCompleted", Scope::Test, Told),
    ("TestRunFailed", Scope::Test, Always(Role::Fails)),
    ("QualityCheckCompleted", Scope::Check, Told),
    ("QualityCheckFailed", Scope::Check, Always(Role::Fails)),
    ("ErrorOccurred", Scope::Error, Always(Role::Fails)),
    ("RecoveryAttempted", Scope::Error, Always(Role::Tries)),
    ("RecoverySucceeded", Scope::Error, Always(Role::Succeeds)),
    ("RecoveryFailed", Scope::Error, Always(Role::GivesUp)),
    ("agent_completed", Scope::Agent, Told),
    ("tool_completed", Scope::Call, Told),
    ("validation_complete", Scope::Task, Told),
    ("hitl_escalated", Scope::Task, Always(Role::Fails)),
    ("hitl_answered", Scope::Task, Always(Role::Heals)),
    ("hitl_resolved", Scope::Task, Always(Role::Heals)),
];

/// The hooks of coding agents, whichever program they are of.
const HOOKS: &[(&str, Scope, Verdict)] = &[
    ("post_tool_use", Scope::Call, Always(Role::Heals)),
    ("post_tool_use_failure", Scope::Call, Always(Role::Fails)),
    ("stop", Scope::Turn, Always(Role::Heals)),
    ("stop_failure", Scope::Turn, Always(Role::Fails)),
];

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Incident {
    pub(super) position: Position,
    pub(super) at: Timestamp,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) role: Role,
    pub(super) scope: Scope,
    /// Which phase, agent, run of tests, task or call; two of one scope and name are the same thing.
    pub(super) name: Option<String>,
    /// The payload's phase, else the one that the stream is in.
    pub(super) phase: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) task: Option<String>,
    pub(super) reason: Option<String>,
    /// The id of the event that is to be put right.
    pub(super) recovery_from: Option<String>,
    pub(super) strategy: Option<String>,
    /// A retry is said to follow.
    pub(super) retry: bool,
    /// The agent that is to take over.
    pub(super) fallback: Option<String>,
    /// What the payload says is to be done.
    pub(super) actions: Vec<String>,
    /// `file:line`.
    pub(super) place: Option<String>,
    pub(super) needs_person: bool,
}

/// Reads a stream's events in order; remembers the phase that it is in.
#[derive(Debug, Default)]
pub(super) struct Reader {
    phase: Option<String>,
}

impl Reader {
    /// `None` where the event says nothing of failing or healing.
    pub(super) fn read(&mut self, event: &Recorded) -> Option<Incident> {
        let data = event.data().filter(|data| json::kind(data) == Kind::Object).unwrap_or(b"{}");
        let phase = text(data, &["phase", "failure_phase", "initial_phase"]);
        let phase = phase.or_else(|| self.phase.clone());
        let incident = row(event, data).and_then(|(scope, verdict)| {
            let role = match verdict {
                Always(role) => role,
                Told => told(event.kind(), data)?,
            };
            Some(incident(event, data, role, scope, phase.clone()))
        });
        self.phase = match event.kind() {
            "PhaseCompleted" => text(data, &["next_phase"]).or(phase),
            _ => phase,
        };
        incident
    }
}

fn row(event: &Recorded, data: &[u8]) -> Option<(Scope, Verdict)> {
    let kind = event.kind();
    if let Some((_, scope, verdict)) = TABLE.iter().find(|(name, ..)| *name == kind) {
        return Some((*scope, *verdict));
    }
    if json::member(data, "hook_event_name").is_some() {
        let hook = kind.rsplit('.').next().unwrap_or_default();
        let (_, scope, verdict) = HOOKS.iter().find(|(name, ..)| *name == hook)?;
        return Some((*scope, *verdict));
    }
    let is_error = event.text("severity").is_some_and(|severity| severity == "error");
    (is_error && !kind.starts_with("tacho.")).then_some((Scope::Error, Always(Role::Fails)))
}

fn incident(event: &Recorded, data: &[u8], role: Role, scope: Scope, phase: Option<String>) -> Incident {
    let agent = text(data, &["agent_name", "agent", "agent_id"])
        .or_else(|| event.text("actorid").map(|id| id.into_owned()).filter(|_| scope != Scope::Whole));
    let task = text(data, &["task_id"]);
    let name = match scope {
        Scope::Whole | Scope::Error => None,
        Scope::Phase => phase.clone(),
        Scope::Agent => agent.clone(),
        Scope::Test => text(data, &["test_suite", "test_type"]),
        Scope::Check => text(data, &["check_type"]),
        Scope::Task => task.clone(),
        Scope::Call => Some(call(data)),
        Scope::Turn => agent.clone(),
    };
    let actions = ["next_actions", "recommended_actions", "remediation_steps"];
    Incident {
        position: event.position,
        at: event.time(),
        id: event.id().to_owned(),
        kind: event.kind().to_owned(),
        role,
        scope,
        name,
        phase,
        agent,
        task,
        reason: reason(data),
        recovery_from: text(data, &["recovery_from"]),
        strategy: text(data, &["recovery_strategy", "strategy"]),
        retry: is_true(data, "retry_scheduled"),
        fallback: text(data, &["fallback_agent"]),
        actions: actions.iter().flat_map(|name| texts(data, name)).take(ACTIONS_MAX).collect(),
        place: place(data),
        needs_person: ["human_intervention_required", "escalation_required"]
            .iter()
            .any(|name| is_true(data, name)),
    }
}

/// What a tool was asked for: a description may change from try to try, the rest says what is the same.
fn call(data: &[u8]) -> String {
    let tool = text(data, &["tool_name", "tool"]).unwrap_or_else(|| "tool".to_owned());
    let input = json::member(data, "tool_input").unwrap_or(data);
    match text(input, &["command", "file_path", "url", "pattern", "query", "description"]) {
        Some(asked) => format!("{tool}: {asked}"),
        None => tool,
    }
}

/// The last message says most: a reason is often a kind of failure.
fn reason(data: &[u8]) -> Option<String> {
    const REASONS: [&str; 9] = [
        "error_message",
        "failure_reason",
        "final_error",
        "last_error",
        "error",
        "message",
        "reason",
        "error_type",
        "error_details",
    ];
    text(data, &REASONS)
}

fn place(data: &[u8]) -> Option<String> {
    let details = ["error_details", "error_context"].iter().find_map(|name| json::member(data, name));
    let details = details.unwrap_or(data);
    let file = text(details, &["file"])?;
    Some(match text(details, &["line"]) {
        Some(line) => format!("{file}:{line}"),
        None => file,
    })
}

/// What an end says of itself. A verdict that is not there is a good one, but for what only tells verdicts.
fn told(kind: &str, data: &[u8]) -> Option<Role> {
    let status = text(data, &["status", "task_status", "final_state"]);
    let verdict = |object: &[u8]| {
        let named = ["passed", "test_passed", "success"];
        let value = named.iter().find_map(|name| json::member(object, name))?;
        match json::kind(value) {
            Kind::Bool => Some(value == b"true"),
            _ => None,
        }
    };
    let is_bad = |status: &str| matches!(status, "failed" | "failure" | "error" | "rejected");
    let some_failed = ["tests_failed", "failed", "issues_found"].iter().any(|name| {
        json::member(data, name).is_some_and(|count| json::kind(count) == Kind::Number && count != b"0")
    });
    let passed = verdict(data).or_else(|| json::member(data, "result").and_then(verdict));
    let fails = match (status.as_deref(), passed) {
        (Some(status), _) if is_bad(status) => true,
        (_, Some(passed)) => !passed,
        (Some(_), None) => false,
        (None, None) if kind == "validation_complete" => return None,
        (None, None) => some_failed,
    };
    Some(if fails { Role::Fails } else { Role::Heals })
}

fn is_true(data: &[u8], name: &str) -> bool {
    json::member(data, name) == Some(b"true")
}

/// The first of these members that is a text or a number, on one line and cut.
fn text(data: &[u8], names: &[&str]) -> Option<String> {
    let values = names.iter().filter_map(|name| json::member(data, name));
    let mut texts = values.filter(|value| matches!(json::kind(value), Kind::String | Kind::Number));
    texts.find_map(|value| line(&json::text(value)))
}

fn texts(data: &[u8], name: &str) -> Vec<String> {
    let elements = json::member(data, name).map(json::elements).into_iter().flatten();
    elements
        .filter(|value| json::kind(value) == Kind::String)
        .filter_map(|value| line(&json::text(value)))
        .collect()
}

fn line(text: &str) -> Option<String> {
    let plain = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut line: String = plain.take(TEXT_CHARACTERS + 1).collect();
    if line.chars().count() > TEXT_CHARACTERS {
        line = line.chars().take(TEXT_CHARACTERS - 1).chain(['…']).collect();
    }
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
