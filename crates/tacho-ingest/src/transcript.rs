//! Transcripts of coding agents (JSON Lines) → events, for sessions that were not recorded live.
//!
//! Every line is an event `claude.transcript.<type>` (`codex.transcript.<type>`) with the line as its payload.
//! Its id is derived from session and line, so that importing twice, or a transcript that has grown since,
//! adds only what is new. They are not the types of hooks: a session that was recorded live too has both.
//!
//! A transcript repeats an answer's `usage` on the line of each of its content blocks. What an answer used is
//! therefore one more event, `claude.transcript.usage`, once for each message id and request id: count
//! those, never the lines.

use crate::Refusal;
use crate::door::{Door, within};
use crate::hook::{Agent, is_synthetic, project, put, snake_case, source_of};
use crate::import::{Import, Skipped};
use crate::strings::cut_to_fit;
use std::borrow::Cow;
use std::collections::HashMap;
use tacho_event::derived_id;
use tacho_event::json::{self, Kind};
use tacho_event::{Draft, Event, EventError, Sameness, Timestamp, TraceContext, stream};

/// What a transcript's file says beside its lines.
#[derive(Debug, Clone, Copy)]
pub struct TranscriptInput<'a> {
    pub agent: Agent,
    /// The session of lines that name none: the file's name without its ending.
    pub session: Option<&'a str>,
    /// The time of lines before the first that has one.
    pub now: Timestamp,
    pub jsonl: &'a [u8],
}

/// Reads a transcript. A line that cannot be read does not stop the others.
pub fn parse(input: &TranscriptInput<'_>, door: &Door<'_>) -> Import {
    let mut import = Import::default();
    let mut lines = Vec::new();
    for (index, line) in input.jsonl.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut minified = Vec::new();
        let read = json::minify(line, door.limits.depth, &mut minified).map_err(Refusal::from);
        let read = read.and_then(|()| match json::kind(&minified) {
            Kind::Object => Ok(()),
            _ => Err(Refusal::event("the line is no JSON object")),
        });
        match read {
            Ok(()) => lines.push((index + 1, door.redactor.redact_json(&minified).into_owned())),
            Err(refusal) => import.skipped.push(Skipped { line: index + 1, refusal }),
        }
    }
    let last_of_answer = last_lines(&lines);
    let mut reader = Reader::new(input, &lines);
    for (number, line) in &lines {
        reader.advance(line);
        let events = reader.line(line, door).and_then(|event| {
            let usage = match answer(line).filter(|answer| last_of_answer.get(answer) == Some(number)) {
                Some(answer) => Some(reader.usage(line, &answer)?),
                None => None,
            };
            Ok(std::iter::once(event).chain(usage))
        });
        match events {
            Ok(events) => import.events.extend(events),
            Err(error) => import.skipped.push(Skipped { line: *number, refusal: error.into() }),
        }
    }
    import
}

/// What the answers of a transcript used, of the whole of it: an answer may reach the file behind the hook that ended its
/// turn, and is found with the next one. The ids are those of an import.
pub fn usages(cause: &Event, jsonl: &[u8], door: &Door<'_>) -> Vec<Event> {
    let attribute = |name| json::member(cause.body(), name).map(json::text);
    let session = attribute("sessionid");
    let telling = |line: &&[u8]| {
        [&b"\"usage\""[..], b"\"promptId\""].iter().any(|word| memchr::memmem::find(line, word).is_some())
    };
    let lines: Vec<&[u8]> = jsonl.split(|byte| *byte == b'\n').filter(telling).collect();
    let jsonl = lines.join(&b'\n');
    let input = TranscriptInput {
        agent: if cause.kind().starts_with("codex.") { Agent::Codex } else { Agent::ClaudeCode },
        session: session.as_deref(),
        now: attribute("time").and_then(|time| Timestamp::from_rfc3339(&time)).unwrap_or_default(),
        jsonl: &jsonl,
    };
    let is_usage = |event: &Event| event.kind().ends_with(".transcript.usage");
    parse(&input, door).events.into_iter().filter(is_usage).collect()
}

/// Message id and request id of an answer.
type Answer = (String, String);

/// The answer of which this line is a part, when it says what it used.
fn answer(line: &[u8]) -> Option<Answer> {
    let message = json::member(line, "message")?;
    json::member(message, "usage").filter(|usage| json::kind(usage) == Kind::Object)?;
    let request = text(line, "requestId").unwrap_or_default();
    Some((text(message, "id")?.into_owned(), request.into_owned()))
}

/// Where each answer's last line is: while an answer streams, its usage grows.
fn last_lines(lines: &[(usize, Vec<u8>)]) -> HashMap<Answer, usize> {
    lines.iter().filter_map(|(number, line)| answer(line).map(|answer| (answer, *number))).collect()
}

fn text<'a>(object: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    json::member(object, name).filter(|value| json::kind(value) == Kind::String).map(json::text)
}

/// What earlier lines say about later ones.
struct Reader<'a> {
    agent: Agent,
    session: Option<String>,
    source: String,
    time: Timestamp,
    turn: Option<Cow<'a, str>>,
    /// How often a line without an id of its own was there.
    seen: HashMap<String, usize>,
}

