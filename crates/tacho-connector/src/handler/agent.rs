//! `agent`: an agent of the command line that stays, and is told of each delivery in streaming JSON.

use super::conversation::Conversation;
use super::launch::{self, Launch};
use super::{HandlerKind, HandlerSettings, HandlerSurroundings, OpenedHandler, TIMEOUT, output};
use crate::SettingsError;
use std::sync::Arc;
use std::time::Instant;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Returned, Workers};
use tacho_event::{Recorded, json};

/// The agent unless configured otherwise.
const COMMAND: &[&str] =
    &["claude", "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
/// The type of what it answers unless configured otherwise.
const RETURNS: &str = "agent.answered";
/// Most conversations of a worker; the one that was quiet longest makes room.
const CONVERSATIONS_MAX: usize = 4;
/// Of an agent's words in an error, in bytes.
const WORDS_BYTES: usize = 1_000;

pub(super) const KIND: HandlerKind = HandlerKind {
    name: "agent",
    about: "Keeps an agent that speaks streaming JSON (`claude` unless `command` names another with all of its arguments). Each delivery is a message \
            of the user: `prompt`, then the CloudEvent. Its answer becomes an event of the type `returns` (`agent.answered`) with `result`, `cost_usd`, `turns`, `duration_ms` \
            and `session_id`. With `session = \"worker\"` all events of a worker are one conversation; with `\"stream\"` those of a stream are, and a worker keeps the last four. What the agent needs of the server's environment, its key for instance, is named in `environment`.",
    keys: &[
        "command",
        "mode",
        "directory",
        "environment",
        "variables",
        "output_bytes",
        "memory_bytes",
        "prompt",
        "returns",
        "session",
    ],
    check,
    open,
};

fn check(settings: &HandlerSettings) -> Result<(), SettingsError> {
    launch::check("command", &command(settings), settings)?;
    is_by_stream(settings).map(drop)
}

fn command(settings: &HandlerSettings) -> Vec<String> {
    match settings.command.is_empty() {
        true => COMMAND.iter().copied().map(str::to_owned).collect(),
        false => settings.command.clone(),
    }
}

fn is_by_stream(settings: &HandlerSettings) -> Result<bool, SettingsError> {
    match settings.session.as_deref() {
        None | Some("worker") => Ok(false),
        Some("stream") => Ok(true),
        Some(other) => {
            Err(SettingsError::unusable("session", format!("{other:?} is neither worker nor stream")))
        }
    }
}

fn open(settings: &HandlerSettings, surroundings: &HandlerSurroundings) -> OpenedHandler {
    check(settings)?;
    Ok(Arc::new(Agents {
        launch: Launch::new(&command(settings), settings, surroundings),
        output_bytes: settings.output_bytes(),
        prompt: settings.prompt.clone().unwrap_or_default(),
        returns: settings.returns.clone().unwrap_or_else(|| RETURNS.to_owned()),
        is_by_stream: is_by_stream(settings)?,
    }))
}

#[derive(Clone)]
struct Agents {
    launch: Launch,
    output_bytes: usize,
    prompt: String,
    returns: String,
    is_by_stream: bool,
}

impl Workers for Agents {
    /// A conversation begins with its first event: nobody knows yet with whom.
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        let mut worker = Worker { agents: self.clone(), sessions: Vec::new() };
        if !self.is_by_stream {
            worker.session("")?;
        }
        Ok(Box::new(worker))
    }
}

struct Worker {
    agents: Agents,
    /// The one that was used last is last.
    sessions: Vec<Session>,
}

struct Session {
    /// Empty where all events share one.
    stream: String,
    conversation: Conversation,
    /// What it had cost in all when it answered last; agents tell the sum.
    cost_usd: f64,
}

impl Deliver for Worker {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let until = Instant::now() + delivery.timeout.unwrap_or(TIMEOUT);
        let mut returned = Vec::new();
        let is_by_stream = self.agents.is_by_stream;
        for events in delivery.events.chunk_by(|one, next| !is_by_stream || one.stream() == next.stream()) {
            returned.push(self.ask(events, until)?);
        }
        Ok(Delivered { returned, ..Delivered::default() })
    }
}

