//! What was tried to put failures right, and how it went. Pure.

use super::incident::{Incident, Role, Scope};
use super::story::Story;
use tacho_event::{Position, Timestamp};

/// Most that are told.
const RECOVERIES_MAX: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    Failed,
    /// Nothing tells how it went.
    Open,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Of the event that tells of it.
    pub id: String,
    pub kind: String,
    pub position: Position,
    pub at: Timestamp,
    pub strategy: String,
    pub outcome: Outcome,
    /// In a few words; may be empty.
    pub summary: String,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }
}

/// What was tried from a position on.
pub(super) fn recoveries(story: &Story, from: Position) -> Vec<Recovery> {
    let incidents = story.incidents();
    let begin = incidents.partition_point(|incident| incident.position < from);
    let mut found = Vec::new();
    for (index, incident) in incidents.iter().enumerate().skip(begin) {
        let behind = &incidents[index + 1..];
        match incident.role {
            Role::Tries => {
                let strategy = incident.strategy.clone().unwrap_or_else(|| "recovery".to_owned());
                found.push(recovery(incident, strategy, outcome_of_try(incident, behind)));
            }
            Role::Fails => {
                if incident.retry {
                    found.push(recovery(
                        incident,
                        "retry".to_owned(),
                        outcome_of_retry(story, incident, behind),
                    ));
                }
                if let Some(agent) = &incident.fallback {
                    let outcome = outcome_of_fallback(story, incident, agent, behind);
                    found.push(recovery(incident, format!("hand over to {agent}"), outcome));
                }
                let is_again =
                    |earlier: &Incident| earlier.role == Role::Fails && earlier.name == incident.name;
                if incident.scope == Scope::Call && incidents[begin..index].iter().any(is_again) {
                    found.push(recovery(incident, "try again".to_owned(), Outcome::Failed));
                }
            }
            Role::Heals | Role::Succeeds | Role::GivesUp => {}
        }
        if found.len() >= RECOVERIES_MAX {
            break;
        }
    }
    found
}

fn recovery(incident: &Incident, strategy: String, outcome: Outcome) -> Recovery {
    Recovery {
        id: incident.id.clone(),
        kind: incident.kind.clone(),
        position: incident.position,
        at: incident.at,
        strategy,
        outcome,
        summary: incident.reason.clone().unwrap_or_default(),
    }
}

/// The next word on the same failure; another try says that this one did not do.
fn outcome_of_try(attempt: &Incident, behind: &[Incident]) -> Outcome {
    let is_word = |later: &&Incident| {
        matches!(later.role, Role::Tries | Role::Succeeds | Role::GivesUp)
            && later.recovery_from == attempt.recovery_from
    };
    match behind.iter().find(is_word).map(|word| word.role) {
        Some(Role::Succeeds) => Outcome::Succeeded,
        Some(_) => Outcome::Failed,
        None => Outcome::Open,
    }
}

fn outcome_of_retry(story: &Story, failure: &Incident, behind: &[Incident]) -> Outcome {
    let is_again = |later: &Incident| {
        later.role == Role::Fails && later.scope == failure.scope && later.name == failure.name
    };
    match (behind.iter().any(is_again), story.is_healed(failure)) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Succeeded,
        (false, false) => Outcome::Open,
    }
}

fn outcome_of_fallback(story: &Story, failure: &Incident, agent: &str, behind: &[Incident]) -> Outcome {
    let is_its = |later: &&Incident| later.scope == Scope::Agent && later.name.as_deref() == Some(agent);
    match behind.iter().find(is_its).map(|word| word.role) {
        Some(Role::Fails) => Outcome::Failed,
        Some(_) => Outcome::Succeeded,
        None if story.is_healed(failure) => Outcome::Succeeded,
        None => Outcome::Open,
    }
}
