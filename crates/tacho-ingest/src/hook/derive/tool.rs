//! Calls of tool servers' tools, as the bus for tool servers tells of them.

use super::{confidence, draft};
use crate::door::Door;
use crate::hook::payload::Payload;
use crate::hook::tool_call::ToolCall;
use crate::hook::{put, tool_server};
use crate::marker::Origin;
use std::borrow::Cow;
use tacho_event::{Event, json};

/// The event of a call that ended; `None` for any other hook.
pub(super) fn event(payload: &Payload<'_>, object: &[u8], origin: &Origin, door: &Door<'_>) -> Option<Event> {
    let call = ToolCall::of_hook(payload, object)?;
    let kind = call.kind();
    let (mut draft, derived_from) = draft(&kind, "", payload, origin);
    put(&mut draft, "contextid", call.context.as_deref());
    let sure = format!("{:.1}", confidence::PRINTED).into_bytes();
    let mut from = Vec::new();
    json::write_string(derived_from, &mut from);
    let data = call.data(&[("confidence", &sure), ("derived_from", &from)]);
    tool_server::finish(draft, Cow::Owned(data), door).ok()
}
