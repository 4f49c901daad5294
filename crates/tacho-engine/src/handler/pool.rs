//! The workers of a handler: a thread each, started when there is work, ended when there is none for long.

use super::core::Work;
use crate::delivery::{Deliver, Delivered, Delivery, Failure, Workers, guarded};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long a worker that is not to be kept waits for more.
const IDLE: Duration = Duration::from_secs(30);

/// What a worker tells.
pub(crate) enum Told {
    Answer {
        worker: u64,
        ticket: u64,
        answer: Result<Delivered, Failure>,
    },
    /// It is not well, though nothing was asked of it.
    Unwell {
        worker: u64,
        failure: Failure,
    },
}

pub(crate) type Tell = Arc<dyn Fn(Told) + Send + Sync>;

pub(crate) struct Pool {
    name: String,
    factory: Arc<dyn Workers>,
    tell: Tell,
    most: usize,
    kept: usize,
    workers: Vec<Worker>,
    next: u64,
    /// Held by each thread as long as it lives.
    alive: Sender<()>,
}

struct Worker {
    number: u64,
    work: Sender<Work>,
    idle_since: Option<Duration>,
}

impl Pool {
    pub(crate) fn new(
        name: &str,
        factory: Arc<dyn Workers>,
        most: usize,
        kept: usize,
        tell: Tell,
        alive: Sender<()>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            factory,
            tell,
            most: most.max(1),
            kept,
            workers: Vec::new(),
            next: 1,
            alive,
        }
    }

    /// Starts the workers that are to be kept ready.
    pub(crate) fn warm_up(&mut self, now: Duration) {
        while self.workers.len() < self.kept.min(self.most) {
            if self.add(Some(now)).is_err() {
                break;
            }
        }
    }

    /// Whether there is somebody for one more delivery.
    pub(crate) fn has_hands(&self) -> bool {
        self.workers.len() < self.most || self.workers.iter().any(|worker| worker.idle_since.is_some())
    }

    /// Hands work to a worker that is free: to the one that worked last, so that the others can go.
    pub(crate) fn give(&mut self, work: Work) -> std::io::Result<()> {
        let free = self.workers.iter().enumerate().filter(|(_, worker)| worker.idle_since.is_some());
        let index = match free.max_by_key(|(_, worker)| worker.idle_since).map(|(index, _)| index) {
            Some(index) => index,
            None => self.add(None)?,
        };
        let worker = &mut self.workers[index];
        worker.idle_since = None;
        if worker.work.send(work).is_err() {
            self.workers.swap_remove(index);
            return Err(std::io::Error::other("the worker's thread has ended"));
        }
        Ok(())
    }

    /// A worker has nothing to do any more.
    pub(crate) fn is_free(&mut self, worker: u64, now: Duration) {
        if let Some(worker) = self.workers.iter_mut().find(|known| known.number == worker) {
            worker.idle_since = Some(now);
        }
    }

    /// Ends workers that had nothing to do for long; answers when to look again.
    pub(crate) fn shrink(&mut self, now: Duration) -> Option<Duration> {
        let kept = self.kept;
        let mut left = self.workers.len();
        self.workers.retain(|worker| {
            let ends =
                left > kept && worker.idle_since.is_some_and(|since| now.saturating_sub(since) >= IDLE);
            left -= usize::from(ends);
            !ends
        });
        let idle = self.workers.iter().filter_map(|worker| worker.idle_since).min()?;
        (self.workers.len() > kept).then(|| (idle + IDLE).saturating_sub(now))
    }

    pub(crate) fn busy(&self) -> usize {
        self.workers.iter().filter(|worker| worker.idle_since.is_none()).count()
    }

    pub(crate) fn alive(&self) -> usize {
        self.workers.len()
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    fn add(&mut self, idle_since: Option<Duration>) -> std::io::Result<usize> {
        let (work, orders) = channel();
        let (factory, tell, number) = (self.factory.clone(), self.tell.clone(), self.next);
        let builder = std::thread::Builder::new()
            .name(format!("tacho-{}", self.name.chars().take(9).collect::<String>()));
        let alive = self.alive.clone();
        builder.spawn(move || {
            labour(number, &*factory, &orders, &*tell);
            drop(alive);
        })?;
        self.next += 1;
        self.workers.push(Worker { number, work, idle_since });
        Ok(self.workers.len() - 1)
    }
}

/// A worker's life.
fn labour(number: u64, factory: &dyn Workers, orders: &Receiver<Work>, tell: &(dyn Fn(Told) + Send + Sync)) {
    let mut hands: Option<Box<dyn Deliver>> = guarded(|| factory.start()).ok();
    let mut rests = Some(Duration::ZERO);
    loop {
        let order = match rests {
            Some(rest) => orders.recv_timeout(rest),
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match order {
            Ok(work) => {
                let answer = deliver(factory, &mut hands, &work);
                tell(Told::Answer { worker: number, ticket: work.ticket, answer });
                rests = Some(Duration::from_millis(100));
            }
            Err(RecvTimeoutError::Timeout) => {
                rests = match hands.as_mut().map(|hands| guarded(|| hands.rest())) {
                    Some(Ok(again)) => again,
                    Some(Err(failure)) => {
                        hands = None;
                        tell(Told::Unwell { worker: number, failure });
                        None
                    }
                    None => None,
                };
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn deliver(
    factory: &dyn Workers,
    hands: &mut Option<Box<dyn Deliver>>,
    work: &Work,
) -> Result<Delivered, Failure> {
    if hands.is_none() {
        *hands = Some(guarded(|| factory.start())?);
    }
    let delivery =
        Delivery { events: &work.events, attempt: work.attempt, key: &work.key, timeout: Some(work.timeout) };
    match hands {
        Some(hands) => guarded(|| hands.deliver(&delivery)),
        None => Err(Failure::retry("no_worker", "there is no worker")),
    }
}
