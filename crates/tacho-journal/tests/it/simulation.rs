//! A log on a disk that fails in every way, for thousands of seeds: nothing acknowledged is lost, nothing is
//! invented, order holds, and recovery twice is recovery once.

use crate::builder::{at, event, expecting};
use std::collections::HashMap;
use std::sync::Arc;
use tacho_event::{Event, Position, Recorded};
use tacho_journal::stepped::Stepped;
use tacho_journal::{AppendError, Batch, Health, Options, ReadLimit};
use tacho_testkit::disk::{Disk, Faults};
use tacho_testkit::random::Random;

const SEEDS: u64 = 10_000;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_invented() {
    let threads = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let run = |start: u64| {
        move || {
            for seed in (start..SEEDS).step_by(threads as usize) {
                let done = std::panic::catch_unwind(|| World::new(seed).live());
                assert!(done.is_ok(), "seed {seed}");
            }
        }
    };
    let running: Vec<_> = (0..threads).map(|start| std::thread::spawn(run(start))).collect();
    for thread in running {
        thread.join().unwrap();
    }
}

/// The index's folder fails again and again; the log itself is well. No id and no head may be forgotten.
#[test]
fn a_failing_index_forgets_nothing() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let (disk, index) = (Disk::new(seed), Disk::new(seed + 1000));
        let options = Options { new_log_id: *b"simulated log id", index_entries: 4, ..Options::default() };
        let mut log = Stepped::open(Arc::new(disk), Arc::new(index.clone()), options).unwrap();
        index.set_faults(Faults { failing_sync: random.between(2, 5), ..Faults::default() });
        let mut known: Vec<Event> = Vec::new();
        for number in 0..300u64 {
            let new = event(&format!("task/{}", random.below(40)), &number.to_string(), "1");
            let appended = log.commit(&[at(1, vec![new.clone()])]).remove(0).unwrap();
            assert_eq!((appended.events[0].position.0, appended.events[0].duplicate), (number + 1, false));
            let of_stream = known.iter().filter(|known| known.stream() == new.stream()).count() as u64;
            assert_eq!(appended.events[0].sequence.0, of_stream + 1, "seed {seed}: a head was forgotten");
            known.push(new);
            log.step_chore();
            let index = random.index(known.len());
            let again = log.commit(&[at(1, vec![known[index].clone()])]).remove(0).unwrap();
            assert!(again.events[0].duplicate, "seed {seed}: id {index} was forgotten");
            assert_eq!(again.events[0].position.0, index as u64 + 1);
        }
    }
}

