//! JSON-RPC 2.0 with a process, a line a message (`www.jsonrpc.org/specification`).

use super::conversation::Conversation;
use super::launch::Launch;
use std::time::{Duration, Instant};
use tacho_engine::delivery::{Failure, Verdict};
use tacho_event::json::{self, Kind};

/// Longest code of an error that is kept, in characters.
const CODE_MAX: usize = 64;
/// What a peer is told that asks for what is not offered.
const METHOD_NOT_FOUND: &str = "\"error\":{\"code\":-32601,\"message\":\"method not found\"}";

pub(super) struct JsonRpc {
    conversation: Conversation,
    id: u64,
}

/// What the other side answered, minified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Result(Vec<u8>),
    Error(Vec<u8>),
}

impl JsonRpc {
    pub(super) fn start(launch: &Launch, line_bytes: usize) -> Result<Self, Failure> {
        Ok(Self { conversation: Conversation::start(launch, line_bytes)?, id: 0 })
    }

    /// Calls a method and waits for its answer. Each notification of progress gives it its time anew. After a
    /// failure the process has ended.
    pub(super) fn call(&mut self, method: &str, params: &[u8], time: Duration) -> Result<Answer, Failure> {
        self.id += 1;
        let mut until = Instant::now() + time;
        self.conversation.send(request(Some(self.id), method, params));
        let id = self.id.to_string();
        loop {
            let message = self.conversation.message(until)?;
            if let Some(method) = json::member(&message, "method") {
                let method = json::text(method);
                if matches!(method.as_ref(), "progress" | "notifications/progress") {
                    until = Instant::now() + time;
                } else if let Some(id) = json::member(&message, "id") {
                    self.conversation.send(refusal(id, &method));
                }
                continue;
            }
            match answer(&message, &id) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {}
                Err(what) => return Err(self.conversation.broken("bad_answer", what)),
            }
        }
    }

    /// Tells the other side something that it does not answer.
    pub(super) fn notify(&mut self, method: &str, params: &[u8]) {
        self.conversation.send(request(None, method, params));
    }

    pub(super) fn conversation(&self) -> &Conversation {
        &self.conversation
    }
}

/// A request, or without an id a notification, with the newline behind it.
pub(super) fn request(id: Option<u64>, method: &str, params: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(params.len() + 64);
    line.extend_from_slice(b"{\"jsonrpc\":\"2.0\",");
    if let Some(id) = id {
        line.extend_from_slice(format!("\"id\":{id},").as_bytes());
    }
    line.extend_from_slice(b"\"method\":");
    json::write_string(method, &mut line);
    line.extend_from_slice(b",\"params\":");
    line.extend_from_slice(params);
    line.extend_from_slice(b"}\n");
    line
}

/// What a peer hears that asks for something itself: it is there, and that is all it offers.
fn refusal(id: &[u8], method: &str) -> Vec<u8> {
    let outcome = if method == "ping" { "\"result\":{}" } else { METHOD_NOT_FOUND };
    [b"{\"jsonrpc\":\"2.0\",\"id\":", id, b",", outcome.as_bytes(), b"}\n"].concat()
}

/// The answer to the request `id` in a message; `None` when it is to another one.
pub(super) fn answer(message: &[u8], id: &str) -> Result<Option<Answer>, &'static str> {
    let error = json::member(message, "error").filter(|error| json::kind(error) != Kind::Null);
    let result = json::member(message, "result");
    let answered = json::member(message, "id").unwrap_or(b"null");
    // Who could not read the request could not read its id.
    let is_unread = json::kind(answered) == Kind::Null && error.is_some();
    match (error, result) {
        (None, None) => Err("wrote a message that is neither an answer nor a request"),
        _ if json::text(answered) != id && !is_unread => Ok(None),
        (Some(error), _) => Ok(Some(Answer::Error(error.to_vec()))),
        (None, Some(result)) => Ok(Some(Answer::Result(result.to_vec()))),
    }
}

/// A minified error as a failure: `error_<code>`; it is for good where its `data.retry` is `false`.
pub(super) fn failure(error: &[u8]) -> Failure {
    let text = |name| json::member(error, name).map(|value| json::text(value).into_owned());
    let code = text("code").unwrap_or_default();
    let code: String =
        code.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(CODE_MAX).collect();
    let code = if code.is_empty() { "error".to_owned() } else { format!("error_{code}") };
    let message = text("message").unwrap_or_else(|| "no reason was given".to_owned());
    let mut failure = Failure::retry(code, message);
    let retry = json::member(error, "data").and_then(|data| json::member(data, "retry"));
    if retry == Some(b"false") {
        failure.verdict = Verdict::Reject;
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_from_what_is_none() {
        let told = |message: &str| answer(message.as_bytes(), "7");
        assert_eq!(told(r#"{"id":7,"result":null}"#), Ok(Some(Answer::Result(b"null".to_vec()))));
        assert_eq!(told(r#"{"id":"7","result":{},"error":null}"#), Ok(Some(Answer::Result(b"{}".to_vec()))));
        assert_eq!(
            told(r#"{"id":null,"error":{"code":1}}"#),
            Ok(Some(Answer::Error(b"{\"code\":1}".to_vec())))
        );
        assert_eq!(told(r#"{"id":6,"result":{}}"#), Ok(None));
        assert!(told(r#"{"id":7}"#).is_err());
    }

    #[test]
    fn an_error_passes_unless_it_says_otherwise() {
        let passing = failure(br#"{"code":"no such/thing","message":"m"}"#);
        assert_eq!(passing, Failure::retry("error_nosuchthing", "m"));
        let lasting = failure(br#"{"code":-5,"message":"m","data":{"retry":false}}"#);
        assert_eq!(lasting, Failure::reject("error_-5", "m"));
        assert_eq!(failure(b"1").code, "error");
    }
}
