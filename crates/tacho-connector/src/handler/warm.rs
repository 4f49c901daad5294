//! `warm`: a command that stays, and is told of each delivery in JSON-RPC 2.0.

use super::json_rpc::{self, Answer, JsonRpc};
use super::launch::{self, Launch};
use super::{HandlerKind, HandlerSettings, HandlerSurroundings, OpenedHandler, Recycle, TIMEOUT, output};
use crate::SettingsError;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Workers};
use tacho_event::{Timestamp, json};

/// How long a worker is idle before it is asked for its health, unless configured otherwise.
const HEALTH: Duration = Duration::from_secs(10);
/// How long it may take to say so.
const HEALTH_ANSWER: Duration = Duration::from_secs(5);

pub(super) const KIND: HandlerKind = HandlerKind {
    name: "warm",
    about: "Starts `command` once a worker and keeps it: each delivery is a JSON-RPC 2.0 request `handle` on its standard input, one line, with \
            `event` (a batch: `events`), `attempt`, `idempotency_key` and `deadline`; it answers `{\"events\":[…]}` or an error on its standard output. \
            An error is tried again unless its `data.retry` is `false`. A notification `progress` gives it its time anew. \
            When idle it is asked `ping`, and any answer will do. A worker that ends, hangs or writes anything else is replaced.",
    keys: &[
        "command",
        "mode",
        "directory",
        "environment",
        "variables",
        "output_bytes",
        "memory_bytes",
        "recycle",
        "health_ms",
    ],
    check,
    open,
};

fn check(settings: &HandlerSettings) -> Result<(), SettingsError> {
    launch::check("command", &settings.command, settings)?;
    let limits =
        [settings.recycle.events, settings.recycle.age_ms, settings.recycle.memory_bytes, settings.health_ms];
    match limits.contains(&Some(0)) {
        true if settings.health_ms == Some(0) => {
            Err(SettingsError::unusable("health_ms", "must be at least 1"))
        }
        true => Err(SettingsError::unusable("recycle", "each limit must be at least 1")),
        false => Ok(()),
    }
}

fn open(settings: &HandlerSettings, surroundings: &HandlerSurroundings) -> OpenedHandler {
    check(settings)?;
    Ok(Arc::new(Plan {
        launch: Launch::new(&settings.command, settings, surroundings),
        output_bytes: settings.output_bytes(),
        recycle: settings.recycle.clone(),
        health: settings.health_ms.map_or(HEALTH, Duration::from_millis),
        now: surroundings.now.clone(),
    }))
}

#[derive(Clone)]
struct Plan {
    launch: Launch,
    output_bytes: usize,
    recycle: Recycle,
    health: Duration,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Workers for Plan {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        let mut worker = Worker { plan: self.clone(), peer: None, handled: 0, heard: Instant::now() };
        worker.begin()?;
        Ok(Box::new(worker))
    }
}

struct Worker {
    plan: Plan,
    /// `None` behind a failure that ended it, and when it was recycled.
    peer: Option<JsonRpc>,
    /// Events since the process began.
    handled: u64,
    /// When the process last answered, or began.
    heard: Instant,
}

impl Deliver for Worker {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        self.recycle();
        let time = delivery.timeout.unwrap_or(TIMEOUT);
        let answer = self.call("handle", &params(delivery, (self.plan.now)(), time), time)?;
        self.handled += delivery.events.len() as u64;
        match answer {
            Answer::Error(error) => Err(json_rpc::failure(&error)),
            Answer::Result(result) => match output::events(&result) {
                Ok(returned) => Ok(Delivered { returned, ..Delivered::default() }),
                Err(reason) => {
                    let program = self.plan.launch.program();
                    Err(Failure::retry(
                        "bad_answer",
                        format!("{program:?}: {reason}; answer {{\"events\":[…]}}"),
                    ))
                }
            },
        }
    }

    /// Replaces a process that is due, and one that does not answer.
    fn rest(&mut self) -> Result<Option<Duration>, Failure> {
        self.recycle();
        let left = self.plan.health.saturating_sub(self.heard.elapsed());
        if self.peer.is_some() && !left.is_zero() {
            return Ok(Some(self.until_due(left)));
        }
        if self.peer.is_some() && self.call("ping", b"{}", HEALTH_ANSWER).is_ok() {
            return Ok(Some(self.until_due(self.plan.health)));
        }
        self.begin()?;
        Ok(Some(self.until_due(self.plan.health)))
    }
}

impl Worker {
    fn begin(&mut self) -> Result<&mut JsonRpc, Failure> {
        let peer = JsonRpc::start(&self.plan.launch, self.plan.output_bytes)?;
        (self.handled, self.heard) = (0, Instant::now());
        Ok(self.peer.insert(peer))
    }

    fn call(&mut self, method: &str, params: &[u8], time: Duration) -> Result<Answer, Failure> {
        // One that ended while nobody asked it is no failure of this delivery.
        self.peer.take_if(|peer| !peer.conversation().is_alive());
        let peer = match self.peer.as_mut() {
            Some(peer) => peer,
            None => self.begin()?,
        };
        let answer = peer.call(method, params, time);
        if answer.is_err() {
            self.peer = None;
        }
        self.heard = Instant::now();
        answer
    }

    /// Lets a process leave that did its share.
    fn recycle(&mut self) {
        let Some(peer) = &self.peer else { return };
        let Recycle { events, age_ms, memory_bytes } = self.plan.recycle;
        let is_due = events.is_some_and(|events| self.handled >= events)
            || age_ms.is_some_and(|age| peer.conversation().age() >= Duration::from_millis(age))
            || memory_bytes
                .is_some_and(|most| peer.conversation().memory_bytes().is_some_and(|has| has >= most));
        if is_due {
            self.peer = None;
        }
    }

    /// The time until the next look: `left`, or until the process is old enough.
    fn until_due(&self, left: Duration) -> Duration {
        let age = self.peer.as_ref().map(|peer| peer.conversation().age());
        let old = self.plan.recycle.age_ms.map(Duration::from_millis).zip(age);
        old.map_or(left, |(old, age)| left.min(old.saturating_sub(age)))
    }
}

fn params(delivery: &Delivery<'_>, now: Timestamp, time: Duration) -> Vec<u8> {
    let mut params = Vec::new();
    match delivery.events {
        [event] => {
            params.extend_from_slice(b"{\"event\":");
            event.write_cloudevent(&mut params);
        }
        events => {
            params.extend_from_slice(b"{\"events\":[");
            for (index, event) in events.iter().enumerate() {
                if index > 0 {
                    params.push(b',');
                }
                event.write_cloudevent(&mut params);
            }
            params.push(b']');
        }
    }
    params.extend_from_slice(format!(",\"attempt\":{},\"idempotency_key\":", delivery.attempt).as_bytes());
    json::write_string(delivery.key, &mut params);
    let time = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    let deadline = Timestamp(now.0.saturating_add(time));
    params.extend_from_slice(format!(",\"deadline\":\"{}\"}}", deadline.to_rfc3339()).as_bytes());
    params
}
