//! Key figures and costs as JSON, for the server's answers and the command line.

use crate::problem::quoted;
use std::fmt::Write;
use tacho_engine::{CostRow, Costs, Dimension, Figures, Metrics, ModelUse};
use tacho_event::Position;

/// The members of `GET /api/metrics`. A figure without data is null.
pub fn figures_json(figures: &Figures) -> String {
    let mut out = format!("{{\"window_seconds\":{}", number(figures.window_ns as f64 / 1e9));
    write_metrics(&figures.metrics, &mut out);
    if !figures.trend.is_empty() {
        let days = figures.trend.iter().map(|(day, metrics)| {
            let mut out = format!("{{\"day\":\"{}\"", &day.to_rfc3339()[..10]);
            write_metrics(metrics, &mut out);
            out + "}"
        });
        let _ = write!(out, ",\"trend\":[{}]", days.collect::<Vec<_>>().join(","));
    }
    let _ = write!(out, ",\"position\":{}}}", figures.position);
    out
}

/// The answer of `GET /api/cost`.
pub fn costs_json(by: Dimension, costs: &Costs, position: Position) -> String {
    let rows: Vec<String> = costs.rows.iter().map(|row| cost_row_json(by, row)).collect();
    format!(
        "{{\"by\":\"{}\",{},\"rows\":[{}],\"position\":{position}}}",
        by.name(),
        amounts(&costs.total),
        rows.join(",")
    )
}

/// One row of costs; its name stands under what it is summed up by, a model's day under `day`.
pub fn cost_row_json(by: Dimension, row: &CostRow) -> String {
    let name = row.name.as_deref().map_or("null".to_owned(), quoted);
    match &row.day {
        Some(day) => format!("{{\"day\":\"{day}\",\"model\":{name},{}}}", amounts(row)),
        None => format!("{{\"{}\":{name},{}}}", by.name(), amounts(row)),
    }
}

fn amounts(row: &CostRow) -> String {
    // What no request has a price for costs nobody knows what.
    let is_known = row.requests == 0 || row.unpriced < row.requests;
    let cost = if is_known { number(row.cost.usd()) } else { "null".to_owned() };
    format!(
        "\"cost_usd\":{cost},\"requests\":{},\"unpriced_requests\":{},\"input_tokens\":{},\"output_tokens\":{},\
         \"cache_read_tokens\":{},\"cache_creation_tokens\":{}",
        row.requests,
        row.unpriced,
        row.tokens.input,
        row.tokens.output,
        row.tokens.cache_read,
        row.tokens.cache_write
    )
}

fn write_metrics(metrics: &Metrics, out: &mut String) {
    for (name, shares) in metrics.agent_figures() {
        let shares = shares.iter().map(|(agent, share)| format!("{}:{}", quoted(agent), number(*share)));
        let _ = write!(out, ",\"{name}\":{{{}}}", shares.collect::<Vec<_>>().join(","));
    }
    for (name, figure) in metrics.figures() {
        let _ = write!(out, ",\"{name}\":{}", figure.map_or("null".to_owned(), number));
    }
    let models = metrics.models.iter().map(|(model, uses)| format!("{}:{}", quoted(model), model_json(uses)));
    let _ = write!(out, ",\"models\":{{{}}}", models.collect::<Vec<_>>().join(","));
}

fn model_json(uses: &ModelUse) -> String {
    let cost = uses.cost.map_or("null".to_owned(), |cost| number(cost.usd()));
    format!("{{\"count\":{},\"duration_ms\":{},\"cost_usd\":{cost}}}", uses.count, number(uses.duration_ms))
}

/// Without the noise of binary fractions: nine digits behind the point are what a sum is exact to.
fn number(number: f64) -> String {
    let rounded = (number * 1e9).round() / 1e9;
    if rounded.is_finite() { rounded.to_string() } else { "null".to_owned() }
}
