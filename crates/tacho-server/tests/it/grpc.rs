//! OTLP over gRPC, with a client that hides nothing.

use crate::client::PATIENCE;
use crate::server::{Server, Setup};
use crate::telemetry::{capture, gzip};
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use tempfile::TempDir;

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// `grpc-status` and the message of a call.
fn call(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (String, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::post(format!("http://{address}{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response: Response<_> =
            sender.send_request(request.body(Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/grpc");
        let status = |headers: &HeaderMap| Some(headers.get("grpc-status")?.to_str().unwrap().to_owned());
        let at_once = status(response.headers());
        let collected = response.into_body().collect().await.unwrap();
        let status = at_once.or_else(|| status(collected.trailers()?)).expect("a status");
        (status, collected.to_bytes().to_vec())
    })
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

fn ok() -> (String, Vec<u8>) {
    ("0".to_owned(), framed(0, b""))
}

fn status(told: (String, Vec<u8>)) -> String {
    told.0
}

#[test]
fn the_three_services_take_exports() {
    let server = Server::start();
    let call = |path: &str, headers: &[(&str, &str)], body| call(server.grpc, path, headers, body);
    let logs = capture("protobuf/009_logs.pb");
    assert_eq!(call(LOGS, &[], framed(0, &logs)), ok());
    let head = server.engine.head().0;
    assert!(head > 10, "{head}");
    assert_eq!(call(LOGS, &[("grpc-encoding", "gzip")], framed(1, &gzip(&logs))), ok());
    assert_eq!(call(LOGS, &[("grpc-encoding", "gzip")], framed(0, &logs)), ok());
    assert_eq!(server.engine.head().0, head);
    assert_eq!(call(TRACES, &[], framed(0, &capture("protobuf/002_traces.pb"))), ok());
    assert_eq!(call(METRICS, &[], framed(0, &capture("protobuf/003_metrics.pb"))), ok());
    for kind in ["claude_code.api_request", "otel.span", "otel.metric"] {
        assert!(!server.types(&format!("/api/events?type={kind}")).is_empty(), "{kind}");
    }
}

#[test]
fn refusals_have_a_status() {
    let setup = Setup {
        engine: None,
        server: Some(|config| {
            config.limits.telemetry_bytes = 10_000;
            config.token = Some("secret".to_owned());
        }),
    };
    let server = Server::start_with(setup, TempDir::new().unwrap());
    let token = ("authorization", "Bearer secret");
    let gzipped = ("grpc-encoding", "gzip");
    let call = |path: &str, headers: &[(&str, &str)], body| status(call(server.grpc, path, headers, body));
    assert_eq!(call(LOGS, &[], framed(0, b"")), "16");
    assert_eq!(call(LOGS, &[token], framed(0, b"")), "0");
    assert_eq!(call(LOGS, &[token], framed(0, b"{}")), "3");
    assert_eq!(call(LOGS, &[token], b"\0\0".to_vec()), "3");
    assert_eq!(call(LOGS, &[token, gzipped], framed(1, b"no gzip")), "3");
    assert_eq!(call(LOGS, &[token, ("grpc-encoding", "zstd")], framed(1, b"")), "12");
    assert_eq!(call("/other.Service/Export", &[token], framed(0, b"")), "12");
    assert_eq!(call(LOGS, &[token], framed(0, &[0; 20_000])), "8");
    assert_eq!(call(LOGS, &[token, gzipped], framed(1, &gzip(&[0; 20_000]))), "8");
    assert_eq!(server.engine.head().0, 0);
}

#[test]
fn a_silent_connection_does_not_delay_a_stop() {
    let patient = Setup { engine: None, server: Some(|config| config.limits.shutdown_ms = 60_000) };
    let server = Server::start_with(patient, TempDir::new().unwrap());
    let silent = std::net::TcpStream::connect(server.grpc).unwrap();
    assert_eq!(call(server.grpc, LOGS, &[], framed(0, b"")), ok());
    let begun = std::time::Instant::now();
    server.stop();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    drop(silent);
}
