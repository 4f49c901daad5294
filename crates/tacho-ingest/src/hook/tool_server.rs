//! What `tacho mcp proxy` saw between a client and a tool server: calls, and where the conversation began and ended.

use super::payload::{Payload, push_path_part};
use super::tool_call::{ToolCall, text};
use super::{HookInput, put};
use crate::door::{Door, within};
use crate::strings::cut_to_fit;
use std::borrow::Cow;
use tacho_event::json::{self, Kind};
use tacho_event::{Draft, Event, Sameness, TraceContext, catalogue, stream};

/// Parts of a server's id that its source keeps: `com.example/search` has two.
const ID_PARTS: usize = 4;

/// The event, in the stream of its context, else of its session, else of the server.
pub(super) fn event(
    input: &HookInput<'_>,
    payload: &Payload<'_>,
    redacted: &[u8],
    door: &Door<'_>,
) -> Result<Event, String> {
    let server = text(redacted, "server_id").ok_or("`server_id` is missing or no text")?;
    let source = source(&server);
    let given = || json::member(redacted, "data").filter(|data| json::kind(data) == Kind::Object);
    let mut context = text(redacted, "context_id");
    let stream = match (&context, payload.session_id.as_deref()) {
        (Some(context), _) => format!("context/{context}"),
        (None, Some(session)) => stream::of_session(session),
        (None, None) => stream::of_source(&source),
    };
    let (kind, data): (Cow<'_, str>, Cow<'_, [u8]>) =
        match payload.hook_event_name.as_deref().unwrap_or_default() {
            "ToolCall" => {
                let call = ToolCall::of_proxy(server, redacted).ok_or("`tool_name` is missing or no text")?;
                let (kind, data) = (call.kind(), call.data(&[]));
                context = call.context;
                (kind.into(), data.into())
            }
            "SessionStarted" => ("mcp.session_started".into(), given().ok_or("`data` is no object")?.into()),
            "SessionEnded" => ("mcp.session_ended".into(), given().ok_or("`data` is no object")?.into()),
            other => {
                return Err(format!(
                    "the proxy of tool servers tells of no {other:?}: is it of this version?"
                ));
            }
        };
    let severity = catalogue::entry_of(&kind).and_then(|entry| entry.severity);
    let mut draft = Draft::new(kind, source, input.id);
    draft.subject = Some(Cow::Owned(stream));
    draft.put_text("time", &input.time.to_rfc3339());
    if let Some(client) = text(redacted, "client") {
        put(&mut draft, "actortype", Some("agent"));
        put(&mut draft, "actorid", Some(&client));
    }
    if let Some(session) = payload.session_id.as_deref() {
        put(&mut draft, "sessionid", Some(session));
        draft.put_text("traceparent", &TraceContext::derived(session, input.id).to_traceparent());
    }
    put(&mut draft, "origintraceparent", input.traceparent);
    put(&mut draft, "contextid", context.as_deref());
    put(&mut draft, "correlationid", text(redacted, "correlation_id").as_deref());
    put(&mut draft, "gitsha", input.git_sha);
    put(&mut draft, "branch", input.branch);
    put(&mut draft, "severity", severity.map(|severity| severity.as_str()));
    finish(draft, data, door).map_err(|error| error.to_string())
}

/// The event with its payload, which loses its longest texts where it is too large.
pub(super) fn finish<'a>(
    mut draft: Draft<'a>,
    data: Cow<'a, [u8]>,
    door: &Door<'_>,
) -> Result<Event, tacho_event::EventError> {
    draft.set_data(data.clone());
    let event = draft.finish(Sameness::FirstWins)?;
    let (bytes, limit) = (event.bytes().len(), door.limits.event_bytes);
    if bytes <= limit {
        return Ok(event);
    }
    draft.set_data(cut_to_fit(&data, limit.saturating_sub(bytes - data.len())));
    let event = draft.finish(Sameness::FirstWins)?;
    within(&event, &door.limits)?;
    Ok(event)
}

/// `/mcp/<server>`, percent-encoded where a URI reference must be.
fn source(server: &str) -> String {
    let mut source = "/mcp".to_owned();
    for part in server.split('/').filter(|part| !part.is_empty()).take(ID_PARTS) {
        source.push('/');
        push_path_part(part, &mut source);
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_s_id_is_its_source() {
        for (server, expected) in [
            ("stub", "/mcp/stub"),
            ("com.microsoft.playwright/mcp", "/mcp/com.microsoft.playwright/mcp"),
            ("My Tools", "/mcp/My%20Tools"),
            ("//a//b", "/mcp/a/b"),
        ] {
            assert_eq!(source(server), expected);
        }
    }
}
