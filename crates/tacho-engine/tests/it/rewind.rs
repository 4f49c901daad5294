//! States of the past: the same by snapshot and by full fold, whatever order the times are in.

use crate::{open, runtime};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use tacho_engine::{
    AddedEvent, BreakQuery, DivergenceQuery, Engine, HistoryQuery, Keep, Moment, Program, Query, QueryError,
    ReplayQuery, StateAt, StateQuery, Supposition, Why,
};
use tacho_event::{
    Draft, Event, Filter, Jq, JqKind, Pattern, Position, Recorded, Sameness, Sequence, Timestamp,
};
use tacho_testkit::random::Random;
use tacho_view::state::{self, State, difference};
use tempfile::TempDir;

pub(crate) const STREAM: &str = "issue/PROJ-1";
const OTHER: &str = "issue/PROJ-2";
const START: i64 = 1_767_225_600_000_000_000;
const SECOND: i64 = 1_000_000_000;

pub(crate) fn told(stream: &str, kind: &str, id: String, seconds: i64, data: &Value) -> Event {
    let mut draft = Draft::new(kind.to_owned(), "/t", id);
    draft.subject = Some(stream.to_owned().into());
    draft.put_text("time", &Timestamp(START + seconds * SECOND).to_rfc3339());
    draft.set_data(data.to_string().into_bytes());
    draft.finish(Sameness::FirstWins).unwrap()
}

/// A made-up event of an orchestration.
fn made_up(random: &mut Random, stream: &str, number: usize, seconds: i64) -> Event {
    let agent = format!("agent-{}", random.below(6));
    let gap = format!("gap-{}", random.below(5));
    let phase = ["EXPLORE", "PLAN", "CODE"][random.index(3)];
    let (kind, data) = match random.below(14) {
        0 => ("OrchestrationStarted", json!({"initial_phase": phase})),
        1 => ("PhaseCompleted", json!({"phase": phase, "next_phase": "TEST"})),
        2 | 3 => ("AgentSpawned", json!({"agent_name": agent})),
        4 | 5 => ("AgentCompleted", json!({"agent_name": agent, "duration_seconds": 5})),
        6 => ("AgentFailed", json!({"agent_name": agent, "failure_reason": "x/y ~ z"})),
        7 => ("GapIdentified", json!({"gap_id": gap, "severity": "high"})),
        8 => ("GapResolved", json!({"gap_id": gap})),
        9 => ("CommitCreated", json!({"commit_sha": format!("{number:07x}"), "commit_message": "m"})),
        10 => ("PRCreated", json!({"pr_number": random.below(4)})),
        11 => ("PRMerged", json!({"pr_number": random.below(4), "merged_by": "ada"})),
        12 => {
            ("QualityCheckCompleted", json!({"check_type": "lint", "passed_quality_gate": random.once_in(2)}))
        }
        _ => ("tool_completed", json!({"tool": "Bash"})),
    };
    told(stream, kind, format!("{stream}-{number}"), seconds, &data)
}

/// Two streams between each other, some events told late and some early.
fn record(engine: &Engine, random: &mut Random, events: usize) {
    let mut batch = Vec::new();
    for number in 0..events {
        let stream = if random.once_in(3) { OTHER } else { STREAM };
        let shift = if random.once_in(5) { random.between(0, 40) as i64 - 20 } else { 0 };
        batch.push(made_up(random, stream, number, number as i64 + shift));
        if batch.len() == 50 || number + 1 == events {
            engine.append_and_wait(std::mem::take(&mut batch)).unwrap();
        }
    }
}

pub(crate) async fn events_of(engine: &Engine, stream: &str) -> Vec<Recorded> {
    let filter = Filter { stream: Some(Pattern::new(stream)), ..Filter::default() };
    let mut query = Query { filter, ..Query::default() };
    let mut events = Vec::new();
    loop {
        let page = engine.query(query.clone()).await.unwrap();
        events.extend(page.events);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return events;
        }
    }
}

