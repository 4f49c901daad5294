//! What is far from its own past, without thresholds: a tool's failures and latency, an agent that repeats the same
//! call, an agent that is silent too long. A fold over events, in memory; it begins at the head.

use std::collections::{HashMap, VecDeque};
use tacho_event::{Recorded, Timestamp, json};

/// An event that came later than this after it happened says nothing about now.
const MAX_AGE_NS: i64 = 300 * 1_000_000_000;
/// The same call so often in a row is told, and again whenever the number has doubled.
const REPEATS: u32 = 5;
/// Calls of a tool before its past means something.
const MIN_PAST: f64 = 30.0;
/// Calls that are compared with the past.
const RECENT_CALLS: usize = 10;
/// How often as many of them must have failed as usual, and how many at least.
const FAILURE_FACTOR: f64 = 3.0;
const MIN_FAILURES: usize = 5;
/// How many times its usual duration a call must take, and how long at least, in milliseconds.
const LATENCY_FACTOR: f64 = 8.0;
const MIN_LATENCY_MS: f64 = 2_000.0;
/// Shortest silence that is told, and how many times an agent's longest pause it must be.
const MIN_SILENCE_NS: i64 = 600 * 1_000_000_000;
const SILENCE_FACTOR: i64 = 4;
/// Agents and tools that are remembered; beyond, all is forgotten and learnt anew.
const MAX_REMEMBERED: usize = 10_000;

/// Something unusual.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub metric: &'static str,
    /// Where the unusual begins.
    pub usual: f64,
    pub current: f64,
    pub message: String,
    pub session: String,
    pub agent: String,
}

#[derive(Debug, Default)]
pub(super) struct Anomalies {
    tools: HashMap<String, Tool>,
    agents: HashMap<(String, String), Agent>,
}

#[derive(Debug, Default)]
struct Tool {
    calls: f64,
    failures: f64,
    /// Mean of the logarithm of the duration in milliseconds.
    mean_log: f64,
    timed: f64,
    recent: VecDeque<bool>,
    /// Told, and not back to normal since.
    is_failing: bool,
}

#[derive(Debug)]
struct Agent {
    call: String,
    repeats: u32,
    last: Timestamp,
    longest_pause: i64,
    /// Whether it is at work: not waiting for a person, not at its end.
    works: bool,
    is_silent: bool,
}

impl Anomalies {
    pub(super) fn observe(&mut self, event: &Recorded) -> Vec<Finding> {
        let Some(hook) = event.kind().strip_prefix("claude.") else { return Vec::new() };
        let time = event.time();
        if (event.recorded.0 - time.0).abs() > MAX_AGE_NS {
            return Vec::new();
        }
        let data = event.data().unwrap_or(b"{}");
        let text = |name| json::member(data, name).map(json::text).unwrap_or_default().into_owned();
        let session = event.text("sessionid").unwrap_or_default().into_owned();
        let agent = Some(text("agent_id")).filter(|agent| !agent.is_empty());
        let who = (session, agent.unwrap_or_else(|| "claude-code".to_owned()));
        if self.agents.len() + self.tools.len() > MAX_REMEMBERED {
            *self = Self::default();
        }
        let mut found = Vec::new();
        let agent = self.agents.entry(who.clone()).or_insert_with(|| Agent::new(time));
        agent.heard(time);
        match hook {
            "pre_tool_use" => {
                let input = json::member(data, "tool_input").unwrap_or_default();
                let call = format!("{} {}", text("tool_name"), String::from_utf8_lossy(input));
                found.extend(agent.called(call, &text("tool_name"), &who));
            }
            "post_tool_use" | "post_tool_use_failure" => {
                let duration = json::member(data, "duration_ms").map(json::text);
                let duration = duration.and_then(|text| text.parse().ok());
                let tool = self.tools.entry(text("tool_name")).or_default();
                found.extend(tool.ended(&text("tool_name"), hook == "post_tool_use_failure", duration, &who));
            }
            "permission_request" | "notification" | "stop" | "stop_failure" | "subagent_stop"
            | "elicitation" => {
                agent.works = false;
            }
            "session_end" => drop(self.agents.remove(&who)),
            _ => {}
        }
        found
    }

