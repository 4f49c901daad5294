//! `process`: a command for each delivery; events on its standard input, events on its standard output.

use super::launch::{self, Launch};
use super::running::{Running, Step, code};
use super::{HandlerKind, HandlerSettings, HandlerSurroundings, OpenedHandler, TIMEOUT, output};
use std::sync::Arc;
use std::time::Instant;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Workers};

pub(super) const KIND: HandlerKind = HandlerKind {
    name: "process",
    about: "Starts `command` for each delivery. It gets the CloudEvent on its standard input as one line (a batch: one line an event), then \
            the end of the input; what it prints are events, one JSON object a line. Exit code 0 means done; any other is tried again, and \
            so is what takes too long: the process and all of its group are killed then. `TACHO_ATTEMPT` and `TACHO_IDEMPOTENCY_KEY` are in its environment.",
    keys: &["command", "mode", "directory", "environment", "variables", "output_bytes", "memory_bytes"],
    check: |settings| launch::check("command", &settings.command, settings),
    open,
};

fn open(settings: &HandlerSettings, surroundings: &HandlerSurroundings) -> OpenedHandler {
    launch::check("command", &settings.command, settings)?;
    Ok(Arc::new(Processes {
        launch: Launch::new(&settings.command, settings, surroundings),
        output_bytes: settings.output_bytes(),
    }))
}

#[derive(Clone)]
struct Processes {
    launch: Launch,
    output_bytes: usize,
}

impl Workers for Processes {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Deliver for Processes {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let time = delivery.timeout.unwrap_or(TIMEOUT);
        let until = Instant::now() + time;
        let attempt = delivery.attempt.to_string();
        let more = [("TACHO_ATTEMPT", attempt.as_str()), ("TACHO_IDEMPOTENCY_KEY", delivery.key)];
        let mut process = self.launch.start(&more)?;
        process.send(input(delivery));
        process.send_no_more();
        let mut written = Vec::new();
        loop {
            match process.step(&mut written, until) {
                Step::Exited => break,
                Step::Quiet => return Err(self.late(&mut process, time)),
                Step::Output if Instant::now() >= until => return Err(self.late(&mut process, time)),
                Step::Output | Step::Closed => {}
            }
            if written.len() > self.output_bytes {
                process.kill();
                let message = format!(
                    "{:?} wrote more than {} bytes; write less, or raise `output_bytes`",
                    self.launch.program(),
                    self.output_bytes
                );
                return Err(Failure::retry("output_too_large", message));
            }
        }
        self.judge(&mut process, &written)
    }
}

impl Processes {
    fn late(&self, process: &mut Running, time: std::time::Duration) -> Failure {
        process.kill();
        let (program, last) = (self.launch.program(), process.last_line());
        let message = format!("{program:?} was killed: it took longer than {} ms{last}", time.as_millis());
        Failure::retry("timeout", message)
    }

    fn judge(&self, process: &mut Running, written: &[u8]) -> Result<Delivered, Failure> {
        let program = self.launch.program();
        match process.kill() {
            Some(status) if status.success() => match output::lines(written) {
                Ok(returned) => Ok(Delivered { returned, ..Delivered::default() }),
                Err(reason) => {
                    let message = format!(
                        "{program:?}: {reason}; print events on standard output, all else on standard error"
                    );
                    Err(Failure::retry("bad_output", message))
                }
            },
            Some(status) => {
                let message = format!("{program:?} ended with {status}{}", process.last_line());
                Err(Failure::retry(code(status), message))
            }
            None => Err(Failure::retry("ended", format!("{program:?} ended, nobody knows how"))),
        }
    }
}

/// The events, one a line.
fn input(delivery: &Delivery<'_>) -> Vec<u8> {
    let mut lines = Vec::new();
    for event in delivery.events {
        event.write_cloudevent(&mut lines);
        lines.push(b'\n');
    }
    lines
}
