//! `console`: each event on standard output, as `tacho tail` shows it.

use super::Kind;
use crate::Surroundings;
use std::io::{ErrorKind, Write};
use std::sync::Arc;
use tacho_engine::delivery::{BatchLimits, Deliver, Delivered, Delivery, Failure};
use tacho_event::Recorded;

pub(super) const KIND: Kind = Kind {
    name: "console",
    about: "Prints `[HH:MM:SS] TASK_QUEUED` and the payload's fields on the server's standard output.",
    keys: &[],
    types: &["*"],
    batch: BatchLimits::default,
    check: |_, _| Ok(()),
    open: |_, surroundings| Ok(Box::new(Console::new(surroundings, std::io::stdout()))),
};

struct Console<W> {
    out: W,
    text: Arc<dyn Fn(&Recorded) -> String + Send + Sync>,
}

impl<W: Write + Send + 'static> Console<W> {
    fn new(surroundings: &Surroundings, out: W) -> Self {
        Self { out, text: surroundings.console.clone() }
    }
}

impl<W: Write + Send + 'static> Deliver for Console<W> {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let mut block = String::new();
        for event in delivery.events {
            block.push_str(&(self.text)(event));
            block.push('\n');
        }
        match self.out.write_all(block.as_bytes()).and_then(|()| self.out.flush()) {
            Ok(()) => Ok(Delivered::default()),
            // Nobody reads any more, and nobody will: there is no console to deliver to.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                Ok(Delivered { skipped: delivery.events.len() as u64, ..Delivered::default() })
            }
            Err(error) => Err(Failure::retry("console_failed", format!("standard output: {error}"))),
        }
    }
}
