//! `POST /v1/logs`, `/v1/traces`, `/v1/metrics`: OTLP over HTTP (opentelemetry.io, "OTLP Specification",
//! OTLP/HTTP). A refusal is a problem like every other here; a 503 tells an exporter to try again.

use crate::body;
use crate::compression::Compression;
use crate::doors::{Answer, SharedDoors};
use crate::problem::Problem;
use crate::telemetry::{response, take};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use http_body::Body as _;
use tacho_event::Code;
use tacho_ingest::otlp::{Encoding, Signal};

pub(crate) async fn logs(State(doors): State<SharedDoors>, request: Request) -> Answer {
    export(Signal::Logs, doors, request).await
}

pub(crate) async fn traces(State(doors): State<SharedDoors>, request: Request) -> Answer {
    export(Signal::Traces, doors, request).await
}

pub(crate) async fn metrics(State(doors): State<SharedDoors>, request: Request) -> Answer {
    export(Signal::Metrics, doors, request).await
}

async fn export(signal: Signal, doors: SharedDoors, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let limits = &doors.config.limits;
    let (encoding, compression) = match form(&parts.headers) {
        Ok(form) => form,
        Err(problem) => return Err(body::refuse(body, problem, limits).await),
    };
    let most = limits.telemetry_bytes;
    let sent = body.size_hint().upper().map_or(most, |upper| usize::try_from(upper).unwrap_or(most));
    let content = body::read_beside(body, most, compression.largest(sent, most), &doors).await?;
    let rejected = tokio::task::spawn_blocking(move || {
        let body = compression.expand(&content, doors.config.limits.telemetry_bytes)?;
        take(&doors, signal, encoding, &body)
    });
    let failed = |_| Problem::new(Code::Internal, "the export could not be read: its reader failed");
    let rejected = rejected.await.map_err(failed)??;
    let mut answer = Response::new(Body::from(response(signal, encoding, &rejected)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(encoding.media_type()));
    Ok(answer)
}

fn form(headers: &HeaderMap) -> Result<(Encoding, Compression), Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoding = Encoding::of_media_type(content_type).ok_or_else(|| {
        let detail = format!(
            "content type {content_type:?} is none that is accepted here: send application/x-protobuf or \
             application/json"
        );
        Problem::new(Code::UnsupportedMediaType, detail)
    })?;
    Ok((encoding, Compression::of(headers)?))
}
