//! From a record of any signal to an event: names, time, session, actor, trace, id.

use super::Signal;
use super::resource::Resource;
use super::value::{text, whole};
use crate::Refusal;
use crate::door::{Door, within};
use crate::hook::{Agent, is_synthetic, put};
use crate::strings::cut_to_fit;
use std::borrow::Cow;
use tacho_event::derived_id;
use tacho_event::json;
use tacho_event::{Draft, Event, Sameness, Timestamp, TraceContext, stream};

/// What the signals find out, each in its own file.
pub(super) struct Record<'r> {
    pub(super) signal: Signal,
    pub(super) kind: Cow<'static, str>,
    pub(super) resource: &'r Resource,
    /// `None` when the record names no moment that can be.
    pub(super) time: Option<Timestamp>,
    /// The record's own ids, when they are valid.
    pub(super) trace: Option<TraceContext>,
    /// The payload, redacted.
    pub(super) data: Vec<u8>,
    pub(super) severity: Option<&'static str>,
    /// Further attributes of the event.
    pub(super) more: Vec<(&'static str, String)>,
}

impl Record<'_> {
    /// The event. Its id is derived from everything that it says, so that a repeated export adds nothing.
    pub(super) fn into_event(self, door: &Door<'_>, now: Timestamp) -> Result<Event, Refusal> {
        let source = &self.resource.source;
        let session = self.session();
        let time = self.time.unwrap_or(now);
        let (moment, trace) = (
            self.time.map(Timestamp::to_rfc3339).unwrap_or_default(),
            self.trace.map(TraceContext::to_traceparent).unwrap_or_default(),
        );
        let parts = [
            self.signal.name(),
            source,
            session.as_deref().unwrap_or_default(),
            &moment,
            &trace,
            &String::from_utf8_lossy(&self.data),
        ];
        let mut draft = Draft::new(self.kind.clone(), source.as_str(), derived_id("otlp", &parts));
        draft.put_text("time", &time.to_rfc3339());
        let (actor_type, actor) = self.actor();
        if let Some(actor) = &actor {
            put(&mut draft, "actortype", Some(actor_type));
            put(&mut draft, "actorid", Some(actor));
        }
        if actor_type == "agent" {
            let model = ["model", "gen_ai.response.model", "gen_ai.request.model"];
            put(&mut draft, "actormodel", model.into_iter().find_map(|name| self.text(name)).as_deref());
        }
        put(&mut draft, "sessionid", session.as_deref());
        let derived = || {
            let part = ["agent_id", "tool_use_id"].into_iter().find_map(|name| self.text(name));
            let session = session.as_deref()?;
            Some(TraceContext::derived(session, part.as_deref().unwrap_or(&draft.id)))
        };
        let trace = self.trace.or_else(derived).map(TraceContext::to_traceparent);
        put(&mut draft, "traceparent", trace.as_deref());
        put(&mut draft, "correlationid", self.text("prompt.id").as_deref());
        let conversation = self.text("gen_ai.conversation.id").filter(|id| session.as_deref() != Some(id));
        put(&mut draft, "contextid", conversation.as_deref());
        put(&mut draft, "severity", self.severity);
        for (name, text) in &self.more {
            put(&mut draft, name, Some(text));
        }
        draft.subject = Some(Cow::Owned(match &session {
            Some(session) => stream::of_session(session),
            None => stream::of_source(source),
        }));
        finish(draft, &self.data, door)
    }

    /// A text among the record's attributes, which stand flat in the payload of a log record.
    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let attributes = match self.signal {
            Signal::Logs => Some(self.data.as_slice()),
            _ => json::member(&self.data, "attributes"),
        };
        text(json::member(attributes?, name))
    }

    /// The session, when it can be a stream's name.
    fn session(&self) -> Option<String> {
        const LONGEST_BYTES: usize = 256;
        let named = self.text("session.id").map(Cow::into_owned).or_else(|| self.resource.session.clone());
        named.filter(|session| session.len() <= LONGEST_BYTES && !session.chars().any(char::is_control))
    }

    fn actor(&self) -> (&'static str, Option<Cow<'_, str>>) {
        if self.resource.is_claude_code || self.kind.starts_with("claude_code.") {
            let program = Cow::Borrowed(Agent::ClaudeCode.name());
            return match self.text("agent_id") {
                Some(subagent) => ("agent", Some(subagent)),
                None if self.kind != "claude_code.user_prompt" => ("agent", Some(program)),
                None if is_synthetic(&self.text("prompt").unwrap_or_default()) => ("system", Some(program)),
                None => ("user", Some(Cow::Borrowed("user"))),
            };
        }
        let named = ["gen_ai.agent.id", "gen_ai.agent.name"].into_iter().find_map(|name| self.text(name));
        match named {
            Some(agent) => ("agent", Some(agent)),
            None => ("system", self.resource.service.as_deref().map(Cow::Borrowed)),
        }
    }
}

/// The event, its longest strings cut when it is larger than an event may be.
fn finish(mut draft: Draft<'_>, data: &[u8], door: &Door<'_>) -> Result<Event, Refusal> {
    draft.set_data(data.to_vec());
    let whole = draft.finish(Sameness::FirstWins)?;
    let limit = door.limits.event_bytes;
    if whole.bytes().len() <= limit {
        return Ok(whole);
    }
    let beside = whole.bytes().len() - data.len();
    draft.set_data(cut_to_fit(data, limit.saturating_sub(beside)));
    let cut = draft.finish(Sameness::FirstWins)?;
    within(&cut, &door.limits)?;
    Ok(cut)
}

/// Ids as hex, in either case; flags as OTLP has them, of which W3C knows the low byte.
pub(super) fn trace_context(record: &[u8]) -> Option<TraceContext> {
    let id = |name: &str| Some(text(json::member(record, name))?.to_ascii_lowercase());
    let flags = whole(json::member(record, "flags")).map_or(1, |flags| flags & 0xff);
    TraceContext::parse(&format!("00-{}-{}-{flags:02x}", id("traceId")?, id("spanId")?))
}

/// Nanoseconds since 1970, as number or string; 0 is none.
pub(super) fn moment(record: &[u8], name: &str) -> Option<Timestamp> {
    let nanos = whole(json::member(record, name)).filter(|nanos| *nanos > 0)?;
    i64::try_from(nanos).ok().map(Timestamp)
}
