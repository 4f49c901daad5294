//! Checks of the work's quality, and runs of its tests.

use super::super::Entry;
use super::{maybe, of, required};
use crate::schema::Severity::{Error, Info};
use crate::schema::ValueKind::{Array, Boolean, Integer, Number, Object, String};

pub const ENTRIES: &[Entry] = &[
    of(
        "QualityCheckStarted",
        Info,
        "A check of the work's quality began.",
        &[
            required("check_type", String),
            maybe("check_scope", String),
            maybe("checker_agent", String),
            maybe("files_to_check", Integer),
            maybe("estimated_duration_seconds", Number),
        ],
        r#"{"check_type":"code_review","check_scope":"all_changed_files","checker_agent":"code-reviewer","files_to_check":15,"estimated_duration_seconds":600}"#,
    )
    .with_agent("checker_agent")
    .read_by(&["orchestration", "quality"]),
    of(
        "QualityCheckCompleted",
        Info,
        "A check of the work's quality ended.",
        &[
            required("check_type", String),
            maybe("overall_score", Number),
            maybe("issues_found", Integer),
            maybe("issues_by_severity", Object),
            maybe("issues", Array),
            maybe("passed_quality_gate", Boolean),
            maybe("recommendations", Array),
        ],
        r#"{"check_type":"code_review","overall_score":92,"issues_found":3,"issues_by_severity":{"critical":0,"high":0,"medium":2,"low":1},"issues":[{"severity":"medium","file":"src/components/LoginForm.tsx","line":45,"message":"Consider adding error boundary","suggestion":"Wrap component in ErrorBoundary"}],"passed_quality_gate":true,"recommendations":["Add error boundaries","Improve error messages"]}"#,
    )
    .read_by(&["orchestration", "quality"]),
    of(
        "QualityCheckFailed",
        Error,
        "A check of the work's quality found it wanting.",
        &[
            required("check_type", String),
            maybe("failure_reason", String),
            maybe("critical_issues", Array),
            maybe("blocking", Boolean),
            maybe("remediation_required", Boolean),
        ],
        r#"{"check_type":"security_scan","failure_reason":"Critical security issues found","critical_issues":[{"type":"hardcoded_secret","file":"api/config.ts","line":12,"message":"API key hardcoded in source"}],"blocking":true,"remediation_required":true}"#,
    )
    .read_by(&["orchestration", "quality"]),
    of(
        "TestRunStarted",
        Info,
        "A run of tests began.",
        &[
            required("test_suite", String),
            maybe("test_count", Integer),
            maybe("test_runner", String),
            maybe("triggered_by", String),
            maybe("scope", String),
        ],
        r#"{"test_suite":"unit","test_count":150,"test_runner":"jest","triggered_by":"test-strategist","scope":"changed_files"}"#,
    )
    .with_agent("triggered_by")
    .read_by(&["orchestration", "quality", "session"]),
    of(
        "TestRunCompleted",
        Info,
        "A run of tests ended.",
        &[
            required("test_suite", String),
            maybe("duration_seconds", Number),
            maybe("total_tests", Integer),
            maybe("passed", Integer),
            maybe("failed", Integer),
            maybe("skipped", Integer),
            maybe("coverage", Object),
            maybe("failed_tests", Array),
        ],
        r#"{"test_suite":"unit","duration_seconds":45,"total_tests":150,"passed":148,"failed":2,"skipped":0,"coverage":{"lines":87.5,"branches":82.3,"functions":90.1,"statements":87.8},"failed_tests":[{"name":"LoginForm should validate email format","file":"src/components/LoginForm.test.tsx","error":"Expected validation error but got none"}]}"#,
    )
    .read_by(&["orchestration", "quality", "session"]),
    of(
        "TestRunFailed",
        Error,
        "A run of tests ended with failures.",
        &[
            required("test_suite", String),
            maybe("failure_reason", String),
            maybe("error_message", String),
            maybe("retry_scheduled", Boolean),
        ],
        r#"{"test_suite":"integration","failure_reason":"Test environment setup failed","error_message":"Database connection timeout","retry_scheduled":true}"#,
    )
    .read_by(&["orchestration", "quality", "session"]),
];
