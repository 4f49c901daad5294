//! `POST /api/handlers/{name}/pause|resume|retry|test`: what people have handlers do.

use super::handlers::{answer, on_a_thread, show};
use crate::body;
use crate::doors::{Answer, Doors, SharedDoors};
use crate::parameters;
use crate::problem::Problem;
use crate::reactions::tested_json;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use tacho_engine::handler::Asker;
use tacho_engine::{Engine, Wait};
use tacho_event::{Code, Position, Recorded, Sequence, json};

/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 2 << 20;

/// A request that controls something.
pub(crate) struct Order {
    pub(crate) asker: Asker,
    /// Minified; an object.
    pub(crate) body: Vec<u8>,
}

impl Order {
    /// Checks who asks, and reads what for.
    pub(crate) async fn read(doors: &Doors, request: Request) -> Result<Self, Problem> {
        parameters::none(request.uri())?;
        Self::read_beside(doors, request).await
    }

    /// As [`Self::read`], where the address says something too.
    pub(crate) async fn read_beside(doors: &Doors, request: Request) -> Result<Self, Problem> {
        let (parts, content) = request.into_parts();
        let actor = doors.control.check(&parts.headers);
        let content = body::read(content, BODY_BYTES_MAX, doors).await?;
        let by = format!("user:{}", actor?.name);
        let media_type =
            parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if media_type.split(';').next().unwrap_or_default().trim() != "application/json" {
            return Err(Problem::new(Code::UnsupportedMediaType, "send JSON, as application/json"));
        }
        let content: &[u8] = if content.is_empty() { b"{}" } else { &content };
        let mut minified = Vec::new();
        json::minify(content, doors.config.intake.limits.depth, &mut minified)
            .map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
        if json::kind(&minified) != json::Kind::Object {
            return Err(Problem::new(
                Code::InvalidEvent,
                "send an object, such as {\"reason\":\"deploying\"}",
            ));
        }
        let reason = json::member(&minified, "reason").map(json::text).unwrap_or_default().trim().to_owned();
        Ok(Self { asker: Asker { by, reason }, body: minified })
    }

    /// Refuses members that mean nothing here.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let names = json::members(&self.body).map(|(name, _)| String::from_utf8_lossy(name));
        match names.into_iter().find(|name| !known.contains(&name.as_ref())) {
            Some(name) => {
                let detail = format!("`{name}` means nothing here: send {}", known.join(", "));
                Err(Problem::new(Code::InvalidEvent, detail))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn member(&self, name: &str) -> Option<&[u8]> {
        json::member(&self.body, name).filter(|value| *value != b"null")
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.member(name).map(|value| json::text(value).into_owned())
    }

    fn position(&self) -> Result<Option<Position>, Problem> {
        let read = |value: &[u8]| {
            let text = json::text(value);
            text.parse().map(Position).map_err(|_| {
                Problem::new(Code::InvalidEvent, format!("`position` is {text:?}: send a whole number"))
            })
        };
        self.member("position").map(read).transpose()
    }
}

pub(crate) async fn pause(doors: State<SharedDoors>, name: Path<String>, request: Request) -> Answer {
    order(doors, name, request, |engine, name, order| {
        order.only(&["reason"])?;
        Ok(engine.pause_handler(name, order.asker)?)
    })
    .await
}

pub(crate) async fn resume(doors: State<SharedDoors>, name: Path<String>, request: Request) -> Answer {
    order(doors, name, request, |engine, name, order| {
        order.only(&["reason"])?;
        Ok(engine.resume_handler(name, order.asker)?)
    })
    .await
}

pub(crate) async fn retry(doors: State<SharedDoors>, name: Path<String>, request: Request) -> Answer {
    order(doors, name, request, |engine, name, order| {
        order.only(&["reason", "position"])?;
        Ok(engine.retry_pending(name, order.position()?, order.asker)?)
    })
    .await
}

async fn order(
    State(doors): State<SharedDoors>,
    Path(name): Path<String>,
    request: Request,
    work: impl FnOnce(&Engine, &str, Order) -> Result<(), Problem> + Send + 'static,
) -> Answer {
    let order = Order::read(&doors, request).await?;
    let wanted = name.clone();
    on_a_thread(&doors.engine, move |engine| work(engine, &wanted, order)).await?;
    answer(&show(&doors.engine, name).await?)
}

pub(crate) async fn test(
    State(doors): State<SharedDoors>,
    Path(name): Path<String>,
    request: Request,
) -> Answer {
    let order = Order::read(&doors, request).await?;
    order.only(&["reason", "position", "event"])?;
    let event = match (order.position()?, order.member("event")) {
        (Some(position), None) => at(&doors.engine, position).await?,
        (None, Some(event)) => sent(&doors, event)?,
        _ => {
            return Err(Problem::new(Code::InvalidEvent, "send either `position` or `event`"));
        }
    };
    let tested = on_a_thread(&doors.engine, move |engine| Ok(engine.test_handler(&name, event)?)).await?;
    answer(&tested_json(&tested))
}

async fn at(engine: &Engine, position: Position) -> Result<Recorded, Problem> {
    engine.wait(Wait::Head).await?;
    let event = on_a_thread(engine, move |engine| {
        engine.journal().get(position).map_err(|error| Problem::new(Code::Internal, error.to_string()))
    });
    event.await?.ok_or_else(|| {
        Problem::new(Code::EventNotFound, format!("no event stands at position {position} of the log"))
    })
}

/// An event that is on no log, through the door of all events.
fn sent(doors: &Doors, event: &[u8]) -> Result<Recorded, Problem> {
    let engine = &doors.engine;
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let incoming = doors.intake.parse_request(&headers, event, engine.now(), &mut || engine.new_id())?;
    let refuse = || Problem::new(Code::InvalidEvent, "`event` is not one event");
    let event = incoming.into_iter().next().ok_or_else(refuse)?.event;
    let bytes = event.bytes().to_vec().into();
    Recorded::new(engine.head().next(), Sequence(1), engine.now(), bytes).ok_or_else(refuse)
}

/// As the answer of a refusal names it.
impl From<tacho_engine::handler::ControlError> for Problem {
    fn from(error: tacho_engine::handler::ControlError) -> Self {
        use tacho_engine::handler::ControlError::{Sink, Stopped, Unknown};
        let code = match error {
            Unknown(_) => Code::NotFound,
            Sink(_) => Code::InvalidFilter,
            Stopped => Code::ShuttingDown,
        };
        Self::new(code, error.to_string())
    }
}
