//! Which failures of a stream nothing put right, and which of them led to which. Pure.

use super::incident::{Incident, Role, Scope};
use std::collections::HashMap;
use tacho_event::Position;

/// Most failures that are remembered as not put right; of more, the oldest are forgotten.
const OPEN_MAX: usize = 1_000;

/// A stream's incidents in the order of the log.
#[derive(Debug, Default)]
pub(super) struct Story {
    incidents: Vec<Incident>,
    /// Failures that nothing put right so far, by their place among the incidents.
    open: Vec<usize>,
    /// By the position of a failure, that of what put it right.
    healed: HashMap<Position, Position>,
}

/// A failure that nothing had put right when it is asked for.
pub(super) struct Unrecovered<'a>(pub(super) &'a Incident);

impl Story {
    pub(super) fn add(&mut self, incident: Incident) {
        let healed = match incident.role {
            Role::Heals => self.take_open(|failure| heals(&incident, failure)),
            Role::Succeeds => match &incident.recovery_from {
                Some(id) => self.take_open(|failure| failure.id == *id),
                None => self.open.pop().into_iter().collect(),
            },
            Role::Fails | Role::Tries | Role::GivesUp => Vec::new(),
        };
        for failure in &healed {
            self.healed.insert(self.incidents[*failure].position, incident.position);
        }
        // A success that puts nothing right is no part of the story.
        if incident.role == Role::Heals && healed.is_empty() {
            return;
        }
        if incident.role == Role::Fails {
            if self.open.len() >= OPEN_MAX {
                self.open.remove(0);
            }
            self.open.push(self.incidents.len());
        }
        self.incidents.push(incident);
    }

    fn take_open(&mut self, is_meant: impl Fn(&Incident) -> bool) -> Vec<usize> {
        let (taken, left) = self.open.iter().partition(|index| is_meant(&self.incidents[**index]));
        self.open = left;
        taken
    }

    pub(super) fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// How many failures were put right.
    pub(super) fn healed(&self) -> usize {
        self.healed.len()
    }

    pub(super) fn is_healed(&self, failure: &Incident) -> bool {
        self.healed.contains_key(&failure.position)
    }

    /// The failure of the stream: its own end, else the last one that nothing put right.
    pub(super) fn failure(&self) -> Option<&Incident> {
        let open = self.open.iter().map(|index| &self.incidents[*index]);
        open.max_by_key(|failure| (is_an_end(failure), failure.position))
    }

    /// The incident that this event is.
    pub(super) fn at(&self, position: Position) -> Option<&Incident> {
        let index = self.incidents.binary_search_by_key(&position, |incident| incident.position).ok()?;
        self.incidents.get(index)
    }

    /// The last failure before this one that may have led to it: nothing had put it right, and they name the same
    /// agent, phase, run of tests, task or call.
    pub(super) fn before(&self, failure: &Incident) -> Option<Unrecovered<'_>> {
        let end = self.incidents.partition_point(|incident| incident.position < failure.position);
        let was_open = |earlier: &&Incident| {
            let healed = self.healed.get(&earlier.position);
            earlier.role == Role::Fails && healed.is_none_or(|healed| *healed >= failure.position)
        };
        let mut earlier = self.incidents[..end].iter().rev().filter(was_open);
        earlier.find(|earlier| may_lead_to(earlier, failure)).map(Unrecovered)
    }
}

/// Whether a failure says that more than a part of the work ended.
pub(super) fn is_an_end(failure: &Incident) -> bool {
    matches!(failure.scope, Scope::Whole | Scope::Turn) || failure.kind == "hitl_escalated"
}

/// Whether what works now is what failed then.
fn heals(success: &Incident, failure: &Incident) -> bool {
    let is_same_thing = success.scope == failure.scope && success.name == failure.name;
    let fits =
        |one: &Option<String>, other: &Option<String>| one.is_none() || other.is_none() || one == other;
    match success.scope {
        Scope::Whole => true,
        Scope::Phase => failure.scope != Scope::Whole && success.phase == failure.phase,
        Scope::Agent => {
            let took_over = failure.fallback.is_some() && failure.fallback == success.name;
            let is_its_own = matches!(failure.scope, Scope::Agent | Scope::Error)
                && failure.agent == success.name
                && fits(&failure.task, &success.task);
            took_over || is_its_own
        }
        Scope::Task => failure.task.is_some() && failure.task == success.task,
        Scope::Test | Scope::Check => success.scope == failure.scope && fits(&success.name, &failure.name),
        Scope::Error | Scope::Call | Scope::Turn => is_same_thing,
    }
}

fn may_lead_to(earlier: &Incident, later: &Incident) -> bool {
    let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
    let same_agent = same(&earlier.agent, &later.agent);
    let same_phase = same(&earlier.phase, &later.phase);
    let same_task = same(&earlier.task, &later.task);
    // An error that names nobody counts for whatever went on in its phase.
    let error_around = earlier.scope == Scope::Error && same_phase;
    let handed_over = earlier.fallback.is_some() && earlier.fallback == later.agent;
    match (earlier.scope, later.scope) {
        (Scope::Whole | Scope::Turn, _) => false,
        (_, Scope::Whole) => later.phase.is_none() || same_phase,
        (_, Scope::Phase) => same_phase,
        (_, Scope::Task) => same_task,
        _ if handed_over => true,
        (Scope::Call, Scope::Call) => earlier.name == later.name,
        (Scope::Phase | Scope::Call, _) | (_, Scope::Call | Scope::Turn) => false,
        (Scope::Agent, Scope::Agent) if earlier.task.is_some() => same_agent && same_task,
        (_, Scope::Agent | Scope::Error) => same_agent || (error_around && later.scope == Scope::Agent),
        (_, Scope::Test | Scope::Check) => {
            (earlier.scope == later.scope && earlier.name == later.name) || same_agent || error_around
        }
    }
}
