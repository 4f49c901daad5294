//! `GET /api/waits` and `POST /api/waits/{id}/acknowledge|answer|resolve`.

use crate::body;
use crate::doors::{Answer, Doors, SharedDoors, json};
use crate::parameters;
use crate::problem::Problem;
use crate::waits::{wait_json, waits_json};
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use tacho_engine::{AppendError, WaitState, Waiting};
use tacho_event::{Code, derived_id, json as text};

/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Who did it where nobody is named.
const SOMEBODY: &str = "user";

/// What a person does about a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Acknowledge,
    Answer,
    Resolve,
}

impl Deed {
    /// The event's type, and the member that holds what was said.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Acknowledge => ("hitl_acknowledged", "note"),
            Self::Answer => ("hitl_answered", "answer"),
            Self::Resolve => ("hitl_resolved", "resolution"),
        }
    }

    /// The member of a request that holds it.
    fn asked_as(self) -> &'static str {
        if self == Self::Answer { "answer" } else { "note" }
    }

    /// Whether it would change nothing.
    fn is_done(self, wait: &Waiting) -> bool {
        !wait.state.is_open() || (self == Self::Acknowledge && wait.state == WaitState::Acknowledged)
    }
}

pub(crate) async fn list(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let waits = doors.engine.waits().await?;
    Ok(json(StatusCode::OK, waits_json(&waits).into_bytes()))
}

pub(crate) async fn acknowledge(doors: State<SharedDoors>, id: Path<String>, request: Request) -> Answer {
    record(doors, id, request, Deed::Acknowledge).await
}

pub(crate) async fn answer(doors: State<SharedDoors>, id: Path<String>, request: Request) -> Answer {
    record(doors, id, request, Deed::Answer).await
}

pub(crate) async fn resolve(doors: State<SharedDoors>, id: Path<String>, request: Request) -> Answer {
    record(doors, id, request, Deed::Resolve).await
}

/// 201 when it was recorded, 200 when it was done already.
async fn record(
    State(doors): State<SharedDoors>,
    Path(id): Path<String>,
    request: Request,
    deed: Deed,
) -> Answer {
    let (parts, content) = request.into_parts();
    let content = body::read(content, BODY_BYTES_MAX, &doors).await?;
    parameters::none(&parts.uri)?;
    let said = Said::read(&doors, &parts.headers, &content, deed)?;
    let wait = find(&doors, &id).await?;
    let mut status = StatusCode::OK;
    if !deed.is_done(&wait) && append(&doors, &wait, &said, deed).await? {
        status = StatusCode::CREATED;
    }
    let wait = find(&doors, &id).await?;
    let body = format!("{{\"changed\":{},\"wait\":{}}}", status == StatusCode::CREATED, wait_json(&wait));
    Ok(json(status, body.into_bytes()))
}

async fn find(doors: &Doors, id: &str) -> Result<Waiting, Problem> {
    doors.engine.waiting(id).await?.ok_or_else(|| {
        Problem::new(Code::NotFound, format!("the event {id:?} asks nobody for anything: see /api/waits"))
    })
}

/// False where somebody else was faster.
async fn append(doors: &Doors, wait: &Waiting, said: &Said, deed: Deed) -> Result<bool, Problem> {
    let json_headers =
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json"))]);
    let engine = &doors.engine;
    let event = said.event(wait, deed);
    // The door of all events: what is secret in a note is cut out there.
    let incoming =
        doors.intake.parse_request(&json_headers, &event, engine.now(), &mut || engine.new_id())?;
    let events = doors.intake.apply_rules(incoming.into_iter().map(|one| one.event).collect());
    match engine.append(events, Vec::new()).await {
        Ok(appended) => Ok(appended.events.iter().any(|receipt| !receipt.duplicate)),
        Err(AppendError::IdConflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What a request says.
struct Said {
    by: String,
    words: Option<String>,
}

impl Said {
    fn read(doors: &Doors, headers: &HeaderMap, content: &[u8], deed: Deed) -> Result<Self, Problem> {
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if media_type.split(';').next().unwrap_or_default().trim() != "application/json" {
            let detail = "send JSON, as application/json";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let mut minified = Vec::new();
        let content = if content.is_empty() { b"{}" } else { content };
        text::minify(content, doors.config.intake.limits.depth, &mut minified)
            .map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
        let mut said = Self { by: SOMEBODY.to_owned(), words: None };
        let refuse = |what: String| Problem::new(Code::InvalidEvent, what);
        if text::kind(&minified) != text::Kind::Object {
            return Err(refuse("send an object, such as {\"by\":\"ada\"}".to_owned()));
        }
        for (name, value) in text::members(&minified) {
            let name = String::from_utf8_lossy(name);
            if text::kind(value) != text::Kind::String {
                return Err(refuse(format!("`{name}` is text")));
            }
            let value = text::text(value).trim().to_owned();
            match name.as_ref() {
                "by" if !value.is_empty() => said.by = value,
                "by" => {}
                name if name == deed.asked_as() => said.words = Some(value).filter(|words| !words.is_empty()),
                name => {
                    return Err(refuse(format!(
                        "there is no `{name}` here; known are by, {}",
                        deed.asked_as()
                    )));
                }
            }
        }
        if deed == Deed::Answer && said.words.is_none() {
            return Err(refuse("`answer` is missing: it says what the agents are to do".to_owned()));
        }
        Ok(said)
    }

    /// Its id follows from the wait and the deed, so that a deed is recorded once.
    fn event(&self, wait: &Waiting, deed: Deed) -> Vec<u8> {
        let (kind, words) = deed.names();
        let mut data = Object::default();
        data.add("task_id", wait.task().as_deref());
        data.add("wait", Some(wait.event.id()));
        data.add("by", Some(&self.by));
        data.add(words, self.words.as_deref());
        let mut event = Object::default();
        event.add("specversion", Some("1.0"));
        event.add("id", Some(&derived_id("wait", &[kind, wait.event.source(), wait.event.id()])));
        event.add("source", Some("/waits"));
        event.add("type", Some(kind));
        event.add("subject", Some(wait.event.stream()));
        event.add("actortype", Some("user"));
        event.add("actorid", Some(&self.by));
        event.add("causationid", Some(wait.event.id()));
        for name in ["sessionid", "correlationid"] {
            event.add(name, wait.event.text(name).as_deref());
        }
        event.add_raw("data", &data.finish());
        event.finish()
    }
}

/// A JSON object that is written member by member.
#[derive(Default)]
struct Object(Vec<u8>);

impl Object {
    fn add(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        let mut quoted = Vec::new();
        text::write_string(value, &mut quoted);
        self.add_raw(name, &quoted);
    }

    fn add_raw(&mut self, name: &str, value: &[u8]) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        text::write_string(name, &mut self.0);
        self.0.push(b':');
        self.0.extend_from_slice(value);
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}
