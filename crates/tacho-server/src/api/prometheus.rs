//! `GET /metrics`: Prometheus text, format 0.0.4.

use crate::doors::{Answer, SharedDoors};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use std::fmt::{Display, Write};
use tacho_engine::{CostQuery, Dimension, Metrics, Statistics, Wait};

const HOUR_NS: i64 = 3_600 * 1_000_000_000;
/// Event types, models and agents that have a line of their own; more are left out, the rarest names last.
const MAX_LABELS: usize = 500;

/// What is not folded within this request is told as far as it is.
pub(crate) async fn metrics(State(doors): State<SharedDoors>) -> Answer {
    let engine = &doors.engine;
    let mut text = Text(String::with_capacity(8192));
    text.of_the_process(&engine.statistics());
    doors.intake.write_metrics(&mut text.0);
    text.hook_latency(&engine.hook_latency());
    let (types, _) = engine.types(MAX_LABELS, Wait::No).await?;
    let counts = types.iter().map(|of| (of.name.as_str(), of.events));
    text.family("tacho_events_total", "counter", "Events on the log, by type.", "type", counts);
    let figures = engine.figures(HOUR_NS, 0, Wait::No).await?;
    text.figures(&figures.metrics);
    let by_model = CostQuery { by: Dimension::Model, since: None, until: None };
    let (costs, _) = engine.costs(by_model, Wait::No).await?;
    let rows = &costs.rows[..costs.rows.len().min(MAX_LABELS)];
    let model = |row: &tacho_engine::CostRow| row.name.clone().unwrap_or_default();
    let spent = rows.iter().map(|row| (model(row), row.cost.usd()));
    text.family("tacho_cost_usd_total", "counter", "Dollars spent, by model.", "model", spent);
    let asked = rows.iter().map(|row| (model(row), row.requests));
    text.family("tacho_model_requests_total", "counter", "Requests to models, by model.", "model", asked);
    let unpriced = rows.iter().map(|row| (model(row), row.unpriced));
    let help = "Requests of models without a known price.";
    text.family("tacho_unpriced_requests_total", "counter", help, "model", unpriced);
    let mut response = Response::new(Body::from(text.0));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

struct Text(String);

impl Text {
    fn of_the_process(&mut self, numbers: &Statistics) {
        let lines: [(&str, &str, &str, u64); 11] = [
            ("tacho_events_appended_total", "counter", "Events appended since the start.", numbers.appended),
            ("tacho_log_head", "gauge", "The last durable position.", numbers.head.0),
            ("tacho_log_bytes", "gauge", "Bytes of the log on the disk.", numbers.log_bytes),
            ("tacho_log_segments", "gauge", "Segments of the log.", numbers.segments),
            ("tacho_log_sealed_segments", "gauge", "Sealed segments of the log.", numbers.sealed_segments),
            ("tacho_view_position", "gauge", "The last position that queries see.", numbers.view.0),
            ("tacho_spool_bytes", "gauge", "Bytes that wait in the spool.", numbers.spool_bytes),
            (
                "tacho_spool_dropped_total",
                "counter",
                "Hooks that a full spool dropped.",
                numbers.spool_dropped,
            ),
            (
                "tacho_hook_refused_total",
                "counter",
                "Hooks that were read but refused.",
                numbers.hook_refused,
            ),
            ("tacho_subscribers", "gauge", "Live subscribers.", numbers.subscribers as u64),
            ("tacho_subscriber_gaps_total", "counter", "Gaps told to slow subscribers.", numbers.gaps),
        ];
        for (name, kind, help, value) in lines {
            self.head(name, kind, help);
            let _ = writeln!(self.0, "{name} {value}");
        }
    }

    fn hook_latency(&mut self, latency: &tacho_engine::Latency) {
        let name = "tacho_hook_seconds";
        self.head(name, "histogram", "From a hook's arrival to its durable acknowledgement.");
        for (limit, count) in &latency.at_most {
            let _ = writeln!(self.0, "{name}_bucket{{le=\"{limit}\"}} {count}");
        }
        let _ = writeln!(self.0, "{name}_bucket{{le=\"+Inf\"}} {}", latency.count);
        let _ = writeln!(self.0, "{name}_sum {}\n{name}_count {}", latency.seconds, latency.count);
    }

    /// The key figures of the last hour; one without data has no line.
    fn figures(&mut self, metrics: &Metrics) {
        let shares = metrics.agent_utilization.iter().take(MAX_LABELS);
        let help =
            "Working time of the last hour, by agent; above 1 where an agent did several things at once.";
        self.family("tacho_agent_utilization", "gauge", help, "agent", shares);
        for (name, help, figure) in [
            ("tacho_cost_per_feature_usd", "Mean cost of completed features.", metrics.cost_per_feature),
            (
                // A name that ends in `_count` is taken for a part of a histogram.
                "tacho_average_retries",
                "Retries before a task was complete, on average.",
                metrics.average_retry_count,
            ),
            ("tacho_critic_rejection_rate", "Rejected of decided.", metrics.critic_rejection_rate),
            ("tacho_validation_pass_rate", "Passed of validated.", metrics.validation_pass_rate),
            (
                "tacho_time_to_completion_seconds",
                "From queued to complete, on average.",
                metrics.time_to_completion_seconds,
            ),
            ("tacho_failure_rate", "Failed of all calls.", metrics.failure_rate),
        ] {
            let Some(figure) = figure else { continue };
            self.head(name, "gauge", help);
            let _ = writeln!(self.0, "{name} {figure}");
        }
    }

    fn family(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (impl AsRef<str>, impl Display)>,
    ) {
        self.head(name, kind, help);
        for (value, number) in values {
            let value = escape(value.as_ref());
            let _ = writeln!(self.0, "{name}{{{label}=\"{value}\"}} {number}");
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
}

/// A label's value, as the format wants it.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