fn naive(projection: &str, events: &[Recorded], is_meant: impl Fn(&Recorded) -> bool) -> Value {
    let projection = state::find(projection).unwrap();
    let mut state = State::new(projection.empty());
    for event in events.iter().filter(|event| is_meant(event)) {
        projection.apply(&mut state, event);
    }
    state.into_value()
}

pub(crate) async fn state_of(engine: &Engine, projection: &str, moment: Moment) -> StateAt {
    let projection = Some(projection.to_owned());
    let query = StateQuery { stream: STREAM.to_owned(), projection, moment, ..StateQuery::default() };
    engine.state(query).await.unwrap()
}

fn is_within(moment: Moment, event: &Recorded) -> bool {
    match moment {
        Moment::Now => true,
        Moment::Time(time) => event.time() <= time,
        Moment::Position(position) => event.position <= position,
        Moment::Sequence(sequence) => event.sequence <= sequence,
    }
}

/// Asks for random moments of every projection and compares with the fold of the events themselves.
async fn compare(engine: &Engine, random: &mut Random, events: &[Recorded], times: usize) {
    let head = engine.head().0;
    for _ in 0..times {
        let projection = state::ALL[random.index(state::ALL.len())].name;
        let moment = match random.below(4) {
            0 => Moment::Now,
            1 => Moment::Time(Timestamp(START + random.between(0, head) as i64 * SECOND)),
            2 => Moment::Position(Position(random.between(0, head))),
            _ => Moment::Sequence(Sequence(random.between(0, events.len() as u64))),
        };
        let found = state_of(engine, projection, moment).await;
        let expected = naive(projection, events, |event| is_within(moment, event));
        assert_eq!(found.state, expected, "{projection} at {moment:?}");
        let last = events.iter().rfind(|event| is_within(moment, event));
        assert_eq!(found.place.sequence.0, last.map_or(0, |event| event.sequence.0));
    }
}

/// Overwrites parts of the snapshots' file while it is in use.
fn damage(folder: &Path, random: &mut Random) {
    let file = std::fs::File::options().write(true).open(folder.join("view/snapshots.sqlite")).unwrap();
    let length = file.metadata().unwrap().len();
    for _ in 0..30 {
        file.write_all_at(&[0xA5; 16], random.below(length)).unwrap();
    }
}

#[test]
fn a_state_is_the_fold_of_its_events_by_snapshots_and_without_them() {
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let folder = TempDir::new().unwrap();
        let every = random.between(1, 60);
        let engine = open(folder.path(), |config| config.rewind.snapshot_events = every);
        record(&engine, &mut random, 700);
        runtime().block_on(async {
            let events = events_of(&engine, STREAM).await;
            compare(&engine, &mut random, &events, 40).await;
            assert!(!engine.snapshots(STREAM).await.unwrap().is_empty(), "folds leave snapshots behind");
            assert!(engine.prune_snapshots(STREAM, Keep::None).await.unwrap() > 0);
            assert!(engine.snapshots(STREAM).await.unwrap().is_empty());
            compare(&engine, &mut random, &events, 20).await;
            // What comes later, and late, changes the states that it belongs to.
            record_late(&engine, &mut random);
            let events = events_of(&engine, STREAM).await;
            compare(&engine, &mut random, &events, 20).await;
            damage(folder.path(), &mut random);
            compare(&engine, &mut random, &events, 20).await;
        });
        engine.close().unwrap();
    }
}

fn record_late(engine: &Engine, random: &mut Random) {
    for number in 0..5 {
        let seconds = random.below(700) as i64;
        let name = format!("late-{number}");
        let event = told(STREAM, "AgentSpawned", name.clone(), seconds, &json!({"agent_name": name}));
        engine.append_and_wait(vec![event]).unwrap();
    }
}

