//! A long orchestration of one issue: rounds of a thousand events, most of them calls of tools.

const ROUND: u64 = 1_000;
const PHASES: [&str; 6] = ["EXPLORE", "PLAN", "CODE", "TEST", "FIX", "DOCUMENT"];
/// 2026-01-01T00:00:00Z, in milliseconds since 1970.
const START_MS: i64 = 1_767_225_600_000;
/// Between two events, in milliseconds.
const STEP_MS: i64 = 250;

/// One event as CloudEvents JSON; from `turn` on, runs of different names say different things.
pub fn event(stream: &str, number: u64, turn: u64) -> String {
    let (kind, data) = told(number, turn);
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{stream}-{number:09}\",\"source\":\"/bench\",\"type\":\"{kind}\",\
         \"subject\":\"{stream}\",\"time\":\"{}\",\"actortype\":\"agent\",\"actorid\":\"agent-{}\",\"data\":{data}}}",
        time(number),
        number % 8,
    )
}

/// When it happened.
pub fn time(number: u64) -> String {
    let moment = START_MS + STEP_MS * number as i64;
    jiff::Timestamp::from_millisecond(moment).map(|time| time.to_string()).unwrap_or_default()
}

fn told(number: u64, turn: u64) -> (&'static str, String) {
    let (round, step) = (number / ROUND, number % ROUND);
    let phase = PHASES[(round % 6) as usize];
    let agent = format!("agent-{}-{}", round, step % 4);
    let failed = u8::from(number >= turn);
    match step {
        0 if round == 0 => (
            "OrchestrationStarted",
            "{\"issue_key\":\"BENCH-1\",\"issue_summary\":\"a long one\",\"initial_phase\":\"EXPLORE\"}"
                .to_owned(),
        ),
        1 => ("PhaseStarted", format!("{{\"phase\":\"{phase}\",\"expected_agents\":4}}")),
        4..=7 => (
            "AgentSpawned",
            format!(
                "{{\"agent_name\":\"{agent}\",\"agent_model\":\"sonnet\",\"assigned_task\":\"a part of it\"}}"
            ),
        ),
        200 | 600 => (
            "CommitCreated",
            format!(
                "{{\"commit_sha\":\"{number:040x}\",\"commit_message\":\"feat: part {round}\",\"files_changed\":8}}"
            ),
        ),
        300 => (
            "GapIdentified",
            format!("{{\"gap_id\":\"gap-{round}\",\"gap_type\":\"missing_tests\",\"severity\":\"high\"}}"),
        ),
        700 => ("GapResolved", format!("{{\"gap_id\":\"gap-{round}\",\"resolved_by\":\"{agent}\"}}")),
        800 => (
            "TestRunCompleted",
            format!("{{\"test_suite\":\"unit\",\"total_tests\":150,\"passed\":150,\"failed\":{failed}}}"),
        ),
        900 => ("QualityCheckCompleted", "{\"check_type\":\"lint\",\"passed_quality_gate\":true}".to_owned()),
        980..=983 => (
            "AgentCompleted",
            format!("{{\"agent_name\":\"{agent}\",\"duration_seconds\":240,\"task_status\":\"success\"}}"),
        ),
        999 => (
            "PhaseCompleted",
            format!("{{\"phase\":\"{phase}\",\"next_phase\":\"{}\"}}", PHASES[((round + 1) % 6) as usize]),
        ),
        _ => (
            "tool_completed",
            format!(
                "{{\"tool\":\"Bash\",\"status\":\"success\",\"agent\":\"{agent}\",\"duration_ms\":812,\
                 \"command\":\"cargo test --workspace -- --test-threads 4 part_{step}\",\
                 \"output\":\"test result: ok. 150 passed; 0 failed; 0 ignored; finished in 0.42s\"}}"
            ),
        ),
    }
}
