//! How a command ends: its exit code, and the words on standard error.

use crate::terminal::escape;
use anyhow::Error;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Done,
    /// It checked something and found it wanting.
    Wanting,
}

/// The caller asked for something that makes no sense; the text says what would.
#[derive(Debug)]
pub struct WrongUsage(pub String);

impl fmt::Display for WrongUsage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for WrongUsage {}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const WANTING: u8 = 3;

/// Tells a failure on standard error, a cause a line, and answers the exit code.
pub fn exit_code(ending: Result<Ending, Error>) -> ExitCode {
    match ending {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Wanting) => ExitCode::from(WANTING),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::from(if error.is::<WrongUsage>() { USAGE } else { FAILED })
        }
    }
}

pub fn tell(error: &Error) {
    let mut lines = Vec::<String>::new();
    for cause in error.chain() {
        let line = escape(&cause.to_string()).into_owned();
        // A cause whose words are already part of the sentence above it adds nothing.
        if !lines.last().is_some_and(|above| above.contains(&line)) {
            lines.push(line);
        }
    }
    let mut stderr = io::stderr().lock();
    for (index, line) in lines.iter().enumerate() {
        let lead = if index == 0 { "error: " } else { "  because: " };
        // Where standard error is closed nobody listens.
        let _ = writeln!(stderr, "{lead}{line}");
    }
}

/// The reader of our output went away, as `head` does: that is no error.
fn is_broken_pipe(error: &Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    })
}
