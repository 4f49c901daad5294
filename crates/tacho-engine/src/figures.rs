//! Key figures and costs, answered as queries are.

use crate::engine::Engine;
use crate::error::QueryError;
use crate::latency::Latency;
use crate::query::Wait;
use tacho_event::{Event, Position, Timestamp};
use tacho_view::{CostQuery, Costs, Dimension, Metrics, MetricsQuery, NanoUsd, Traffic};

const DAY_NS: i64 = 86_400 * 1_000_000_000;
/// Most days of a trend.
pub const MAX_TREND_DAYS: u32 = 366;

/// The figures of a window that ends now, and of the days before.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    pub window_ns: i64,
    pub metrics: Metrics,
    /// Days of UTC, the oldest first; the last one is today so far.
    pub trend: Vec<(Timestamp, Metrics)>,
    /// The answer includes everything up to here.
    pub position: Position,
}

impl Engine {
    /// The key figures of the last `window_ns` nanoseconds, and of each of the last `trend_days` days (at most
    /// [`MAX_TREND_DAYS`]).
    pub async fn figures(&self, window_ns: i64, trend_days: u32, wait: Wait) -> Result<Figures, QueryError> {
        let position = self.wait(wait).await?;
        let now = self.now();
        self.on_a_thread(move |shared| {
            let reader = shared.fold.reader();
            let from = Timestamp(now.0.saturating_sub(window_ns));
            let metrics = reader.metrics(MetricsQuery { from, to: now })?;
            let today = now.0.div_euclid(DAY_NS);
            let days = today + 1 - i64::from(trend_days.min(MAX_TREND_DAYS))..=today;
            let trend = days.map(|day| {
                let from = Timestamp(day * DAY_NS);
                let to = Timestamp((from.0 + DAY_NS - 1).min(now.0));
                // A window begins behind its first moment.
                let query = MetricsQuery { from: Timestamp(from.0 - 1), to };
                Ok((from, reader.metrics(query)?))
            });
            let trend = trend.collect::<Result<_, QueryError>>()?;
            Ok(Figures { window_ns, metrics, trend, position })
        })
        .await
    }

    /// The key figures of any window.
    pub async fn metrics(&self, query: MetricsQuery, wait: Wait) -> Result<Metrics, QueryError> {
        self.wait(wait).await?;
        self.on_a_thread(move |shared| Ok(shared.fold.reader().metrics(query)?)).await
    }

    /// How many events and bytes came from where, of the `limit` most frequent pairs of source and type.
    pub async fn traffic(&self, limit: usize, wait: Wait) -> Result<Vec<Traffic>, QueryError> {
        self.wait(wait).await?;
        self.on_a_thread(move |shared| Ok(shared.fold.reader().traffic(limit)?)).await
    }

    /// How long hooks took to be acknowledged since the start.
    pub fn hook_latency(&self) -> Latency {
        self.shared.hooks.latency.read()
    }

    /// What was spent, and on what.
    pub async fn costs(&self, query: CostQuery, wait: Wait) -> Result<(Costs, Position), QueryError> {
        let position = self.wait(wait).await?;
        let costs = self.on_a_thread(move |shared| Ok(shared.fold.reader().costs(&query)?)).await?;
        Ok((costs, position))
    }

    /// The version of the price table in force, and whether anything is there to be priced.
    pub(crate) async fn price_table(&self) -> Result<(Option<String>, bool), QueryError> {
        self.on_a_thread(|shared| {
            let reader = shared.fold.reader();
            Ok((reader.prices_version()?, reader.has_requests()?))
        })
        .await
    }

    /// The sessions, features or days on which at least this much was spent.
    pub(crate) async fn spent_by(
        &self,
        by: Dimension,
        at_least: NanoUsd,
    ) -> Result<Vec<(String, NanoUsd)>, QueryError> {
        self.on_a_thread(move |shared| Ok(shared.fold.reader().spent_by(by, at_least)?)).await
    }

    /// Those of the events that are not on the log.
    pub(crate) async fn untold(&self, mut events: Vec<Event>) -> Result<Vec<Event>, QueryError> {
        events.retain(|event| !self.shared.told.knows(event));
        if events.is_empty() {
            return Ok(events);
        }
        self.on_a_thread(move |shared| {
            let mut untold = Vec::new();
            for event in events {
                match shared.journal.find(event.source(), event.id())? {
                    Some(_) => shared.told.remember(&event),
                    None => untold.push(event),
                }
            }
            Ok(untold)
        })
        .await
    }
}
