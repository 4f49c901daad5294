//! What a line of the conversation says, as far as it is recorded: JSON-RPC 2.0, one message or a batch a line.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A request, a notification or an answer.
#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    id: Option<Value>,
    #[serde(borrow)]
    pub method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub params: Option<&'a RawValue>,
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
}

impl Message<'_> {
    /// The id as JSON, always written in the same way; `None` for a notification.
    pub fn id(&self) -> Option<String> {
        self.id.as_ref().filter(|id| id.is_string() || id.is_number()).map(Value::to_string)
    }
}

/// The messages of a line; none where it is no message.
pub fn read(line: &[u8]) -> Vec<Message<'_>> {
    if line.trim_ascii_start().first() == Some(&b'[') {
        return serde_json::from_slice(line).unwrap_or_default();
    }
    serde_json::from_slice(line).into_iter().collect()
}

/// The parameters of `tools/call`.
#[derive(Debug, Deserialize)]
pub struct Call<'a> {
    pub name: String,
    #[serde(borrow)]
    pub arguments: Option<&'a RawValue>,
}

/// The parameters of `notifications/cancelled`.
#[derive(Debug, Deserialize)]
pub struct Cancelled {
    #[serde(rename = "requestId")]
    request_id: Value,
    pub reason: Option<String>,
}

impl Cancelled {
    /// As [`Message::id`].
    pub fn request_id(&self) -> String {
        self.request_id.to_string()
    }
}

/// A program's name and version.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Program {
    pub name: Option<String>,
    pub version: Option<String>,
}

/// The parameters of `initialize`.
#[derive(Debug, Default, Deserialize)]
pub struct Greeting {
    #[serde(rename = "clientInfo", default)]
    pub client: Program,
}

/// The result of `initialize`.
#[derive(Debug, Default, Deserialize)]
pub struct Welcome {
    #[serde(rename = "serverInfo", default)]
    pub server: Program,
    #[serde(rename = "protocolVersion")]
    pub protocol_version: Option<String>,
}

/// Whether the result of a call tells of a failure.
#[derive(Debug, Default, Deserialize)]
pub struct Failure {
    #[serde(rename = "isError", default)]
    pub is_error: bool,
}

impl Failure {
    /// A result that cannot be read tells of none.
    pub fn read(result: &str) -> Self {
        serde_json::from_str(result).unwrap_or_default()
    }
}
