//! What the engine answers, as JSON.

use crate::summary::summary;
use serde_json::{Map, Value, json};
use tacho_engine::handler::Replay;
use tacho_engine::{
    Break, Change, Comparison, Divergence, History, Leaf, Overview, Place, Plan, ProjectionInfo, StateAt,
    StoredSnapshot, Supposed, Verdict, Why,
};
use tacho_event::{Jq, Recorded, json as text};

/// An object to which members are added.
fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

pub(super) fn event(event: &Recorded) -> Value {
    text::to_value(&event.to_cloudevent())
}

fn events(list: &[Recorded]) -> Value {
    list.iter().map(event).collect()
}

fn place(place: &Place) -> Value {
    json!({
        "sequence": place.sequence.0,
        "position": place.position.0,
        "at": place.time.map(|time| time.to_rfc3339()),
    })
}

/// A JSON Patch (RFC 6902).
fn patch(changes: &[Change]) -> Value {
    let operation = |change: &Change| {
        let mut operation = members(json!({"op": change.op.as_str(), "path": change.path}));
        if let Some(value) = &change.value {
            operation.insert("value".to_owned(), value.clone());
        }
        Value::Object(operation)
    };
    changes.iter().map(operation).collect()
}

fn leaves(list: &[Leaf]) -> Value {
    let leaf = |leaf: &Leaf| {
        let kind = match (&leaf.before, &leaf.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        let mut told = members(json!({"path": leaf.path, "kind": kind}));
        let sides = [("before", &leaf.before), ("after", &leaf.after)];
        for (name, value) in sides.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            told.insert(name.to_owned(), value.clone());
        }
        Value::Object(told)
    };
    list.iter().map(leaf).collect()
}

/// Takes the state over: it may be large, and a copy of it costs as much as finding it.
pub(super) fn state(found: StateAt, path: Option<&Jq>) -> Value {
    let mut answer = members(json!({
        "stream": found.stream,
        "projection": found.projection,
        "position": found.place.position.0,
        "sequence": found.place.sequence.0,
        "at": found.at.map(|at| at.to_rfc3339()),
    }));
    if let Some(path) = path {
        answer.insert("path".to_owned(), path.as_str().into());
    }
    answer.insert("state".to_owned(), found.state);
    if let Some(around) = &found.around {
        answer.insert("query_timestamp".to_owned(), around.moment.to_rfc3339().into());
        answer.insert("surrounding_events".to_owned(), events(&around.events));
        let summary = &around.summary;
        answer.insert(
            "state_summary".to_owned(),
            json!({
                "current_phase": summary.current_phase,
                "active_agents": summary.active_agents,
                "completed_phases": summary.completed_phases,
                "pending_tasks": summary.pending_tasks,
            }),
        );
    }
    Value::Object(answer)
}

pub(super) fn history(stream: &str, history: &History) -> Value {
    let entries = history.entries.iter().map(|entry| {
        let event = &entry.event;
        let mut told = members(json!({
            "sequence": event.sequence.0,
            "position": event.position.0,
            "at": event.time().to_rfc3339(),
            "id": event.id(),
            "type": event.kind(),
            "actor": event.text("actorid"),
            "summary": summary(event),
        }));
        match &entry.part {
            Some(part) => {
                told.insert("before".to_owned(), part.before.clone());
                told.insert("after".to_owned(), part.after.clone());
            }
            None => {
                told.insert("patch".to_owned(), patch(&entry.patch));
            }
        }
        Value::Object(told)
    });
    json!({
        "stream": stream,
        "projection": history.projection,
        "entries": entries.collect::<Vec<_>>(),
        "next": history.next.map(|next| next.0),
    })
}

pub(super) fn overview(stream: &str, overview: &Overview) -> Value {
    let buckets = overview.buckets.iter().map(|bucket| {
        json!({
            "from": bucket.from.0, "to": bucket.to.0,
            "at": bucket.at.to_rfc3339(), "until": bucket.until.to_rfc3339(),
            "events": bucket.events, "changes": bucket.changes, "failures": bucket.failures,
        })
    });
    let bands = overview.bands.iter();
    let bands = bands.map(|band| json!({"name": band.name, "from": band.from.0, "to": band.to.0}));
    let active = overview.active.iter();
    let active = active.map(|(sequence, count)| json!({"sequence": sequence.0, "count": count}));
    json!({
        "stream": stream,
        "projection": overview.projection,
        "first": place(&overview.first),
        "last": place(&overview.last),
        "buckets": buckets.collect::<Vec<_>>(),
        "bands": bands.collect::<Vec<_>>(),
        "active": active.collect::<Vec<_>>(),
    })
}

pub(super) fn comparison(stream: &str, comparison: &Comparison) -> Value {
    json!({
        "stream": stream,
        "projection": comparison.projection,
        "from": place(&comparison.from),
        "to": place(&comparison.to),
        "patch": patch(&comparison.patch),
        "changes": leaves(&comparison.leaves),
    })
}

pub(super) fn supposed(stream: &str, supposed: Supposed) -> Value {
    json!({
        "stream": stream,
        "projection": supposed.projection,
        "position": supposed.place.position.0,
        "sequence": supposed.place.sequence.0,
        "at": supposed.place.time.map(|time| time.to_rfc3339()),
        "folded": supposed.folded,
        "left_out": supposed.left_out,
        "added": supposed.added,
        "changed": supposed.changed,
        "state": supposed.state,
        "patch": patch(&supposed.patch),
        "changes": leaves(&supposed.leaves),
    })
}

