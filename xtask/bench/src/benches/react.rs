//! What answers events: how fast it has them, how many a second, many handlers, many dead letters; beside what else
//! people let run for an event.

mod crowd;
mod handler;
mod letters;
mod peers;
mod process;
mod stamps;
mod warm;

use anyhow::Result;

use crate::latency::Latencies;
use crate::options::Options;
use crate::report::{Section, Verdict, figure};

/// The figures of a part of the section.
#[derive(Default)]
struct Part {
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    verdicts: Vec<Verdict>,
}

impl Part {
    fn rate(&mut self, work: impl Into<String>, events_per_second: f64) {
        self.rows.push(vec![work.into(), figure(events_per_second), "–".to_owned(), "–".to_owned()]);
    }

    fn latency(&mut self, work: impl Into<String>, latencies: &Latencies) {
        let [median, p99] = [50.0, 99.0].map(|percent| figure(latencies.percentile_ms(percent)));
        self.rows.push(vec![work.into(), "–".to_owned(), median, p99]);
    }

    fn add(&mut self, other: Part) {
        self.rows.extend(other.rows);
        self.notes.extend(other.notes);
        self.verdicts.extend(other.verdicts);
    }
}

pub async fn run(options: &Options) -> Result<Section> {
    let mut part = Part::default();
    part.notes.push(
        "Events a second, or the median and the 99th percentile in milliseconds. A latency is from sending the event \
         to the moment that Python has read it, at 200 events a second; the clock is the machine's. The workers are \
         the same few lines of Python everywhere, on the cores that the servers and the generator use too."
            .to_owned(),
    );
    let warm = warm::measure(options, &mut part).await?;
    part.add(process::measure(options).await?);
    part.add(peers::measure(options, &warm).await?);
    part.add(crowd::measure(options).await?);
    part.add(letters::measure(options).await?);
    Ok(Section {
        title: "React",
        notes: part.notes,
        columns: ["work", "events/s", "median", "p99"].map(str::to_owned).to_vec(),
        rows: part.rows,
        verdicts: part.verdicts,
    })
}
