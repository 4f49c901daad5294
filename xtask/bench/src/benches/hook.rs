//! What a hook costs the agent: the whole process, from its start to its exit. The programs take turns, so that
//! they share the machine's moods.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::http::Connection;
use crate::latency::Latencies;
use crate::options::Options;
use crate::report::{Section, Verdict, figure};
use crate::tacho::Tacho;

/// What Claude Code hands a hook after a tool call.
const PAYLOAD: &[u8] = include_bytes!("../../samples/post_tool_use.json");

const PYTHON: &str = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read() + b'\\n')";

/// Above `/bin/true`, in milliseconds.
const MEDIAN_FLOOR_MS: f64 = 1.5;
const P99_FLOOR_MS: f64 = 5.0;

pub async fn run(options: &Options) -> Result<Section> {
    let rounds = options.pick(1000, 100);
    let tacho = Tacho::start(options, "tacho-hook").await?;
    let script = tacho.data.with_file_name("append.py");
    let lines = tacho.data.with_file_name("lines.jsonl");
    fs::write(&script, PYTHON)?;
    let mut programs =
        [Command::new(&options.tacho), Command::new("/bin/true"), Command::new(&options.python)];
    programs[0]
        .arg("hook")
        .env("TACHO_DATA", &tacho.data)
        .env("TACHO_SERVER", format!("http://{}", tacho.address()));
    programs[2].arg(&script).arg(&lines);
    let mut connection = Connection::open(tacho.address()).await?;
    let before = Tacho::folded(&mut connection).await?;
    let mut samples = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        for (program, samples) in programs.iter_mut().zip(&mut samples) {
            samples.push(spawn(program)?);
        }
        // Lets a signal to end the run be heard.
        tokio::task::yield_now().await;
    }
    let recorded = settled(&mut connection, before + rounds).await? - before;
    let [hook, nothing, python] = samples.map(Latencies::from_iter);
    let mut section = section(&hook, &nothing, &python);
    section.notes.push(format!("{rounds} hooks ran; the log grew by {recorded} events."));
    Ok(section)
}

fn section(hook: &Latencies, nothing: &Latencies, python: &Latencies) -> Section {
    let row = |name: &str, samples: &Latencies| {
        let figures = [50.0, 90.0, 99.0, 100.0].map(|percent| figure(samples.percentile_ms(percent)));
        std::iter::once(name.to_owned()).chain(figures).collect::<Vec<_>>()
    };
    let above = |percent: f64| hook.percentile_ms(percent) - nothing.percentile_ms(percent);
    Section {
        title: "Hook",
        notes: vec![
            "Milliseconds of the whole process, a tool call's payload on stdin; `tacho hook` ends when its event is \
             on disk, the Python script when its line is in the page cache."
                .to_owned(),
        ],
        columns: ["process", "median", "p90", "p99", "most"].map(str::to_owned).to_vec(),
        rows: vec![
            row("`tacho hook`", hook),
            row("`/bin/true`", nothing),
            row("a Python script that appends to a file", python),
        ],
        verdicts: vec![
            Verdict::at_most("hook above `/bin/true`, median", above(50.0), MEDIAN_FLOOR_MS, "ms"),
            Verdict::at_most("hook above `/bin/true`, p99", above(99.0), P99_FLOOR_MS, "ms"),
        ],
    }
}

fn spawn(program: &mut Command) -> Result<Duration> {
    let name = program.get_program().to_string_lossy().into_owned();
    program.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = program.spawn().with_context(|| format!("{name} could not be started"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // `/bin/true` does not read it, and may be gone before it is written.
        let _ = stdin.write_all(PAYLOAD);
    }
    let status = child.wait()?;
    let took = begun.elapsed();
    ensure!(status.success(), "{name} ended with {status}");
    Ok(took)
}

/// The head, once it has reached `expected` or has not moved for a second.
async fn settled(connection: &mut Connection, expected: u64) -> Result<u64> {
    let (mut head, mut moved) = (0, Instant::now());
    while head < expected && moved.elapsed() < Duration::from_secs(1) {
        let now = Tacho::folded(connection).await?;
        if now > head {
            (head, moved) = (now, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(head)
}
