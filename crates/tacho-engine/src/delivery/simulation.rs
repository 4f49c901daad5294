//! A handler on a log that loses power, with a sink that fails in every way, on a clock that jumps, for many
//! seeds: nothing is lost, order holds, every sum is right.

use super::runner::{Next, Runner, Surroundings};
use super::selection::Selection;
use super::{BatchLimits, DEAD_LETTER, Deliver, Delivered, Delivery, Failure, Policy, ProgressLimits};
use super::{Retry, Start, Verdict};
use crate::clock::Clock;
use crate::log::Log;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tacho_event::{Draft, Event, Filter, Jq, Pattern, Position, Recorded, Sameness, Timestamp};
use tacho_journal::{AppendError, Batch, Health, Journal, Options, ReadLimit};
use tacho_testkit::disk::{Disk, Faults};
use tacho_testkit::random::Random;

const SEEDS: u64 = 120;
const NAME: &str = "simulated";
const ALL: ReadLimit = ReadLimit { events: usize::MAX, bytes: usize::MAX };

#[test]
fn nothing_is_lost_and_every_sum_is_right() {
    for seed in 0..SEEDS {
        let lived = std::panic::catch_unwind(|| World::new(seed).live());
        assert!(lived.is_ok(), "seed {seed}");
    }
}

#[derive(Default)]
struct SimulatedClock {
    now_ns: AtomicI64,
    elapsed_ns: AtomicU64,
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ns.load(SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns.load(SeqCst))
    }
}

/// The outside: what it holds, and what it forgets when the power goes.
struct Outside {
    random: Random,
    /// How often it fails: once in so many; 0 for never.
    fails: u64,
    settled: Vec<Position>,
    unsettled: Vec<Position>,
}

impl Outside {
    fn fails(&mut self) -> bool {
        self.fails > 0 && self.random.once_in(self.fails)
    }

    fn loses_power(&mut self) {
        let kept = self.random.index(self.unsettled.len() + 1);
        self.settled.extend(self.unsettled.drain(..).take(kept));
        self.unsettled.clear();
    }
}

struct Sink(Arc<Mutex<Outside>>);

fn is_poison(event: &Recorded) -> bool {
    event.id().ends_with('7')
}

impl Deliver for Sink {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let mut outside = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if outside.fails() {
            let taken = outside.random.index(delivery.events.len() + 1);
            outside.unsettled.extend(delivery.events[..taken].iter().map(|event| event.position));
            let after = outside.random.once_in(2).then_some(Duration::from_secs(5));
            let mut failure = Failure::retry("down", "it is down");
            failure.verdict = Verdict::Retry { after };
            return Err(failure);
        }
        if delivery.events.iter().any(is_poison) {
            return Err(Failure::reject("poison", "it is poison"));
        }
        let known: BTreeSet<Position> = outside.settled.iter().chain(&outside.unsettled).copied().collect();
        let skipped = delivery.events.iter().filter(|event| known.contains(&event.position)).count();
        outside.unsettled.extend(delivery.events.iter().map(|event| event.position));
        Ok(Delivered { skipped: skipped as u64, ..Delivered::default() })
    }

    fn settle(&mut self) -> Result<(), Failure> {
        let mut outside = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if outside.fails() {
            return Err(Failure::retry("down", "it cannot settle"));
        }
        let unsettled = std::mem::take(&mut outside.unsettled);
        outside.settled.extend(unsettled);
        Ok(())
    }
}

