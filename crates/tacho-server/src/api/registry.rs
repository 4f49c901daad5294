//! `/api/registry…`, `POST /api/handlers/reload`: who is there, and what people have them do.

use super::handler_control::Order;
use super::handlers::{answer, on_a_thread};
use crate::doors::{Answer, SharedDoors, json};
use crate::parameters;
use crate::problem::Problem;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use serde_json::Value;
use tacho_engine::handler::Asker;
use tacho_engine::registry::{Registration, RegistrationKind, RegistryEntry, RegistryError};
use tacho_engine::{Engine, Moment, Wait};
use tacho_event::{Code, Position, Timestamp, json as text};

/// What a registration may say. No command is among it.
const MEMBERS: [&str; 8] = ["id", "kind", "url", "capabilities", "version", "on", "tool", "reason"];

pub(crate) async fn list(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let entries = doors.engine.registry(moment(&uri)?, Wait::Head).await?;
    let entries: Vec<Value> = entries.iter().map(RegistryEntry::to_json).collect();
    answer(&serde_json::json!({"entries": entries}))
}

pub(crate) async fn one(State(doors): State<SharedDoors>, Path(id): Path<String>, uri: Uri) -> Answer {
    let entry = doors.engine.registry_entry(&id, moment(&uri)?, Wait::Head).await?;
    match entry {
        Some(entry) => answer(&entry.to_json()),
        None => Err(RegistryError::Unknown(id).into()),
    }
}

pub(crate) async fn register(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let order = Order::read(&doors, request).await?;
    let registration = registration(&order)?;
    let asker = order.asker;
    let entry = on_a_thread(&doors.engine, move |engine| Ok(engine.register(registration, asker)?)).await?;
    Ok(json(StatusCode::CREATED, entry.to_json().to_string().into_bytes()))
}

pub(crate) async fn remove(
    State(doors): State<SharedDoors>,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    let mut reason = String::new();
    for (key, value) in parameters::pairs(request.uri())? {
        match key.as_str() {
            "reason" => reason = value,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let asker = Asker { by: format!("user:{}", doors.control.check(request.headers())?.name), reason };
    let entry = on_a_thread(&doors.engine, move |engine| Ok(engine.unregister(&id, asker)?)).await?;
    answer(&entry.to_json())
}

pub(crate) async fn drain(doors: State<SharedDoors>, id: Path<String>, request: Request) -> Answer {
    turn(doors, id, request, Engine::drain).await
}

pub(crate) async fn restore(doors: State<SharedDoors>, id: Path<String>, request: Request) -> Answer {
    turn(doors, id, request, Engine::restore).await
}

async fn turn(
    State(doors): State<SharedDoors>,
    Path(id): Path<String>,
    request: Request,
    work: fn(&Engine, &str, Asker) -> Result<RegistryEntry, RegistryError>,
) -> Answer {
    let order = Order::read(&doors, request).await?;
    order.only(&["reason"])?;
    let entry = on_a_thread(&doors.engine, move |engine| Ok(work(engine, &id, order.asker)?)).await?;
    answer(&entry.to_json())
}

pub(crate) async fn reload(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let order = Order::read(&doors, request).await?;
    order.only(&["reason"])?;
    let changed =
        on_a_thread(&doors.engine, move |engine| Ok(engine.reload_configuration(order.asker)?)).await?;
    answer(&serde_json::json!({"changed": changed}))
}

/// What somebody says of themselves.
fn registration(order: &Order) -> Result<Registration, Problem> {
    order.only(&MEMBERS)?;
    let refuse = |what: &str| Problem::new(Code::InvalidEvent, what);
    let missing = |name: &str| Problem::new(Code::InvalidEvent, format!("`{name}` is missing"));
    let kind = order.text("kind").ok_or_else(|| missing("kind"))?;
    let kind = RegistrationKind::find(&kind)
        .ok_or_else(|| refuse("`kind` is http or mcp; programs are named in the configuration"))?;
    let words = order.member("capabilities").map_or(Value::Array(Vec::new()), text::to_value);
    let words = words.as_array().and_then(|words| {
        words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    Ok(Registration {
        id: order.text("id").ok_or_else(|| missing("id"))?,
        kind,
        url: order.text("url").ok_or_else(|| missing("url"))?,
        capabilities: words.ok_or_else(|| refuse("`capabilities` is a list of texts"))?,
        version: order.text("version"),
        on: order.member("on").map(text::to_value),
        tool: order.text("tool"),
    })
}

/// `at`: a position or a moment.
fn moment(uri: &Uri) -> Result<Moment, Problem> {
    let mut moment = Moment::Now;
    for (key, value) in parameters::pairs(uri)? {
        let refuse = || {
            let detail =
                format!("`at` is {value:?}: write a position, or a moment such as 2026-01-01T00:00:00Z");
            Problem::new(Code::InvalidFilter, detail).with("parameter", crate::problem::quoted("at"))
        };
        moment = match (key.as_str(), value.parse()) {
            ("at", Ok(position)) => Moment::Position(Position(position)),
            ("at", Err(_)) => Moment::Time(Timestamp::from_rfc3339(&value).ok_or_else(refuse)?),
            _ => return Err(parameters::unknown(&key)),
        };
    }
    Ok(moment)
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        use RegistryError::{
            Absent, Append, Configuration, Handler, NotReady, NotRegistered, Refused, Stopped, Taken, Unknown,
        };
        let code = match error {
            Append(error) => return error.into(),
            Unknown(_) => Code::NotFound,
            Taken { .. } | NotRegistered { .. } | Refused(_) | Configuration(_) | Handler(_) => {
                Code::InvalidEvent
            }
            NotReady => Code::ViewBehind,
            Absent => Code::NotFound,
            Stopped => Code::ShuttingDown,
        };
        Self::new(code, error.to_string())
    }
}
