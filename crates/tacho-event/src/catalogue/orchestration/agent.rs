//! The agents of an orchestration, and the gaps that they find.

use super::super::Entry;
use super::{GAP_SEVERITIES, maybe, maybe_phase, of, required};
use crate::schema::Severity::{Error, Info, Warning};
use crate::schema::ValueKind::{Array, Boolean, Integer, Number, Object, String};

pub const ENTRIES: &[Entry] = &[
    of(
        "AgentSpawned",
        Info,
        "An agent was started on a task.",
        &[
            required("agent_name", String),
            maybe("agent_type", String),
            maybe("agent_category", String),
            maybe("agent_model", String),
            maybe("spawn_reason", String),
            maybe("assigned_task", String),
            maybe("assigned_files", Array),
            maybe("expected_outputs", Array),
            maybe("dependencies", Array),
            maybe("priority", String),
            maybe("timeout_seconds", Number),
        ],
        r#"{"agent_name":"react-component-architect","agent_type":"code","agent_category":"frontend","agent_model":"sonnet","spawn_reason":"frontend changes detected","assigned_task":"Create LoginForm component with validation","assigned_files":["src/components/LoginForm.tsx"],"expected_outputs":["component code","unit tests","storybook story"],"dependencies":["prisma-specialist completed"],"priority":"high","timeout_seconds":1800}"#,
    )
    .with_agent("agent_name")
    .read_by(&["orchestration", "agents"]),
    of(
        "AgentCompleted",
        Info,
        "An agent finished its task.",
        &[
            required("agent_name", String),
            maybe("duration_seconds", Number),
            maybe("task_status", String),
            maybe("outputs_created", Array),
            maybe("tests_written", Integer),
            maybe("tests_passed", Integer),
            maybe("quality_metrics", Object),
            maybe("commit_sha", String),
            maybe("next_agents", Array),
        ],
        r#"{"agent_name":"react-component-architect","duration_seconds":900,"task_status":"success","outputs_created":["src/components/LoginForm.tsx","src/components/LoginForm.test.tsx","src/components/LoginForm.stories.tsx"],"tests_written":12,"tests_passed":12,"quality_metrics":{"complexity_score":8,"maintainability_score":92,"test_coverage":95},"commit_sha":"abc123def456","next_agents":["test-writer-fixer"]}"#,
    )
    .with_agent("agent_name")
    .read_by(&["orchestration", "agents", "quality"]),
    of(
        "AgentFailed",
        Error,
        "An agent could not do its task.",
        &[
            required("agent_name", String),
            maybe("failure_reason", String),
            maybe("error_message", String),
            maybe("error_details", Object),
            maybe("retry_scheduled", Boolean),
            maybe("retry_delay_seconds", Number),
            maybe("fallback_agent", String),
            maybe("human_intervention_required", Boolean),
        ],
        r#"{"agent_name":"api-integration-specialist","failure_reason":"Type mismatch in API response","error_message":"Expected User type, got unknown","error_details":{"file":"api/auth/login/route.ts","line":45,"column":12},"retry_scheduled":true,"retry_delay_seconds":300,"fallback_agent":"code-architect","human_intervention_required":false}"#,
    )
    .with_agent("agent_name")
    .read_by(&["orchestration", "agents"]),
    of(
        "AgentBlocked",
        Warning,
        "An agent waits for something that it needs.",
        &[
            required("agent_name", String),
            maybe("blocked_by", String),
            maybe("blocking_agent", String),
            maybe("blocking_issue_key", String),
            maybe("estimated_unblock_time", String),
            maybe("can_work_on_other_tasks", Boolean),
            maybe("alternative_tasks", Array),
        ],
        r#"{"agent_name":"frontend-specialist","blocked_by":"API endpoint not ready","blocking_agent":"api-integration-specialist","blocking_issue_key":"PROJ-124","estimated_unblock_time":"2025-12-22T16:00:00Z","can_work_on_other_tasks":true,"alternative_tasks":["Create loading states","Add error boundaries"]}"#,
    )
    .with_agent("agent_name")
    .read_by(&["orchestration", "agents"]),
    of(
        "GapIdentified",
        Warning,
        "Something was found to be missing from the work.",
        &[
            required("gap_id", String),
            maybe("gap_type", String),
            maybe("severity", String).among(GAP_SEVERITIES),
            maybe_phase("phase"),
            maybe("description", String),
            maybe("affected_modules", Array),
            maybe("impact", String),
            maybe("identified_by", String),
            maybe("recommended_actions", Array),
            maybe("estimated_effort", String),
            maybe("blocking", Boolean),
        ],
        r#"{"gap_id":"gap-auth-123","gap_type":"missing_tests","severity":"high","phase":"TEST","description":"No integration tests for authentication flow","affected_modules":["auth/login","auth/logout","auth/refresh"],"impact":"Cannot verify end-to-end auth flow works","identified_by":"test-strategist","recommended_actions":["Create E2E test suite for auth","Add integration tests for token refresh","Test error scenarios (invalid credentials, expired tokens)"],"estimated_effort":"2 hours","blocking":true}"#,
    )
    .with_phase("phase")
    .with_agent("identified_by")
    .read_by(&["orchestration"]),
    of(
        "GapResolved",
        Info,
        "What was missing is there.",
        &[
            required("gap_id", String),
            maybe("resolution_strategy", String),
            maybe("resolved_by", String),
            maybe("resolution_details", Object),
            maybe("verification", Object),
            maybe("time_to_resolve_seconds", Number),
        ],
        r#"{"gap_id":"gap-auth-123","resolution_strategy":"additional_tests_written","resolved_by":"test-writer-fixer","resolution_details":{"tests_added":15,"coverage_before":65,"coverage_after":92,"files_created":["tests/integration/auth.test.ts","tests/e2e/auth-flow.spec.ts"]},"verification":{"all_tests_passed":true,"coverage_threshold_met":true,"quality_gates_passed":true},"time_to_resolve_seconds":3600}"#,
    )
    .with_agent("resolved_by")
    .read_by(&["orchestration"]),
    of(
        "GapEscalated",
        Error,
        "What is missing was handed to somebody who can decide.",
        &[
            required("gap_id", String),
            maybe("gap_type", String),
            maybe("severity", String).among(GAP_SEVERITIES),
            maybe("escalation_reason", String),
            maybe("escalated_to", String),
            maybe("escalation_channel", String),
            maybe("vulnerability_details", Object),
            maybe("work_paused", Boolean),
            maybe("blocking_deployment", Boolean),
        ],
        r#"{"gap_id":"gap-security-456","gap_type":"security_vulnerability","severity":"critical","escalation_reason":"Requires security team review","escalated_to":"security-team","escalation_channel":"slack-security","vulnerability_details":{"type":"SQL injection","affected_endpoint":"/api/users/search","cve_references":[],"discovered_by":"security-scanner-agent"},"work_paused":true,"blocking_deployment":true}"#,
    )
    .once()
    .read_by(&["orchestration"]),
];