struct World {
    random: Random,
    disk: Disk,
    index: Disk,
    clock: Arc<SimulatedClock>,
    outside: Arc<Mutex<Outside>>,
    policy: Policy,
    with_condition: bool,
    next_id: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let policy = Policy {
            batch: BatchLimits {
                events: random.between(1, 6) as usize,
                bytes: random.between(1, 1_000) as usize,
                window_ms: if random.once_in(2) { 0 } else { 200 },
            },
            retry: Retry {
                attempts: random.once_in(2).then(|| random.between(1, 4) as u32),
                first_ms: 100,
                longest_ms: 1_000,
            },
            progress: ProgressLimits { every_ms: random.between(0, 1_000), events: random.between(1, 20) },
            start: if random.once_in(2) { Start::Beginning } else { Start::Now },
        };
        let outside =
            Outside { random: Random::new(seed + 1), fails: 0, settled: Vec::new(), unsettled: Vec::new() };
        Self {
            disk: Disk::new(random.number()),
            index: Disk::new(random.number()),
            clock: Arc::default(),
            outside: Arc::new(Mutex::new(outside)),
            policy,
            with_condition: random.once_in(3),
            next_id: 0,
            random,
        }
    }

    fn live(mut self) {
        for _ in 0..self.random.between(1, 5) {
            let fails = self.random.below(5);
            self.outside.lock().unwrap().fails = fails;
            if self.random.once_in(2) {
                let operations_left = self.random.between(10, 200);
                self.disk.set_faults(Faults { operations_left, ..Faults::default() });
            }
            if let Ok(journal) = self.open() {
                self.run(&journal);
                let _ = journal.close();
            }
            self.disk.crash();
            self.index.crash();
        }
        self.calm_down();
    }

    fn open(&self) -> Result<Journal, tacho_journal::JournalError> {
        let options =
            Options { new_log_id: *b"simulated log id", compression_level: 1, ..Options::default() };
        Ok(Journal::open_on(Arc::new(self.disk.clone()), Arc::new(self.index.clone()), options)?.0)
    }

    fn filter(&self) -> Filter {
        let types = vec![Pattern::new("demo.*")];
        let where_jq = self.with_condition.then(|| Jq::compile(".data.n > 2").unwrap());
        Filter { types, where_jq, ..Filter::default() }
    }

    fn runner(&mut self, journal: &Journal) -> Result<Runner, tacho_journal::JournalError> {
        let (own, clock) = (journal.clone(), self.clock.clone());
        let outside = self.outside.clone();
        let mut jitter = Random::new(self.random.number());
        let around = Surroundings {
            log: Log::new(journal.clone()),
            append: Box::new(move |events| {
                // The log's queue may be full for a moment.
                if outside.lock().unwrap().fails() {
                    return Err(AppendError::QueueFull);
                }
                own.append_and_wait(batch(events, clock.now())).map(drop)
            }),
            clock: self.clock.clone(),
            random: Box::new(move || jitter.number()),
        };
        let selection = Selection::new(NAME, self.filter(), None).unwrap();
        let sink = Box::new(Sink(self.outside.clone()));
        let mut runner = Runner::new(NAME.into(), self.policy.clone(), selection, sink, around)?;
        runner.fix_start();
        Ok(runner)
    }

    fn run(&mut self, journal: &Journal) {
        let Ok(mut runner) = self.runner(journal) else { return };
        for _ in 0..self.random.between(1, 60) {
            if !self.disk.has_power() || journal.health() != Health::Good {
                break;
            }
            if self.random.once_in(3) {
                self.append(journal);
            }
            self.step(&mut runner);
            self.check_sum(journal, &runner);
        }
        if self.random.once_in(2) {
            runner.stop();
        } else {
            self.outside.lock().unwrap().loses_power();
        }
    }

    fn append(&mut self, journal: &Journal) {
        let events: Vec<Event> = (0..self.random.between(1, 8)).map(|_| self.event()).collect();
        let _ = journal.append_and_wait(batch(events, self.clock.now()));
    }

    fn event(&mut self) -> Event {
        self.next_id += 1;
        let kind = if self.random.once_in(4) { "other.a" } else { "demo.a" };
        let mut draft = Draft::new(kind, "/t", self.next_id.to_string());
        draft.subject = Some("task/x".into());
        draft.set_data(format!("{{\"n\":{}}}", self.random.below(6)).into_bytes());
        draft.finish(Sameness::FirstWins).unwrap()
    }

    /// Lets time go by as the step asks, or less; the time of day jumps as it likes.
    fn step(&mut self, runner: &mut Runner) {
        let most = match runner.step() {
            Next::Again | Next::Ended => Duration::ZERO,
            Next::Wait(time) => time.unwrap_or(Duration::from_secs(60)),
            Next::Rest(time) => time,
        };
        let most = u64::try_from(most.as_nanos()).unwrap();
        self.clock.elapsed_ns.fetch_add(self.random.below(most + 1).max(most / 2), SeqCst);
        let jump = self.random.below(7_200_000_000_000) as i64 - 3_600_000_000_000;
        self.clock.now_ns.fetch_add(jump, SeqCst);
    }

    /// Done, dead, skipped and pending are all that is meant and was looked at.
    fn check_sum(&self, journal: &Journal, runner: &Runner) {
        if !self.disk.has_power() {
            return;
        }
        let mut snapshot = super::runner::Snapshot::default();
        runner.write_snapshot(&mut snapshot);
        let Some(meant) = self.meant(journal) else { return };
        let settled = meant.iter().filter(|event| event.position <= snapshot.progress.position).count();
        assert_eq!(snapshot.progress.settled(), settled as u64);
        assert!(snapshot.progress.settled() + snapshot.pending <= meant.len() as u64);
    }

    /// What is meant since the start that is on the log, which is where its first progress stands.
    fn meant(&self, journal: &Journal) -> Option<Vec<Recorded>> {
        let filter = self.filter();
        let events = journal.read(Position(1), ALL).unwrap();
        let began = position_in(events.iter().find(|event| event.stream() == "handler/simulated")?);
        let is_meant = |event: &Recorded| event.position > began && filter.matches(event, None);
        Some(events.into_iter().filter(is_meant).collect())
    }

    /// Nothing fails any more: all that is meant arrives or is a dead letter.
    fn calm_down(mut self) {
        self.outside.lock().unwrap().fails = 0;
        let journal = self.open().unwrap();
        let mut runner = self.runner(&journal).unwrap();
        self.append(&journal);
        let mut snapshot = super::runner::Snapshot::default();
        for steps in 0.. {
            assert!(steps < 100_000, "it comes to rest");
            let next = runner.step();
            runner.write_snapshot(&mut snapshot);
            match next {
                Next::Wait(None) if snapshot.progress.position == journal.head() => break,
                Next::Wait(Some(time)) | Next::Rest(time) => {
                    self.clock.elapsed_ns.fetch_add(time.as_nanos() as u64, SeqCst);
                }
                Next::Wait(None) | Next::Again => {}
                Next::Ended => panic!("the log is open"),
            }
        }
        runner.stop();
        let meant = self.meant(&journal).unwrap();
        assert_eq!(snapshot.pending, 0);
        assert_eq!(snapshot.progress.settled(), meant.len() as u64);
        self.check_outside(&meant, &journal, snapshot.progress.dead);
        journal.close().unwrap();
    }

    fn check_outside(&self, meant: &[Recorded], journal: &Journal, dead_count: u64) {
        let outside = self.outside.lock().unwrap();
        assert!(outside.unsettled.is_empty(), "all was settled before the cursor passed it");
        let all = journal.read(Position(1), ALL).unwrap();
        let letters = all.iter().filter(|event| event.kind() == DEAD_LETTER);
        let dead: Vec<Position> = letters.map(position_in).collect();
        let delivered: BTreeSet<Position> = outside.settled.iter().copied().collect();
        assert_eq!(dead.len() as u64, dead_count);
        for event in meant {
            let is_dead = dead.contains(&event.position);
            assert!(is_dead || delivered.contains(&event.position), "{} is lost", event.position);
            assert!(is_dead || !is_poison(event));
        }
        let mut first_time = BTreeSet::new();
        let firsts: Vec<_> =
            outside.settled.iter().filter(|position| first_time.insert(**position)).collect();
        assert!(firsts.is_sorted(), "what comes the first time comes in the order of the log");
    }
}

/// What the payload names as its position.
fn position_in(event: &Recorded) -> Position {
    let position = tacho_event::json::member(event.data().unwrap(), "position").unwrap();
    Position(tacho_event::json::text(position).parse().unwrap())
}

fn batch(events: Vec<Event>, now: Timestamp) -> Batch {
    Batch::new(events, now, |salt| *salt = [7; 16])
}
