//! What checks and tests said of the work.

use super::board::test_run;
use super::orchestration;
use super::step::Step;
use super::{Projection, State};
use serde_json::{Value, json};

pub static PROJECTION: Projection = Projection {
    name: "quality",
    category: None,
    version: 1,
    meaning: "Checks and test runs with their results, the last coverage, and the scores of agents' work.",
    reads: &[
        "QualityCheckStarted",
        "QualityCheckCompleted",
        "QualityCheckFailed",
        "TestRunStarted",
        "TestRunCompleted",
        "TestRunFailed",
        "AgentCompleted",
    ],
    empty,
    apply,
    apply_all: None,
};

fn empty() -> Value {
    json!({
        "quality_checks": [],
        "checks_passed": 0,
        "checks_failed": 0,
        "test_runs": [],
        "runs_passed": 0,
        "runs_failed": 0,
        "coverage": null,
        "agents": {},
    })
}

fn apply(state: &mut State, step: &Step<'_>) {
    let kind = step.kind();
    if let Some(what) = kind.strip_prefix("QualityCheck") {
        let verdict = orchestration::quality_check(state, step, what);
        tally(state, verdict, ["checks_passed", "checks_failed"]);
    } else if let Some(what) = kind.strip_prefix("TestRun") {
        let verdict = test_run(state, step, what);
        tally(state, verdict, ["runs_passed", "runs_failed"]);
        let coverage = step.value("coverage");
        if !coverage.is_null() {
            state.field("coverage").set(coverage);
        }
    } else if kind == "AgentCompleted" {
        let scores = step.value("quality_metrics");
        if let Some(name) = step.text("agent_name").filter(|_| !scores.is_null()) {
            state.field("agents").field(&name).set(scores);
        }
    }
}

fn tally(state: &mut State, verdict: Option<bool>, [passed, failed]: [&str; 2]) {
    if let Some(has_passed) = verdict {
        state.field(if has_passed { passed } else { failed }).count_up();
    }
}
