//! The demo's story: acts that are data, played through the doors that real programs use.

mod handlers;
mod player;
mod telemetry;

pub use handlers::handlers;
pub use player::{Pace, Player};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The acts, in order. Another act is another file and another line here.
const ACTS: &[&str] = &[
    include_str!("../../demo/0-two-issues-alike.jsonl"),
    include_str!("../../demo/1-an-issue-is-taken-up.jsonl"),
    include_str!("../../demo/2-a-failing-test.jsonl"),
    include_str!("../../demo/3-subagents.jsonl"),
    include_str!("../../demo/4-a-permission.jsonl"),
    include_str!("../../demo/5-a-test-factory.jsonl"),
    include_str!("../../demo/6-the-issue-is-closed.jsonl"),
    include_str!("../../demo/7-handlers-answer.jsonl"),
    include_str!("../../demo/8-somebody-waits.jsonl"),
];

/// One line of an act. In its texts `$now` and `$seconds` stand for the moment, `$begun` for the
/// story's beginning, `$ago:MINUTES` for a moment before that, `$project` for the folder that the agents work in,
/// `$session:NAME` for a session's id.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Step {
    /// A line for the reader.
    Say { say: String },
    /// A pause, where the story is told at its own pace.
    Wait { wait_ms: u64 },
    /// A hook of Claude Code, through `tacho hook`; the player adds what every payload carries.
    Hook {
        hook: String,
        session: String,
        #[serde(default)]
        payload: Map<String, Value>,
    },
    /// A request to a model, as Claude Code's telemetry tells it, over OTLP.
    Request(Request),
    /// Events in any accepted shape, over HTTP.
    Post { post: Value },
    /// Arguments of `tacho emit`.
    Emit { emit: Vec<String> },
    /// Waits until so many events of a type are on the log: what handlers do takes its time.
    Until { until: String, count: u64 },
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The model.
    pub request: String,
    pub session: String,
    /// The subagent that asked, and what it is.
    pub agent: Option<String>,
    pub agent_name: Option<String>,
    /// Input, output, read from a cache, written to it.
    pub tokens: [u32; 4],
    /// Millionths of a US dollar.
    pub micros: u32,
}

/// The whole story.
pub fn steps() -> Result<Vec<Step>> {
    let lines = ACTS.iter().flat_map(|act| act.lines()).filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            serde_json::from_str(line).with_context(|| format!("a step of the story cannot be read: {line}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_can_be_read_and_every_door_is_used() {
        let steps = steps().unwrap();
        let count = |is: fn(&Step) -> bool| steps.iter().filter(|step| is(step)).count();
        assert!(count(|step| matches!(step, Step::Hook { .. })) > 30);
        assert!(count(|step| matches!(step, Step::Post { .. })) > 15);
        assert!(count(|step| matches!(step, Step::Request(_))) > 15);
        assert!(
            count(|step| matches!(step, Step::Emit { .. })) > 0
                && count(|step| matches!(step, Step::Say { .. })) > 5
        );
    }
}
