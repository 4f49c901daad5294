//! The WebSocket on `/`, `/ws` and `/agent-events`: each text message is one event, in the simple shape unless asked otherwise.

use super::page;
use crate::config::Limits;
use crate::doors::{Answer, SharedDoors};
use crate::intake::{self, Format};
use crate::parameters::StreamParameters;
use crate::problem::Problem;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::UPGRADE;
use axum::http::request::Parts;
use bytes::Bytes;
use std::pin::pin;
use std::time::Duration;
use tacho_engine::{Engine, From, Item, SubscribeError, Subscription};
use tacho_event::{Code, Draft, Position, Recorded, Sameness, Sequence};
use tokio::time::{Instant, sleep, timeout};

/// Largest message that a client may send; what it says is not read. In bytes.
const MAX_MESSAGE_BYTES: usize = 64 << 10;
/// What is read at once. Each subscriber has a buffer of this size, which is cleared with every look whether there is
/// something to read; in bytes.
const READ_BYTES: usize = 4 << 10;
/// RFC 6455, section 7.4.1: the endpoint goes away.
const GOING_AWAY: u16 = 1001;
/// RFC 6455, section 7.4.1: what the client asks for is against the rules.
const POLICY_VIOLATION: u16 = 1008;
/// RFC 6455, section 7.4.1: a condition that the server did not expect.
const UNEXPECTED: u16 = 1011;

/// `GET /`: the page, or the live stream for a WebSocket.
pub(crate) async fn root(state: State<SharedDoors>, request: Request) -> Answer {
    if request.headers().contains_key(UPGRADE) {
        return live(state, request).await;
    }
    Ok(page::html())
}

/// `GET /ws`, `GET /agent-events`.
pub(crate) async fn live(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let mut stream = StreamParameters::read(&parts.uri, doors.engine.now(), Format::Simple)?;
    let upgrade = upgrade(&mut parts).await?;
    if stream.log.as_ref().is_some_and(|known| *known != doors.engine.log_name()) {
        stream.from = From::After(Position(u64::MAX));
    }
    // Fixed before the 101 leaves: what is appended behind it is delivered.
    let subscription = doors.engine.subscribe(stream.filter, stream.from)?;
    let client = Client {
        subscription,
        format: stream.format,
        limits: doors.config.limits.clone(),
        engine: doors.engine.clone(),
    };
    let alive = doors.alive.clone();
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).read_buffer_size(READ_BYTES);
    Ok(upgrade.on_upgrade(|socket| async move {
        client.serve(socket).await;
        drop(alive);
    }))
}

async fn upgrade(parts: &mut Parts) -> Result<WebSocketUpgrade, Problem> {
    WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(|error| {
        Problem::new(Code::InvalidHeader, format!("no WebSocket handshake (RFC 6455): {error}"))
    })
}

struct Client {
    subscription: Subscription,
    format: Format,
    limits: Limits,
    engine: Engine,
}

impl Client {
    async fn serve(mut self, mut socket: WebSocket) {
        let heartbeat = Duration::from_millis(self.limits.heartbeat_ms);
        let mut ping_due = pin!(sleep(heartbeat));
        loop {
            let message = tokio::select! {
                item = self.subscription.next() => match item {
                    Ok(item) => self.message(&item),
                    Err(error) => {
                        let _ = self.send(&mut socket, closing(&error)).await;
                        return;
                    }
                },
                incoming = socket.recv() => match incoming {
                    // Pongs are answered and eaten below; what clients say has no meaning.
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => None,
                },
                () = &mut ping_due => {
                    ping_due.as_mut().reset(Instant::now() + heartbeat);
                    Some(Message::Ping(Bytes::new()))
                }
            };
            if let Some(message) = message
                && !self.send(&mut socket, message).await
            {
                return;
            }
        }
    }

    /// Whether the message went out in time.
    async fn send(&self, socket: &mut WebSocket, message: Message) -> bool {
        let limit = Duration::from_millis(self.limits.write_timeout_ms);
        matches!(timeout(limit, socket.send(message)).await, Ok(Ok(())))
    }

    /// Messages are events alone: the end of history is not told, a gap and a reset are events that no log holds.
    fn message(&self, item: &Item) -> Option<Message> {
        let told = match item {
            Item::Event(event) => return Some(text(intake::shaped(event, self.format).clone())),
            Item::CaughtUp(_) => return None,
            Item::Gap { from, to } => self.told("tacho.gap", *to, format!("{{\"from\":{from},\"to\":{to}}}")),
            Item::Reset { head } => {
                let log = self.engine.log_name();
                self.told("tacho.reset", *head, format!("{{\"position\":{head},\"log\":\"{log}\"}}"))
            }
        };
        let event = told?;
        let mut out = Vec::new();
        intake::render(&event, self.format, &mut out);
        Some(text(out.into()))
    }

    fn told(&self, kind: &'static str, position: Position, data: String) -> Option<Recorded> {
        let now = self.engine.now();
        let mut draft = Draft::new(kind, "/tacho/live", self.engine.new_id());
        draft.subject = Some("system/live".into());
        draft.put_text("time", &now.to_rfc3339());
        draft.set_data(data.into_bytes());
        let event = draft.finish(Sameness::FirstWins).ok()?;
        Recorded::new(position, Sequence::ZERO, now, Bytes::copy_from_slice(event.bytes()))
    }
}

fn text(rendered: Bytes) -> Message {
    // What is rendered is JSON, and so is text.
    Message::Text(Utf8Bytes::try_from(rendered).unwrap_or_default())
}

fn closing(error: &SubscribeError) -> Message {
    let code = match error {
        SubscribeError::Stopped => GOING_AWAY,
        SubscribeError::Condition(error) if error.code() == Code::InvalidFilter => POLICY_VIOLATION,
        _ => UNEXPECTED,
    };
    // A control frame holds 123 bytes of reason at most (RFC 6455, section 5.5).
    let reason: String = error.to_string().chars().filter(char::is_ascii).take(120).collect();
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}
