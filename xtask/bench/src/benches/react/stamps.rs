//! The moments that workers write into a file: `SENT RECEIVED`, a line an event, in nanoseconds of the machine's
//! monotonic clock, which Python's `time.monotonic_ns` reads too.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::time::{ClockId, clock_gettime};

const PATIENCE: Duration = Duration::from_secs(30);

pub fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[derive(Clone, Copy)]
pub struct Stamp {
    pub sent: u64,
    pub received: u64,
}

impl Stamp {
    pub fn took(self) -> Duration {
        Duration::from_nanos(self.received.saturating_sub(self.sent))
    }
}

/// Waits until the file has so many lines, as long as more of them come.
pub async fn wait(path: &Path, count: usize) -> Result<Vec<Stamp>> {
    let (mut seen, mut moved) = (0, Instant::now());
    loop {
        // Who writes it may not have begun.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().count();
        if lines >= count && text.ends_with('\n') {
            return text.lines().map(parse).collect();
        }
        if lines > seen {
            (seen, moved) = (lines, Instant::now());
        }
        ensure!(
            moved.elapsed() < PATIENCE,
            "{lines} of {count} events came to the worker that writes {}",
            path.display()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn parse(line: &str) -> Result<Stamp> {
    let (sent, received) = line.split_once(' ').with_context(|| format!("`{line}` is no stamp"))?;
    Ok(Stamp { sent: sent.parse()?, received: received.parse()? })
}

/// Events a second from the first to the last.
pub fn rate(stamps: &[Stamp]) -> f64 {
    let times = || stamps.iter().map(|stamp| stamp.received);
    let took = times().max().unwrap_or(0) - times().min().unwrap_or(0);
    stamps.len().saturating_sub(1) as f64 / Duration::from_nanos(took).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_time_between_the_first_and_the_last() {
        let stamps: Vec<Stamp> =
            ["0 3000000000", "5 1000000000", "7 2000000000"].map(|line| parse(line).unwrap()).into();
        assert_eq!(rate(&stamps), 1.0);
        assert!(parse("x").is_err());
        assert_eq!(Stamp { sent: 5, received: 9 }.took(), Duration::from_nanos(4));
    }
}