#[test]
fn a_state_survives_a_restart_a_rebuild_and_the_loss_of_its_snapshots() {
    let folder = TempDir::new().unwrap();
    let mut random = Random::new(99);
    let engine = open(folder.path(), |_| ());
    record(&engine, &mut random, 400);
    let moment = Moment::Sequence(Sequence(150));
    let before = runtime().block_on(state_of(&engine, "orchestration", moment)).state;
    engine.close().unwrap();
    for attempt in 0..3 {
        if attempt == 1 {
            std::fs::write(folder.path().join("view/snapshots.sqlite"), b"no database at all").unwrap();
        }
        let engine = open(folder.path(), |_| ());
        if attempt == 2 {
            engine.rebuild();
        }
        assert_eq!(runtime().block_on(state_of(&engine, "orchestration", moment)).state, before);
        engine.close().unwrap();
    }
}

#[test]
fn the_patches_of_a_history_make_each_state_of_the_one_before() {
    let folder = TempDir::new().unwrap();
    let mut random = Random::new(7);
    let engine = open(folder.path(), |_| ());
    record(&engine, &mut random, 300);
    runtime().block_on(async {
        for projection in state::ALL {
            let events = events_of(&engine, STREAM).await;
            let mut value = naive(projection.name, &events, |event| event.sequence.0 < 20);
            let query = HistoryQuery {
                stream: STREAM.to_owned(),
                projection: Some(projection.name.to_owned()),
                from: Sequence(20),
                to: Some(Sequence(120)),
                limit: 1_000,
                ..HistoryQuery::default()
            };
            let history = engine.history(query).await.unwrap();
            assert_eq!(history.entries.len(), 101);
            for entry in history.entries {
                difference::apply(&mut value, &entry.patch).unwrap();
                let expected =
                    naive(projection.name, &events, |event| event.sequence <= entry.event.sequence);
                assert_eq!(value, expected, "{} behind {}", projection.name, entry.event.sequence);
            }
        }
    });
    engine.close().unwrap();
}