pub(super) fn found(stream: &str, found: Break) -> Value {
    json!({
        "stream": stream,
        "projection": found.projection,
        "found": found.event.is_some(),
        "sequence": found.place.sequence.0,
        "position": found.place.position.0,
        "at": found.place.time.map(|time| time.to_rfc3339()),
        "more": found.more,
        "event": found.event.as_ref().map(event),
        "state": found.state,
    })
}

pub(super) fn divergence(divergence: &Divergence) -> Value {
    let run = |run: &tacho_engine::Run| json!({"stream": run.stream, "events": run.events});
    let first = divergence.first.as_ref().map(|why| {
        let (reason, a, b, changes) = match why {
            Why::Type(pair) => ("type", Some(&pair.0), Some(&pair.1), json!([])),
            Why::Data(pair, list) => ("data", Some(&pair.0), Some(&pair.1), leaves(list)),
            Why::Ended(event, true) => ("ended", Some(&**event), None, json!([])),
            Why::Ended(event, false) => ("ended", None, Some(&**event), json!([])),
        };
        json!({
            "sequence": why.sequence().0, "why": reason, "a": a.map(event), "b": b.map(event), "changes": changes,
        })
    });
    json!({
        "a": run(&divergence.a),
        "b": run(&divergence.b),
        "common": divergence.common,
        "first": first,
        "changes": leaves(&divergence.leaves),
    })
}

pub(super) fn plan(stream: &str, plan: &Plan) -> Value {
    let count = |status: &str| plan.events.iter().filter(|event| event.verdict.status() == status).count();
    let results = plan.events.iter().map(|planned| {
        let event = &planned.event;
        let mut told = members(json!({
            "event_id": event.id(),
            "type": event.kind(),
            "sequence": event.sequence.0,
            "position": event.position.0,
            "status": planned.verdict.status(),
        }));
        match &planned.verdict {
            Verdict::Replayed => {}
            Verdict::NotReplayable => {
                told.insert("reason".to_owned(), "non_replayable_event_type".into());
            }
            Verdict::Precondition(detail) => {
                told.insert("reason".to_owned(), "precondition".into());
                told.insert("detail".to_owned(), detail.as_str().into());
            }
        }
        Value::Object(told)
    });
    json!({
        "dry_run": true,
        "stream": stream,
        "replayed_count": count("success"),
        "skipped_count": count("skipped"),
        "failed_count": count("failed"),
        "truncated": plan.truncated,
        "results": results.collect::<Vec<_>>(),
    })
}

/// A replay that was executed: the plan, and what became of each event.
pub(super) fn replay(stream: &str, replay: &Replay) -> Value {
    let mut told = plan(stream, &replay.plan);
    told["dry_run"] = false.into();
    told["replay_id"] = replay.id.as_str().into();
    told["repeated"] = replay.repeated.into();
    told["open"] = json!(replay.open);
    let (mut failed, mut same) = (0, true);
    for result in told["results"].as_array_mut().into_iter().flatten() {
        let position = tacho_event::Position(result["position"].as_u64().unwrap_or_default());
        let Some(outcome) = replay.outcomes.get(&position) else { continue };
        let answers = |answers: &[(String, String)]| -> Value {
            answers.iter().map(|(kind, data)| json!({"type": kind, "data": data_of(data)})).collect()
        };
        result["returned"] = answers(&outcome.returned);
        result["as_before"] = outcome.is_same().into();
        same &= outcome.is_same();
        if !outcome.dead.is_empty() {
            failed += 1;
            result["status"] = "failed".into();
            result["reason"] = "handler".into();
            let told = outcome.dead.iter().map(|(handler, why)| format!("{handler}: {why}"));
            result["detail"] = told.collect::<Vec<_>>().join("; ").into();
        }
        if !outcome.is_same() {
            result["returned_before"] = answers(&outcome.returned_before);
        }
    }
    let count = |told: &Value, name: &str| told[name].as_u64().unwrap_or_default();
    told["replayed_count"] = (count(&told, "replayed_count") - failed).into();
    told["failed_count"] = (count(&told, "failed_count") + failed).into();
    told["as_planned"] = (failed == 0 && replay.open.is_empty()).into();
    told["as_before"] = same.into();
    told
}

fn data_of(data: &str) -> Value {
    tacho_event::json::to_value(data.as_bytes())
}

pub fn snapshot(snapshot: &StoredSnapshot) -> Value {
    let (projection, version) = snapshot.code.split_once('@').unwrap_or((&snapshot.code, ""));
    let checksum: String = snapshot.checksum.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "id": format!("snap-{}", snapshot.sequence),
        "projection": projection,
        "version": version,
        "sequence": snapshot.sequence.0,
        "position": snapshot.position.0,
        "until": snapshot.latest.to_rfc3339(),
        "created_at": snapshot.created.to_rfc3339(),
        "bytes": snapshot.bytes,
        "manual": snapshot.manual,
        "checksum": checksum,
    })
}

pub(super) fn snapshots(list: &[StoredSnapshot]) -> Value {
    json!({"snapshots": list.iter().map(snapshot).collect::<Vec<_>>()})
}

pub(super) fn projections(list: &[ProjectionInfo]) -> Value {
    let told = list.iter().map(|projection| {
        let version = projection.code.split_once('@').map_or("", |(_, version)| version);
        json!({
            "name": projection.name,
            "category": projection.category,
            "version": version,
            "meaning": projection.meaning,
            "built_in": projection.built_in,
            "reads": projection.reads,
        })
    });
    json!({"projections": told.collect::<Vec<_>>()})
}
