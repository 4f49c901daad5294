//! Everything below `/api/state` but timelines, and `/api/replay`, `/api/divergence`, `/api/projections`.

use crate::api::handler_control::Order;
use crate::body;
use crate::doors::{Answer, SharedDoors, json};
use crate::problem::Problem;
use crate::rewind::{self, Execution};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use serde_json::Value;
use std::time::Duration;
use tacho_event::{Code, Sequence, json as text};

/// Largest body of a supposition, in bytes.
const BODY_BYTES_MAX: usize = 4 << 20;

fn answer(status: StatusCode, value: &Value) -> Answer {
    Ok(json(status, value.to_string().into_bytes()))
}

pub(crate) async fn get(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    answer(StatusCode::OK, &rewind::get(&doors.engine, &uri).await?)
}

pub(crate) async fn suppose(
    State(doors): State<SharedDoors>,
    Path((category, id)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let content = body::read(request.into_body(), BODY_BYTES_MAX, &doors).await?;
    let mut minified = Vec::new();
    text::minify(&content, doors.config.intake.limits.depth, &mut minified)
        .map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
    let supposed = rewind::suppose(&doors.engine, format!("{category}/{id}"), &minified).await?;
    answer(StatusCode::OK, &supposed)
}

/// How long a replay waits for handlers unless told, and at most, in seconds.
const REPLAY_SECONDS: u64 = 30;
const REPLAY_SECONDS_MAX: u64 = 600;

pub(crate) async fn replay(
    State(doors): State<SharedDoors>,
    Path((category, id)): Path<(String, String)>,
    uri: Uri,
    request: Request,
) -> Answer {
    let order = Order::read_beside(&doors, request).await?;
    order.only(&["id", "sequences", "wait_seconds", "reason"])?;
    let seconds = order
        .text("wait_seconds")
        .map_or(Ok(REPLAY_SECONDS), |text| text.parse())
        .map_err(|_| Problem::new(Code::InvalidEvent, "`wait_seconds` is no whole number"))?;
    let patience = Duration::from_secs(seconds.min(REPLAY_SECONDS_MAX));
    let number = |value: &[u8]| text::text(value).parse().map(Sequence);
    let sequences =
        order.member("sequences").map(|list| text::elements(list).map(number).collect::<Result<_, _>>());
    let sequences = sequences
        .transpose()
        .map_err(|_| Problem::new(Code::InvalidEvent, "`sequences` is no list of whole numbers"))?;
    let execution = Execution { id: order.text("id"), sequences, patience, asker: order.asker };
    answer(
        StatusCode::OK,
        &rewind::execute(&doors.engine, format!("{category}/{id}"), &uri, execution).await?,
    )
}

pub(crate) async fn create_snapshot(
    State(doors): State<SharedDoors>,
    Path((category, id)): Path<(String, String)>,
    uri: Uri,
) -> Answer {
    let (projection, at) = rewind::to_create(&uri)?;
    let stream = format!("{category}/{id}");
    let made = doors.engine.create_snapshot(&stream, projection.as_deref(), at).await?;
    answer(StatusCode::CREATED, &rewind::snapshot(&made))
}

pub(crate) async fn prune_snapshots(
    State(doors): State<SharedDoors>,
    Path((category, id)): Path<(String, String)>,
    uri: Uri,
) -> Answer {
    let keep = rewind::keep(&uri)?;
    let removed = doors.engine.prune_snapshots(&format!("{category}/{id}"), keep).await?;
    answer(StatusCode::OK, &serde_json::json!({"removed": removed}))
}
