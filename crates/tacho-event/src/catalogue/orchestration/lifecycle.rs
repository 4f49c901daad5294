//! How an orchestration and its phases go, and what sums them up.

use super::super::Entry;
use super::{maybe, maybe_phase, of, phase, required};
use crate::schema::Severity::{Error, Info, Warning};
use crate::schema::ValueKind::{Array, Boolean, Integer, Number, Object, String};

pub const ENTRIES: &[Entry] = &[
    of(
        "OrchestrationStarted",
        Info,
        "An orchestration began to work on an issue.",
        &[
            maybe("issue_key", String),
            maybe("issue_summary", String),
            maybe("issue_type", String),
            maybe("priority", String),
            maybe("labels", Array),
            maybe("components", Array),
            maybe("workflow_type", String),
            maybe("estimated_complexity", String),
            maybe_phase("initial_phase"),
            maybe("config", Object),
        ],
        r#"{"issue_key":"PROJ-123","issue_summary":"Add user authentication","issue_type":"Story","priority":"High","labels":["frontend","backend","auth"],"components":["UI","API","Auth"],"workflow_type":"standard","estimated_complexity":"high","initial_phase":"EXPLORE","config":{"min_agents":3,"max_agents":13,"auto_transition":true,"checkpoint_enabled":true}}"#,
    )
    .with_phase("initial_phase")
    .read_by(&["orchestration"]),
    of(
        "OrchestrationCompleted",
        Info,
        "An orchestration finished its issue.",
        &[
            maybe("issue_key", String),
            maybe("duration_seconds", Number),
            maybe("phases_completed", Array),
            maybe("total_agents_spawned", Integer),
            maybe("total_commits", Integer),
            maybe("total_prs", Integer),
            maybe("final_state", String),
            maybe("outcome", Object),
            maybe("metrics", Object),
        ],
        r#"{"issue_key":"PROJ-123","duration_seconds":3600,"phases_completed":["EXPLORE","PLAN","CODE","TEST","FIX","DOCUMENT"],"total_agents_spawned":8,"total_commits":5,"total_prs":2,"final_state":"success","outcome":{"code_changed":true,"tests_passed":true,"documentation_created":true,"pr_merged":true,"jira_transitioned":true},"metrics":{"lines_added":450,"lines_removed":120,"files_changed":15,"test_coverage":87.5,"code_quality_score":92}}"#,
    )
    .read_by(&["orchestration"]),
    of(
        "OrchestrationFailed",
        Error,
        "An orchestration gave up on its issue.",
        &[
            maybe("issue_key", String),
            maybe_phase("failure_phase"),
            maybe("failure_reason", String),
            maybe("error_message", String),
            maybe("error_stack", String),
            maybe("recovery_attempted", Boolean),
            maybe("recovery_successful", Boolean),
            maybe("rollback_state", String),
            maybe("next_actions", Array),
        ],
        r#"{"issue_key":"PROJ-123","failure_phase":"TEST","failure_reason":"Integration tests failed","error_message":"Authentication endpoint returns 500","error_stack":"...","recovery_attempted":true,"recovery_successful":false,"rollback_state":"clean","next_actions":["Review test failures in /logs/test-results.json","Check authentication service logs","Verify database migrations applied"]}"#,
    )
    .with_phase("failure_phase")
    .read_by(&["orchestration"]),
    of(
        "OrchestrationPaused",
        Warning,
        "An orchestration waits until it is resumed.",
        &[
            maybe("issue_key", String),
            maybe("pause_reason", String),
            maybe_phase("current_phase"),
            maybe("blocking_issue", String),
            maybe("can_resume", Boolean),
            maybe("resume_conditions", Array),
            maybe("snapshot_created", Boolean),
            maybe("snapshot_id", String),
        ],
        r#"{"issue_key":"PROJ-123","pause_reason":"manual_intervention_required","current_phase":"CODE","blocking_issue":"Awaiting design review for UI component","can_resume":true,"resume_conditions":["Design approved","Mockups provided"],"snapshot_created":true,"snapshot_id":"snap-123456"}"#,
    )
    .with_phase("current_phase")
    .read_by(&["orchestration"]),
    of(
        "OrchestrationResumed",
        Info,
        "An orchestration goes on after a pause.",
        &[
            maybe("issue_key", String),
            maybe("paused_at", String),
            maybe("resumed_at", String),
            maybe("pause_duration_seconds", Number),
            maybe("snapshot_restored", Boolean),
            maybe("state_validated", Boolean),
            maybe_phase("resume_phase"),
        ],
        r#"{"issue_key":"PROJ-123","paused_at":"2025-12-22T10:30:00Z","resumed_at":"2025-12-22T14:45:00Z","pause_duration_seconds":15300,"snapshot_restored":true,"state_validated":true,"resume_phase":"CODE"}"#,
    )
    .with_phase("resume_phase")
    .read_by(&["orchestration"]),
    of(
        "PhaseStarted",
        Info,
        "A phase of an orchestration began.",
        &[
            phase("phase"),
            maybe("phase_objective", String),
            maybe("expected_agents", Integer),
            maybe("expected_duration_minutes", Number),
            maybe("inputs", Object),
            maybe("success_criteria", Array),
        ],
        r#"{"phase":"EXPLORE","phase_objective":"Understand codebase and requirements","expected_agents":2,"expected_duration_minutes":30,"inputs":{"jira_issue":"PROJ-123","acceptance_criteria":["...","..."],"constraints":["Must use existing auth library"]},"success_criteria":["Codebase mapped","Requirements documented","Technical approach defined"]}"#,
    )
    .with_phase("phase")
    .read_by(&["orchestration"]),
    of(
        "PhaseCompleted",
        Info,
        "A phase of an orchestration reached its goal.",
        &[
            phase("phase"),
            maybe("duration_seconds", Number),
            maybe("agents_used", Array),
            maybe("outputs", Object),
            maybe("success_criteria_met", Boolean),
            maybe("quality_score", Number),
            maybe("ready_for_next_phase", Boolean),
            maybe_phase("next_phase"),
        ],
        r#"{"phase":"EXPLORE","duration_seconds":1800,"agents_used":["requirements-analyzer","codebase-mapper"],"outputs":{"codebase_map":"/sessions/PROJ-123/explore/codebase-map.json","requirements_doc":"/sessions/PROJ-123/explore/requirements.md","technical_approach":"/sessions/PROJ-123/explore/approach.md"},"success_criteria_met":true,"quality_score":95,"ready_for_next_phase":true,"next_phase":"PLAN"}"#,
    )
    .with_phase("phase")
    .read_by(&["orchestration"]),
    of(
        "PhaseFailed",
        Error,
        "A phase of an orchestration missed its goal.",
        &[
            phase("phase"),
            maybe("failure_reason", String),
            maybe("error_details", Object),
            maybe("retry_attempted", Boolean),
            maybe("retry_count", Integer),
            maybe("max_retries", Integer),
            maybe("escalation_required", Boolean),
            maybe("recovery_strategy", String),
        ],
        r#"{"phase":"TEST","failure_reason":"Test coverage below threshold","error_details":{"required_coverage":80,"actual_coverage":65,"uncovered_files":["auth/login.ts","auth/logout.ts"]},"retry_attempted":true,"retry_count":2,"max_retries":3,"escalation_required":false,"recovery_strategy":"spawn_additional_test_agents"}"#,
    )
    .with_phase("phase")
    .read_by(&["orchestration"]),
    of(
        "PhaseSummaryCreated",
        Info,
        "A range of a phase's events was summed up.",
        &[
            maybe_phase("phase"),
            required("from_sequence", Integer),
            required("to_sequence", Integer),
            maybe("summary", String),
            maybe("events", Integer),
        ],
        r#"{"phase":"CODE","from_sequence":1,"to_sequence":25,"summary":"Two agents built the login form; one gap is open.","events":25}"#,
    )
    .with_phase("phase"),
    of(
        "OrchestrationSummaryCreated",
        Info,
        "A range of an orchestration's events was summed up.",
        &[
            maybe("issue_key", String),
            required("from_sequence", Integer),
            required("to_sequence", Integer),
            maybe("summary", String),
            maybe("events", Integer),
        ],
        r#"{"issue_key":"PROJ-123","from_sequence":1,"to_sequence":100,"summary":"Three phases are done, the tests of the login form run.","events":100}"#,
    ),
];
