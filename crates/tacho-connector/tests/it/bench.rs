//! An engine of the test's own, and a sink at work on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tacho_connector::{Settings, Surroundings, find};
use tacho_engine::delivery::{Handler, HandlerStatus, Policy, Retry, Start};
use tacho_engine::{Clock, Config, Engine, SystemClock};
use tacho_event::{Draft, Event, Filter, Sameness, Timestamp};
use tempfile::TempDir;

/// A clock that goes on when it is told to.
#[derive(Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_nanos()).unwrap(), SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(1_750_000_000_000_000_000 + self.0.load(SeqCst))
    }
}

/// Nothing that a test waits for takes longer, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Bench {
    pub folder: TempDir,
    pub engine: Engine,
}

impl Bench {
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    pub fn with_clock(clock: impl Clock) -> Self {
        let folder = TempDir::new().unwrap();
        let engine = Engine::open(Config::new(folder.path().join("data")), clock).unwrap();
        Self { folder, engine }
    }

    /// Ends the engine and opens it again, without the read side that it had: cursors are on the log.
    pub fn restart(&mut self) {
        self.restart_with(SystemClock);
    }

    pub fn restart_with(&mut self, clock: impl Clock) {
        self.engine.close().unwrap();
        std::fs::remove_dir_all(self.folder.path().join("data/view")).unwrap();
        self.engine = Engine::open(Config::new(self.folder.path().join("data")), clock).unwrap();
    }

    /// Starts a sink that begins with the first event and does not wait long between attempts.
    pub fn start(&self, kind: &str, settings: Settings, change: impl FnOnce(&mut Policy)) {
        self.start_opened(kind, settings, change, |_| {});
    }

    /// As `start`, with something that happens while the sink is open and does nothing yet; batches do not wait.
    pub fn start_after(&self, kind: &str, settings: Settings, meanwhile: impl FnOnce(&Self)) {
        self.start_opened(kind, settings, |policy| policy.batch.window_ms = 0, meanwhile);
    }

    fn start_opened(
        &self,
        kind: &str,
        settings: Settings,
        change: impl FnOnce(&mut Policy),
        meanwhile: impl FnOnce(&Self),
    ) {
        let kind = find(kind).unwrap();
        let surroundings =
            Surroundings { engine: self.engine.clone(), console: Arc::new(|event| event.kind().to_owned()) };
        (kind.check)(&settings, settings.secret.is_some()).unwrap();
        let deliver = (kind.open)(&settings, &surroundings).unwrap();
        let mut policy = Policy {
            batch: (kind.batch)(),
            retry: Retry { first_ms: 1, longest_ms: 20, attempts: None },
            start: Start::Beginning,
            ..Policy::default()
        };
        policy.progress.every_ms = 10;
        change(&mut policy);
        let filter = Filter::default();
        meanwhile(self);
        let handler = Handler { name: "sink".into(), kind: kind.name, filter, policy, deliver };
        self.engine.start_handlers(vec![handler]).unwrap();
    }

    /// Appends events with the ids `first..first + count`.
    pub fn append(&self, kind: &str, first: u64, count: u64, data: &str) {
        let events = (first..first + count).map(|id| self.event(kind, "task/x", None, id, data));
        self.engine.append_and_wait(events.collect()).unwrap();
    }

    /// Appends one event to a stream, of a session.
    pub fn append_to(&self, kind: &str, stream: &str, session: Option<&str>, id: u64, data: &str) {
        let event = self.event(kind, stream, session, id, data);
        self.engine.append_and_wait(vec![event]).unwrap();
    }

    fn event(&self, kind: &str, stream: &str, session: Option<&str>, id: u64, data: &str) -> Event {
        let mut draft = Draft::new(kind.to_owned(), "/t", format!("e{id}"));
        draft.subject = Some(stream.to_owned().into());
        draft.put_text("time", &self.engine.now().to_rfc3339_millis());
        if let Some(session) = session {
            draft.put_text("sessionid", session);
        }
        draft.set_data(data.as_bytes());
        draft.finish(Sameness::FirstWins).unwrap()
    }

    pub fn status(&self) -> HandlerStatus {
        self.engine.handler("sink").unwrap()
    }

    /// Waits until the sink says so; answers its status then.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&HandlerStatus) -> bool) -> HandlerStatus {
        eventually(what, || Some(self.status()).filter(|status| is_so(status)))
    }
}

/// Asks again until there is an answer.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::yield_now();
    }
}
