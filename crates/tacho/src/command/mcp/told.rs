//! What is recorded of a conversation, as the payload that the server reads.

use super::conversation::{About, Moment};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tacho_event::Timestamp;

/// Something to record: the payload of a frame, and when it happened.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub time: Timestamp,
    pub payload: Vec<u8>,
}

/// Members that have no value are left out. What client and server sent stays as they wrote it.
#[derive(Debug, Default, Serialize)]
pub struct Payload<'a> {
    pub hook_event_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_input: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_response: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

#[derive(Serialize)]
struct Whole<'a> {
    server_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
}

impl Payload<'_> {
    pub fn tell(&self, about: &About, server_id: &str, client: Option<&str>, at: Moment) -> Told {
        let whole = Whole {
            server_id,
            client,
            context_id: about.context.as_deref(),
            session_id: about.session.as_deref(),
            correlation_id: about.correlation.as_deref(),
        };
        // Neither can fail: all keys are texts. Together they are one object.
        let mut payload = serde_json::to_vec(&whole).unwrap_or_default();
        payload.pop();
        payload.push(b',');
        payload.extend_from_slice(serde_json::to_vec(self).unwrap_or_default().get(1..).unwrap_or_default());
        Told { time: at.time, payload }
    }
}
