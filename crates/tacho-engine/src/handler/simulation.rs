//! A handler on a log that stops at every step, with workers that fail in every way, on a clock that jumps, for many
//! seeds: every event ends done, dead or skipped, order holds, nothing that is returned is there twice.

use super::DELIVERED;
use super::control::Asker;
use super::core::{Core, Item, Moment, Work};
use super::policy::{Batch, Breaker, Dedupe, DedupeBy, Order, Policy, Rate, Retry};
use super::progress::Progress;
use super::seen::{self, Mark};
use crate::delivery::{DEAD_LETTER, Delivered, Failure, PROGRESS, Returned};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;
use tacho_event::{Draft, Event, Position, Recorded, Sameness, Sequence, Timestamp, json};
use tacho_testkit::random::Random;

const SEEDS: u64 = 10_000;
const NAME: &str = "simulated";

#[test]
fn every_event_is_settled_once_and_in_order() {
    for seed in 0..SEEDS {
        let lived = std::panic::catch_unwind(|| World::new(seed).live());
        assert!(lived.is_ok(), "seed {seed}");
    }
}

/// A log in memory: what is appended is durable at once.
#[derive(Default)]
struct Log {
    events: Vec<Recorded>,
    ids: HashSet<(String, String)>,
}

impl Log {
    fn append(&mut self, events: &[Event], now: Timestamp) -> Position {
        for event in events {
            if self.ids.insert((event.source().to_owned(), event.id().to_owned())) {
                let position = Position(self.events.len() as u64 + 1);
                let bytes = event.bytes().to_vec().into();
                self.events.push(Recorded::new(position, Sequence(1), now, bytes).unwrap());
            }
        }
        Position(self.events.len() as u64)
    }

    fn get(&self, position: Position) -> &Recorded {
        &self.events[position.0 as usize - 1]
    }
}

