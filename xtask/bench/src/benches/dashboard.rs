//! The dashboard in a headless browser over a log with some past, and what the server holds in memory meanwhile.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::fill::fill;
use crate::latency::Latencies;
use crate::options::Options;
use crate::report::{Section, Verdict, figure};
use crate::tacho::Tacho;
use crate::work::Work;

const TITLE: &str = "Dashboard";
/// The events' times are spread over so long, up to now.
const OVER: Duration = Duration::from_secs(8 * 3_600);
const LOADS: usize = 5;
/// Decimal megabytes, as they are promised.
const MEMORY_CEILING_MB: f64 = 60.0;
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// How long the browser may take to end when it is asked.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn run(options: &Options) -> Result<Section> {
    let Some(chromium) = &options.chromium else {
        return Ok(Section::left_out(TITLE, "there is no Chromium on this machine."));
    };
    let driver = options.web.join("node_modules/playwright-core");
    ensure!(driver.is_dir(), "{} is missing: run `npm ci` in {}", driver.display(), options.web.display());
    let events = options.pick(100_000, 10_000);
    let tacho = Tacho::start(options, "tacho-dashboard").await?;
    let work = Work::new(events, OVER, "");
    let filled = fill(tacho.address(), events, |number| work.event(number)).await?;
    tacho.wait_folded(filled.head).await?;
    // What the filling needed in memory is none of the dashboard's.
    let (tacho, _) = tacho.restart().await?;
    let mut command = Command::new("node");
    command.arg("test/browser/load.mjs").arg(format!("http://{}/", tacho.address()));
    command.arg(LOADS.to_string()).current_dir(&options.web).env("CHROMIUM", chromium);
    let (browser, told) = tokio::task::spawn_blocking(move || Browser::start(command)).await??;
    let open = options.pick(30, 3);
    let mut most: f64 = 0.0;
    let mut last = 0.0;
    for _ in 0..open {
        tokio::time::sleep(SAMPLE_EVERY).await;
        last = tacho.server.memory_mib()?.0 * 1.048_576;
        most = most.max(last);
    }
    tokio::task::spawn_blocking(move || browser.stop()).await??;
    section(events, &told, open, last, most)
}

fn section(events: u64, told: &Value, open: u64, last: f64, most: f64) -> Result<Section> {
    let loads = told["loads"].as_array().context("the browser told no loads")?;
    let number = |name: &str| loads.iter().filter_map(|load| load[name].as_f64()).collect::<Vec<f64>>();
    let content: Latencies =
        number("content_ms").into_iter().map(|ms| Duration::from_secs_f64(ms / 1e3)).collect();
    ensure!(content.len() == LOADS, "the browser told {} of {LOADS} loads", content.len());
    let kilobytes = |bytes: f64| figure(bytes / 1e3);
    let bytes = number("bytes");
    Ok(Section {
        title: TITLE,
        notes: vec![format!(
            "Milliseconds from asking for the page to its first content, in headless Chromium with nothing cached, {LOADS} \
             times on {} events; kilobytes with all that the page then loads, in the median. Memory is the server's resident \
             set in MB with the page open for {open} s: at the end, and the most. The browser shares the cores.",
            figure(events as f64)
        )],
        columns: ["first content, median", "most", "kB transferred", "requests", "memory", "memory, at most"]
            .map(str::to_owned)
            .to_vec(),
        rows: vec![vec![
            figure(content.percentile_ms(50.0)),
            figure(content.percentile_ms(100.0)),
            kilobytes(median(bytes)),
            figure(median(number("requests"))),
            figure(last),
            figure(most),
        ]],
        verdicts: vec![Verdict::at_most("memory with the dashboard open", most, MEMORY_CEILING_MB, "MB")],
    })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

/// The script that drives the browser; it keeps the last page open until its input ends. Dropping it ends it.
struct Browser {
    script: Child,
}

impl Browser {
    /// Also answers what the script told of its loads.
    fn start(mut command: Command) -> Result<(Browser, Value)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let script = command.spawn().context("node could not be started")?;
        let mut browser = Browser { script };
        let mut line = String::new();
        let output = browser.script.stdout.take().context("the browser's script has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let told = serde_json::from_str(&line).context("the browser's script told no figures")?;
        Ok((browser, told))
    }

    fn stop(mut self) -> Result<()> {
        drop(self.script.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.script.try_wait()? {
                ensure!(status.success(), "the browser's script ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the browser's script does not end when its input does");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if matches!(self.script.try_wait(), Ok(Some(_))) {
            return;
        }
        // The script ends its browser on this; it may have ended by itself.
        if let Some(id) = Pid::from_raw(self.script.id() as i32) {
            let _ = kill_process(id, Signal::TERM);
        }
        let _ = self.script.wait();
    }
}
