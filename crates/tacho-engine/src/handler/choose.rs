//! Which events go out next, and which of them together.

use super::core::Core;
use super::lanes::LaneName;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tacho_event::Position;

/// Most lanes that are looked at for one delivery.
const LANES: usize = 2_048;

impl Core {
    /// Takes the events of the next delivery, at most so many.
    pub(super) fn choose(&mut self, tokens: usize, now: Duration) -> Option<Vec<Position>> {
        if self.policy.batch.events <= 1 {
            let lane = self.lanes.next()?;
            let first = self.lanes.take(&lane).map(|waiting| vec![waiting.position]);
            self.lanes.list(&lane);
            return first;
        }
        let mut passed: Vec<LaneName> = Vec::new();
        let mut groups = HashSet::new();
        let mut chosen = None;
        while chosen.is_none() && passed.len() < LANES {
            let Some(lane) = self.lanes.next() else { break };
            let group = self.group(&lane);
            passed.push(lane.clone());
            if groups.insert(group.clone()) {
                chosen = self.gather(&lane, group.as_ref(), tokens, now);
            }
        }
        passed.iter().for_each(|lane| self.lanes.list(lane));
        chosen
    }

    /// Of the lane's first event: events of different groups do not go together.
    fn group(&self, lane: &LaneName) -> Option<Arc<str>> {
        let first = self.lanes.first(lane)?;
        self.items.get(&first.position)?.item.group.clone()
    }

    /// What goes together with the lane's first event, unless it is worth waiting for more.
    fn gather(
        &mut self,
        lane: &LaneName,
        group: Option<&Arc<str>>,
        tokens: usize,
        now: Duration,
    ) -> Option<Vec<Position>> {
        let first = self.lanes.first(lane)?.position;
        let since = self.items.get(&first)?.since;
        if self.is_alone(first) {
            return self.lanes.take(lane).map(|waiting| vec![waiting.position]);
        }
        let mut lanes = vec![lane.clone()];
        lanes.extend(self.lanes.ready(LANES).into_iter().filter(|other| other != lane));
        let mut batch = Gathered { most: self.policy.batch.events.min(tokens).max(1), ..Gathered::default() };
        for lane in &lanes {
            self.plan(lane, group, &mut batch);
            if batch.is_full {
                break;
            }
        }
        let window = Duration::from_millis(self.policy.batch.window_ms);
        let left = (since + window).saturating_sub(now);
        if !batch.is_full && !left.is_zero() {
            self.window_left = Some(self.window_left.map_or(left, |other| other.min(left)));
            return None;
        }
        for (lane, count) in &batch.lanes {
            for _ in 0..*count {
                self.lanes.take(lane);
            }
            self.lanes.list(lane);
        }
        Some(batch.positions)
    }

    /// Adds as much of a lane as fits, in its order.
    fn plan(&self, lane: &LaneName, group: Option<&Arc<str>>, batch: &mut Gathered) {
        // Where order counts, a lane goes out once at a time, with as many of its events as fit.
        let most = if self.is_ordered() { usize::MAX } else { self.lanes.room(lane) };
        let mut count = 0;
        for waiting in self.lanes.queued(lane) {
            let Some(held) = self.items.get(&waiting.position) else { break };
            let bytes = held.item.event.bytes().len();
            let fits = batch.positions.is_empty() || batch.bytes + bytes <= self.policy.batch.bytes;
            if !fits || batch.positions.len() >= batch.most {
                batch.is_full = true;
                break;
            }
            let is_other = held.item.group.as_ref() != group || held.item.refusal.is_some();
            if count >= most || held.resumes_at.is_some() || is_other || self.is_alone(waiting.position) {
                break;
            }
            batch.bytes += bytes;
            batch.positions.push(waiting.position);
            count += 1;
        }
        batch.is_full |= batch.positions.len() >= batch.most;
        if count > 0 {
            batch.lanes.push((lane.clone(), count));
        }
    }

    fn is_alone(&self, position: Position) -> bool {
        self.ledger.get(position).is_some_and(|open| open.alone)
            || self.items.get(&position).is_some_and(|held| held.item.refusal.is_some())
    }
}

#[derive(Default)]
struct Gathered {
    most: usize,
    bytes: usize,
    positions: Vec<Position>,
    lanes: Vec<(LaneName, usize)>,
    is_full: bool,
}
