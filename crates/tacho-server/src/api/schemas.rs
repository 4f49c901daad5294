//! `/api/schemas`: what is known of event types.

use crate::body;
use crate::doors::{Answer, SharedDoors, json};
use crate::parameters;
use crate::problem::{Problem, quoted};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use std::fmt::Write;
use std::sync::Arc;
use tacho_event::schema::{Registered, Registration, Registry, Version};
use tacho_event::{Code, Event, json as text};

/// Largest registration, in bytes.
const MAX_REGISTRATION_BYTES: usize = 1 << 20;

pub(crate) async fn list(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let registry = doors.engine.schemas().await?;
    doors.intake.validity.learn(&registry);
    let listed: Vec<String> = registry.all().map(|known| entry(known, false)).collect();
    let mut body = format!("{{\"schemas\":[{}],\"validity\":", listed.join(","));
    doors.intake.validity.write_json(&mut body);
    body.push('}');
    Ok(json(StatusCode::OK, body.into_bytes()))
}

pub(crate) async fn one(State(doors): State<SharedDoors>, Path(kind): Path<String>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let registry = doors.engine.schemas().await?;
    let versions: Vec<String> = registry.versions_of(&kind).map(|known| entry(known, true)).collect();
    if versions.is_empty() {
        let detail = format!("no schema is registered for {kind:?}: see /api/schemas");
        return Err(Problem::new(Code::NotFound, detail));
    }
    let body = format!("{{\"type\":{},\"versions\":[{}]}}", quoted(&kind), versions.join(","));
    Ok(json(StatusCode::OK, body.into_bytes()))
}

pub(crate) async fn register(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let (parts, content) = request.into_parts();
    let content = body::read(content, MAX_REGISTRATION_BYTES, &doors).await?;
    parameters::none(&parts.uri)?;
    let mut minified = Vec::new();
    text::minify(&content, doors.config.intake.limits.depth, &mut minified)
        .map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
    let invalid = |error: tacho_event::schema::RegistrationError| {
        Problem::new(Code::SchemaViolation, error.to_string())
    };
    let registration = Registration::from_data(&minified).map_err(invalid)?;
    let receipt = doors.engine.register_schema(registration).await?;
    if let Ok(registry) = doors.engine.schemas().await {
        doors.intake.validity.learn(&registry);
    }
    let position = receipt.position.map_or("null".to_owned(), |position| position.to_string());
    let body = format!(
        "{{\"type\":{},\"version\":\"{}\",\"position\":{position},\"duplicate\":{}}}",
        quoted(&receipt.kind),
        receipt.version,
        receipt.duplicate
    );
    Ok(json(StatusCode::CREATED, body.into_bytes()))
}

/// Refuses the batch when a payload does not fit the schema of its type. Each event comes with its index in the
/// batch.
pub(crate) fn validate<'e>(
    registry: &Registry,
    events: impl Iterator<Item = (usize, &'e Event)>,
) -> Result<(), Problem> {
    for (index, event) in events {
        let data = text::member(event.body(), "data");
        registry.validate(event.kind(), version(event).as_ref(), data).map_err(|violations| {
            Problem::new(Code::SchemaViolation, violations.to_string()).with("index", index)
        })?;
    }
    Ok(())
}

/// The version of its type's schema that an event names.
pub(crate) fn version(event: &Event) -> Option<Version> {
    let named = text::member(event.body(), "dataschema").map(text::text);
    let (kind, version) = tacho_event::schema::parse_urn(&named?)?;
    (kind == event.kind()).then_some(version)
}

fn entry(known: &Arc<Registered>, with_schema: bool) -> String {
    let registration = &known.registration;
    let maybe = |text: Option<&str>| text.map_or("null".to_owned(), quoted);
    let position = known.position.map_or("null".to_owned(), |position| position.to_string());
    let mut out = format!(
        "{{\"type\":{},\"version\":\"{}\",\"dataschema\":{},\"meaning\":{},\"severity\":{},\"declared_by\":{},\
         \"position\":{position}",
        quoted(&registration.kind),
        registration.version,
        quoted(&known.urn(&registration.kind)),
        quoted(&registration.meaning),
        maybe(registration.severity.map(|severity| severity.as_str())),
        maybe(registration.declared_by.as_deref()),
    );
    if with_schema {
        let example = registration.example.as_deref().map_or("null".into(), String::from_utf8_lossy);
        let schema = String::from_utf8_lossy(&registration.schema);
        let upcast = registration.upcast.as_deref().map_or("null".into(), String::from_utf8_lossy);
        let _ = write!(out, ",\"example\":{example},\"upcast\":{upcast},\"schema\":{schema}");
    }
    out.push('}');
    out
}
