//! The hook events of Codex, as of version 0.169: `codex.<snake_case event>`.

use super::{Entry, Origin};
use crate::schema::Field;
use crate::schema::ValueKind::String;

/// A hook's payload: its other fields are the agent program's to change.
const FIELDS: &[Field<'static>] =
    &[Field::required("hook_event_name", String), Field::required("session_id", String)];

macro_rules! hook {
    ($event:literal, $kind:literal, $meaning:literal) => {
        Entry::new(
            concat!("codex.", $kind),
            Origin::Codex,
            $meaning,
            FIELDS,
            concat!(
                r#"{"session_id":"6de14646-dff7-4706-a66d-b9884b862135","cwd":"/home/dev/demo","hook_event_name":""#,
                $event,
                r#""}"#
            ),
        )
        .with_agent("agent_id")
        .once()
        .read_by(&["session"])
    };
}

pub const ENTRIES: &[Entry] = &[
    hook!("SessionStart", "session_start", "A session began or was resumed."),
    hook!("UserPromptSubmit", "user_prompt_submit", "A prompt reached the agent."),
    hook!("PreToolUse", "pre_tool_use", "The agent is about to use a tool."),
    hook!("PermissionRequest", "permission_request", "A tool use needs a permission that is asked for now."),
    hook!("PostToolUse", "post_tool_use", "A tool did its work."),
    hook!("SubagentStart", "subagent_start", "A subagent began."),
    hook!("SubagentStop", "subagent_stop", "A subagent ended."),
    hook!("PreCompact", "pre_compact", "The conversation is about to be compacted."),
    hook!("PostCompact", "post_compact", "The conversation was compacted."),
    hook!("Interrupt", "interrupt", "The user interrupted the agent."),
    hook!("Stop", "stop", "The agent ended its turn."),
    hook!("SessionEnd", "session_end", "The session ended."),
    hook!("SomethingNew", "*", "A hook event of Codex that came after this list."),
];