struct World {
    random: Random,
    disk: Disk,
    index: Disk,
    options: Options,
    clock_ns: i64,
    next_id: u64,
    /// What was acknowledged, by position.
    acknowledged: Vec<Event>,
    /// What was submitted and may or may not be there, by id.
    uncertain: HashMap<String, Event>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let options = Options {
            new_log_id: *b"simulated log id",
            segment_bytes: random.between(6 << 10, 24 << 10),
            preallocate_bytes: random.between(512, 8 << 10),
            block_bytes: random.between(256, 4 << 10) as usize,
            compression_level: 1,
            index_entries: random.between(4, 40) as usize,
            ..Options::default()
        };
        let (disk, index) = (Disk::new(random.number()), Disk::new(random.number()));
        Self {
            random,
            disk,
            index,
            options,
            clock_ns: 0,
            next_id: 0,
            acknowledged: Vec::new(),
            uncertain: HashMap::new(),
        }
    }

    fn live(mut self) {
        for _ in 0..self.random.between(1, 5) {
            self.set_faults();
            let Some(mut log) = self.open() else {
                self.crash();
                continue;
            };
            self.take_in(&log);
            for _ in 0..self.random.between(1, 30) {
                self.step(&mut log);
            }
            if self.random.once_in(3) && log.close().is_ok() {
                self.check_clean_stop();
            } else if self.random.once_in(2) {
                self.crash();
            } else {
                self.lose_process();
            }
        }
        self.calm();
        let first = self.open().expect("a log without faults opens");
        self.take_in(&first);
        let told = read_all(&first);
        let root = first.tree_root();
        drop(first);
        self.crash();
        let second = self.open().expect("a recovered log opens");
        assert_eq!(read_all(&second), told, "recovery twice is recovery once");
        assert_eq!(second.tree_root(), root);
    }

    fn set_faults(&mut self) {
        let operations_left = if self.random.once_in(2) { self.random.between(1, 120) } else { 0 };
        let failing_sync = if self.random.once_in(4) { self.random.between(3, 40) } else { 0 };
        let capacity = if self.random.once_in(4) { self.random.between(8 << 10, 60 << 10) } else { 0 };
        self.disk.set_faults(Faults { failing_sync, capacity, operations_left });
        let index_left = if self.random.once_in(4) { self.random.between(1, 40) } else { 0 };
        self.index.set_faults(Faults { failing_sync, capacity: 0, operations_left: index_left });
    }

    fn calm(&self) {
        self.disk.set_faults(Faults::default());
        self.index.set_faults(Faults::default());
    }

    fn crash(&self) {
        self.disk.crash();
        self.index.crash();
    }

    /// The process died and the kernel lives: what a failed sync left in memory is still read.
    fn lose_process(&self) {
        for disk in [&self.disk, &self.index] {
            if !disk.has_power() {
                disk.crash();
            }
        }
    }

    fn open(&self) -> Option<Stepped> {
        let opened =
            Stepped::open(Arc::new(self.disk.clone()), Arc::new(self.index.clone()), self.options.clone());
        match opened {
            Ok(log) => Some(log),
            Err(tacho_journal::JournalError::Io { .. }) => None,
            Err(error) => panic!("a crash is no damage: {error}"),
        }
    }

    /// The log must hold what was acknowledged, and nothing that was not submitted.
    fn take_in(&mut self, log: &Stepped) {
        let events = read_all(log);
        assert!(events.len() >= self.acknowledged.len(), "acknowledged events are lost");
        let mut sequences: HashMap<String, u64> = HashMap::new();
        let mut recorded = 0;
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event.position, Position(index as u64 + 1));
            assert!(event.recorded.0 >= recorded, "recorded time goes back");
            recorded = event.recorded.0;
            let sequence = sequences.entry(event.stream().to_owned()).or_default();
            *sequence += 1;
            assert_eq!(event.sequence.0, *sequence, "the sequence of {} has a gap", event.stream());
            match self.acknowledged.get(index) {
                Some(known) => assert_eq!(
                    known.bytes(),
                    &event.bytes()[..],
                    "event {} is not the one acknowledged",
                    index + 1
                ),
                None => {
                    let known = self.uncertain.remove(event.id()).expect("an event that nobody submitted");
                    assert_eq!(known.bytes(), &event.bytes()[..]);
                    self.acknowledged.push(known);
                }
            }
        }
        self.uncertain.clear();
    }

    fn step(&mut self, log: &mut Stepped) {
        match self.random.below(10) {
            0..=1 => {
                log.step_chore();
            }
            2 => self.read_something(log),
            3 => self.append_again(log),
            _ => self.append(log),
        }
    }

    fn append(&mut self, log: &mut Stepped) {
        self.clock_ns += self.random.below(3) as i64;
        let batches: Vec<Vec<Event>> = (0..self.random.between(1, 3))
            .map(|_| (0..self.random.between(1, 4)).map(|_| self.new_event()).collect())
            .collect();
        for event in batches.iter().flatten() {
            self.uncertain.insert(event.id().to_owned(), event.clone());
        }
        let was_poisoned = matches!(log.health(), Health::Poisoned(_));
        let committed: Vec<Batch> = batches.iter().map(|events| at(self.clock_ns, events.clone())).collect();
        for (events, answer) in batches.into_iter().zip(log.commit(&committed)) {
            match answer {
                Ok(appended) => {
                    assert!(!was_poisoned, "a poisoned log accepted a batch");
                    for (event, receipt) in events.into_iter().zip(appended.events) {
                        assert_eq!(receipt.position.0, self.acknowledged.len() as u64 + 1);
                        assert!(!receipt.duplicate);
                        self.uncertain.remove(event.id());
                        self.acknowledged.push(event);
                    }
                }
                Err(AppendError::DiskFull) => {
                    for event in events {
                        self.uncertain.remove(event.id());
                    }
                }
                Err(AppendError::Poisoned(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }

    fn new_event(&mut self) -> Event {
        self.next_id += 1;
        let stream = format!("task/{}", self.random.below(6));
        let text = "abcdefgh".repeat(self.random.below(40) as usize);
        event(&stream, &self.next_id.to_string(), &format!("\"{text}\""))
    }

    /// Something that is there already, under a precondition that no longer holds.
    fn append_again(&mut self, log: &mut Stepped) {
        if self.acknowledged.is_empty() {
            return;
        }
        let index = self.random.index(self.acknowledged.len());
        let known = self.acknowledged[index].clone();
        let wrong = expecting("task/0", 1_000_000);
        match log.commit(&[at(self.clock_ns, vec![known]).with_preconditions(vec![wrong.clone()])]).remove(0)
        {
            Ok(appended) => {
                assert!(appended.events[0].duplicate);
                assert_eq!(appended.events[0].position.0, index as u64 + 1);
            }
            Err(AppendError::Poisoned(_) | AppendError::DiskFull) => {}
            Err(other) => panic!("a known event was refused: {other}"),
        }
        let new = self.new_event();
        match log.commit(&[at(self.clock_ns, vec![new]).with_preconditions(vec![wrong])]).remove(0) {
            Err(AppendError::SequenceConflict { .. } | AppendError::Poisoned(_) | AppendError::DiskFull) => {}
            other => panic!("a wrong precondition held: {other:?}"),
        }
    }

    fn read_something(&mut self, log: &Stepped) {
        let from = self.random.between(1, self.acknowledged.len() as u64 + 2);
        let limit = ReadLimit {
            events: self.random.between(1, 20) as usize,
            bytes: self.random.between(1, 4000) as usize,
        };
        let events = log.read(Position(from), limit).expect("reading needs no luck");
        assert_eq!(events.is_empty(), from > log.head().0);
        for (event, known) in
            events.iter().zip(&self.acknowledged[(from as usize - 1).min(self.acknowledged.len())..])
        {
            assert_eq!(&event.bytes()[..], known.bytes());
        }
    }

    fn check_clean_stop(&mut self) {
        self.calm();
        self.index.crash();
        let log = self.open().expect("a cleanly closed log opens");
        assert!(log.recovery.clean || log.head() == Position::ZERO, "a clean stop was not recognised");
        assert_eq!(log.recovery.torn_bytes, 0);
        self.take_in(&log);
        drop(log);
        self.crash();
    }
}

fn read_all(log: &Stepped) -> Vec<Recorded> {
    let mut events = Vec::new();
    while (events.len() as u64) < log.head().0 {
        let page = log
            .read(Position(events.len() as u64 + 1), ReadLimit { events: 50, bytes: 1 << 20 })
            .expect("what is durable can be read");
        assert!(!page.is_empty());
        events.extend(page);
    }
    events
}
