//! What can be done next: what the payloads say, then commands to type. Pure.

use super::incident::Incident;
use tacho_event::Position;

/// Most that are told.
const ACTIONS_MAX: usize = 20;

/// `chain` is from the first cause to the failure.
pub(super) fn next_actions(stream: &str, failure: &Incident, chain: &[Incident]) -> Vec<String> {
    let mut actions: Vec<String> = Vec::new();
    let mut add = |action: String| {
        if actions.len() < ACTIONS_MAX && !actions.contains(&action) {
            actions.push(action);
        }
    };
    let told = || chain.iter().rev().chain(std::iter::once(failure));
    told().flat_map(|incident| incident.actions.iter().cloned()).for_each(&mut add);
    told().filter_map(|incident| incident.place.as_ref()).for_each(|place| add(format!("look at {place}")));
    if told().any(|incident| incident.needs_person) {
        add("decide: the agents say that they need a person".to_owned());
    }
    let first = chain.first().unwrap_or(failure);
    add(format!("tacho causes {}", quoted(&first.id)));
    let before = Position(first.position.0.saturating_sub(1));
    if before > Position::ZERO {
        add(format!("tacho state {} --at {before}", quoted(stream)));
    }
    add(format!("tacho timeline {}", quoted(stream)));
    actions
}

/// As a shell takes it for one word, whatever a stranger wrote into it.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._/:@-".contains(character);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
