//! A handler of the test's own: its peers are scripts in a folder of the test.

use crate::bench::eventually;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tacho_connector::{HandlerSettings, HandlerSurroundings, check_handler};
use tacho_engine::delivery::{Deliver, Delivery, Failure, Workers};
use tacho_event::{Draft, Position, Recorded, Sameness, Sequence, Timestamp};
use tempfile::TempDir;

/// For peers that are to answer, whatever else the machine does.
pub const LONG: Duration = Duration::from_secs(60);
/// For peers that hang.
pub const SHORT: Duration = Duration::from_millis(200);

pub struct Scripts(pub TempDir);

impl Scripts {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command that runs the text in Python.
    pub fn python(&self, text: &str) -> Vec<String> {
        self.command("python3", text)
    }

    /// A command that runs the text in a shell.
    pub fn shell(&self, text: &str) -> Vec<String> {
        self.command("sh", text)
    }

    fn command(&self, program: &str, text: &str) -> Vec<String> {
        let path = self.path("script");
        std::fs::write(&path, text).unwrap();
        vec![program.into(), path.to_str().unwrap().into()]
    }
}

pub fn surroundings() -> HandlerSurroundings {
    HandlerSurroundings {
        environment: std::env::vars_os()
            .chain([("SECRET".into(), "hunter2".into()), ("TOKEN".into(), "t-1".into())])
            .collect(),
        now: Arc::new(|| Timestamp(1_750_000_000_000_000_000)),
    }
}

pub fn open(settings: &HandlerSettings) -> Arc<dyn Workers> {
    let kind = check_handler(settings).unwrap();
    (kind.open)(settings, &surroundings()).unwrap_or_else(|error| panic!("{error}"))
}

pub fn start(settings: &HandlerSettings) -> Box<dyn Deliver> {
    open(settings).start().unwrap_or_else(|failure| panic!("{failure:?}"))
}

pub fn command(command: Vec<String>, mode: &str) -> HandlerSettings {
    HandlerSettings { command, mode: Some(mode.into()), ..HandlerSettings::default() }
}

pub fn event(position: u64, stream: &str, data: &str) -> Recorded {
    let mut draft = Draft::new("demo.a", "/t", format!("e{position}"));
    draft.subject = Some(stream.to_owned().into());
    draft.set_data(data.as_bytes());
    let event = draft.finish(Sameness::FirstWins).unwrap();
    Recorded::new(Position(position), Sequence(position), Timestamp(0), event.bytes().to_vec().into())
        .unwrap()
}

pub fn events(count: u64) -> Vec<Recorded> {
    (1..=count).map(|position| event(position, "task/x", &format!("{{\"n\":{position}}}"))).collect()
}

/// Delivers; answers what was returned.
pub fn deliver(
    worker: &mut Box<dyn Deliver>,
    events: &[Recorded],
    timeout: Duration,
) -> Result<Vec<Value>, Failure> {
    let delivered = worker.deliver(&Delivery { events, attempt: 2, key: "key-1", timeout: Some(timeout) })?;
    Ok(delivered.returned.iter().map(|event| serde_json::from_slice(&event.0).unwrap()).collect())
}

/// Delivers one event that must be taken; answers the one that comes back.
#[track_caller]
pub fn ask(worker: &mut Box<dyn Deliver>, data: &str) -> Value {
    let returned = deliver(worker, &[event(1, "task/x", data)], LONG).unwrap();
    assert_eq!(returned.len(), 1, "{returned:?}");
    returned[0].clone()
}

/// Delivers one event that must fail.
#[track_caller]
pub fn fails(worker: &mut Box<dyn Deliver>, data: &str, timeout: Duration) -> Failure {
    deliver(worker, &[event(1, "task/x", data)], timeout).unwrap_err()
}

/// Waits until nothing runs under this number.
#[track_caller]
pub fn until_gone(process: &str) {
    eventually("the process is gone", || (!is_there(process)).then_some(()));
}

/// What has ended and waits for its parent to see it is not there any more.
pub fn is_there(process: &str) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", process]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}
