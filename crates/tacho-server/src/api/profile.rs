//! `GET /api/profile/{category}/{id}` and its flame graph: where the time and the money of a stream went.

use crate::doors::{Answer, Doors, SharedDoors, json};
use crate::flamegraph::profile_flamegraph;
use crate::parameters;
use crate::problem::Problem;
use crate::profile::{profile_folded, profile_json};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use tacho_engine::{Profile, Wait};
use tacho_event::Code;

type Stream = Path<(String, String)>;

pub(crate) async fn profile(State(doors): State<SharedDoors>, stream: Stream, uri: Uri) -> Answer {
    let (profile, _) = read(&doors, stream, &uri, false).await?;
    Ok(json(StatusCode::OK, profile_json(&profile).into_bytes()))
}

pub(crate) async fn flamegraph(State(doors): State<SharedDoors>, stream: Stream, uri: Uri) -> Answer {
    let (profile, is_folded) = read(&doors, stream, &uri, true).await?;
    let (media_type, body) = match is_folded {
        true => ("text/plain; charset=utf-8", profile_folded(&profile)),
        false => ("image/svg+xml", profile_flamegraph(&profile)),
    };
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The profile, and whether its stacks are asked for as text.
async fn read(
    doors: &Doors,
    Path((category, id)): Stream,
    uri: &Uri,
    has_format: bool,
) -> Result<(Profile, bool), Problem> {
    let (mut wait, mut is_folded) = (Wait::Head, false);
    for (key, value) in parameters::pairs(uri)? {
        match key.as_str() {
            "wait" => wait = parameters::wait(&value)?,
            "format" if has_format => {
                is_folded = match value.as_str() {
                    "svg" => false,
                    "folded" => true,
                    _ => {
                        let detail = format!("`format` is {value:?}, but must be svg or folded");
                        return Err(Problem::new(Code::InvalidFilter, detail));
                    }
                }
            }
            _ => return Err(parameters::unknown(&key)),
        }
    }
    Ok((doors.engine.profile(&format!("{category}/{id}"), wait).await?, is_folded))
}
