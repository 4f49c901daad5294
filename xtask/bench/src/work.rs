//! A log as key figures are made from: tasks that agents work off in Claude Code, ten events each, ten tasks at a time.

use std::time::Duration;

use crate::payload::{Variety, words};

const EVENTS_A_TASK: u64 = 10;
const TASKS_AT_A_TIME: u64 = 10;
const TASKS_A_FEATURE: u64 = 5;
const TASKS_A_SESSION: u64 = 5;
const AGENTS: u64 = 8;
const MODELS: &[&str] = &["claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5"];

/// Events whose times are spread evenly up to now.
pub struct Work {
    first: jiff::Timestamp,
    step: Duration,
    /// Stands before each type: with one, the same events mean nothing to the figures.
    prefix: &'static str,
    /// The text of prompts and answers.
    text: String,
}

impl Work {
    pub fn new(events: u64, over: Duration, prefix: &'static str) -> Work {
        let text = words(&mut Variety::new(17), 160);
        let first = jiff::Timestamp::now() - jiff::SignedDuration::try_from(over).unwrap_or_default();
        Work { first, step: over.div_f64(events.max(1) as f64), prefix, text }
    }

    /// One event as CloudEvents JSON.
    pub fn event(&self, number: u64) -> String {
        let block = number / (EVENTS_A_TASK * TASKS_AT_A_TIME);
        let task = block * TASKS_AT_A_TIME + number % TASKS_AT_A_TIME;
        let (session, agent) = (task / TASKS_A_SESSION, task % AGENTS);
        let (kind, data) = self.told(task, number / TASKS_AT_A_TIME % EVENTS_A_TASK);
        let is_hook = kind.starts_with("claude");
        let (source, stream) =
            if is_hook { ("/claude-code/bench", "session/work") } else { ("/factory", "task/work") };
        let of = if is_hook { session } else { task };
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"work-{number:012}\",\"source\":\"{source}\",\"type\":\"{}{kind}\",\
             \"subject\":\"{stream}-{of}\",\"time\":\"{}\",\"sessionid\":\"work-{session}\",\"actortype\":\"agent\",\
             \"actorid\":\"agent-{agent}\",\"data\":{data}}}",
            self.prefix,
            self.time(number),
        )
    }

    fn time(&self, number: u64) -> String {
        let since = self.step.as_nanos() as i128 * i128::from(number);
        jiff::Timestamp::from_nanosecond(self.first.as_nanosecond() + since)
            .map(|time| time.to_string())
            .unwrap_or_default()
    }

    /// Type and payload of a task's step.
    fn told(&self, task: u64, step: u64) -> (&'static str, String) {
        let (agent, model) = (task % AGENTS, MODELS[(task % 3) as usize]);
        let (feature, session, text) = (task / TASKS_A_FEATURE, task / TASKS_A_SESSION, &self.text);
        let hook = |rest: String| {
            format!("{{\"session_id\":\"work-{session}\",\"cwd\":\"/home/user/shop\",{rest}}}")
        };
        let tool = format!(
            "\"tool_name\":\"Bash\",\"tool_use_id\":\"toolu_{task}\",\"tool_input\":{{\"command\":\"cargo test\"}}"
        );
        match step {
            0 => (
                "task_queued",
                format!(
                    "{{\"task_id\":\"T-{task}\",\"feature\":\"F-{feature}\",\"est_cost\":0.2,\"text\":\"{text}\"}}"
                ),
            ),
            1 => (
                "agent_started",
                format!(
                    "{{\"agent\":\"agent-{agent}\",\"task_id\":\"T-{task}\",\"model\":\"{model}\",\"tools\":[\"Bash\"]}}"
                ),
            ),
            2 => ("claude.user_prompt_submit", hook(format!("\"prompt\":\"{text}\""))),
            3 => ("claude.pre_tool_use", hook(tool)),
            4 => (
                "claude.post_tool_use",
                hook(format!("{tool},\"tool_response\":{{\"stdout\":\"{text}\"}},\"duration_ms\":812")),
            ),
            5 | 6 => (
                "claude_code.api_request",
                format!(
                    "{{\"session.id\":\"work-{session}\",\"feature\":\"F-{feature}\",\"model\":\"{model}\",\"input_tokens\":1200,\"output_tokens\":420,\
                     \"cache_read_tokens\":25000,\"cache_creation_tokens\":900,\"duration_ms\":2400,\
                     \"request_id\":\"req_{task}_{step}\"}}"
                ),
            ),
            7 => ("claude.stop", hook(format!("\"last_assistant_message\":\"{text}\""))),
            8 => {
                let status = if task.is_multiple_of(7) { "rejected" } else { "approved" };
                (
                    "agent_completed",
                    format!(
                        "{{\"agent\":\"agent-{agent}\",\"task_id\":\"T-{task}\",\"status\":\"{status}\",\
                         \"duration_ms\":93000,\"cost_usd\":0.04}}"
                    ),
                )
            }
            _ => (
                "validation_complete",
                format!(
                    "{{\"task_id\":\"T-{task}\",\"result\":{{\"passed\":{}}},\"cost\":0.01,\"duration_ms\":4200}}",
                    !task.is_multiple_of(9)
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_task_is_told_in_ten_events_of_its_own() {
        let work = Work::new(100, Duration::from_secs(100), "");
        let events: Vec<Value> =
            (0..100).map(|number| serde_json::from_str(&work.event(number)).unwrap()).collect();
        let of_one = events.iter().filter(|event| event["data"]["task_id"] == "T-3").count();
        assert_eq!(of_one, 4, "queued, started, completed, validated");
        let requests = events.iter().filter(|event| event["type"] == "claude_code.api_request").count();
        assert_eq!(requests, 20);
        assert!(events[0]["time"].as_str() < events[99]["time"].as_str());
    }
}
