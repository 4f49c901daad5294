//! OTLP over gRPC: the `Export` methods of the three collector services, on HTTP/2 without TLS.
//!
//! Three unary methods need no framework: a message is a flag, a length and the bytes, and the status comes in
//! the trailers (grpc.io, "gRPC over HTTP2").

use crate::accept::stopped;
use crate::body;
use crate::compression::Compression;
use crate::doors::SharedDoors;
use crate::problem::Problem;
use crate::telemetry::{Rejected, response, take};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use bytes::{BufMut, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::time::Duration;
use tacho_event::Code;
use tacho_ingest::otlp::{Encoding, Signal};
use tokio::net::TcpStream;
use tokio::sync::watch;

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");
/// The flag and the length before a message.
const PREFIX_BYTES: usize = 5;
/// Exports of one connection at once; more wait in the client.
const CONCURRENT_STREAMS: u32 = 64;

pub(crate) async fn serve(stream: TcpStream, doors: SharedDoors, mut stop: watch::Receiver<bool>) {
    let alive = doors.alive.clone();
    let silence = Duration::from_millis(doors.config.limits.header_timeout_ms);
    // Pings begin behind the handshake; who never begins it must not keep a connection.
    let mut first = [0];
    tokio::select! {
        begun = tokio::time::timeout(silence, stream.peek(&mut first)) => if begun.is_err() { return },
        () = stopped(&mut stop) => return,
    }
    let service = service_fn(move |request| answer(doors.clone(), request));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(silence)
        .max_concurrent_streams(CONCURRENT_STREAMS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let is_stopping = tokio::select! {
        _ = connection.as_mut() => false,
        () = stopped(&mut stop) => true,
    };
    if is_stopping {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
    drop(alive);
}

async fn answer(doors: SharedDoors, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let exported = match doors.gate.check(&request) {
        Ok(()) => export(doors, request).await,
        Err(problem) => Err(problem),
    };
    Ok(match exported {
        Ok((signal, rejected)) => success(&response(signal, Encoding::Protobuf, &rejected)),
        Err(problem) => failure(&problem),
    })
}

async fn export(doors: SharedDoors, request: Request<Incoming>) -> Result<(Signal, Rejected), Problem> {
    let (parts, body) = request.into_parts();
    let signal = signal(parts.uri.path()).filter(|_| parts.method == Method::POST).ok_or_else(|| {
        let detail = format!("{} is no method here: call Export of a collector service", parts.uri.path());
        Problem::new(Code::NotFound, detail)
    })?;
    let named = parts.headers.get(GRPC_ENCODING).map(|name| name.to_str().unwrap_or("(unreadable)"));
    let compression = Compression::of_name(named.unwrap_or_default())?;
    let most = doors.config.limits.telemetry_bytes;
    let beside = compression.largest(most, most);
    let content = body::read_beside(Body::new(body), most + PREFIX_BYTES, beside, &doors).await?;
    let rejected = tokio::task::spawn_blocking(move || {
        let (is_compressed, message) = message(&content)?;
        let compression = if is_compressed { compression } else { Compression::Identity };
        let message = compression.expand(message, most)?;
        take(&doors, signal, Encoding::Protobuf, &message)
    });
    let failed = |_| Problem::new(Code::Internal, "the export could not be read: its reader failed");
    Ok((signal, rejected.await.map_err(failed)??))
}

/// `/opentelemetry.proto.collector.logs.v1.LogsService/Export`, and its siblings.
fn signal(path: &str) -> Option<Signal> {
    let (package, method) = path.strip_prefix("/opentelemetry.proto.collector.")?.split_once('/')?;
    let signal = match package {
        "logs.v1.LogsService" => Signal::Logs,
        "trace.v1.TraceService" => Signal::Traces,
        "metrics.v1.MetricsService" => Signal::Metrics,
        _ => return None,
    };
    (method == "Export").then_some(signal)
}

/// The one message of a unary call, and whether it is compressed.
fn message(body: &[u8]) -> Result<(bool, &[u8]), Problem> {
    let framed = body.split_first_chunk().and_then(|([flag, length @ ..], message): (&[u8; 5], _)| {
        let is_whole = u32::from_be_bytes(*length) as usize == message.len();
        (is_whole && *flag <= 1).then_some((*flag == 1, message))
    });
    framed.ok_or_else(|| Problem::new(Code::InvalidProtobuf, "the body is not one gRPC message"))
}

fn success(message: &[u8]) -> Response<Body> {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    framed.put_u8(0);
    framed.put_u32(message.len() as u32);
    framed.put_slice(message);
    let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
    let body = Full::new(framed.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
    response
}

/// Trailers alone. What may succeed later is UNAVAILABLE, which exporters try again.
fn failure(problem: &Problem) -> Response<Body> {
    let status = match problem.code.status() {
        401 => 16,
        403 => 7,
        404 | 415 => 12,
        408 => 4,
        413 => 8,
        503 => 14,
        500.. => 13,
        _ => 3,
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, MEDIA_TYPE);
    headers.insert(GRPC_STATUS, HeaderValue::from(status));
    let told = format!("{}: {}", problem.code.as_str(), problem.detail);
    if let Ok(message) = HeaderValue::from_str(&percent_encoded(&told)) {
        headers.insert(GRPC_MESSAGE, message);
    }
    response
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_paths() {
        assert_eq!(message(b"\x01\0\0\0\x02ab").unwrap(), (true, &b"ab"[..]));
        for bad in [&b""[..], b"\0\0\0\0\x02a", b"\0\0\0\0\x00a", b"\x02\0\0\0\x00"] {
            assert_eq!(message(bad).unwrap_err().code, Code::InvalidProtobuf);
        }
        let of = |service: &str| signal(&format!("/opentelemetry.proto.collector.{service}"));
        assert_eq!(of("trace.v1.TraceService/Export"), Some(Signal::Traces));
        assert_eq!((of("logs.v1.LogsService/Import"), of("trace.v1.LogsService/Export")), (None, None));
        assert_eq!(percent_encoded("50 % é\n"), "50 %25 %C3%A9%0A");
    }
}
