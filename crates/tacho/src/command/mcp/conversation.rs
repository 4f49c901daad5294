//! What client and server say to each other → what is told of it. Pure: moments come with the lines.

use super::message::{Call, Cancelled, Failure, Greeting, Message, Program, Welcome, read};
use super::told::{Payload, Told};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tacho_event::Timestamp;

/// Calls in flight that are remembered; what is called beyond them is not told.
const CALLS_MAX: usize = 1_024;
/// What the arguments of all calls in flight may have together, in bytes.
const ARGUMENTS_BYTES_MAX: usize = 64 << 20;

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// When something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    pub time: Timestamp,
    /// Since the conversation began, by a clock that only goes forward.
    pub elapsed: Duration,
}

/// How the server's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
}

/// What the command line says of the conversation.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The server's id when it does not name itself.
    pub server_id: String,
    pub context: Option<String>,
    pub session: Option<String>,
    pub correlation: Option<String>,
}

/// How a call ended, as it was written.
enum Outcome<'a> {
    Result(&'a RawValue),
    Error(&'a RawValue),
    /// Nobody answered: why, and a word for it.
    Silence(&'a str, &'static str),
}

/// A call in flight.
#[derive(Debug)]
struct InFlight {
    tool: String,
    arguments: Option<Box<RawValue>>,
    began: Duration,
}

#[derive(Debug, Default)]
pub struct Conversation {
    about: About,
    /// As the server names itself.
    server: Option<String>,
    client: Program,
    /// The id of the `initialize` that waits for its answer.
    greeting: Option<String>,
    in_flight: HashMap<String, InFlight>,
    arguments_bytes: usize,
    calls: u64,
    failed: u64,
    /// Calls that did not fit into what is remembered.
    dropped: u64,
}

impl Conversation {
    pub fn new(about: About) -> Self {
        Self { about, ..Self::default() }
    }

    /// What a line gives to tell.
    pub fn hear(&mut self, side: Side, line: &[u8], at: Moment) -> Vec<Told> {
        let messages = read(line);
        let told = messages.iter().filter_map(|message| match side {
            Side::Client => self.hear_client(message, at),
            Side::Server => self.hear_server(message, at),
        });
        told.collect()
    }

    /// The calls that nobody answered, and the end; `dropped` is what was not looked at or not kept.
    pub fn end(&mut self, end: End, dropped: u64, at: Moment) -> Vec<Told> {
        let mut left: Vec<(String, InFlight)> = self.in_flight.drain().collect();
        left.sort_by_key(|(_, call)| call.began);
        let unanswered = left.len();
        let silence = || Outcome::Silence("no answer was seen before the tool server ended", "no_answer");
        let mut told: Vec<Told> =
            left.into_iter().map(|(id, call)| self.call(&id, &call, &silence(), at)).collect();
        let mut data = Map::from_iter([
            ("serverId".to_owned(), self.server_id().into()),
            ("calls".to_owned(), self.calls.into()),
            ("failed".to_owned(), self.failed.into()),
            ("unanswered".to_owned(), unanswered.into()),
            ("dropped".to_owned(), (dropped + self.dropped).into()),
            ("duration_ms".to_owned(), milliseconds(at.elapsed).into()),
        ]);
        data.extend(end.exit_code.map(|code| ("exit_code".to_owned(), code.into())));
        data.extend(end.signal.map(|signal| ("signal".to_owned(), signal.into())));
        told.push(self.session("SessionEnded", data, at));
        told
    }

    fn hear_client(&mut self, message: &Message<'_>, at: Moment) -> Option<Told> {
        let params = message.params.map_or("{}", RawValue::get);
        match (message.method.as_deref()?, message.id()) {
            ("tools/call", Some(id)) => {
                let call: Call<'_> = serde_json::from_str(params).ok()?;
                self.begin(id, call, at);
                None
            }
            ("initialize", Some(id)) => {
                self.client = serde_json::from_str::<Greeting>(params).unwrap_or_default().client;
                self.greeting = Some(id);
                None
            }
            ("notifications/cancelled", None) => {
                let cancelled: Cancelled = serde_json::from_str(params).ok()?;
                let id = cancelled.request_id();
                let call = self.take(&id)?;
                let reason = cancelled.reason.unwrap_or_else(|| "the client cancelled the call".to_owned());
                Some(self.call(&id, &call, &Outcome::Silence(&reason, "cancelled"), at))
            }
            _ => None,
        }
    }

    fn hear_server(&mut self, message: &Message<'_>, at: Moment) -> Option<Told> {
        let id = message.id().filter(|_| message.method.is_none())?;
        if self.greeting.as_ref() == Some(&id) {
            self.greeting = None;
            return self.greeted(serde_json::from_str(message.result?.get()).unwrap_or_default(), at);
        }
        // What is in flight stays so until an answer is one.
        let outcome = match (message.result, message.error) {
            (_, Some(error)) => Outcome::Error(error),
            (Some(result), None) => Outcome::Result(result),
            (None, None) => return None,
        };
        let call = self.take(&id)?;
        Some(self.call(&id, &call, &outcome, at))
    }

    fn begin(&mut self, id: String, call: Call<'_>, at: Moment) {
        self.calls += 1;
        let bytes = call.arguments.map_or(0, |arguments| arguments.get().len());
        let is_room = self.in_flight.len() < CALLS_MAX && self.arguments_bytes + bytes <= ARGUMENTS_BYTES_MAX;
        if !is_room || self.in_flight.contains_key(&id) {
            self.dropped += 1;
            return;
        }
        self.arguments_bytes += bytes;
        let arguments = call.arguments.map(ToOwned::to_owned);
        self.in_flight.insert(id, InFlight { tool: call.name, arguments, began: at.elapsed });
    }

    fn take(&mut self, id: &str) -> Option<InFlight> {
        let call = self.in_flight.remove(id)?;
        self.arguments_bytes -= call.arguments.as_ref().map_or(0, |arguments| arguments.get().len());
        Some(call)
    }

    fn greeted(&mut self, welcome: Welcome, at: Moment) -> Option<Told> {
        let Welcome { server, protocol_version } = welcome;
        self.server = server.name.clone().filter(|name| !name.is_empty());
        let fields = [
            ("serverId", Some(self.server_id().to_owned())),
            ("server_name", server.name),
            ("server_version", server.version),
            ("client", self.client.name.clone()),
            ("client_version", self.client.version.clone()),
            ("protocol_version", protocol_version),
        ];
        let data: Map<String, Value> =
            fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        Some(self.session("SessionStarted", data, at))
    }

    fn session(&self, what: &'static str, data: Map<String, Value>, at: Moment) -> Told {
        self.tell(&Payload { hook_event_name: what, data: Some(data.into()), ..Payload::default() }, at)
    }

    /// A call with how it ended.
    fn call(&mut self, id: &str, call: &InFlight, outcome: &Outcome<'_>, at: Moment) -> Told {
        let silence = match outcome {
            Outcome::Silence(message, code) => to_raw_value(&json!({"message": message, "code": code})).ok(),
            _ => None,
        };
        let (result, error) = match outcome {
            Outcome::Result(result) => (Some(*result), None),
            Outcome::Error(error) => (None, Some(*error)),
            Outcome::Silence(..) => (None, silence.as_deref()),
        };
        let is_failure = result.is_none_or(|result| Failure::read(result.get()).is_error);
        self.failed += u64::from(is_failure);
        let payload = Payload {
            hook_event_name: "ToolCall",
            tool_name: Some(&call.tool),
            request_id: serde_json::from_str(id).ok(),
            duration_ms: Some(milliseconds(at.elapsed.saturating_sub(call.began))),
            tool_input: call.arguments.as_deref(),
            tool_response: result,
            error,
            data: None,
        };
        self.tell(&payload, at)
    }

    fn tell(&self, payload: &Payload<'_>, at: Moment) -> Told {
        payload.tell(&self.about, self.server_id(), self.client.name.as_deref(), at)
    }

    fn server_id(&self) -> &str {
        self.server.as_deref().unwrap_or(&self.about.server_id)
    }
}

/// With microseconds behind the point.
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

#[cfg(test)]
mod tests;
