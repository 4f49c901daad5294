//! `POST /api/control/tickets` and `GET /open`: how a browser comes to the control token.

use crate::doors::{Answer, SharedDoors, json};
use crate::problem::{Problem, quoted};
use crate::{body, parameters};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use tacho_event::{Code, json as text};

/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 4 << 10;

/// Answers a ticket to the page that the request names.
pub(crate) async fn ticket(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let (parts, content) = request.into_parts();
    let content = body::read(content, BODY_BYTES_MAX, &doors).await?;
    doors.control.check(&parts.headers)?;
    parameters::none(&parts.uri)?;
    let path = path(&content, doors.config.intake.limits.depth)?;
    let ticket = doors.control.issue(path)?;
    let body = format!(
        "{{\"ticket\":{0},\"path\":{1}}}",
        quoted(&ticket),
        quoted(&format!("/open?ticket={ticket}"))
    );
    Ok(json(StatusCode::CREATED, body.into_bytes()))
}

/// Sets the cookie, and goes on to the ticket's page.
pub(crate) async fn open(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let mut ticket = String::new();
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "ticket" => ticket = value,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let (cookie, path) = doors.control.redeem(&ticket)?;
    let location = HeaderValue::try_from(path)
        .map_err(|_| Problem::new(Code::Internal, "the ticket's path is none of a page"))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(SET_COOKIE, cookie);
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// The page that is to be opened: one of this server, or `/`.
fn path(content: &[u8], depth: usize) -> Result<String, Problem> {
    if content.is_empty() {
        return Ok("/".to_owned());
    }
    let mut minified = Vec::new();
    text::minify(content, depth, &mut minified)
        .map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
    let path = text::member(&minified, "path").map_or("/".into(), text::text);
    // What begins with two slashes is another server's, and browsers read a backslash as a slash.
    let is_here = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    if is_here && path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(path.into_owned());
    }
    Err(Problem::new(
        Code::InvalidJson,
        format!("{path:?} is no page of this server: write a path such as /handlers"),
    ))
}
