//! The hook events of Claude Code, as of version 2.1: `claude.<snake_case event>`.

use super::{Entry, Origin};
use crate::schema::Field;
use crate::schema::ValueKind::String;

/// A hook's payload: its other fields are the agent program's to change.
const FIELDS: &[Field<'static>] =
    &[Field::required("hook_event_name", String), Field::required("session_id", String)];

macro_rules! hook {
    ($event:literal, $kind:literal, $meaning:literal) => {
        Entry::new(
            concat!("claude.", $kind),
            Origin::ClaudeCode,
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
    hook!(
        "SessionStart",
        "session_start",
        "A session began, was resumed or forked, or goes on after a clearing or compaction."
    ),
    hook!(
        "InstructionsLoaded",
        "instructions_loaded",
        "A file of instructions was read into the session's context."
    ),
    hook!("Setup", "setup", "The agent prepares a project before its sessions."),
    hook!(
        "UserPromptSubmit",
        "user_prompt_submit",
        "A prompt reached the agent; most are the user's, some are the program's own."
    ),
    hook!(
        "UserPromptExpansion",
        "user_prompt_expansion",
        "A prompt was expanded, from a command for example."
    ),
    hook!("PreToolUse", "pre_tool_use", "The agent is about to use a tool."),
    hook!("PermissionRequest", "permission_request", "A tool use needs a permission that is asked for now."),
    hook!("PermissionDenied", "permission_denied", "A permission was denied."),
    hook!("PostToolUse", "post_tool_use", "A tool did its work."),
    hook!("PostToolUseFailure", "post_tool_use_failure", "A tool failed."),
    hook!("PostToolBatch", "post_tool_batch", "All tool uses of one answer of the model are done."),
    hook!("MessageDisplay", "message_display", "A message was shown to the user."),
    hook!("Notification", "notification", "The agent tells the user that it waits."),
    hook!("Elicitation", "elicitation", "A tool server asks the user for something."),
    hook!("ElicitationResult", "elicitation_result", "The user answered a tool server."),
    hook!("SubagentStart", "subagent_start", "A subagent began."),
    hook!("SubagentStop", "subagent_stop", "A subagent ended, or a compaction did."),
    hook!("TeammateIdle", "teammate_idle", "An agent of a team has nothing to do."),
    hook!("TaskCreated", "task_created", "A task was put on the task list."),
    hook!("TaskCompleted", "task_completed", "A task of the task list is done."),
    hook!("PreCompact", "pre_compact", "The conversation is about to be compacted."),
    hook!("PostCompact", "post_compact", "The conversation was compacted."),
    hook!("PreModelSwitch", "pre_model_switch", "The session is about to go on with another model."),
    hook!("PostModelSwitch", "post_model_switch", "The session goes on with another model."),
    hook!("ConfigChange", "config_change", "The agent's settings changed."),
    hook!("CwdChanged", "cwd_changed", "The working directory changed."),
    hook!("DirectoryAdded", "directory_added", "A directory was added to the session."),
    hook!("FileChanged", "file_changed", "A watched file changed."),
    hook!("WorktreeCreate", "worktree_create", "The agent asks for a git worktree."),
    hook!("WorktreeRemove", "worktree_remove", "A git worktree goes away."),
    hook!("Stop", "stop", "The agent ended its turn."),
    hook!("StopFailure", "stop_failure", "The agent's turn ended in an error."),
    hook!("SessionEnd", "session_end", "The session ended."),
    hook!("SomethingNew", "*", "A hook event of Claude Code that came after this list."),
];
