//! The filters, and how long their pages take.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::fill::{self, AGENTS, CORRELATIONS, PHASES, SESSIONS, STREAMS, TYPES};
use crate::http::Connection;
use crate::latency::Latencies;
use crate::payload::{Variety, words};
use crate::report::figure;
use crate::tacho::expect_status;

pub const PAGE_EVENTS: usize = 100;

/// Pages that follow cursors from the middle of the log, for each value of a filter.
const CURSOR_PAGES: usize = 2;

pub struct Filter {
    pub name: &'static str,
    /// The query's parameters for one value; `head` is the log's.
    parameters: fn(&mut Variety, head: u64) -> String,
}

pub const FILTERS: &[Filter] = &[
    Filter { name: "none", parameters: |_, _| String::new() },
    Filter { name: "type", parameters: |v, _| format!("&type=bench.kind-{}", v.below(TYPES)) },
    Filter { name: "type, a pattern", parameters: |v, _| format!("&type=bench.*-{}*", v.below(5)) },
    Filter {
        name: "two types",
        parameters: |v, _| format!("&type=bench.kind-{}&type=bench.kind-{}", v.below(TYPES), v.below(TYPES)),
    },
    Filter { name: "stream", parameters: |v, _| format!("&stream=task/bench-{}", v.below(STREAMS)) },
    Filter { name: "session", parameters: |v, _| format!("&session=session-{}", v.below(SESSIONS)) },
    Filter { name: "agent", parameters: |v, _| format!("&agent=agent-{}", v.below(AGENTS)) },
    Filter { name: "actor", parameters: |v, _| format!("&actor=agent:agent-{}", v.below(AGENTS)) },
    Filter { name: "phase", parameters: |v, _| format!("&phase={}", PHASES[v.below(6) as usize]) },
    Filter {
        name: "correlation",
        parameters: |v, _| format!("&correlation=correlation-{}", v.below(CORRELATIONS)),
    },
    Filter { name: "trace", parameters: |v, _| format!("&trace={}", fill::trace(v.below(SESSIONS))) },
    Filter { name: "id", parameters: |v, head| format!("&id={}", fill::id(v.below(head))) },
    Filter {
        name: "since and until",
        parameters: |v, head| {
            let since = v.below(head);
            format!("&since={}&until={}", fill::time(since), fill::time(since + 1000))
        },
    },
    Filter { name: "a frequent word", parameters: |v, _| format!("&search={}", word(v)) },
    Filter { name: "two frequent words", parameters: |v, _| format!("&search={}%20{}", word(v), word(v)) },
    Filter {
        name: "a word of 1,000 events",
        parameters: |v, head| format!("&search=rare{}", v.below(head / 1000)),
    },
    Filter { name: "a word of one event", parameters: |v, head| format!("&search=only{}", v.below(head)) },
    Filter { name: "a word that is nowhere", parameters: |_, _| "&search=quetzalcoatl".to_owned() },
    Filter {
        name: "type and agent",
        parameters: |v, _| format!("&type=bench.kind-{}&agent=agent-{}", v.below(TYPES), v.below(AGENTS)),
    },
    Filter {
        name: "stream and a frequent word",
        parameters: |v, _| format!("&stream=task/bench-{}&search={}", v.below(STREAMS), word(v)),
    },
];

fn word(variety: &mut Variety) -> String {
    words(variety, 8).split(' ').next().unwrap_or_default().to_owned()
}

#[derive(Default)]
pub struct Pages {
    first: Vec<Duration>,
    middle: Vec<Duration>,
    last: Vec<Duration>,
    newest: Vec<Duration>,
    events: usize,
    cut: usize,
}

impl Pages {
    pub async fn measure(
        connection: &mut Connection,
        filter: &Filter,
        head: u64,
        values: usize,
    ) -> Result<Pages> {
        let mut pages = Pages::default();
        let mut variety = Variety::new(23);
        for _ in 0..values {
            let parameters = (filter.parameters)(&mut variety, head);
            let base = format!("/api/events?limit={PAGE_EVENTS}{parameters}");
            let (took, _) = pages.page(connection, &base).await?;
            pages.first.push(took);
            let (took, mut next) = pages.page(connection, &format!("{base}&after={}", head / 2)).await?;
            pages.middle.push(took);
            for _ in 0..CURSOR_PAGES {
                let Some(cursor) = next.take() else { break };
                let (took, following) = pages.page(connection, &format!("{base}&cursor={cursor}")).await?;
                pages.middle.push(took);
                next = following;
            }
            let nearly_all = head - head / 1000;
            let (took, _) = pages.page(connection, &format!("{base}&after={nearly_all}")).await?;
            pages.last.push(took);
            let (took, _) = pages.page(connection, &format!("{base}&reverse=true")).await?;
            pages.newest.push(took);
        }
        Ok(pages)
    }

    /// How long the page took, and its cursor.
    async fn page(&mut self, connection: &mut Connection, path: &str) -> Result<(Duration, Option<String>)> {
        let begun = Instant::now();
        let answer = connection.get(path).await?;
        let took = begun.elapsed();
        expect_status(&answer, 200).with_context(|| path.to_owned())?;
        let page: Value = serde_json::from_slice(&answer.body)?;
        let events = page["events"].as_array().map_or(0, Vec::len);
        let next = page["next"].as_str().map(str::to_owned);
        self.events += events;
        self.cut += usize::from(next.is_some() && events < PAGE_EVENTS);
        Ok((took, next))
    }

    pub fn worst_p99_ms(&self) -> f64 {
        let p99 =
            |samples: &Vec<Duration>| samples.iter().copied().collect::<Latencies>().percentile_ms(99.0);
        [&self.first, &self.middle, &self.last, &self.newest].map(p99).into_iter().fold(0.0, f64::max)
    }

    pub fn row(&self, name: &str) -> Vec<String> {
        let cell = |samples: &Vec<Duration>| {
            let latencies: Latencies = samples.iter().copied().collect();
            format!("{}, {}", figure(latencies.percentile_ms(50.0)), figure(latencies.percentile_ms(99.0)))
        };
        let count = self.first.len() + self.middle.len() + self.last.len() + self.newest.len();
        let mut row = vec![name.to_owned()];
        row.extend([&self.first, &self.middle, &self.last, &self.newest].map(cell));
        row.push(figure(self.events as f64 / count.max(1) as f64));
        row.push(self.cut.to_string());
        row
    }
}
