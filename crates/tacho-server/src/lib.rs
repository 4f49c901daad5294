//! The doors: HTTP, WebSocket, SSE and the hook socket; limits and problem details.

mod accept;
mod alerts;
mod api;
mod body;
mod causes;
mod compression;
mod config;
mod control;
mod doors;
mod figures;
mod file_limit;
mod flamegraph;
mod flow;
mod gate;
mod grpc;
mod hook_socket;
mod intake;
mod openapi;
mod parameters;
mod problem;
mod profile;
mod reactions;
pub mod rewind;
mod route;
mod summary;
mod telemetry;
mod validity;
mod waits;
mod why;

pub use alerts::{alert_rule_json, alert_rules_json};
pub use causes::causes_json;
pub use config::{Config, Intake, Limits};
pub use figures::{cost_row_json, costs_json, figures_json};
pub use file_limit::raise_file_limit;
pub use flamegraph::profile_flamegraph;
pub use openapi::document as openapi_document;
pub use problem::Problem;
pub use profile::{profile_folded, profile_json};
pub use summary::summary;
pub use waits::{wait_json, waits_json};
pub use why::why_json;

use crate::accept::Protocol;
use crate::body::Room;
use crate::control::Control;
use crate::doors::{Doors, SharedDoors};
use crate::gate::Gate;
use crate::hook_socket::HookSocket;
use crate::intake::IntakeDoor;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tacho_engine::Engine;
use thiserror::Error;
use tokio::sync::{Semaphore, mpsc, watch};

/// Where the server listens.
#[derive(Debug, Default)]
pub struct Listeners {
    pub http: Vec<TcpListener>,
    /// OTLP over gRPC, when it is switched on.
    pub otlp_grpc: Option<TcpListener>,
}

impl From<Vec<TcpListener>> for Listeners {
    fn from(http: Vec<TcpListener>) -> Self {
        Self { http, otlp_grpc: None }
    }
}

/// Why the server does not run, or no longer.
#[derive(Debug, Error)]
pub enum ServerError {
    #[error("{0} can be reached from other machines: set a token, or listen on 127.0.0.1")]
    NeedsToken(SocketAddr),
    #[error("hook socket {path}: {source}")]
    HookSocket { path: PathBuf, source: std::io::Error },
    #[error("the spool cannot be read: {0}")]
    Spool(std::io::Error),
    #[error("a listener cannot be used: {0}")]
    Listener(std::io::Error),
}

/// Serves every door until `shutdown` ends, then drains requests, ends streams and stops what it started. The
/// caller closes the engine behind it.
///
/// `listeners` are bound by the caller, who can name the holder of a taken port. Requests are answered at once;
/// the hook socket is bound when the spool is drained, so that hooks keep their order.
pub async fn run(
    listeners: impl Into<Listeners>,
    engine: Engine,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServerError> {
    // Refused, it leaves fewer connections than the limit of them says, and those are served.
    let _ = raise_file_limit();
    let Listeners { http, otlp_grpc } = listeners.into();
    let (http, mut addresses) = prepare(http, &config)?;
    let (grpc, more) = prepare(otlp_grpc.into_iter().collect(), &config)?;
    addresses.extend(more);
    let intake = IntakeDoor::new(config.intake.clone());
    let hooks = engine.serve_hooks(intake.parsers()).map_err(ServerError::Spool)?;
    let (alive, mut all_ended) = mpsc::channel(1);
    let gate = Gate::new(&config, &addresses);
    let room = Room::new(config.limits.bodies_bytes);
    let control = Control::new(config.control_token.clone());
    let doors = Arc::new(Doors { engine, hooks, config, gate, control, intake, room, alive });
    let (stop, stopped) = watch::channel(false);
    let slots = Arc::new(Semaphore::new(doors.config.limits.connections));
    let http = http.into_iter().map(|listener| (listener, Protocol::http(&doors)));
    for (listener, protocol) in http.chain(grpc.into_iter().map(|listener| (listener, Protocol::Grpc))) {
        tokio::spawn(accept::accept(listener, protocol, doors.clone(), slots.clone(), stopped.clone()));
    }
    let watch = tokio::spawn(doors.engine.clone().watch());
    let result = serve_hooks(&doors, stopped, shutdown).await;
    watch.abort();
    stop.send_replace(true);
    let (hooks, engine) = (doors.hooks.clone(), doors.engine.clone());
    let patience = Duration::from_millis(doors.config.limits.shutdown_ms);
    drop(doors);
    let ending = tokio::task::spawn_blocking(move || {
        engine.end_subscriptions();
        hooks.stop();
    });
    // Every connection holds a sender, so the channel ends with the last of them.
    let _ = tokio::time::timeout(patience, async {
        let _ = ending.await;
        all_ended.recv().await
    })
    .await;
    result
}

/// Drains the spool, then serves the hook socket, until `shutdown` ends.
async fn serve_hooks(
    doors: &SharedDoors,
    stopped: watch::Receiver<bool>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let mut shutdown = std::pin::pin!(shutdown);
    let Some(path) = doors.config.hook_socket.clone() else {
        shutdown.await;
        return Ok(());
    };
    tokio::select! {
        // What cannot be drained now is tried again by the spool's own thread.
        _ = doors.hooks.drain() => {}
        () = shutdown.as_mut() => return Ok(()),
    }
    let socket =
        HookSocket::bind(&path).map_err(|source| ServerError::HookSocket { path: path.clone(), source })?;
    tokio::spawn(socket.serve(doors.clone(), stopped));
    shutdown.await;
    Ok(())
}

fn prepare(
    listeners: Vec<TcpListener>,
    config: &Config,
) -> Result<(Vec<tokio::net::TcpListener>, Vec<SocketAddr>), ServerError> {
    let mut ready = Vec::new();
    let mut addresses = Vec::new();
    for listener in listeners {
        let address = listener.local_addr().map_err(ServerError::Listener)?;
        if !address.ip().is_loopback() && config.token.is_none() {
            return Err(ServerError::NeedsToken(address));
        }
        listener.set_nonblocking(true).map_err(ServerError::Listener)?;
        ready.push(tokio::net::TcpListener::from_std(listener).map_err(ServerError::Listener)?);
        addresses.push(address);
    }
    Ok((ready, addresses))
}