impl<'a> Reader<'a> {
    fn new(input: &TranscriptInput<'a>, lines: &'a [(usize, Vec<u8>)]) -> Self {
        let named = |line: &'a [u8]| {
            let payload = json::member(line, "payload").unwrap_or(b"{}");
            let of_codex =
                text(payload, "id").filter(|_| text(line, "type").as_deref() == Some("session_meta"));
            text(line, "sessionId").or(of_codex)
        };
        let cwd = lines
            .iter()
            .find_map(|(_, line)| text(line, "cwd").or_else(|| text(json::member(line, "payload")?, "cwd")));
        let session = lines.iter().find_map(|(_, line)| named(line)).map(Cow::into_owned);
        Self {
            agent: input.agent,
            session: session
                .or_else(|| input.session.map(str::to_owned))
                .filter(|session| !session.is_empty()),
            source: source_of(input.agent, project(cwd.as_deref(), None)) + "/transcript",
            time: input.now,
            turn: None,
            seen: HashMap::new(),
        }
    }

    fn advance(&mut self, line: &'a [u8]) {
        if let Some(time) = text(line, "timestamp").and_then(|time| Timestamp::from_rfc3339(&time)) {
            self.time = time;
        }
        if let Some(turn) = text(line, "promptId") {
            self.turn = Some(turn);
        }
        if let Some(session) = text(line, "sessionId").filter(|session| !session.is_empty()) {
            self.session = Some(session.into_owned());
        }
    }

    fn line(&mut self, line: &[u8], door: &Door<'_>) -> Result<Event, EventError> {
        let kind = text(line, "type").filter(|kind| !kind.is_empty()).unwrap_or(Cow::Borrowed("line"));
        let id = self.id(line);
        let mut draft = self.draft(&kind, id, line);
        let (actor_type, actor, model) = self.actor(&kind, line);
        put(&mut draft, "actortype", Some(actor_type));
        put(&mut draft, "actorid", Some(&actor));
        put(&mut draft, "actormodel", model.as_deref());
        draft.set_data(line);
        let event = draft.finish(Sameness::FirstWins)?;
        if event.bytes().len() <= door.limits.event_bytes {
            return Ok(event);
        }
        let beside = event.bytes().len() - line.len();
        draft.set_data(cut_to_fit(line, door.limits.event_bytes.saturating_sub(beside)));
        let event = draft.finish(Sameness::FirstWins)?;
        within(&event, &door.limits)?;
        Ok(event)
    }

    fn usage(&self, line: &[u8], answer: &Answer) -> Result<Event, EventError> {
        let message = json::member(line, "message").unwrap_or(b"{}");
        let (message_id, request_id) = answer;
        let id = derived_id("transcript-usage", &[self.session(), message_id, request_id]);
        let mut data = b"{\"message_id\":".to_vec();
        json::write_string(message_id, &mut data);
        data.extend_from_slice(b",\"request_id\":");
        json::write_string(request_id, &mut data);
        for name in ["model", "usage"] {
            if let Some(value) = json::member(message, name) {
                data.extend_from_slice(format!(",\"{name}\":").as_bytes());
                data.extend_from_slice(value);
            }
        }
        data.push(b'}');
        let mut draft = self.draft("usage", id, line);
        let (actor_type, actor, model) = self.actor("assistant", line);
        put(&mut draft, "actortype", Some(actor_type));
        put(&mut draft, "actorid", Some(&actor));
        put(&mut draft, "actormodel", model.as_deref());
        draft.set_data(data);
        draft.finish(Sameness::FirstWins)
    }

    /// What every event of a transcript has.
    fn draft<'d>(&self, kind: &str, id: String, line: &[u8]) -> Draft<'d> {
        let kind = format!("{}.transcript.{}", self.agent.namespace(), snake_case(kind));
        let mut draft = Draft::new(kind, self.source.clone(), id);
        draft.put_text("time", &self.time.to_rfc3339());
        let part = text(line, "agentId").unwrap_or(Cow::Borrowed(draft.id.as_ref())).into_owned();
        match &self.session {
            Some(session) => {
                put(&mut draft, "sessionid", Some(session));
                draft.put_text("traceparent", &TraceContext::derived(session, &part).to_traceparent());
                draft.subject = Some(Cow::Owned(stream::of_session(session)));
            }
            None => draft.subject = Some(Cow::Owned(stream::of_source(&self.source))),
        }
        put(&mut draft, "correlationid", self.turn.as_deref());
        put(&mut draft, "branch", text(line, "gitBranch").as_deref().filter(|branch| *branch != "HEAD"));
        draft
    }

    fn session(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }

    fn id(&mut self, line: &[u8]) -> String {
        if let Some(uuid) = text(line, "uuid") {
            return derived_id("transcript", &[self.session(), &uuid]);
        }
        let id = derived_id("transcript-line", &[self.session(), &String::from_utf8_lossy(line)]);
        let ordinal = self.seen.entry(id.clone()).or_default();
        *ordinal += 1;
        if *ordinal == 1 { id } else { derived_id("transcript-line", &[&id, &ordinal.to_string()]) }
    }

    /// Type, id and model. A tool's result comes as a line of the user's, and so does what the program itself
    /// puts into the conversation.
    fn actor(&self, kind: &str, line: &[u8]) -> (&'static str, String, Option<String>) {
        let message = json::member(line, "message").unwrap_or(b"{}");
        let model = text(message, "model").map(Cow::into_owned);
        if let Some(subagent) = text(line, "agentId").filter(|agent| !agent.is_empty()) {
            return ("agent", subagent.into_owned(), model);
        }
        let content = json::member(message, "content").unwrap_or(b"null");
        let is_result =
            json::elements(content).any(|block| text(block, "type").as_deref() == Some("tool_result"));
        let is_meta = json::member(line, "isMeta") == Some(b"true")
            || (json::kind(content) == Kind::String && is_synthetic(&json::text(content)));
        match kind {
            "user" if is_meta => ("system", self.agent.name().to_owned(), None),
            "user" if !is_result => ("user", "user".to_owned(), None),
            "user" | "assistant" => ("agent", self.agent.name().to_owned(), model),
            _ => ("system", self.agent.name().to_owned(), None),
        }
    }
}