    /// Agents at work that have said nothing for long, each told once.
    pub(super) fn silent(&mut self, now: Timestamp) -> Vec<Finding> {
        let mut found = Vec::new();
        for ((session, name), agent) in &mut self.agents {
            let silence = now.0 - agent.last.0;
            let usual = (agent.longest_pause * SILENCE_FACTOR).max(MIN_SILENCE_NS);
            if agent.works && !agent.is_silent && silence > usual {
                agent.is_silent = true;
                found.push(Finding {
                    metric: "agent_silence_seconds",
                    usual: usual as f64 / 1e9,
                    current: (silence / 1_000_000_000) as f64,
                    message: format!("{name} has said nothing for {} minutes", silence / 60_000_000_000),
                    session: session.clone(),
                    agent: name.clone(),
                });
            }
        }
        found
    }
}

impl Agent {
    fn new(time: Timestamp) -> Self {
        Self { call: String::new(), repeats: 0, last: time, longest_pause: 0, works: true, is_silent: false }
    }

    fn heard(&mut self, time: Timestamp) {
        if self.works && !self.is_silent {
            self.longest_pause = self.longest_pause.max(time.0 - self.last.0);
        }
        self.last = self.last.max(time);
        self.works = true;
        self.is_silent = false;
    }

    fn called(&mut self, call: String, tool: &str, who: &(String, String)) -> Option<Finding> {
        self.repeats = if self.call == call { self.repeats + 1 } else { 1 };
        self.call = call;
        let is_told = self.repeats >= REPEATS
            && self.repeats.is_multiple_of(REPEATS)
            && (self.repeats / REPEATS).is_power_of_two();
        is_told.then(|| Finding {
            metric: "repeated_call_count",
            usual: f64::from(REPEATS - 1),
            current: f64::from(self.repeats),
            message: format!("{} made the same call of {tool} {} times in a row", who.1, self.repeats),
            session: who.0.clone(),
            agent: who.1.clone(),
        })
    }
}