struct World {
    random: Random,
    log: Log,
    policy: Policy,
    moment: Moment,
    next_id: u64,
    /// Who fails how often: once in so many.
    trouble: u64,
    under_way: Vec<Work>,
    /// Of this run: what was settled, as its worker saw it.
    answered: BTreeSet<Position>,
    /// By the position of the cause: what each answer that was taken would put on the log.
    answers: BTreeMap<String, u64>,
    nonce: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let policy = Policy {
            order: if random.once_in(4) { Order::None } else { Order::Stream },
            concurrency: random.between(1, 4) as usize,
            batch: Batch {
                events: if random.once_in(3) { random.between(2, 5) as usize } else { 1 },
                window_ms: if random.once_in(2) { 0 } else { 50 },
                ..Batch::default()
            },
            retry: Retry {
                attempts: random.between(1, 4) as u32,
                first_ms: 20,
                longest_ms: 200,
                ..Retry::default()
            },
            breaker: random.once_in(3).then_some(Breaker { failures: 3, open_ms: 100, probes: 1 }),
            dedupe: random.once_in(3).then_some(Dedupe { by: DedupeBy::Content, window_ms: 3_600_000_000 }),
            rate: random.once_in(5).then_some(Rate { events: 5, per_ms: 100 }),
            waiting_events: random.between(1, 30) as usize,
            ..Policy::default()
        };
        Self {
            policy,
            log: Log::default(),
            moment: Moment { elapsed: Duration::from_secs(1), now: Timestamp(1_000_000_000_000) },
            next_id: 0,
            trouble: random.between(1, 6),
            under_way: Vec::new(),
            answered: BTreeSet::new(),
            answers: BTreeMap::new(),
            nonce: 0,
            random,
        }
    }

    fn live(mut self) {
        for _ in 0..self.random.between(1, 4) {
            let mut core = self.start();
            for _ in 0..self.random.between(1, 40) {
                self.step(&mut core);
            }
            // The process ends here, whatever is under way.
            self.under_way.clear();
        }
        self.calm_down();
    }

    /// As the server starts a handler: from what the log says.
    fn start(&mut self) -> Core {
        self.answered.clear();
        let saves: Vec<Progress> = self.saves();
        let progress = saves.last().cloned().unwrap_or_default();
        let marks: Vec<Mark> =
            saves.iter().rev().skip(1).rev().flat_map(|save| save.seen.iter().copied()).collect();
        let mut core = Core::new(NAME, self.policy.clone(), progress.clone(), &marks, self.moment);
        for run in &progress.open {
            let items = (run.first.0..=run.last.0).filter_map(|position| self.item(Position(position)));
            core.reopen(items.collect(), &progress.retries, self.moment);
        }
        for event in &self.log.events {
            let is_open = progress.open.iter().any(|run| (run.first..=run.last).contains(&event.position));
            if event.position <= progress.read_to && !is_open {
                self.answered.insert(event.position);
            }
        }
        if saves.is_empty() {
            core.save(self.moment);
            self.deliver_to_log(&mut core);
        }
        core
    }

    fn saves(&self) -> Vec<Progress> {
        let saves = self.log.events.iter().filter(|event| event.kind() == PROGRESS);
        saves.map(|event| Progress::from_data(event.data().unwrap()).unwrap()).collect()
    }

    /// What is meant of the log.
    fn item(&self, position: Position) -> Option<Item> {
        let event = self.log.get(position).clone();
        match event.kind() {
            "demo.a" => {
                let seen = self.policy.dedupe.as_ref().and_then(|dedupe| seen::plain_hash(dedupe, &event));
                Some(Item { seen, ..Item::new(event) })
            }
            "demo.again" => {
                let original = super::record::position_in(event.data()?)?;
                let original = self.log.get(original).clone();
                Some(Item { position, retry_of: Some(event.id().to_owned()), ..Item::new(original) })
            }
            _ => None,
        }
    }

    fn step(&mut self, core: &mut Core) {
        match self.random.below(8) {
            0 | 1 => self.append(),
            2 => self.answer(core),
            3 => self.deliver_to_log(core),
            4 if self.random.once_in(3) => self.control(core),
            _ => self.advance(core),
        }
        self.read(core);
        self.begin(core);
        self.check_sum(core);
    }

    fn append(&mut self) {
        for _ in 0..self.random.between(1, 4) {
            self.next_id += 1;
            let kind = if self.random.once_in(5) { "other.a" } else { "demo.a" };
            let stream = format!("task/{}", self.random.below(3));
            // One in three is like another one.
            let n = if self.random.once_in(3) { self.random.below(4) } else { 1_000 + self.next_id };
            let data = format!("{{\"n\":{n}}}");
            self.write(kind, stream, data);
        }
        let letters: Vec<Position> = self.letters();
        if let Some(letter) = letters.first().filter(|_| self.random.once_in(6)) {
            self.next_id += 1;
            self.write("demo.again", "task/again".into(), format!("{{\"position\":{letter}}}"));
        }
    }

    fn write(&mut self, kind: &'static str, stream: String, data: String) {
        let mut draft = Draft::new(kind, "/t", self.next_id.to_string());
        draft.subject = Some(stream.into());
        if self.random.once_in(4) {
            let names = ["critical", "high", "low"];
            draft.put_text("priority", names[self.random.below(3) as usize]);
        }
        draft.set_data(data.into_bytes());
        let event = draft.finish(Sameness::FirstWins).unwrap();
        self.log.append(&[event], self.moment.now);
    }

    /// The events whose letters are on the log, but for those of retries.
    fn letters(&self) -> Vec<Position> {
        let letters = self.log.events.iter().filter(|event| event.kind() == DEAD_LETTER);
        let positions = letters.filter_map(|letter| super::record::position_in(letter.data()?));
        positions.filter(|position| self.log.get(*position).kind() == "demo.a").collect()
    }

    fn read(&mut self, core: &mut Core) {
        while core.has_room() && (core.ledger.read_to.0 as usize) < self.log.events.len() {
            let position = core.ledger.read_to.next();
            core.offer(self.item(position).into_iter().collect(), position, 1, self.moment);
        }
    }

    fn begin(&mut self, core: &mut Core) {
        core.tick(self.moment);
        while let Some(work) = core.take(self.moment) {
            self.check_order(core, &work);
            self.under_way.push(work);
        }
    }

    /// Nothing of a stream begins before what was behind it has ended.
    fn check_order(&self, core: &Core, work: &Work) {
        let most = self.policy.batch.events;
        assert!(
            (1..=most).contains(&work.events.len()),
            "{work:?} {:?} {:?}",
            self.policy,
            core.flights[&work.ticket]
        );
        if matches!(self.policy.order, Order::None) {
            return;
        }
        let flight = &core.flights[&work.ticket];
        for position in &flight.positions {
            let stream = core.items[position].item.event.stream();
            let earlier = core.items.iter().filter(|(other, held)| {
                *other < position && held.item.event.stream() == stream && !flight.positions.contains(other)
            });
            assert_eq!(earlier.count(), 0, "{position} overtakes");
        }
        assert!(flight.positions.iter().all(|position| !self.answered.contains(position)), "it was answered");
    }

    /// A worker answers, or breaks in one of its ways.
    fn answer(&mut self, core: &mut Core) {
        if self.under_way.is_empty() {
            return;
        }
        let which = self.random.below(self.under_way.len() as u64) as usize;
        let work = self.under_way.swap_remove(which);
        let answer = self.outcome(&work);
        let positions = core.flights[&work.ticket].positions.clone();
        let twice = self.random.once_in(10).then(|| answer.clone());
        core.finish(work.ticket, answer, self.random.number(), self.moment);
        if let Some(answer) = twice {
            core.finish(work.ticket, answer, 0, self.moment);
        }
        self.answered.extend(positions.iter().filter(|position| core.ledger.get(**position).is_none()));
    }

    fn outcome(&mut self, work: &Work) -> Result<Delivered, Failure> {
        let fails = self.trouble > 0 && self.random.once_in(self.trouble);
        match self.random.below(6) {
            0 if fails => Err(Failure::retry("worker_died", "it is gone")),
            1 if fails => Err(Failure::retry("timeout", "it hangs")),
            2 if fails => Err(Failure::reject("refused", "it is poison")),
            3 if fails => Ok(Delivered { returned: vec![Returned(b"}{".to_vec())], skipped: 0 }),
            _ if fails => Err(Failure::retry("down", "it is down")),
            _ => {
                self.nonce += 1;
                let count = self.random.below(3);
                let cause = work.events.last().unwrap().id();
                let one =
                    |n| format!("{{\"type\":\"demo.b\",\"data\":{{\"nonce\":{},\"n\":{n}}}}}", self.nonce);
                self.answers.insert(format!("{cause}:{}", self.nonce), count);
                let returned = (0..count).map(|n| Returned(one(n).into_bytes())).collect();
                Ok(Delivered { returned, skipped: 0 })
            }
        }
    }

    /// The log takes what is to be told, refuses it for a moment, or takes it without a word.
    fn deliver_to_log(&mut self, core: &mut Core) {
        let events = core.unsaved().or_else(|| core.flush(self.moment));
        let Some(events) = events else { return };
        match self.random.below(4) {
            0 => {}
            // It is there, but the word is lost: it is sent again, and recognised.
            1 => drop(self.log.append(&events, self.moment.now)),
            _ => {
                self.log.append(&events, self.moment.now);
                let last = self.log.events.iter().rev().find(|event| event.kind() == PROGRESS).unwrap();
                core.saved(last.position, self.moment);
            }
        }
    }

    fn control(&mut self, core: &mut Core) {
        let asker = Asker { by: "user:ann".into(), reason: "why not".into() };
        match self.random.below(3) {
            0 => drop(core.pause(asker, self.moment)),
            1 => drop(core.resume(asker, self.moment)),
            _ => drop(core.retry_now(None, asker, self.moment)),
        }
    }

    /// Time goes by, as far as the handler asks or less; the time of day jumps as it likes.
    fn advance(&mut self, core: &Core) {
        let asked = core.wakes_in(self.moment).unwrap_or(Duration::from_millis(50));
        let ns = self.random.below(asked.as_nanos() as u64 + 1_000_000);
        self.moment.elapsed += Duration::from_nanos(ns);
        let jump = self.random.below(7_200_000_000_000) as i64 - 3_600_000_000_000;
        self.moment.now.0 += if self.random.once_in(5) { jump } else { ns as i64 };
    }

    /// Done, dead, skipped and pending are all that is meant and was looked at.
    fn check_sum(&self, core: &Core) {
        let read_to = core.ledger.read_to;
        let meant = self.log.events.iter().filter(|event| event.position <= read_to);
        let meant = meant.filter(|event| matches!(event.kind(), "demo.a" | "demo.again")).count() as u64;
        assert_eq!(core.ledger.settled() + core.ledger.pending(), meant);
    }

    /// Nothing fails any more: all comes to rest.
    fn calm_down(mut self) {
        self.trouble = 0;
        let mut core = self.start();
        self.append();
        core.resume(Asker { by: "user:ann".into(), reason: "go".into() }, self.moment);
        for steps in 0.. {
            assert!(steps < 10_000, "it comes to rest");
            self.read(&mut core);
            self.begin(&mut core);
            self.answer(&mut core);
            self.deliver_to_log(&mut core);
            let is_read = core.ledger.read_to.0 as usize == self.log.events.len();
            if is_read && core.ledger.pending() == 0 && core.is_still() && !core.has_news() {
                break;
            }
            let asked = core.wakes_in(self.moment).unwrap_or_default();
            self.moment.elapsed += asked;
            self.moment.now.0 += asked.as_nanos() as i64;
        }
        self.check_sum(&core);
        self.check_log(&core);
    }

    fn check_log(&self, core: &Core) {
        let of_kind = |kind: &'static str| self.log.events.iter().filter(move |event| event.kind() == kind);
        assert_eq!(of_kind(DEAD_LETTER).count() as u64, core.ledger.dead, "a letter for each that is dead");
        assert!(core.ledger.done == 0 || of_kind(DELIVERED).count() > 0);
        // What was returned for a cause is all of one answer, and nothing of another one.
        let mut by_cause: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
        for event in of_kind("demo.b") {
            let nonce = json::member(event.data().unwrap(), "nonce").unwrap();
            let nonce: u64 = json::text(nonce).parse().unwrap();
            let cause = event.text("causationid").unwrap().into_owned();
            *by_cause.entry(cause).or_default().entry(nonce).or_default() += 1;
        }
        let again: BTreeSet<String> = self
            .log
            .events
            .iter()
            .filter(|event| event.kind() == "demo.again")
            .filter_map(|event| {
                Some(self.log.get(super::record::position_in(event.data()?)?).id().to_owned())
            })
            .collect();
        for (cause, nonces) in by_cause {
            assert!(nonces.len() == 1 || again.contains(&cause), "{cause} was answered twice");
            for (nonce, count) in nonces {
                assert_eq!(self.answers[&format!("{cause}:{nonce}")], count, "an answer is whole");
            }
        }
    }
}
