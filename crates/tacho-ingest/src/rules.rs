//! What a configuration leaves out, thins out or shortens before anything is stored: `[[ingest.rule]]`.
//! There is none by default, and what a rule does is counted.

use crate::strings::cut_longer;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use tacho_event::json;
use tacho_event::{Draft, Event, Pattern};

/// For events whose type matches. Types `tacho.*` are matched only by a pattern that begins so.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub pattern: Pattern,
    pub action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// None of them is stored.
    Drop,
    /// This share of them is stored, 0.0 to 1.0. Which ones is decided by a hash of source and id, so that
    /// an event that comes twice is decided twice in the same way.
    Sample { rate: f64 },
    /// Strings of the payload with more bytes become `{"truncated_bytes":…,"sha256":…}`. Strings of at most
    /// 256 bytes are never cut.
    Truncate { bytes: usize },
}

/// What one rule has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub dropped: u64,
    pub truncated: u64,
}

/// The rules in order; for each event the first one that matches decides.
#[derive(Debug, Clone, Default)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// What is left of the events, and what each rule has done, in the order of the rules.
    pub fn apply(&self, events: Vec<Event>) -> (Vec<Event>, Vec<Count>) {
        let mut counts = vec![Count::default(); self.0.len()];
        if self.0.is_empty() {
            return (events, counts);
        }
        let kept = events.into_iter().filter_map(|event| self.one(event, &mut counts)).collect();
        (kept, counts)
    }

    fn one(&self, event: Event, counts: &mut [Count]) -> Option<Event> {
        let matches = |rule: &Rule| rule.pattern.matches_type(event.kind());
        let Some(index) = self.0.iter().position(matches) else { return Some(event) };
        let count = &mut counts[index];
        let is_kept = match self.0[index].action {
            Action::Drop => false,
            Action::Sample { rate } => share(&event) < rate,
            Action::Truncate { bytes } => {
                return Some(match truncated(&event, bytes) {
                    Some(cut) => {
                        count.truncated += 1;
                        cut
                    }
                    None => event,
                });
            }
        };
        count.dropped += u64::from(!is_kept);
        is_kept.then_some(event)
    }
}

/// Where the event stands between 0 and 1.
fn share(event: &Event) -> f64 {
    let digest =
        Sha256::new().chain_update(event.source()).chain_update([0]).chain_update(event.id()).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first) as f64 / 2f64.powi(64)
}

/// The event with its payload cut; it stays the same event, since the digest is of what was sent.
fn truncated(event: &Event, bytes: usize) -> Option<Event> {
    let data = cut_longer(json::member(event.body(), "data")?, bytes)?;
    let mut draft = Draft::new(event.kind(), event.source(), event.id());
    draft.subject = Some(Cow::Borrowed(event.stream()));
    for (name, value) in json::members(event.body()) {
        let name = std::str::from_utf8(name).unwrap_or_default();
        if !matches!(name, "specversion" | "data" | "data_base64") {
            draft.put(name, value);
        }
    }
    draft.set_data(data);
    draft.finish(*event.sameness()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::Sameness;

    fn event(kind: &str, id: &str, note: &str) -> Event {
        let mut draft = Draft::new(kind, "/t", id);
        draft.subject = Some("task/x".into());
        draft.put_text("time", "2026-01-01T00:00:00Z");
        draft.set_data(format!("{{\"note\":\"{note}\"}}").into_bytes());
        draft.finish(Sameness::FirstWins).unwrap()
    }

    fn apply(pattern: &str, action: Action, events: Vec<Event>) -> (Vec<Event>, Count) {
        let (kept, counts) = Rules(vec![Rule { pattern: Pattern::new(pattern), action }]).apply(events);
        (kept, counts[0])
    }

    #[test]
    fn drops_and_counts() {
        let (kept, count) = apply("a.*", Action::Drop, vec![event("a.b", "1", ""), event("c", "2", "")]);
        assert_eq!((kept.len(), kept[0].kind(), count), (1, "c", Count { dropped: 1, truncated: 0 }));
        assert_eq!(apply("*", Action::Drop, vec![event("tacho.marker_rejected", "1", "")]).0.len(), 1);
    }

    #[test]
    fn samples_the_same_ones_every_time() {
        let events = || (0..1000).map(|n| event("a", &n.to_string(), "")).collect::<Vec<_>>();
        let (kept, count) = apply("*", Action::Sample { rate: 0.25 }, events());
        assert!((200..300).contains(&kept.len()) && count.dropped as usize == 1000 - kept.len());
        assert_eq!(apply("*", Action::Sample { rate: 0.25 }, events()).0, kept);
        assert_eq!(apply("*", Action::Sample { rate: 1.0 }, events()).0.len(), 1000);
        assert_eq!(apply("*", Action::Sample { rate: 0.0 }, events()).0.len(), 0);
    }

    #[test]
    fn truncates_the_payload_alone() {
        let long = "x".repeat(400);
        let (kept, count) =
            apply("*", Action::Truncate { bytes: 300 }, vec![event("a", "1", &long), event("a", "2", "s")]);
        assert_eq!(count, Count { dropped: 0, truncated: 1 });
        let value: serde_json::Value = serde_json::from_slice(kept[0].body()).unwrap();
        assert_eq!(
            (value["data"]["note"]["truncated_bytes"].as_u64(), value["time"].as_str()),
            (Some(400), Some("2026-01-01T00:00:00Z"))
        );
        assert_eq!(kept[1], event("a", "2", "s"));
    }
}