impl Tool {
    fn ended(
        &mut self,
        name: &str,
        failed: bool,
        duration_ms: Option<f64>,
        who: &(String, String),
    ) -> Vec<Finding> {
        let finding = |metric, usual, current, message| Finding {
            metric,
            usual,
            current,
            message,
            session: who.0.clone(),
            agent: who.1.clone(),
        };
        let mut found = Vec::new();
        if let Some(duration) = duration_ms.filter(|duration| *duration > 0.0) {
            let usual = self.mean_log.exp();
            if self.timed >= MIN_PAST && duration >= MIN_LATENCY_MS && duration > usual * LATENCY_FACTOR {
                let factor = duration / usual;
                let message =
                    format!("{name} took {:.1} s, {factor:.0} times as long as usual", duration / 1e3);
                found.push(finding("tool_latency_ms", usual * LATENCY_FACTOR, duration, message));
            }
            self.timed += 1.0;
            self.mean_log += (duration.ln() - self.mean_log) / self.timed.min(500.0);
        }
        self.recent.push_back(failed);
        if self.recent.len() > RECENT_CALLS
            && let Some(old) = self.recent.pop_front()
        {
            // The past is what lies before what is compared with it.
            self.calls += 1.0;
            self.failures += f64::from(u8::from(old));
        }
        let recent = self.recent.iter().filter(|failed| **failed).count();
        let share = recent as f64 / self.recent.len() as f64;
        let usual = FAILURE_FACTOR * (self.failures / self.calls.max(1.0)).max(0.05);
        let is_failing = recent >= MIN_FAILURES && share > usual;
        if is_failing && !self.is_failing && self.calls >= MIN_PAST {
            let message = format!("{recent} of the last {} calls of {name} failed", self.recent.len());
            found.push(finding("tool_failure_rate", usual, share, message));
        }
        self.is_failing = is_failing;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use tacho_event::{Draft, Position, Sameness, Sequence};

    const NOW_NS: i64 = 1_790_000_000_000_000_000;

    fn hook(kind: &str, at_s: i64, data: &str) -> Recorded {
        hook_late(kind, at_s, 0, data)
    }

    fn hook_late(kind: &str, at_s: i64, late_s: i64, data: &str) -> Recorded {
        let time = Timestamp(NOW_NS + at_s * 1_000_000_000);
        let mut draft = Draft::new(format!("claude.{kind}"), "/t", "1");
        draft.subject = Some("session/s".into());
        draft.put_text("time", &time.to_rfc3339());
        draft.put_text("sessionid", "s");
        draft.set_data(data.as_bytes());
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let recorded = Timestamp(time.0 + late_s * 1_000_000_000);
        Recorded::new(Position(1), Sequence(1), recorded, Bytes::copy_from_slice(event.bytes())).unwrap()
    }

    fn messages(found: Vec<Finding>) -> Vec<String> {
        found.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn the_same_call_again_and_again_is_told_when_it_doubles() {
        let mut anomalies = Anomalies::default();
        let mut told = Vec::new();
        for at in 0..21 {
            let call = r#"{"tool_name":"Bash","tool_input":{"command":"ls"}}"#;
            told.extend(messages(anomalies.observe(&hook("pre_tool_use", at, call))));
        }
        let same = |count| format!("claude-code made the same call of Bash {count} times in a row");
        assert_eq!(told, [same(5), same(10), same(20)]);
        let other = r#"{"tool_name":"Bash","tool_input":{"command":"pwd"}}"#;
        assert!(anomalies.observe(&hook("pre_tool_use", 22, other)).is_empty());
    }

    #[test]
    fn a_tool_that_fails_or_drags_more_than_it_used_to_is_told_once() {
        let mut anomalies = Anomalies::default();
        let mut call = |failed: bool, duration: u32| {
            let kind = if failed { "post_tool_use_failure" } else { "post_tool_use" };
            let data = format!(r#"{{"tool_name":"Bash","duration_ms":{duration}}}"#);
            messages(anomalies.observe(&hook(kind, 0, &data)))
        };
        for _ in 0..60 {
            assert!(call(false, 100).is_empty());
        }
        assert_eq!(call(false, 3000), ["Bash took 3.0 s, 30 times as long as usual"]);
        let told: Vec<String> = (0..10).flat_map(|_| call(true, 100)).collect();
        assert_eq!(told, ["5 of the last 10 calls of Bash failed"]);
    }

    #[test]
    fn a_tool_that_always_fails_is_as_usual() {
        let mut anomalies = Anomalies::default();
        for _ in 0..100 {
            let data = r#"{"tool_name":"Bash","duration_ms":5}"#;
            assert!(anomalies.observe(&hook("post_tool_use_failure", 0, data)).is_empty());
        }
    }

    #[test]
    fn silence_is_told_once_and_not_of_who_waits_or_is_done() {
        let mut anomalies = Anomalies::default();
        let later = |seconds: i64| Timestamp(NOW_NS + seconds * 1_000_000_000);
        anomalies.observe(&hook("user_prompt_submit", 0, "{}"));
        assert!(anomalies.silent(later(600)).is_empty());
        assert_eq!(messages(anomalies.silent(later(660))), ["claude-code has said nothing for 11 minutes"]);
        assert!(anomalies.silent(later(6000)).is_empty());
        anomalies.observe(&hook("permission_request", 6001, "{}"));
        assert!(anomalies.silent(later(60_000)).is_empty());
        // What comes from the past, as an import does, says nothing about now.
        anomalies.observe(&hook_late("user_prompt_submit", 6002, 301, "{}"));
        assert!(anomalies.silent(later(60_000)).is_empty());
    }
}