#[test]
fn nothing_supposed_is_the_truth_and_nothing_is_written() {
    let folder = TempDir::new().unwrap();
    let mut random = Random::new(3);
    let engine = open(folder.path(), |_| ());
    record(&engine, &mut random, 300);
    let head = engine.head();
    runtime().block_on(async {
        let events = events_of(&engine, STREAM).await;
        let supposition = |without: &[&str]| Supposition {
            stream: STREAM.to_owned(),
            without: without.iter().map(|text| (*text).to_owned()).collect(),
            ..Supposition::default()
        };
        let truth = engine.suppose(supposition(&[])).await.unwrap();
        assert_eq!(truth.state, naive("orchestration", &events, |_| true));
        assert!(truth.patch.is_empty() && truth.leaves.is_empty());

        let supposed = engine.suppose(supposition(&["Agent*", events[4].id()])).await.unwrap();
        let is_left = |event: &Recorded| !event.kind().starts_with("Agent") && event.id() != events[4].id();
        assert_eq!(supposed.state, naive("orchestration", &events, is_left));
        let mut patched = truth.state.clone();
        difference::apply(&mut patched, &supposed.patch).unwrap();
        assert_eq!(patched, supposed.state);

        let mut with = supposition(&[]);
        let data = br#"{"agent_name":"nobody"}"#.to_vec();
        let kind = "AgentSpawned".to_owned();
        with.with.push(AddedEvent { kind, data, time: None, after: Some(Sequence(10)) });
        let spawned = events.iter().find(|event| event.kind() == "AgentFailed").unwrap();
        with.instead = HashMap::from([(spawned.id().to_owned(), br#"{"agent_name":"somebody"}"#.to_vec())]);
        let supposed = engine.suppose(with).await.unwrap();
        let lists =
            |list: &str, name: &str| supposed.state[list].as_array().unwrap().iter().any(|item| item == name);
        assert!(lists("active_agents", "nobody") && lists("failed_agents", "somebody"));
        assert_eq!((supposed.added, supposed.changed, supposed.left_out), (1, 1, 0));
    });
    assert_eq!(engine.head(), head);
    engine.close().unwrap();
}

#[test]
fn what_was_known_at_a_moment_is_what_had_been_recorded() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| ());
    let spawned = |name: &str, seconds| {
        told(STREAM, "AgentSpawned", name.to_owned(), seconds, &json!({"agent_name": name}))
    };
    engine.append_and_wait(vec![spawned("early", 10)]).unwrap();
    let known_at = engine.now();
    engine.append_and_wait(vec![spawned("late", 5)]).unwrap();
    runtime().block_on(async {
        let moment = Moment::Time(Timestamp(START + 20 * SECOND));
        let query = StateQuery { stream: STREAM.to_owned(), moment, ..StateQuery::default() };
        let now = engine.state(query.clone()).await.unwrap();
        assert_eq!(now.state["active_agents"], json!(["early", "late"]), "in the journal's order");
        let then = engine.state(StateQuery { known_at: Some(known_at), ..query }).await.unwrap();
        assert_eq!(then.state["active_agents"], json!(["early"]));
    });
    engine.close().unwrap();
}

#[test]
fn a_breakpoint_stops_behind_the_first_event_that_fits() {
    let folder = TempDir::new().unwrap();
    let mut random = Random::new(21);
    let engine = open(folder.path(), |_| ());
    record(&engine, &mut random, 300);
    runtime().block_on(async {
        let events = events_of(&engine, STREAM).await;
        let condition = Jq::compile("(.state.failed_agents | length) >= 3").unwrap();
        let query = |from| BreakQuery {
            stream: STREAM.to_owned(),
            projection: None,
            condition: condition.clone(),
            from: Sequence(from),
            wait: tacho_engine::Wait::Head,
        };
        let found = engine.break_where(query(0)).await.unwrap();
        let third = events.iter().filter(|event| event.kind() == "AgentFailed").nth(2).unwrap();
        assert_eq!(found.event.unwrap().position, third.position);
        assert_eq!(found.state, naive("orchestration", &events, |event| event.sequence <= third.sequence));
        let next = engine.break_where(query(third.sequence.0)).await.unwrap();
        assert_eq!(next.place.sequence.0, third.sequence.0 + 1, "it still holds behind the next one");
        let never = BreakQuery { condition: Jq::compile("false").unwrap(), ..query(0) };
        let never = engine.break_where(never).await.unwrap();
        assert!(never.event.is_none() && !never.more);
    });
    engine.close().unwrap();
}

#[test]
fn two_streams_part_where_they_do_something_else() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| ());
    for (stream, failed) in [(STREAM, 0), (OTHER, 2)] {
        let step = |number: i64, kind: &str, data: Value| {
            told(
                stream,
                kind,
                format!("{stream}-{number}"),
                number * if stream == OTHER { 60 } else { 1 },
                &data,
            )
        };
        let events = vec![
            step(1, "OrchestrationStarted", json!({"issue_key": stream, "initial_phase": "TEST"})),
            step(2, "CommitCreated", json!({"commit_sha": format!("sha of {stream}")})),
            step(
                3,
                "TestRunCompleted",
                json!({"test_suite": "unit", "failed": failed, "duration_seconds": failed}),
            ),
            step(4, "PhaseCompleted", json!({"phase": "TEST"})),
        ];
        engine.append_and_wait(events).unwrap();
    }
    runtime().block_on(async {
        let query =
            DivergenceQuery { a: STREAM.to_owned(), b: OTHER.to_owned(), ..DivergenceQuery::default() };
        let found = engine.divergence(query.clone()).await.unwrap();
        assert_eq!(found.common, 2, "ids and times of runs do not count");
        let Some(Why::Data(pair, leaves)) = found.first else { panic!("they part in their data") };
        assert_eq!(pair.0.sequence, Sequence(3));
        assert_eq!(leaves.iter().map(|leaf| leaf.path.as_str()).collect::<Vec<_>>(), ["/failed"]);
        let exact = engine.divergence(DivergenceQuery { exact: true, ..query.clone() }).await.unwrap();
        assert_eq!(exact.common, 0);
        let same = DivergenceQuery { b: STREAM.to_owned(), ..query };
        assert!(engine.divergence(same).await.unwrap().first.is_none());
    });
    engine.close().unwrap();
}

