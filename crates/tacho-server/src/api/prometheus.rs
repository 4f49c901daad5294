//! `GET /metrics`: Prometheus text, format 0.0.4.

use crate::doors::{Answer, SharedDoors};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use std::fmt::{Display, Write};
use tacho_engine::delivery::{HandlerState, HandlerStatus};
use tacho_engine::handler::BreakerState;
use tacho_engine::{
    AGENT_FIGURES, CostQuery, Dimension, FIGURES, Figure, Metrics, Statistics, Traffic, Wait,
};

const HOUR_NS: i64 = 3_600 * 1_000_000_000;
/// Models and agents that have a line of their own; more are left out.
const MAX_LABELS: usize = 500;
/// Pairs of source and type that have a line of their own.
const MAX_PAIRS: usize = 200;

/// What is not folded within this request is told as far as it is.
pub(crate) async fn metrics(State(doors): State<SharedDoors>) -> Answer {
    let engine = &doors.engine;
    let mut text = Text(String::with_capacity(8192));
    text.of_the_process(&engine.statistics());
    if let Ok(registry) = engine.schemas().await {
        doors.intake.validity.learn(&registry);
    }
    doors.intake.write_metrics(&mut text.0);
    text.hook_latency(&engine.hook_latency());
    text.traffic(&engine.traffic(MAX_PAIRS, Wait::No).await?);
    text.handlers(&engine.handlers());
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
        let lines: [(&str, &str, &str, u64); 12] = [
            ("tacho_events_appended_total", "counter", "Events appended since the start.", numbers.appended),
            ("tacho_log_head", "gauge", "The last durable position.", numbers.head.0),
            (
                "tacho_log_bytes",
                "gauge",
                "Bytes of the log on the disk, room made ahead included.",
                numbers.log_bytes,
            ),
            ("tacho_log_segments", "gauge", "Segments of the log.", numbers.segments),
            ("tacho_log_sealed_segments", "gauge", "Sealed segments of the log.", numbers.sealed_segments),
            ("tacho_view_bytes", "gauge", "Bytes of the read side on the disk.", numbers.view_bytes),
            ("tacho_view_position", "gauge", "The last position that queries see.", numbers.view.0),
            ("tacho_spool_bytes", "gauge", "Bytes that wait in the spool.", numbers.spool_bytes),
            (
                "tacho_spool_dropped_total",
                "counter",
                "Hooks that a full spool dropped, told since the start.",
                numbers.spool_dropped,
            ),
            (
                "tacho_hook_refused_total",
                "counter",
                "Hooks that were read but refused, since the start.",
                numbers.hook_refused,
            ),
            ("tacho_subscribers", "gauge", "Live subscribers.", numbers.subscribers as u64),
            (
                "tacho_subscriber_gaps_total",
                "counter",
                "Gaps told to slow subscribers since the start.",
                numbers.gaps,
            ),
        ];
        for (name, kind, help, value) in lines {
            self.head(name, kind, help);
            let _ = writeln!(self.0, "{name} {value}");
        }
    }

    fn hook_latency(&mut self, latency: &tacho_engine::Latency) {
        let name = "tacho_hook_seconds";
        self.head(
            name,
            "histogram",
            "From a hook's arrival to its durable acknowledgement, since the start.",
        );
        for (limit, count) in &latency.at_most {
            let _ = writeln!(self.0, "{name}_bucket{{le=\"{limit}\"}} {count}");
        }
        let _ = writeln!(self.0, "{name}_bucket{{le=\"+Inf\"}} {}", latency.count);
        let _ = writeln!(self.0, "{name}_sum {}\n{name}_count {}", latency.seconds, latency.count);
    }

    /// Counted from the log, so a restart changes nothing.
    fn traffic(&mut self, pairs: &[Traffic]) {
        type Read = fn(&Traffic) -> u64;
        let families: [(&str, &str, Read); 2] = [
            ("tacho_events_total", "Events on the log", |pair| pair.events),
            ("tacho_event_bytes_total", "Bytes of events on the log before compression", |pair| pair.bytes),
        ];
        for (name, what, read) in families {
            let help = format!(
                "{what}, by family of source and type. The {MAX_PAIRS} most frequent pairs have a line of their own, \
                 the rest is `other`, which falls when a pair gets one."
            );
            self.head(name, "counter", &help);
            for pair in pairs {
                let (source, kind) = (escape(&pair.family), escape(&pair.kind));
                let _ = writeln!(self.0, "{name}{{source=\"{source}\",type=\"{kind}\"}} {}", read(pair));
            }
        }
    }

    /// Their counts stand on the log, but for attempts that were tried again.
    fn handlers(&mut self, handlers: &[HandlerStatus]) {
        type Read = fn(&HandlerStatus) -> f64;
        let families: [(&str, &str, &str, Read); 13] = [
            ("lag_events", "gauge", "Events that wait for a handler.", |one| one.pending as f64),
            ("lag_seconds", "gauge", "How long the first event that waits has been on the log.", |one| {
                one.lag_ns as f64 / 1e9
            }),
            ("delivered_total", "counter", "Events delivered, counted on the log.", |one| one.done as f64),
            ("skipped_total", "counter", "Events that were there already, counted on the log.", |one| {
                one.skipped as f64
            }),
            ("dead_letters_total", "counter", "Events given up on, counted on the log.", |one| {
                one.dead as f64
            }),
            ("retries_total", "counter", "Failed attempts that were tried again, since the start.", |one| {
                one.retried as f64
            }),
            ("in_flight", "gauge", "Events that are being delivered.", |one| one.in_flight as f64),
            (
                "breaker_open",
                "gauge",
                "1 while the breaker lets nothing through, 0.5 while it is half open.",
                |one| match one.breaker {
                    BreakerState::Closed => 0.0,
                    BreakerState::HalfOpen => 0.5,
                    BreakerState::Open => 1.0,
                },
            ),
            ("success_ratio", "gauge", "Of the last deliveries; 1 before the first.", |one| {
                one.success_rate.unwrap_or(1.0)
            }),
            ("latency_p50_seconds", "gauge", "Median of the last deliveries.", |one| {
                one.latency_ms.map_or(0.0, |(p50, _)| p50 / 1e3)
            }),
            ("latency_p99_seconds", "gauge", "99th percentile of the last deliveries.", |one| {
                one.latency_ms.map_or(0.0, |(_, p99)| p99 / 1e3)
            }),
            ("workers", "gauge", "Workers that are alive.", |one| {
                one.workers.map_or(0.0, |count| count.alive as f64)
            }),
            ("broken", "gauge", "1 while several attempts in a row failed.", |one| {
                f64::from(u8::from(one.state == HandlerState::Broken))
            }),
        ];
        for (name, kind, help, read) in families {
            let values = handlers.iter().map(|one| (&one.name, read(one)));
            self.family(&format!("tacho_handler_{name}"), kind, help, "handler", values);
        }
    }

    /// The key figures of the last hour; one without data has no number.
    fn figures(&mut self, metrics: &Metrics) {
        for figure in AGENT_FIGURES {
            let shares = (figure.read)(metrics).iter().take(MAX_LABELS);
            let help = format!("Of the last hour: {}", figure.help);
            self.family(&format!("tacho_{}", figure.name), "gauge", &help, "agent", shares);
        }
        // Of all that was spent there is a counter; to OpenMetrics the two would be one family.
        for figure in FIGURES.iter().filter(|figure| figure.name != "cost_usd") {
            let name = family_name(figure);
            self.head(&name, "gauge", &format!("Of the last hour: {}", figure.help));
            if let Some(number) = (figure.read)(metrics) {
                let _ = writeln!(self.0, "{name} {number}");
            }
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

/// A figure's name, and its unit where the name does not say it.
fn family_name(figure: &Figure) -> String {
    let suffix = figure.unit.suffix();
    let missing = if figure.name.ends_with(suffix) { "" } else { suffix };
    // A name that ends in `_count` is taken for a part of a histogram.
    let name = figure.name.strip_suffix("_count").unwrap_or(figure.name);
    format!("tacho_{name}{missing}")
}

/// A label's value, as the format wants it.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
