//! Causes and effects as JSON, for the server's answers and the command line.

use crate::problem::quoted;
use crate::summary::summary;
use tacho_engine::{CauseEdge, Causes, Relation};
use tacho_event::{Position, Recorded};

/// The answer of `GET /api/causes/{id}`.
pub fn causes_json(causes: &Causes) -> String {
    let nodes: Vec<String> =
        causes.nodes.iter().map(|node| node_json(&node.event, Some((node.relation, node.depth)))).collect();
    let event = |position: Position| {
        let found = causes.nodes.binary_search_by_key(&position, |node| node.event.position);
        found.ok().map(|index| &causes.nodes[index].event)
    };
    let edges: Vec<String> = causes
        .edges
        .iter()
        .filter_map(|edge| Some(edge_json(event(edge.from)?, event(edge.to)?, edge)))
        .collect();
    format!(
        "{{\"event\":{},\"nodes\":[{}],\"edges\":[{}],\"truncated\":{}}}",
        quoted(causes.asked.id()),
        nodes.join(","),
        edges.join(","),
        causes.truncated
    )
}

/// An event as a part of a graph; how it stands to the one that was asked for, where one was.
pub(crate) fn node_json(event: &Recorded, place: Option<(Relation, i32)>) -> String {
    let actor = match (event.text("actortype"), event.text("actorid")) {
        (Some(kind), Some(id)) if kind != id => quoted(&format!("{kind}:{id}")),
        (_, Some(one)) | (Some(one), None) => quoted(&one),
        (None, None) => "null".to_owned(),
    };
    let place = place.map_or(String::new(), |(relation, depth)| {
        format!(",\"relation\":\"{}\",\"depth\":{depth}", relation.as_str())
    });
    format!(
        "{{\"id\":{},\"type\":{},\"at\":\"{}\",\"position\":{},\"stream\":{},\"sequence\":{},\"actor\":{actor},\
         \"summary\":{}{place}}}",
        quoted(event.id()),
        quoted(event.kind()),
        event.time(),
        event.position,
        quoted(event.stream()),
        event.sequence,
        quoted(&summary(event))
    )
}

/// Ids of several sources may be the same, so the positions stand beside them.
pub(crate) fn edge_json(from: &Recorded, to: &Recorded, edge: &CauseEdge) -> String {
    format!(
        "{{\"from\":{},\"to\":{},\"kind\":\"{}\",\"from_position\":{},\"to_position\":{}}}",
        quoted(from.id()),
        quoted(to.id()),
        edge.kind.as_str(),
        edge.from,
        edge.to
    )
}
