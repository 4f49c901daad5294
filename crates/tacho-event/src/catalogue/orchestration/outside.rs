//! What an orchestration does to the world outside: commits, pull requests, issues, documents.

use super::super::Entry;
use super::{maybe, of, required};
use crate::schema::Severity::{Info, Warning};
use crate::schema::ValueKind::{Array, Boolean, Integer, Number, String};

pub const ENTRIES: &[Entry] = &[
    of(
        "CommitCreated",
        Info,
        "A commit was made.",
        &[
            required("commit_sha", String),
            maybe("commit_message", String),
            maybe("files_changed", Integer),
            maybe("insertions", Integer),
            maybe("deletions", Integer),
            maybe("changed_files", Array),
            maybe("smart_commit", Boolean),
            maybe("jira_transition", String),
            maybe("agent_author", String),
            maybe("validation_passed", Boolean),
        ],
        r#"{"commit_sha":"abc123def456","commit_message":"feat(auth): Add login form with validation\n\nImplements user authentication UI with:\n- Email/password input validation\n- Error handling\n- Loading states\n- Accessibility features\n\nJIRA: PROJ-123","files_changed":8,"insertions":450,"deletions":20,"changed_files":["src/components/LoginForm.tsx","src/components/LoginForm.test.tsx"],"smart_commit":true,"jira_transition":"In Progress","agent_author":"react-component-architect","validation_passed":true}"#,
    )
    .with_agent("agent_author")
    .once()
    .read_by(&["orchestration", "session"]),
    of(
        "PRCreated",
        Info,
        "A pull request was opened.",
        &[
            required("pr_number", Integer),
            maybe("pr_url", String),
            maybe("pr_title", String),
            maybe("pr_description", String),
            maybe("base_branch", String),
            maybe("head_branch", String),
            maybe("commits_count", Integer),
            maybe("files_changed", Integer),
            maybe("reviewers", Array),
            maybe("labels", Array),
            maybe("draft", Boolean),
            maybe("auto_merge_enabled", Boolean),
            maybe("ci_status", String),
        ],
        r#"{"pr_number":456,"pr_url":"https://github.com/org/repo/pull/456","pr_title":"feat: Add user authentication (PROJ-123)","pr_description":"Complete implementation of user authentication...","base_branch":"main","head_branch":"feature/PROJ-123-auth","commits_count":5,"files_changed":25,"reviewers":["@tech-lead","@security-team"],"labels":["frontend","backend","security"],"draft":false,"auto_merge_enabled":false,"ci_status":"pending"}"#,
    )
    .once()
    .read_by(&["orchestration", "session"]),
    of(
        "PRMerged",
        Info,
        "A pull request was merged.",
        &[
            required("pr_number", Integer),
            maybe("merged_by", String),
            maybe("merge_method", String),
            maybe("merged_commit_sha", String),
            maybe("time_to_merge_hours", Number),
            maybe("reviews_count", Integer),
            maybe("approvals_count", Integer),
            maybe("comments_count", Integer),
            maybe("ci_status", String),
            maybe("deployment_triggered", Boolean),
        ],
        r#"{"pr_number":456,"merged_by":"tech-lead","merge_method":"squash","merged_commit_sha":"merged123abc","time_to_merge_hours":4.5,"reviews_count":3,"approvals_count":3,"comments_count":12,"ci_status":"success","deployment_triggered":true}"#,
    )
    .once()
    .read_by(&["orchestration", "session"]),
    of(
        "PRClosed",
        Warning,
        "A pull request was closed without being merged.",
        &[
            required("pr_number", Integer),
            maybe("close_reason", String),
            maybe("closed_by", String),
            maybe("superseded_by_pr", Integer),
            maybe("comments", String),
        ],
        r#"{"pr_number":457,"close_reason":"superseded","closed_by":"developer","superseded_by_pr":458,"comments":"Closing in favor of #458 which has better implementation"}"#,
    )
    .once()
    .read_by(&["orchestration", "session"]),
    of(
        "IssueTransitioned",
        Info,
        "An issue went from one status to another.",
        &[
            maybe("issue_key", String),
            maybe("from_status", String),
            maybe("to_status", String),
            maybe("transition_trigger", String),
            maybe("transition_id", String),
            maybe("automated", Boolean),
            maybe("validation_passed", Boolean),
        ],
        r#"{"issue_key":"PROJ-123","from_status":"To Do","to_status":"In Progress","transition_trigger":"commit_created","transition_id":"21","automated":true,"validation_passed":true}"#,
    )
    .once()
    .read_by(&["orchestration"]),
    of(
        "CommentPosted",
        Info,
        "A comment was posted on an issue.",
        &[
            maybe("issue_key", String),
            maybe("comment_id", String),
            maybe("comment_type", String),
            maybe("posted_by", String),
            maybe("comment_body", String),
            maybe("visibility", String),
            maybe("attachments", Array),
        ],
        r#"{"issue_key":"PROJ-123","comment_id":"12345","comment_type":"progress_update","posted_by":"orchestrator","comment_body":"✅ CODE phase completed\n\n**Agents Used:**\n- react-component-architect\n- api-integration-specialist\n\n**Outputs:**\n- LoginForm component created\n- API endpoints implemented\n- Unit tests passing (95% coverage)","visibility":"public","attachments":[]}"#,
    )
    .once(),
    of(
        "WorklogAdded",
        Info,
        "Time spent was logged on an issue.",
        &[
            maybe("issue_key", String),
            maybe("time_spent_seconds", Number),
            maybe("time_spent_human", String),
            maybe("worklog_description", String),
            maybe("started", String),
            maybe("author", String),
        ],
        r#"{"issue_key":"PROJ-123","time_spent_seconds":7200,"time_spent_human":"2h","worklog_description":"CODE phase - Implementation by react-component-architect and api-integration-specialist","started":"2025-12-22T10:00:00Z","author":"orchestrator-bot"}"#,
    )
    .once(),
    of(
        "DocumentationCreated",
        Info,
        "A document was written.",
        &[
            maybe("doc_type", String),
            maybe("doc_path", String),
            maybe("doc_title", String),
            maybe("created_by", String),
            maybe("word_count", Integer),
            maybe("sections", Array),
            maybe("linked_to_jira", Boolean),
            maybe("synced_to_confluence", Boolean),
        ],
        r#"{"doc_type":"technical_spec","doc_path":"/sessions/PROJ-123/docs/technical-spec.md","doc_title":"User Authentication Technical Specification","created_by":"documentation-writer","word_count":2500,"sections":["Architecture Overview","API Endpoints","Database Schema","Security Considerations","Testing Strategy"],"linked_to_jira":true,"synced_to_confluence":false}"#,
    )
    .with_agent("created_by")
    .read_by(&["orchestration"]),
    of(
        "ConfluencePageCreated",
        Info,
        "A Confluence page was written.",
        &[
            maybe("page_id", String),
            maybe("page_url", String),
            maybe("page_title", String),
            maybe("space_key", String),
            maybe("parent_page_id", String),
            maybe("content_length", Integer),
            maybe("created_by", String),
            maybe("labels", Array),
            maybe("linked_to_jira", Boolean),
        ],
        r#"{"page_id":"98765","page_url":"https://company.atlassian.net/wiki/spaces/PROJ/pages/98765","page_title":"PROJ-123: User Authentication Implementation","space_key":"PROJ","parent_page_id":"12345","content_length":5000,"created_by":"confluence-manager","labels":["authentication","technical-spec","PROJ-123"],"linked_to_jira":true}"#,
    )
    .with_agent("created_by")
    .once()
    .read_by(&["orchestration"]),
];
