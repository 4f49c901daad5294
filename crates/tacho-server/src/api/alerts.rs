//! `GET /api/alerts`, `GET /api/alerts/history`, `POST /api/alerts/test`.

use crate::alerts;
use crate::doors::{Answer, SharedDoors, json};
use crate::parameters::{self, ListParameters};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use tacho_event::{Code, Pattern};

pub(crate) async fn rules(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let rules = doors.engine.alert_rules().await?;
    let anomalies = doors.engine.anomalies().await?;
    Ok(json(StatusCode::OK, alerts::alert_rules_json(&rules, &anomalies).into_bytes()))
}

/// The newest first.
pub(crate) async fn history(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let page_events = doors.config.limits.page_events;
    let mut list = ListParameters::read(&uri, doors.engine.now(), page_events)?;
    list.query.reverse = true;
    list.query.filter.types = vec![Pattern::new("tacho.alert")];
    let page = doors.engine.query(list.query).await?;
    let mut body = b"{\"alerts\":[".to_vec();
    for (index, event) in page.events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        event.write_cloudevent(&mut body);
    }
    let next = page.next.map_or("null".to_owned(), |cursor| format!("\"{}\"", cursor.to_text()));
    body.extend_from_slice(format!("],\"next\":{next},\"position\":{}}}", page.position).as_bytes());
    Ok(json(StatusCode::OK, body))
}

pub(crate) async fn test(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    if !doors.engine.test_alert().await? {
        let detail = "there is no rule to test: write [[alert]] into tacho.toml";
        return Err(Problem::new(Code::NotFound, detail));
    }
    Ok(json(StatusCode::ACCEPTED, b"{\"told\":true}".to_vec()))
}
