//! Measures the folds of states: `cargo run --release -p tacho-view --example state -- [EVENTS]`.
//!
//! Folds an orchestration's made-up events, which are in memory already, once with each projection.

use bytes::Bytes;
use std::time::Instant;
use tacho_event::{Draft, Position, Recorded, Sameness, Sequence, Timestamp};
use tacho_view::state::{self, State};

const START_NS: i64 = 1_767_225_600_000_000_000;
const STEP_NS: i64 = 250_000_000;
/// As a stream is read.
const EVENTS_AT_ONCE: usize = 1_000;

fn main() {
    let events = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number"));
    let history: Vec<Recorded> = (0..events).map(made_up).collect();
    for projection in state::ALL {
        let mut state = State::new(projection.empty());
        let begun = Instant::now();
        for events in history.chunks(EVENTS_AT_ONCE) {
            projection.apply_all(&mut state, events);
        }
        let seconds = begun.elapsed().as_secs_f64();
        let bytes = serde_json::to_vec(state.value()).map_or(0, |json| json.len());
        println!(
            "{:<14} {:>10.0} events/s, a state of {bytes} bytes",
            projection.name,
            events as f64 / seconds
        );
    }
}

/// Rounds of a hundred events, most of them calls of tools.
fn made_up(number: u64) -> Recorded {
    let (round, step) = (number / 100, number % 100);
    let agent = format!("agent-{}", step % 4);
    let (kind, data) = match step {
        1 => ("PhaseStarted", r#"{"phase":"CODE","expected_agents":4}"#.to_owned()),
        4..=7 => ("AgentSpawned", format!(r#"{{"agent_name":"{agent}","assigned_task":"a part of it"}}"#)),
        20 if round.is_multiple_of(10) => {
            ("CommitCreated", format!(r#"{{"commit_sha":"{number:040x}","commit_message":"feat: a part"}}"#))
        }
        90 => ("QualityCheckCompleted", r#"{"check_type":"lint","passed_quality_gate":true}"#.to_owned()),
        94..=97 if round.is_multiple_of(10) => {
            ("AgentCompleted", format!(r#"{{"agent_name":"{agent}","duration_seconds":240}}"#))
        }
        _ => (
            "tool_completed",
            format!(
                r#"{{"tool":"Bash","status":"success","agent":"{agent}","command":"cargo test","output":"ok"}}"#
            ),
        ),
    };
    let mut draft = Draft::new(kind, "/bench", format!("made-up-{number}"));
    draft.subject = Some("issue/BENCH-1".into());
    let time = Timestamp(START_NS + STEP_NS * number as i64);
    draft.put_text("time", &time.to_rfc3339());
    draft.put_text("actorid", &agent);
    draft.set_data(data.into_bytes());
    let event = draft.finish(Sameness::FirstWins).expect("an event");
    let bytes = Bytes::copy_from_slice(event.bytes());
    Recorded::new(Position(number + 1), Sequence(number + 1), time, bytes).expect("whole")
}
