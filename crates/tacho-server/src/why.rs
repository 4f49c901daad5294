//! Why a stream failed, as JSON, for the server's answers and the command line.

use crate::causes::{edge_json, node_json};
use crate::problem::quoted;
use tacho_engine::{CauseEdge, Explanation, Recovery};
use tacho_event::Recorded;

/// The answer of `GET /api/why/{category}/{id}`.
pub fn why_json(why: &Explanation) -> String {
    let one = |event: Option<&Recorded>| event.map_or("null".to_owned(), |event| node_json(event, None));
    let chain: Vec<String> = why.chain.iter().map(|link| node_json(&link.event, None)).collect();
    let edges = why.chain.windows(2).filter_map(|pair| {
        let (from, to) = (&pair[0].event, &pair[1].event);
        let edge = CauseEdge { from: from.position, to: to.position, kind: pair[0].edge? };
        Some(edge_json(from, to, &edge))
    });
    let edges: Vec<String> = edges.collect();
    let recoveries: Vec<String> = why.recoveries.iter().map(recovery_json).collect();
    let actions: Vec<String> = why.next_actions.iter().map(|action| quoted(action)).collect();
    format!(
        "{{\"stream\":{},\"failed\":{},\"sentence\":{},\"failure\":{},\"first_cause\":{},\"chain\":[{}],\"edges\":[{}],\
         \"sequence_before\":{},\"state_before\":{},\"recoveries\":[{}],\"next_actions\":[{}],\"truncated\":{}}}",
        quoted(&why.stream),
        why.failure().is_some(),
        quoted(&why.sentence),
        one(why.failure()),
        one(why.first_cause()),
        chain.join(","),
        edges.join(","),
        why.sequence_before().map_or("null".to_owned(), |sequence| sequence.to_string()),
        why.state_before.as_deref().unwrap_or("null"),
        recoveries.join(","),
        actions.join(","),
        why.truncated
    )
}

fn recovery_json(recovery: &Recovery) -> String {
    format!(
        "{{\"id\":{},\"type\":{},\"at\":\"{}\",\"position\":{},\"strategy\":{},\"outcome\":\"{}\",\"summary\":{}}}",
        quoted(&recovery.id),
        quoted(&recovery.kind),
        recovery.at,
        recovery.position,
        quoted(&recovery.strategy),
        recovery.outcome.as_str(),
        quoted(&recovery.summary)
    )
}
