//! `GET /api/metrics` and `GET /api/cost`.

use crate::doors::{Answer, SharedDoors, json};
use crate::problem::Problem;
use crate::{figures, parameters};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use tacho_engine::{CostQuery, Dimension, MAX_TREND_DAYS, Wait};
use tacho_event::Code;
use tacho_event::time::parse_duration_ns;

const HOUR_NS: i64 = 3_600 * 1_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;

pub(crate) async fn metrics(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let (mut window, mut trend, mut wait) = (HOUR_NS, 0, Wait::Head);
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "window" => window = length(&key, &value)?,
            "trend" => trend = (length(&key, &value)? + DAY_NS - 1) / DAY_NS,
            "wait" => wait = parameters::wait(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    if trend > i64::from(MAX_TREND_DAYS) {
        let detail = format!("`trend` is {trend} days, the limit is {MAX_TREND_DAYS}");
        return Err(Problem::new(Code::InvalidFilter, detail));
    }
    let figures = doors.engine.figures(window, u32::try_from(trend).unwrap_or(0), wait).await?;
    Ok(json(StatusCode::OK, figures::figures_json(&figures).into_bytes()))
}

pub(crate) async fn cost(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let mut query = CostQuery { by: Dimension::Model, since: None, until: None };
    let mut wait = Wait::Head;
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "by" => query.by = dimension(&value)?,
            "since" => query.since = Some(parameters::moment(&key, &value, doors.engine.now())?),
            "until" => query.until = Some(parameters::moment(&key, &value, doors.engine.now())?),
            "wait" => wait = parameters::wait(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let (costs, position) = doors.engine.costs(query, wait).await?;
    Ok(json(StatusCode::OK, figures::costs_json(query.by, &costs, position).into_bytes()))
}

fn dimension(value: &str) -> Result<Dimension, Problem> {
    Dimension::from_name(value).ok_or_else(|| {
        let names = Dimension::ALL.map(|(name, _)| name).join(", ");
        Problem::new(Code::InvalidFilter, format!("`by` is {value:?}, but must be one of {names}"))
    })
}

/// `90m`, `1h`, `7d`; a number without a unit is hours.
fn length(key: &str, value: &str) -> Result<i64, Problem> {
    let hours = value.parse::<u32>().ok().map(|hours| i64::from(hours).saturating_mul(HOUR_NS));
    let length = hours.or_else(|| parse_duration_ns(value)).filter(|length| *length > 0);
    length.ok_or_else(|| {
        let detail = format!("`{key}` is {value:?}, but must be a length of time such as 1h or 7d");
        Problem::new(Code::InvalidFilter, detail)
    })
}
