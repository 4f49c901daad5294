//! The types of an issue-driven orchestration, whose payload is the record's `metadata`. Any object fits.

use super::{Entry, Origin};
use crate::schema::Severity::{self, Error, Info, Warning};

pub const ENTRIES: &[Entry] = &[
    of(
        "OrchestrationStarted",
        Info,
        "An orchestration began to work on an issue.",
        r#"{"issue_summary":"Add user authentication","workflow_type":"standard"}"#,
    ),
    of(
        "OrchestrationCompleted",
        Info,
        "An orchestration finished its issue.",
        r#"{"duration_seconds":3600,"final_state":"success"}"#,
    ),
    of(
        "OrchestrationFailed",
        Error,
        "An orchestration gave up on its issue.",
        r#"{"failure_phase":"TEST","failure_reason":"integration tests failed"}"#,
    ),
    of(
        "OrchestrationPaused",
        Warning,
        "An orchestration waits until it is resumed.",
        r#"{"pause_reason":"awaiting a design review","current_phase":"CODE"}"#,
    ),
    of(
        "OrchestrationResumed",
        Info,
        "An orchestration goes on after a pause.",
        r#"{"pause_duration_seconds":900,"resume_phase":"CODE"}"#,
    ),
    of(
        "PhaseStarted",
        Info,
        "A phase of an orchestration began.",
        r#"{"phase":"EXPLORE","expected_agents":2}"#,
    ),
    of(
        "PhaseCompleted",
        Info,
        "A phase of an orchestration reached its goal.",
        r#"{"phase":"EXPLORE","next_phase":"PLAN"}"#,
    ),
    of(
        "PhaseFailed",
        Error,
        "A phase of an orchestration missed its goal.",
        r#"{"phase":"TEST","failure_reason":"coverage below the threshold","retry_count":2}"#,
    ),
    of(
        "AgentSpawned",
        Info,
        "An agent was started on a task.",
        r#"{"agent_name":"form-builder","assigned_task":"build the login form"}"#,
    ),
    of(
        "AgentCompleted",
        Info,
        "An agent finished its task.",
        r#"{"agent_name":"form-builder","duration_seconds":900}"#,
    ),
    of(
        "AgentFailed",
        Error,
        "An agent could not do its task.",
        r#"{"agent_name":"form-builder","failure_reason":"type mismatch"}"#,
    ),
    of(
        "AgentBlocked",
        Warning,
        "An agent waits for something that it needs.",
        r#"{"agent_name":"form-builder","blocked_by":"the login endpoint"}"#,
    ),
    of(
        "GapIdentified",
        Warning,
        "Something was found to be missing from the work.",
        r#"{"gap_id":"gap-1","gap_type":"missing_tests","severity":"high"}"#,
    ),
    of(
        "GapResolved",
        Info,
        "What was missing is there.",
        r#"{"gap_id":"gap-1","resolved_by":"test-writer"}"#,
    ),
    of(
        "GapEscalated",
        Error,
        "What is missing was handed to somebody who can decide.",
        r#"{"gap_id":"gap-2","escalated_to":"security-team"}"#,
    ),
    of(
        "CommitCreated",
        Info,
        "A commit was made.",
        r#"{"commit_sha":"9fceb02d0ae598e95dc970b74767f19372d61af8","files_changed":8}"#,
    ),
    of("PRCreated", Info, "A pull request was opened.", r#"{"pr_number":456,"base_branch":"main"}"#),
    of("PRMerged", Info, "A pull request was merged.", r#"{"pr_number":456,"merge_method":"squash"}"#),
    of(
        "PRClosed",
        Warning,
        "A pull request was closed without being merged.",
        r#"{"pr_number":457,"close_reason":"superseded"}"#,
    ),
    of(
        "IssueTransitioned",
        Info,
        "An issue went from one status to another.",
        r#"{"from_status":"To Do","to_status":"In Progress"}"#,
    ),
    of(
        "CommentPosted",
        Info,
        "A comment was posted on an issue.",
        r#"{"comment_id":"12345","comment_type":"progress_update"}"#,
    ),
    of("WorklogAdded", Info, "Time spent was logged on an issue.", r#"{"time_spent_seconds":7200}"#),
    of(
        "DocumentationCreated",
        Info,
        "A document was written.",
        r#"{"document_path":"docs/authentication.md"}"#,
    ),
    of("ConfluencePageCreated", Info, "A Confluence page was written.", r#"{"page_title":"Authentication"}"#),
    of("QualityCheckStarted", Info, "A check of the work's quality began.", r#"{"check_type":"lint"}"#),
    of(
        "QualityCheckCompleted",
        Info,
        "A check of the work's quality ended.",
        r#"{"check_type":"lint","passed":true}"#,
    ),
    of(
        "QualityCheckFailed",
        Error,
        "A check of the work's quality found it wanting.",
        r#"{"check_type":"lint","issues_found":3}"#,
    ),
    of("TestRunStarted", Info, "A run of tests began.", r#"{"test_type":"integration"}"#),
    of("TestRunCompleted", Info, "A run of tests ended.", r#"{"test_type":"integration","tests_passed":42}"#),
    of(
        "TestRunFailed",
        Error,
        "A run of tests ended with failures.",
        r#"{"test_type":"integration","tests_failed":2}"#,
    ),
    of(
        "CheckpointCreated",
        Info,
        "The state was kept so that it can be restored.",
        r#"{"checkpoint_id":"checkpoint-1"}"#,
    ),
    of(
        "CheckpointRestored",
        Warning,
        "A state that was kept is in force again.",
        r#"{"checkpoint_id":"checkpoint-1"}"#,
    ),
    of(
        "PhaseSummaryCreated",
        Info,
        "A range of a phase's events was summed up.",
        r#"{"phase":"CODE","from_sequence":1,"to_sequence":25}"#,
    ),
    of(
        "OrchestrationSummaryCreated",
        Info,
        "A range of an orchestration's events was summed up.",
        r#"{"from_sequence":1,"to_sequence":100}"#,
    ),
    of(
        "ErrorOccurred",
        Error,
        "Something went wrong.",
        r#"{"error_type":"timeout","error_message":"the registry did not answer"}"#,
    ),
    of(
        "RecoveryAttempted",
        Warning,
        "Somebody tries to put right what went wrong.",
        r#"{"strategy":"retry"}"#,
    ),
    of("RecoverySucceeded", Info, "What went wrong was put right.", r#"{"strategy":"retry"}"#),
    of("RecoveryFailed", Error, "What went wrong could not be put right.", r#"{"strategy":"retry"}"#),
];

const fn of(kind: &'static str, severity: Severity, meaning: &'static str, example: &'static str) -> Entry {
    Entry { kind, origin: Origin::Orchestration, meaning, severity: Some(severity), fields: &[], example }
}
