//! Every limit and rule of the doors, with its unit.

use std::path::PathBuf;
use std::sync::Arc;
use tacho_ingest::rules::Rules;
use tacho_ingest::shape::Format;
use tacho_ingest::{Redactor, marker};

#[derive(Clone, Default)]
pub struct Config {
    /// Where the hook socket is bound; `None` for no socket. See [`tacho_engine::socket::socket_path`].
    pub hook_socket: Option<PathBuf>,
    /// Origins of web pages that may write, beside the server's own; `null` only when named.
    pub allowed_origins: Vec<String>,
    /// Names that a `Host` header may carry, beside `localhost`, the loopback addresses, the addresses that are
    /// listened on and the hosts of the allowed origins.
    pub listen_names: Vec<String>,
    /// What `Authorization: Bearer` must carry. Needed to listen beyond loopback.
    pub token: Option<String>,
    /// What whoever controls handlers must send besides; `None`: nobody may.
    pub control_token: Option<String>,
    pub intake: Intake,
    pub limits: Limits,
}

/// What happens to everything that comes in before it is stored.
#[derive(Clone)]
pub struct Intake {
    /// One for every door.
    pub redactor: Arc<Redactor>,
    /// Sizes of events and batches.
    pub limits: tacho_ingest::Limits,
    /// Where markers count.
    pub markers: marker::Policy,
    /// Whether events follow from the commands that agents run.
    pub derives: bool,
    /// What is dropped, sampled or truncated by type.
    pub rules: Rules,
    /// Shapes whose payloads must fit the schemas of their types, unless a request says otherwise. Beyond: 422
    /// `schema_violation`.
    pub strict: Vec<Format>,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            redactor: Arc::new(Redactor::builtin()),
            limits: tacho_ingest::Limits::default(),
            markers: marker::Policy::default(),
            derives: true,
            rules: Rules::default(),
            strict: vec![Format::Base],
        }
    }
}

#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest body of an HTTP hook, in bytes. Beyond: the rest is read and the hook is answered as always.
    pub hook_bytes: usize,
    /// Largest body of an export over OTLP, in bytes, expanded too. Beyond: 413 `batch_too_large`.
    pub telemetry_bytes: usize,
    /// Bodies over 64 KiB in memory at once, in bytes all together; more wait, within `body_timeout_ms`.
    pub bodies_bytes: usize,
    /// Connections at once; more wait in the listener's queue.
    pub connections: usize,
    /// How long a connection may rest between requests, and the head of one may take, in milliseconds. Then the
    /// connection closes.
    pub header_timeout_ms: u64,
    /// How long the body of a request may take, in milliseconds. Beyond: 408 `request_timeout`.
    pub body_timeout_ms: u64,
    /// Silence on a stream after which a heartbeat (SSE) or a ping (WebSocket) is sent, in milliseconds.
    pub heartbeat_ms: u64,
    /// How long a client may leave what was sent to it unacknowledged before its connection is dropped, in
    /// milliseconds.
    pub write_timeout_ms: u64,
    /// How long a stop waits for requests and streams to end, in milliseconds.
    pub shutdown_ms: u64,
    /// How much of a refused request is read before its connection closes, in bytes.
    pub drain_bytes: usize,
    /// How long a refused request is read before its connection closes, in milliseconds.
    pub drain_ms: u64,
    /// Most events of a page when `limit` is not given.
    pub page_events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hook_bytes: 64 << 20,
            telemetry_bytes: 64 << 20,
            bodies_bytes: 256 << 20,
            connections: 4_096,
            header_timeout_ms: 30_000,
            body_timeout_ms: 30_000,
            heartbeat_ms: 15_000,
            write_timeout_ms: 30_000,
            shutdown_ms: 5_000,
            drain_bytes: 64 << 20,
            drain_ms: 2_000,
            page_events: 100,
        }
    }
}
