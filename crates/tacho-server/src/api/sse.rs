//! `GET /api/events/stream`: server-sent events (WHATWG HTML, section 9.2).

use super::append::write_number;
use crate::doors::{Answer, SharedDoors};
use crate::flow;
use crate::intake::{self, Format};
use crate::parameters::StreamParameters;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use std::time::Duration;
use tacho_engine::{From, Item, SubscribeError, Subscription};
use tacho_event::{Code, Position};
use tokio::time::timeout;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// What is gathered into one write, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

pub(crate) async fn stream(State(doors): State<SharedDoors>, uri: Uri, headers: HeaderMap) -> Answer {
    let mut stream = StreamParameters::read(&uri, doors.engine.now(), Format::CloudEvents)?;
    if let Some(last) = headers.get(LAST_EVENT_ID).filter(|last| !last.is_empty()) {
        let position = last.to_str().ok().and_then(|last| last.parse().ok()).ok_or_else(|| {
            Problem::new(Code::InvalidHeader, "`Last-Event-ID` is no position, which is a whole number")
        })?;
        stream.from = From::After(Position(position));
    }
    let log = doors.engine.log_name();
    if stream.log.as_ref().is_some_and(|known| *known != log) {
        // A position of another log is beyond any head of this one.
        stream.from = From::After(Position(u64::MAX));
    }
    let subscription = doors.engine.subscribe(stream.filter, stream.from)?;
    let heartbeat = Duration::from_millis(doors.config.limits.heartbeat_ms);
    let state = Sse { subscription, format: stream.format, heartbeat, log, is_new: true, is_over: false };
    let mut response = Response::new(flow::body(state, Sse::next));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

struct Sse {
    subscription: Subscription,
    format: Format,
    heartbeat: Duration,
    log: String,
    is_new: bool,
    is_over: bool,
}

impl Sse {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        let mut out = BytesMut::with_capacity(1024);
        if std::mem::take(&mut self.is_new) {
            // Something at once, so that proxies and clients know that the stream is open.
            out.put_slice(b"retry: 1000\n\n");
            return Some((out.freeze(), self));
        }
        if self.is_over {
            return None;
        }
        match timeout(self.heartbeat, self.subscription.next()).await {
            Err(_) => out.put_slice(b"event: heartbeat\ndata: {}\n\n"),
            Ok(Err(error @ SubscribeError::Condition(_))) => {
                // A browser connects again whatever it is told, to the same end: let that be seldom.
                self.is_over = true;
                out.put_slice(b"retry: 60000\nevent: error\ndata: ");
                out.put_slice(&Problem::from(error).to_json());
                out.put_slice(b"\n\n");
            }
            Ok(Err(_)) => return None,
            Ok(Ok(item)) => {
                self.write(&item, &mut out);
                while out.len() < CHUNK_BYTES
                    && let Some(item) = self.subscription.take_ready()
                {
                    self.write(&item, &mut out);
                }
            }
        }
        Some((out.freeze(), self))
    }

    fn write(&self, item: &Item, out: &mut BytesMut) {
        match item {
            Item::Event(event) => {
                let mut head = Vec::with_capacity(48);
                head.extend_from_slice(b"id: ");
                write_number(event.recorded.position.0, &mut head);
                head.extend_from_slice(b"\nevent: event\ndata: ");
                out.put_slice(&head);
                out.put_slice(intake::shaped(event, self.format));
                out.put_slice(b"\n\n");
            }
            Item::CaughtUp(position) => self.write_mark("caught_up", *position, out),
            Item::Reset { head } => self.write_mark("reset", *head, out),
            Item::Gap { from, to } => {
                let text = format!("id: {to}\nevent: gap\ndata: {{\"from\":{from},\"to\":{to}}}\n\n");
                out.put_slice(text.as_bytes());
            }
        }
    }

    /// With the position as its id, so that a client which resumes from here reads nothing twice.
    fn write_mark(&self, name: &str, position: Position, out: &mut BytesMut) {
        let log = &self.log;
        let text =
            format!("id: {position}\nevent: {name}\ndata: {{\"position\":{position},\"log\":\"{log}\"}}\n\n");
        out.put_slice(text.as_bytes());
    }
}
