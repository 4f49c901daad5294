//! The command line's side of the server's HTTP interface.

mod problem;
mod sse;

pub use problem::Problem;
pub use sse::{Message, Messages};

use serde_json::Value;
use std::time::Duration;
use tacho_event::json;
use thiserror::Error;
use ureq::http::Response;
use ureq::{Agent, Body};

/// A server on the same machine accepts at once, or is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that any answer but a live stream takes: a query waits up to 5 s for the read side.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Largest answer to the question who is there, in bytes.
const GREETING_BYTES_MAX: u64 = 1024;
/// Largest answer that is read, in bytes; a page of events is at most 16 MiB.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

#[derive(Debug, Error)]
pub enum ClientError {
    #[error("no server answers at {server}: start one with `tacho up`, or name another with --server")]
    Unreachable { server: String, source: Box<ureq::Error> },
    #[error("{0}")]
    Refused(Problem),
    #[error("the answer of {server} cannot be read")]
    Unreadable { server: String, source: Box<dyn std::error::Error + Send + Sync> },
}

/// Why no server of ours can be asked at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// Nobody takes the connection.
    Absent,
    /// Somebody takes the connection and says nothing.
    Hung,
    /// Somebody answers who is no tacho.
    Stranger,
}

/// Talks to one server. Cheap to make; connects when first used.
#[derive(Debug, Clone)]
pub struct Client {
    server: String,
    token: Option<String>,
    control: Option<Control>,
    agent: Agent,
}

/// What lets a client control what runs on the server.
#[derive(Debug, Clone)]
struct Control {
    token: String,
    /// Who does it, as an id of a user.
    actor: String,
}

impl Client {
    /// `server` is `http://HOST:PORT`.
    pub fn new(server: &str, token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .proxy(None)
            .max_redirects(0)
            .user_agent(concat!("tacho/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { server: server.trim_end_matches('/').to_owned(), token, control: None, agent: config.into() }
    }

    /// The same, with the control token, in the name of `actor`.
    #[must_use]
    pub fn controlling(self, token: String, actor: &str) -> Self {
        // What cannot stand in a header is left out.
        let actor = actor.chars().filter(char::is_ascii_graphic).collect();
        Self { control: Some(Control { token, actor }), ..self }
    }

    pub fn server(&self) -> &str {
        &self.server
    }

    /// The body of a successful answer.
    pub fn get(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let request = self.agent.get(self.url(path)).config().timeout_global(Some(ANSWER_TIMEOUT)).build();
        self.body(self.authorize(request).call())
    }

    /// Posts JSON; `headers` are further ones.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Vec<u8>, ClientError> {
        let request = self.agent.post(self.url(path)).config().timeout_global(Some(ANSWER_TIMEOUT)).build();
        let mut request = self.authorize(request).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.body(request.send(body))
    }

    /// As [`Self::get`], read as JSON.
    pub fn get_value(&self, path: &str) -> Result<Value, ClientError> {
        self.value(&self.get(path)?)
    }

    /// As [`Self::post`], of JSON and read as JSON.
    pub fn post_value(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.value(&self.post(path, &[], body.to_string().as_bytes())?)
    }

    /// Has something deleted.
    pub fn delete(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let request = self.agent.delete(self.url(path)).config().timeout_global(Some(ANSWER_TIMEOUT)).build();
        self.body(self.authorize(request).call())
    }

    /// Opens a live stream; it has no end of its own.
    pub fn messages(&self, path: &str, last_id: Option<&str>) -> Result<Messages, ClientError> {
        let mut request =
            self.authorize(self.agent.get(self.url(path))).header("accept", "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = self.checked(request.call())?;
        Ok(Messages::new(response.into_body().into_reader()))
    }

    /// Asks who is there.
    ///
    /// # Errors
    /// When it is no server of ours.
    pub fn greet(&self) -> Result<(), Silence> {
        let request =
            self.agent.get(self.url("/healthz")).config().timeout_global(Some(CONNECT_TIMEOUT)).build();
        let mut response = request.call().map_err(|error| match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => Silence::Absent,
            ureq::Error::Timeout(_) => Silence::Hung,
            ureq::Error::Protocol(_) | ureq::Error::Http(_) => Silence::Stranger,
            _ => Silence::Absent,
        })?;
        let is_success = response.status().is_success();
        let body = response.body_mut().with_config().limit(GREETING_BYTES_MAX).read_to_vec();
        let is_ours =
            body.is_ok_and(|body| json::member(&body, "status").is_some_and(|status| status == b"\"ok\""));
        if is_success && is_ours { Ok(()) } else { Err(Silence::Stranger) }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    fn authorize<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        let request = match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        match &self.control {
            Some(control) => {
                request.header("x-tacho-control", &control.token).header("x-tacho-actor", &control.actor)
            }
            None => request,
        }
    }

    fn value(&self, body: &[u8]) -> Result<Value, ClientError> {
        serde_json::from_slice(body).map_err(|source| ClientError::Unreadable {
            server: self.server.clone(),
            source: Box::new(source),
        })
    }

    fn body(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, ClientError> {
        let response = self.checked(answer)?;
        self.read(response)
    }

    fn checked(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, ClientError> {
        let response = answer.map_err(|source| ClientError::Unreachable {
            server: self.server.clone(),
            source: Box::new(source),
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = self.read(response)?;
        Err(ClientError::Refused(Problem::from_answer(status, &body)))
    }

    fn read(&self, mut response: Response<Body>) -> Result<Vec<u8>, ClientError> {
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        body.map_err(|source| ClientError::Unreadable {
            server: self.server.clone(),
            source: Box::new(source),
        })
    }
}

/// A query string from names and values.
pub fn query_string<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        percent_encode(value, &mut out);
    }
    out
}

/// Everything but the unreserved characters of RFC 3986.
pub fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_string_carries_any_value() {
        assert_eq!(query_string([]), "");
        assert_eq!(
            query_string([("type", "a.*"), ("where", ".x == \"é&\"")]),
            "?type=a.%2A&where=.x%20%3D%3D%20%22%C3%A9%26%22"
        );
    }
}
