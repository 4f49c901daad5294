//! JSON-RPC over MCP's streamable HTTP: each message is posted; its answer is JSON, or a stream of events.

use super::server::Now;
use crate::handler::json_rpc::{Answer, answer, request};
use crate::handler::output;
use crate::web::Web;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::time::Duration;
use tacho_engine::delivery::{Failure, Verdict};
use ureq::Body;
use ureq::http::Response;

pub(super) struct WebSession {
    web: Arc<Web>,
    output_bytes: usize,
    now: Now,
    /// What the server calls this session, if it does.
    name: Option<String>,
    /// The revision of the protocol, once it is known.
    version: Option<String>,
    id: u64,
}

impl WebSession {
    pub(super) fn new(web: Arc<Web>, output_bytes: usize, now: Now) -> Self {
        Self { web, output_bytes, now, name: None, version: None, id: 0 }
    }

    pub(super) fn speak(&mut self, version: String) {
        self.version = Some(version);
    }

    pub(super) fn call(&mut self, method: &str, params: &[u8], time: Duration) -> Result<Answer, Failure> {
        self.id += 1;
        let mut answered = self.post(&request(Some(self.id), method, params), time)?;
        let header = |name| answered.headers().get(name).and_then(|value| value.to_str().ok());
        if let Some(name) = header("mcp-session-id") {
            self.name = Some(name.to_owned());
        }
        let id = self.id.to_string();
        if header("content-type").is_some_and(|media_type| media_type.starts_with("text/event-stream")) {
            return self.of_stream(answered, &id);
        }
        let body = self.web.body(&mut answered, self.output_bytes)?;
        self.of_message(&body, &id)?.ok_or_else(|| self.bad("answered another request"))
    }

    pub(super) fn notify(&mut self, method: &str, params: &[u8], time: Duration) -> Result<(), Failure> {
        self.post(&request(None, method, params), time).map(drop)
    }

    fn post(&self, message: &[u8], time: Duration) -> Result<Response<Body>, Failure> {
        let mut headers =
            vec![("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
        headers.extend(self.name.as_deref().map(|name| ("mcp-session-id", name)));
        headers.extend(self.version.as_deref().map(|version| ("mcp-protocol-version", version)));
        let seconds = (self.now)().0.div_euclid(1_000_000_000);
        self.web.send("", &headers, message.trim_ascii(), Some(time), seconds).map_err(|failure| {
            // The next attempt begins a new session.
            let is_over = failure.code == "http_404" && self.name.is_some();
            let verdict = if is_over { Verdict::Retry { after: None } } else { failure.verdict };
            Failure { verdict, ..failure }
        })
    }

    /// The answer among what a stream of server-sent events says.
    fn of_stream(&self, mut answered: Response<Body>, id: &str) -> Result<Answer, Failure> {
        let limited = answered.body_mut().with_config().limit(self.output_bytes as u64).reader();
        let mut reader = BufReader::new(limited);
        let (mut line, mut data) = (Vec::new(), Vec::new());
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(|error| match error.into() {
                ureq::Error::BodyExceedsLimit(_) => self.web.too_large(self.output_bytes),
                error => self.web.unreachable(&error),
            })?;
            let text = line.trim_ascii_end();
            if let Some(more) = text.strip_prefix(b"data:") {
                data.extend_from_slice(more);
                data.push(b'\n');
            }
            if text.is_empty() && !data.trim_ascii().is_empty() {
                if let Some(answer) = self.of_message(&data, id)? {
                    return Ok(answer);
                }
                data.clear();
            }
            if read == 0 {
                return Err(self.bad("ended its stream without an answer"));
            }
        }
    }

    /// `None` where the message is something else: a notification, or a request that nobody here answers.
    fn of_message(&self, message: &[u8], id: &str) -> Result<Option<Answer>, Failure> {
        let message =
            output::object(message).map_err(|reason| self.bad(&format!("is no MCP server: {reason}")))?;
        if tacho_event::json::member(&message, "method").is_some() {
            return Ok(None);
        }
        answer(&message, id).map_err(|what| self.bad(what))
    }

    fn bad(&self, what: &str) -> Failure {
        Failure::retry("bad_answer", format!("{} {what}", self.web.host()))
    }
}
