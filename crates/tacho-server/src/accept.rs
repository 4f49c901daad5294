//! Connections: accepted within a limit, served, and ended when the server stops.

use crate::config::Limits;
use crate::doors::SharedDoors;
use crate::{body, grpc, route};
use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// How long the accept loop rests when the system has no connection to give, for example no file handles.
const REST: Duration = Duration::from_millis(50);

/// Paths whose answers never have a body: an agent would take it for a decision.
const HOOKS: &str = "/hooks/";

type Router = TowerToHyperService<axum::Router>;

/// What is spoken on the connections of a listener.
#[derive(Clone)]
pub(crate) enum Protocol {
    Http(Router),
    /// OTLP over gRPC.
    Grpc,
}

impl Protocol {
    pub(crate) fn http(doors: &SharedDoors) -> Self {
        Self::Http(TowerToHyperService::new(route::router(doors.clone())))
    }
}

/// Accepts connections until `stop` is true.
pub(crate) async fn accept(
    listener: TcpListener,
    protocol: Protocol,
    doors: SharedDoors,
    slots: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &slots) => accepted,
            () = stopped(&mut stop) => return,
        };
        let Some((stream, slot)) = accepted else { continue };
        let (doors, protocol, stop) = (doors.clone(), protocol.clone(), stop.clone());
        prepare(&stream, &doors.config.limits);
        tokio::spawn(async move {
            match protocol {
                Protocol::Http(router) => serve(stream, doors, router, stop).await,
                Protocol::Grpc => grpc::serve(stream, doors, stop).await,
            }
            drop(slot);
        });
    }
}

async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, slot)),
        Err(_) => {
            tokio::time::sleep(REST).await;
            None
        }
    }
}

async fn serve(stream: TcpStream, doors: SharedDoors, router: Router, mut stop: watch::Receiver<bool>) {
    let alive = doors.alive.clone();
    let header_timeout = Duration::from_millis(doors.config.limits.header_timeout_ms);
    let service = service_fn(move |request| answer(doors.clone(), router.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // A connection that ends with an error was ended by its client; there is nobody to tell.
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

pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn prepare(stream: &TcpStream, limits: &Limits) {
    // Neither is needed for a right answer, so a refusal is no reason to refuse the client.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    {
        let timeout_ms = u32::try_from(limits.write_timeout_ms).unwrap_or(u32::MAX);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, timeout_ms);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = limits;
}

async fn answer(
    doors: SharedDoors,
    router: Router,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if let Err(problem) = doors.gate.check(&request) {
        let is_hook = request.uri().path().starts_with(HOOKS);
        let problem = body::refuse(Body::new(request.into_body()), problem, &doors.config.limits).await;
        let mut response = problem.into_response();
        if is_hook {
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(CONTENT_TYPE);
        }
        return Ok(response);
    }
    let origin = doors.gate.allowed_origin(request.headers());
    let mut response = match (&origin, request.method()) {
        (Some(_), &Method::OPTIONS) => preflight(),
        _ => router.call(request).await?,
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
    Ok(response)
}

/// What a browser asks before a page of an allowed origin writes.
fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
    // An exporter in a page compresses what it sends.
    let allowed = "authorization, content-encoding, content-type, expected-sequence, last-event-id, traceparent, \
                   tracestate";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    response
}
