//! The answer in one sentence. Pure.

use super::incident::{Incident, Scope};
use super::recovery::{Outcome, Recovery};
use super::story::Story;

/// For a stream in which nothing is left to be put right.
pub(super) fn nothing(stream: &str, story: &Story) -> String {
    match story.healed() {
        0 => format!("nothing failed in {stream}"),
        1 => format!("nothing is wrong in {stream}: one thing failed and was put right"),
        count => format!("nothing is wrong in {stream}: {count} things failed and were put right"),
    }
}

/// `PROJ-123 failed in TEST because …; it began with … 18 min before`.
pub(super) fn failure(
    stream: &str,
    failure: &Incident,
    first: Option<&Incident>,
    recoveries: &[Recovery],
) -> String {
    let name =
        stream.split_once('/').filter(|(category, _)| *category == "issue").map_or(stream, |(_, id)| id);
    let mut sentence = match failure.scope {
        Scope::Whole => {
            let phase = failure.phase.as_ref().map(|phase| format!(" in {phase}"));
            format!("{name} failed{}{}", phase.unwrap_or_default(), because(failure))
        }
        Scope::Turn => format!("{name}: the last turn ended in an error{}", because(failure)),
        Scope::Task if failure.kind == "hitl_escalated" => {
            format!("{name} was handed to a person{}", because(failure))
        }
        _ => format!("{name}: {} failed{}, and nothing put it right", thing(failure), because(failure)),
    };
    if let Some(first) = first.filter(|first| first.position != failure.position) {
        let reason = first.reason.as_ref().map(|reason| format!(" ({})", without_end(reason)));
        let before = before(failure.at.0.saturating_sub(first.at.0));
        sentence += &format!("; it began with {}{}{before}", thing(first), reason.unwrap_or_default());
    }
    sentence + &tried(recoveries)
}

fn tried(recoveries: &[Recovery]) -> String {
    let succeeded = recoveries.iter().filter(|recovery| recovery.outcome == Outcome::Succeeded).count();
    match (recoveries.len(), succeeded) {
        (0, _) => String::new(),
        (1, 0) => "; one recovery was tried, without success".to_owned(),
        (tried, 0) => format!("; {tried} recoveries were tried, none succeeded"),
        (tried, succeeded) => format!("; {tried} recoveries were tried, {succeeded} succeeded"),
    }
}

fn because(failure: &Incident) -> String {
    failure.reason.as_ref().map(|reason| format!(" because {}", without_end(reason))).unwrap_or_default()
}

fn without_end(reason: &str) -> &str {
    reason.trim_end_matches(['.', ' '])
}

/// What failed, in words.
fn thing(incident: &Incident) -> String {
    let named = |word: &str, otherwise: &str| match &incident.name {
        Some(name) => format!("{word} {name}"),
        None => otherwise.to_owned(),
    };
    match incident.scope {
        Scope::Whole => "the orchestration".to_owned(),
        Scope::Phase => named("phase", "a phase"),
        Scope::Agent => named("agent", "an agent"),
        Scope::Test => named("tests", "a run of tests"),
        Scope::Check => named("check", "a quality check"),
        Scope::Task => named("task", "a task"),
        Scope::Call => incident.name.clone().unwrap_or_else(|| "a tool".to_owned()),
        Scope::Turn => "a turn".to_owned(),
        Scope::Error if incident.kind == "ErrorOccurred" => "an error".to_owned(),
        Scope::Error => incident.kind.clone(),
    }
}

/// ` 18 min before`; nothing for less than a second.
fn before(length_ns: i64) -> String {
    let seconds = length_ns / 1_000_000_000;
    match seconds {
        ..1 => String::new(),
        1..120 => format!(" {seconds} s before"),
        120..7_200 => format!(" {} min before", seconds / 60),
        7_200..172_800 => format!(" {} h before", seconds / 3_600),
        _ => format!(" {} days before", seconds / 86_400),
    }
}