#[test]
fn a_plan_tells_what_stands_against_each_event() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| ());
    let step = |number: i64, kind: &str, data: Value| told(STREAM, kind, number.to_string(), number, &data);
    let events = vec![
        step(1, "OrchestrationStarted", json!({"initial_phase": "CODE"})),
        step(2, "AgentSpawned", json!({"agent_name": "a"})),
        step(3, "CommitCreated", json!({"commit_sha": "abc1234"})),
        step(4, "AgentCompleted", json!({"agent_name": "a"})),
        step(5, "AgentCompleted", json!({"agent_name": "ghost"})),
        step(6, "PhaseCompleted", json!({"phase": "TEST"})),
    ];
    engine.append_and_wait(events).unwrap();
    runtime().block_on(async {
        let query = ReplayQuery { stream: STREAM.to_owned(), from: Sequence(2), ..ReplayQuery::default() };
        let plan = engine.replay_plan(query.clone()).await.unwrap();
        let told: Vec<&str> = plan.events.iter().map(|event| event.verdict.status()).collect();
        assert_eq!(told, ["success", "skipped", "success", "failed", "failed"]);
        let filter = Filter { types: vec![Pattern::new("Agent*")], ..Filter::default() };
        let plan = engine.replay_plan(ReplayQuery { filter, to: Some(Sequence(4)), ..query }).await.unwrap();
        assert_eq!(plan.events.len(), 2);
    });
    engine.close().unwrap();
}

#[test]
fn a_projection_of_ones_own_is_folded_like_the_others() {
    let folder = TempDir::new().unwrap();
    let mut random = Random::new(4);
    let program = |text: &str| {
        let jq = Jq::compile_as(text, JqKind::Fold).unwrap();
        let name = "kinds".to_owned();
        Arc::new(Program { name, category: None, meaning: "how many of each type".to_owned(), jq })
    };
    let engine = open(folder.path(), |config| {
        config.rewind.programs = vec![program(".[$event.type] += 1")];
    });
    record(&engine, &mut random, 600);
    runtime().block_on(async {
        let events = events_of(&engine, STREAM).await;
        for sequence in [0, 1, 77, 300] {
            let found = state_of(&engine, "kinds", Moment::Sequence(Sequence(sequence))).await;
            let mut expected = serde_json::Map::new();
            for event in events.iter().filter(|event| event.sequence.0 <= sequence) {
                let count = expected.get(event.kind()).and_then(Value::as_u64).unwrap_or(0);
                expected.insert(event.kind().to_owned(), (count + 1).into());
            }
            assert_eq!(found.state, Value::Object(expected));
        }
        let query = StateQuery {
            stream: STREAM.to_owned(),
            projection: Some("nosuch".to_owned()),
            ..StateQuery::default()
        };
        let refused = engine.state(query).await.unwrap_err();
        assert!(matches!(&refused, QueryError::ProjectionUnknown { known, .. } if known.contains("kinds")));
    });
    engine.close().unwrap();
}

#[test]
fn a_stream_that_never_was_is_told_apart_from_one_before_its_beginning() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| ());
    engine
        .append_and_wait(vec![told(STREAM, "OrchestrationStarted", "1".to_owned(), 10, &json!({}))])
        .unwrap();
    runtime().block_on(async {
        let before = state_of(&engine, "orchestration", Moment::Time(Timestamp(START))).await;
        assert_eq!((before.place.sequence.0, &before.state["status"]), (0, &json!("not_started")));
        let query = StateQuery { stream: "issue/NOSUCH-1".to_owned(), ..StateQuery::default() };
        assert!(matches!(engine.state(query).await, Err(QueryError::StreamNotFound(_))));
    });
    engine.close().unwrap();
}

#[test]
fn snapshots_beyond_their_bytes_go_while_the_engine_runs() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |config| {
        config.rewind.snapshot_events = 1;
        config.rewind.snapshot_bytes = 0;
    });
    record(&engine, &mut Random::new(1), 8_000);
    runtime().block_on(async {
        state_of(&engine, "task", Moment::Now).await;
        let left = engine.snapshots(STREAM).await.unwrap();
        let first = left.first().map(|first| first.sequence.0);
        assert!(first.is_some_and(|first| first > 1_000), "the thousand before went: {first:?}");
    });
    engine.close().unwrap();
}
