//! Who waits in which lane, and whose turn it is.
//!
//! A lane holds what must not overtake each other: the events of a stream, or of a key. Within it the order of the log
//! holds; between lanes the priority decides, with a share for each, so that none starves.

use super::policy::Priority;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tacho_event::Position;

/// Turns of each priority, critical first, before all of them get their share anew.
const SHARES: [u32; 4] = [8, 4, 2, 1];

pub(crate) type LaneName = Arc<str>;

#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: HashMap<LaneName, Lane>,
    /// Lanes with something to deliver, by priority. An entry that is out of date is passed over.
    ready: [VecDeque<LaneName>; 4],
    shares: [u32; 4],
    /// Most events of a lane that are under way at once.
    limit: usize,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Waiting>,
    /// How many wait of each priority.
    levels: [u32; 4],
    flying: usize,
    /// Its first event waits for its next attempt.
    is_held: bool,
    /// Under which priority it is listed as ready.
    listed: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) position: Position,
    pub(crate) priority: Priority,
}

impl Lanes {
    pub(crate) fn new(limit: usize) -> Self {
        Self { lanes: HashMap::new(), ready: Default::default(), shares: SHARES, limit: limit.max(1) }
    }

    pub(crate) fn push(&mut self, name: &LaneName, waiting: Waiting) {
        self.put(name, waiting, false);
    }

    /// Something that was taken waits again, before all others of its lane.
    pub(crate) fn push_front(&mut self, name: &LaneName, waiting: Waiting) {
        self.put(name, waiting, true);
    }

    fn put(&mut self, name: &LaneName, waiting: Waiting, in_front: bool) {
        let lane = self.lanes.entry(name.clone()).or_default();
        lane.levels[waiting.priority as usize] += 1;
        match in_front {
            true => lane.queue.push_front(waiting),
            false => lane.queue.push_back(waiting),
        }
        self.list(name);
    }

    /// Something of the lane is no longer under way.
    pub(crate) fn land(&mut self, name: &LaneName, count: usize) {
        if let Some(lane) = self.lanes.get_mut(name) {
            lane.flying = lane.flying.saturating_sub(count);
        }
        self.list(name);
    }

    /// The lane's first event is not due yet.
    pub(crate) fn hold(&mut self, name: &LaneName, is_held: bool) {
        if let Some(lane) = self.lanes.get_mut(name) {
            lane.is_held = is_held;
        }
        self.list(name);
    }

    /// The lane whose turn it is; it is not ready any more until [`Self::list`] says so.
    pub(crate) fn next(&mut self) -> Option<LaneName> {
        loop {
            let level = (0..4).find(|level| !self.ready[*level].is_empty() && self.shares[*level] > 0);
            let Some(level) = level else {
                if self.ready.iter().all(VecDeque::is_empty) {
                    return None;
                }
                self.shares = SHARES;
                continue;
            };
            let Some(name) = self.ready[level].pop_front() else { continue };
            let is_listed = self.lanes.get(&name).is_some_and(|lane| lane.listed == Some(level));
            if !is_listed {
                continue;
            }
            if let Some(lane) = self.lanes.get_mut(&name) {
                lane.listed = None;
            }
            self.shares[level] -= 1;
            return Some(name);
        }
    }

    /// Lanes that are ready, in no promised order, at most so many.
    pub(crate) fn ready(&self, most: usize) -> Vec<LaneName> {
        let listed = |level: usize, name: &LaneName| {
            self.lanes.get(name).is_some_and(|lane| lane.listed == Some(level))
        };
        let all = self
            .ready
            .iter()
            .enumerate()
            .flat_map(|(level, names)| names.iter().map(move |name| (level, name)));
        all.filter(|(level, name)| listed(*level, name)).map(|(_, name)| name.clone()).take(most).collect()
    }

    /// The lane's first event.
    pub(crate) fn first(&self, name: &LaneName) -> Option<Waiting> {
        self.lanes.get(name)?.queue.front().copied()
    }

    /// What waits in the lane, in its order.
    pub(crate) fn queued(&self, name: &LaneName) -> impl Iterator<Item = &Waiting> {
        self.lanes.get(name).into_iter().flat_map(|lane| &lane.queue)
    }

    /// Takes the lane's first event: it is under way.
    pub(crate) fn take(&mut self, name: &LaneName) -> Option<Waiting> {
        let lane = self.lanes.get_mut(name)?;
        let waiting = lane.queue.pop_front()?;
        lane.levels[waiting.priority as usize] -= 1;
        lane.flying += 1;
        Some(waiting)
    }

    /// How many more of the lane may be taken.
    pub(crate) fn room(&self, name: &LaneName) -> usize {
        self.lanes.get(name).map_or(0, |lane| self.limit.saturating_sub(lane.flying))
    }

    /// Lists the lane where its priority says, if it is ready; forgets it when it is empty.
    pub(crate) fn list(&mut self, name: &LaneName) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        if lane.queue.is_empty() {
            if lane.flying == 0 {
                self.lanes.remove(name);
            }
            return;
        }
        let level = (!lane.is_held && lane.flying < self.limit)
            .then(|| lane.levels.iter().position(|count| *count > 0))
            .flatten();
        if level == lane.listed {
            return;
        }
        lane.listed = level;
        if let Some(level) = level {
            self.ready[level].push_back(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(position: u64, priority: Priority) -> Waiting {
        Waiting { position: Position(position), priority }
    }

    fn drain(lanes: &mut Lanes) -> Vec<u64> {
        let mut order = Vec::new();
        while let Some(name) = lanes.next() {
            order.push(lanes.take(&name).unwrap().position.0);
            lanes.land(&name, 1);
        }
        order
    }

    #[test]
    fn a_lane_keeps_its_order_and_lends_it_its_highest_priority() {
        let mut lanes = Lanes::new(1);
        let (a, b): (LaneName, LaneName) = ("a".into(), "b".into());
        lanes.push(&a, waiting(1, Priority::Normal));
        lanes.push(&b, waiting(2, Priority::Low));
        lanes.push(&b, waiting(3, Priority::Critical));
        assert_eq!(drain(&mut lanes), [2, 3, 1]);
    }

    #[test]
    fn nobody_starves() {
        let mut lanes = Lanes::new(1);
        for n in 0..60 {
            lanes.push(&format!("c{n}").into(), waiting(100 + n, Priority::Critical));
        }
        for n in 0..4 {
            lanes.push(&format!("l{n}").into(), waiting(n, Priority::Low));
        }
        let order = drain(&mut lanes);
        assert_eq!(order.len(), 64);
        let first_low = order.iter().position(|position| *position < 100).unwrap();
        assert_eq!(first_low, 8, "one turn in nine, as only two priorities wait");
    }

    #[test]
    fn a_lane_has_at_most_so_many_under_way_and_waits_while_it_is_held() {
        let mut lanes = Lanes::new(1);
        let a: LaneName = "a".into();
        lanes.push(&a, waiting(1, Priority::Normal));
        lanes.push(&a, waiting(2, Priority::Normal));
        let name = lanes.next().unwrap();
        let taken = lanes.take(&name).unwrap();
        lanes.list(&name);
        assert!(lanes.next().is_none());
        lanes.push_front(&a, taken);
        lanes.hold(&a, true);
        lanes.land(&a, 1);
        assert!(lanes.next().is_none());
        lanes.hold(&a, false);
        assert_eq!(drain(&mut lanes), [1, 2]);
    }
}
