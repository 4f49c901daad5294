//! The machine that the figures hold for.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::latency::Latencies;
use crate::load::Measured;

pub struct Machine {
    pub date: String,
    pub cores: usize,
    pub cpu: String,
    pub kernel: String,
    /// Processes that wanted to run in the minute before: above the servers' share, figures mean little.
    pub load: f64,
    /// `write` + `fdatasync` of 512 bytes into a file filled with zeros beforehand.
    pub syncs_per_second: f64,
    /// The same, as the time that the median one takes: other work on the disk moves it less than the rate.
    pub sync_median_ms: f64,
}

pub fn describe(data: &Path) -> Result<Machine> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    fs::create_dir_all(data)?;
    let syncs = raw_syncs(data, &[7; 512], Duration::from_secs(2))?;
    Ok(Machine {
        date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        cpu: model.map_or("unknown", |(_, name)| name.trim()).to_owned(),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        syncs_per_second: syncs.events_per_second,
        sync_median_ms: syncs.latencies.percentile_ms(50.0),
    })
}

/// Writes and syncs `bytes` again and again, each write an event, into a file filled with zeros beforehand: what a
/// log that syncs each append can reach on this disk.
pub fn raw_syncs(folder: &Path, bytes: &[u8], duration: Duration) -> Result<Measured> {
    const FILE_BYTES: usize = 256 << 20;
    let path = folder.join("raw-syncs");
    let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    let zeros = vec![0; 1 << 20];
    for index in 0..FILE_BYTES / zeros.len() {
        file.write_all_at(&zeros, (index * zeros.len()) as u64)?;
    }
    file.sync_all()?;
    let begun = Instant::now();
    let mut samples = Vec::new();
    while begun.elapsed() < duration {
        let offset = samples.len() * bytes.len() % (FILE_BYTES - bytes.len());
        let written = Instant::now();
        file.write_all_at(bytes, offset as u64)?;
        file.sync_data()?;
        samples.push(written.elapsed());
    }
    let took = begun.elapsed();
    fs::remove_file(path)?;
    let latencies: Latencies = samples.into_iter().collect();
    Ok(Measured { events_per_second: latencies.len() as f64 / took.as_secs_f64(), latencies })
}
