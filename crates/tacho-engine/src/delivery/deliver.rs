//! What a kind of handler implements.

use std::time::Duration;
use tacho_event::Recorded;

/// Hands events to the outside. It owns its connection and its files; batching, retry, dead letters and the
/// cursor are the kernel's, so an implementation tries once and says how it went.
///
/// Called on a thread of its own, so it may block; a stop waits for it within a limit, so whatever it waits
/// for needs a timeout.
pub trait Deliver: Send + 'static {
    /// Takes the events over. After an error the same events come again, alone or together: what was taken
    /// before the error may be taken twice, and must do no harm then.
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure>;

    /// Called when nothing waits: for what is to be told when time goes by. Answers after which time at the latest it
    /// is to be called again; anything new on the log is a reason too. After an error that may pass it is called
    /// again after a pause.
    fn rest(&mut self) -> Result<Option<Duration>, Failure> {
        Ok(None)
    }

    /// Makes all that was taken over outlive a power cut; only then does the cursor on the log pass it. Called
    /// about once a second while something is delivered, and at a stop.
    fn settle(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Events that go out together.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// At least one, in the order of the log.
    pub events: &'a [Recorded],
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The same for every attempt of the same events, so that the other side can tell a repetition; empty for a sink.
    pub key: &'a str,
    /// How long the attempt may take; `None` for a sink, whose kind has a setting of its own.
    pub timeout: Option<Duration>,
}

/// What became of the events of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivered {
    /// How many of them were there already and were left out.
    pub skipped: u64,
    /// What the other side answered, in its order. A sink returns nothing.
    pub returned: Vec<Returned>,
}

/// An event that a handler returned, as it wrote it: a JSON object with a `type`. Whether it may be appended is the
/// kernel's to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned(pub Vec<u8>);

/// Why events were not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable, for programs: `http_500`, `disk_full`.
    pub code: String,
    /// For people; must hold no secret.
    pub message: String,
    pub verdict: Verdict,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again, not before `after` when the other side named a time.
    Retry { after: Option<Duration> },
    /// Trying again cannot help: the event is dead. A batch is taken apart first.
    Reject,
}

impl Failure {
    /// A failure that may pass.
    pub fn retry(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), verdict: Verdict::Retry { after: None } }
    }

    /// A failure that will not pass.
    pub fn reject(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), verdict: Verdict::Reject }
    }
}

/// Makes the workers of a handler. Each worker is used by one thread, and by one delivery at a time; how many there are is
/// the kernel's to decide.
pub trait Workers: Send + Sync + 'static {
    /// A worker that is ready; called on the thread that uses it, so it may block while something starts.
    fn start(&self) -> Result<Box<dyn Deliver>, Failure>;
}
