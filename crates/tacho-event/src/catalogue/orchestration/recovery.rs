//! Checkpoints, errors and what is done about them.

use super::super::Entry;
use super::{maybe, maybe_phase, of, required};
use crate::schema::Severity::{Error, Info, Warning};
use crate::schema::ValueKind::{Boolean, Integer, Number, Object, String};

pub const ENTRIES: &[Entry] = &[
    of(
        "CheckpointCreated",
        Info,
        "The state was kept so that it can be restored.",
        &[
            required("checkpoint_id", String),
            maybe_phase("checkpoint_phase"),
            maybe("checkpoint_reason", String),
            maybe("state_snapshot", String),
            maybe("git_sha", String),
            maybe("can_rollback", Boolean),
            maybe("files_changed_since_last", Integer),
            maybe("commits_since_last", Integer),
        ],
        r#"{"checkpoint_id":"ckpt-123456","checkpoint_phase":"CODE","checkpoint_reason":"major_milestone_completed","state_snapshot":"/sessions/PROJ-123/checkpoints/ckpt-123456.json","git_sha":"abc123","can_rollback":true,"files_changed_since_last":8,"commits_since_last":3}"#,
    )
    .with_phase("checkpoint_phase")
    .read_by(&["orchestration"]),
    of(
        "CheckpointRestored",
        Warning,
        "A state that was kept is in force again.",
        &[
            required("checkpoint_id", String),
            maybe("restore_reason", String),
            maybe("restored_by", String),
            maybe("files_restored", Integer),
            maybe("git_reset_to", String),
            maybe("state_validated", Boolean),
        ],
        r#"{"checkpoint_id":"ckpt-123456","restore_reason":"test_failure_rollback","restored_by":"orchestrator","files_restored":8,"git_reset_to":"abc123","state_validated":true}"#,
    )
    .once()
    .read_by(&["orchestration"]),
    of(
        "ErrorOccurred",
        Error,
        "Something went wrong.",
        &[
            maybe("error_type", String),
            maybe("error_code", String),
            maybe("error_message", String),
            maybe("error_context", Object),
            maybe("recoverable", Boolean),
            maybe("recovery_strategy", String),
        ],
        r#"{"error_type":"integration_failure","error_code":"JIRA_API_TIMEOUT","error_message":"Jira API timeout after 30s","error_context":{"api_endpoint":"/rest/api/3/issue/PROJ-123","http_status":504,"retry_count":3},"recoverable":true,"recovery_strategy":"exponential_backoff"}"#,
    )
    .read_by(&["orchestration"]),
    of(
        "RecoveryAttempted",
        Warning,
        "Somebody tries to put right what went wrong.",
        &[
            maybe("recovery_from", String),
            maybe("recovery_strategy", String),
            maybe("attempt_number", Integer),
            maybe("max_attempts", Integer),
            maybe("backoff_seconds", Number),
        ],
        r#"{"recovery_from":"event-error-12345","recovery_strategy":"retry_with_backoff","attempt_number":2,"max_attempts":5,"backoff_seconds":60}"#,
    )
    .read_by(&["orchestration"]),
    of(
        "RecoverySucceeded",
        Info,
        "What went wrong was put right.",
        &[
            maybe("recovery_from", String),
            maybe("recovery_attempt", Integer),
            maybe("recovery_duration_seconds", Number),
            maybe("state_restored", Boolean),
            maybe("can_continue", Boolean),
        ],
        r#"{"recovery_from":"event-error-12345","recovery_attempt":2,"recovery_duration_seconds":120,"state_restored":true,"can_continue":true}"#,
    )
    .read_by(&["orchestration"]),
    of(
        "RecoveryFailed",
        Error,
        "What went wrong could not be put right.",
        &[
            maybe("recovery_from", String),
            maybe("all_attempts_exhausted", Boolean),
            maybe("final_error", String),
            maybe("escalation_required", Boolean),
            maybe("rollback_initiated", Boolean),
        ],
        r#"{"recovery_from":"event-error-12345","all_attempts_exhausted":true,"final_error":"Jira API still unavailable","escalation_required":true,"rollback_initiated":true}"#,
    )
    .read_by(&["orchestration"]),
];