impl Worker {
    fn ask(&mut self, events: &[Recorded], until: Instant) -> Result<Returned, Failure> {
        let message = message(&self.agents.prompt, events);
        let stream = events.first().map_or("", Recorded::stream).to_owned();
        let returns = self.agents.returns.clone();
        let session = self.session(if self.agents.is_by_stream { &stream } else { "" })?;
        session.conversation.send(message);
        let answer = loop {
            match session.conversation.message(until) {
                Ok(message) if json::member(&message, "type") == Some(b"\"result\"") => break message,
                Ok(_) => {}
                Err(failure) => {
                    // The session that was asked is the last one; it has ended.
                    self.sessions.pop();
                    return Err(failure);
                }
            }
        };
        let cost = session.cost_of(&answer);
        if json::member(&answer, "is_error") == Some(b"true") {
            return Err(agent_error(&answer));
        }
        let mut subject = Vec::new();
        json::write_string(&stream, &mut subject);
        Ok(output::event(&returns, &subject, &data(&answer, cost)))
    }

    /// The session of a stream, as the last one; begun when there is none.
    fn session(&mut self, stream: &str) -> Result<&mut Session, Failure> {
        self.sessions.retain(|session| session.conversation.is_alive());
        match self.sessions.iter().position(|session| session.stream == stream) {
            Some(index) => {
                let session = self.sessions.remove(index);
                self.sessions.push(session);
            }
            None => {
                if self.sessions.len() >= CONVERSATIONS_MAX {
                    self.sessions.remove(0);
                }
                let conversation = Conversation::start(&self.agents.launch, self.agents.output_bytes)?;
                self.sessions.push(Session { stream: stream.to_owned(), conversation, cost_usd: 0.0 });
            }
        }
        Ok(self.sessions.last_mut().expect("one was pushed"))
    }
}

impl Session {
    /// What this answer cost. An agent tells what its session cost so far; one that tells less than before
    /// counts from new.
    fn cost_of(&mut self, answer: &[u8]) -> Option<f64> {
        let total: f64 = json::text(json::member(answer, "total_cost_usd")?).parse().ok()?;
        let cost = if total >= self.cost_usd { total - self.cost_usd } else { total };
        self.cost_usd = total;
        // Sums of decimal fractions are not exact; a billionth of a dollar is.
        Some((cost * 1e9).round() / 1e9)
    }
}

/// A message of the user, with the newline behind it.
fn message(prompt: &str, events: &[Recorded]) -> Vec<u8> {
    let mut text = Vec::from(prompt.trim_end());
    for event in events {
        if !text.is_empty() {
            text.extend_from_slice(if text.len() == prompt.trim_end().len() { b"\n\n" } else { b"\n" });
        }
        event.write_cloudevent(&mut text);
    }
    let mut line =
        b"{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
            .to_vec();
    json::write_string(&String::from_utf8_lossy(&text), &mut line);
    line.extend_from_slice(b"}]}}\n");
    line
}

fn data(answer: &[u8], cost_usd: Option<f64>) -> Vec<u8> {
    let cost_usd = cost_usd.map(|cost| cost.to_string().into_bytes());
    let member = |name| json::member(answer, name);
    let parts = [
        ("result", member("result")),
        ("cost_usd", cost_usd.as_deref()),
        ("turns", member("num_turns")),
        ("duration_ms", member("duration_ms")),
        ("session_id", member("session_id")),
    ];
    let mut data = Vec::new();
    for (name, value) in parts {
        data.push(if data.is_empty() { b'{' } else { b',' });
        json::write_string(name, &mut data);
        data.push(b':');
        data.extend_from_slice(value.unwrap_or(b"null"));
    }
    data.push(b'}');
    data
}

fn agent_error(answer: &[u8]) -> Failure {
    let text = |name| json::member(answer, name).map(|value| json::text(value).into_owned());
    let words = text("result").or_else(|| text("subtype")).unwrap_or_default();
    let words = tacho_event::head(&words, WORDS_BYTES);
    Failure::retry("agent_error", format!("the agent answered with an error: {words}"))
}
