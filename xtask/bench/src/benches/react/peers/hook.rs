//! A command hook that starts Python anew for each event.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::super::Part;
use super::super::stamps::{self, Stamp, now_ns};
use super::super::warm::Warm;
use crate::latency::Latencies;
use crate::options::Options;
use crate::report::Verdict;

/// What Claude Code hands a hook after a tool call.
pub const HOOK_PAYLOAD: &[u8] = include_bytes!("../../../../samples/post_tool_use.json");
const HOOK: &str = include_str!("../../../../samples/react/hook.py");

pub async fn measure(options: &Options, warm: &Warm, part: &mut Part) -> Result<()> {
    eprintln!("    a hook");
    let folder = options.fresh_folder("react-hook")?;
    let (script, file) = (folder.join("hook.py"), folder.join("stamps.txt"));
    std::fs::write(&script, HOOK)?;
    let mut command = Command::new(&options.python);
    command.arg(script).arg(&file);
    let mut begun = Vec::new();
    for _ in 0..options.pick(500, 50) {
        begun.push(now_ns());
        run_hook(&mut command, HOOK_PAYLOAD)?;
        // Lets a signal to end the run be heard.
        tokio::task::yield_now().await;
    }
    let took = Duration::from_nanos(now_ns() - begun.first().copied().unwrap_or(0));
    let stamps = stamps::wait(&file, begun.len()).await?;
    let rate = begun.len() as f64 / took.as_secs_f64();
    let latency: Latencies =
        stamps.iter().zip(&begun).map(|(stamp, sent)| Stamp { sent: *sent, ..*stamp }.took()).collect();
    part.latency("a Python hook: from its start to the event in its hands", &latency);
    part.rate("a Python hook: a new process an event, one after the other", rate);
    let of_one = warm.rates.first().map_or(0.0, |(_, rate)| *rate);
    part.verdicts.push(Verdict::at_least(
        "1 worker, 1 event a delivery, beside a Python hook",
        of_one / rate,
        1.0,
        "×",
    ));
    part.verdicts.push(Verdict::at_most(
        "`tacho hook` to a warm Python worker beside a Python hook, median",
        warm.hook.percentile_ms(50.0) / latency.percentile_ms(50.0),
        1.0,
        "×",
    ));
    Ok(())
}

/// Runs a hook to its end, as an agent does.
pub fn run_hook(command: &mut Command, payload: &[u8]) -> Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().context("a hook could not be started")?;
    child.stdin.take().context("a hook has no input")?.write_all(payload)?;
    let status = child.wait()?;
    ensure!(status.success(), "a hook ended with {status}");
    Ok(())
}
