//! Handlers on a real log: answers, failures, restarts, control, dead letters.

use crate::{event_with, open, runtime};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tacho_engine::delivery::{
    Deliver, Delivered, Delivery, Failure, HandlerState, HandlerStatus, LetterDeed, Returned, Start, Workers,
};
use tacho_engine::handler::{
    Asker, Batch, Breaker, BreakerState, Dedupe, DedupeBy, Definition, Key, Order, PerKey, Policy,
    ReplayOrder, Retry,
};
use tacho_engine::{Engine, LetterQuery, Query, ReplayQuery};
use tacho_event::{Draft, Filter, Jq, Pattern, Recorded, Sameness, json};
use tempfile::TempDir;

type Answers = Arc<dyn Fn(&Recorded) -> Result<Vec<String>, Failure> + Send + Sync>;

/// A worker that answers as a function says, and notes what it saw.
#[derive(Clone)]
pub(crate) struct Hands {
    answers: Answers,
    seen: Arc<Mutex<Vec<(String, u32)>>>,
}

impl Hands {
    pub(crate) fn new(
        answers: impl Fn(&Recorded) -> Result<Vec<String>, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { answers: Arc::new(answers), seen: Arc::default() }
    }

    /// Answers `demo.b` with the payload of the event.
    pub(crate) fn echo() -> Self {
        Self::new(|event| Ok(vec![format!("{{\"type\":\"demo.b\",\"data\":{}}}", text(event))]))
    }

    pub(crate) fn seen(&self) -> Vec<(String, u32)> {
        self.seen.lock().unwrap().clone()
    }
}

impl Workers for Hands {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Deliver for Hands {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let mut delivered = Delivered::default();
        for event in delivery.events {
            self.seen.lock().unwrap().push((text(event), delivery.attempt));
            let returned = (self.answers)(event)?;
            delivered.returned.extend(returned.into_iter().map(|text| Returned(text.into_bytes())));
        }
        Ok(delivered)
    }
}

pub(crate) fn text(event: &Recorded) -> String {
    String::from_utf8(event.data().unwrap().to_vec()).unwrap()
}

pub(crate) fn definition(hands: &Hands, change: impl FnOnce(&mut Definition)) -> Definition {
    let retry = Retry { attempts: 3, first_ms: 5, longest_ms: 20, ..Retry::default() };
    let filter = Filter { types: vec![Pattern::new("demo.a")], ..Filter::default() };
    let mut definition = Definition {
        name: "review".into(),
        kind: "test",
        filter,
        policy: Policy { retry, concurrency: 2, ..Policy::default() },
        workers: Arc::new(hands.clone()),
        capabilities: Vec::new(),
        version: None,
        digest: String::new(),
    };
    change(&mut definition);
    definition
}

fn start(folder: &Path, hands: &Hands, change: impl FnOnce(&mut Definition)) -> Engine {
    let engine = open(folder, |_| {});
    engine.start_reactions(vec![definition(hands, change)]).unwrap();
    engine
}

pub(crate) fn append(engine: &Engine, stream: &str, data: &str) {
    engine.append_and_wait(vec![event_with(engine, "demo.a", stream, data)]).unwrap();
}

fn status(engine: &Engine) -> HandlerStatus {
    engine.handler("review").unwrap()
}

/// Looks until it is so; what never comes fails the test.
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

#[track_caller]
fn settled(engine: &Engine, done: u64, dead: u64) -> HandlerStatus {
    until(|| {
        Some(status(engine)).filter(|status| (status.done, status.dead, status.pending) == (done, dead, 0))
    })
}

pub(crate) fn of_type(engine: &Engine, kind: &str) -> Vec<Recorded> {
    let filter = Filter { types: vec![Pattern::new(kind)], ..Filter::default() };
    let query = Query { filter, limit: 1_000, ..Query::default() };
    runtime().block_on(engine.query(query)).unwrap().events
}

pub(crate) fn ann() -> Asker {
    Asker { by: "user:ann".into(), reason: "why not".into() }
}

#[test]
fn answers_are_on_the_log_with_their_cause_and_in_order() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    let engine = start(folder.path(), &hands, |_| {});
    for n in 0..40 {
        append(&engine, &format!("task/{}", n % 4), &format!("{{\"n\":{n}}}"));
    }
    let status = settled(&engine, 40, 0);
    assert_eq!((status.skipped, status.state), (0, HandlerState::Running));
    assert!(status.workers.unwrap().alive <= 2);
    let answers = until(|| Some(of_type(&engine, "demo.b")).filter(|answers| answers.len() == 40));
    for stream in ["task/0", "task/1", "task/2", "task/3"] {
        let of_stream: Vec<String> =
            answers.iter().filter(|event| event.stream() == stream).map(text).collect();
        let number = |text: &String| json::to_value(text.as_bytes())["n"].as_u64();
        assert!(of_stream.len() == 10 && of_stream.is_sorted_by_key(number), "{of_stream:?}");
    }
    assert!(
        answers
            .iter()
            .all(|event| event.text("causationid").is_some() && event.text("traceparent").is_some())
    );
    assert!(!of_type(&engine, "tacho.delivered").is_empty());
    engine.close().unwrap();
}

#[test]
fn a_restart_goes_on_where_it_ended_and_answers_nothing_twice() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    for round in 0..3 {
        let engine = start(folder.path(), &hands, |_| {});
        for n in 0..20 {
            append(&engine, "task/x", &format!("{{\"n\":{}}}", round * 20 + n));
        }
        engine.close().unwrap();
    }
    let engine = start(folder.path(), &hands, |_| {});
    settled(&engine, 60, 0);
    let answers = until(|| Some(of_type(&engine, "demo.b")).filter(|answers| answers.len() >= 60));
    let numbers: Vec<_> =
        answers.iter().map(|event| json::to_value(event.data().unwrap())["n"].as_u64()).collect();
    assert_eq!(numbers, (0..60).map(Some).collect::<Vec<_>>());
    engine.close().unwrap();
}

#[test]
fn what_fails_too_often_is_a_dead_letter_that_can_be_edited_and_tried_again() {
    let folder = TempDir::new().unwrap();
    let hands = Hands::new(|event| match text(event).contains("bad") {
        true => Err(Failure::retry("refused", "it is bad")),
        false => Ok(vec![format!("{{\"type\":\"demo.b\",\"data\":{}}}", text(event))]),
    });
    let engine = start(folder.path(), &hands, |_| {});
    append(&engine, "task/x", "{\"n\":\"bad\"}");
    append(&engine, "task/x", "{\"n\":1}");
    settled(&engine, 1, 1);
    let attempts: Vec<u32> =
        hands.seen().iter().filter(|(text, _)| text.contains("bad")).map(|(_, n)| *n).collect();
    assert_eq!(attempts, [1, 2, 3]);
    assert_eq!(
        of_type(&engine, "tacho.delivery_failed").len(),
        2,
        "each failure that is followed by an attempt"
    );
    let runtime = runtime();
    let query = LetterQuery { limit: 10, ..LetterQuery::default() };
    let letters = || runtime.block_on(engine.dead_letters(query.clone(), None)).unwrap();
    let page = until(|| Some(letters()).filter(|page| page.total == 1));
    let letter = &page.letters[0];
    assert_eq!((letter.letter.attempts, letter.letter.code.as_str()), (3, "refused"));
    assert_eq!(text(letter.event.as_ref().unwrap()), "{\"n\":\"bad\"}");
    // Edited badly, then well.
    for (data, dead) in [("{\"n\":\"bad again\"}", 2), ("{\"n\":888}", 2)] {
        let id = letters().letters[0].letter.id.clone();
        let deed = LetterDeed::Retry { data: Some(data.as_bytes().to_vec()) };
        runtime.block_on(engine.settle_letter(&id, deed.clone(), ann())).unwrap();
        assert!(runtime.block_on(engine.settle_letter(&id, deed, ann())).is_err(), "once");
        until(|| Some(status(&engine)).filter(|status| status.dead == dead && status.pending == 0));
    }
    settled(&engine, 2, 2);
    let answers = until(|| Some(of_type(&engine, "demo.b")).filter(|answers| answers.len() == 2));
    assert_eq!(text(&answers[1]), "{\"n\":888}");
    assert_eq!(letters().total, 0);
    engine.close().unwrap();
}

#[test]
fn paused_holds_across_a_restart_and_resumed_delivers() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    let engine = start(folder.path(), &hands, |_| {});
    engine.pause_handler("review", ann()).unwrap();
    append(&engine, "task/x", "{\"n\":1}");
    engine.close().unwrap();
    let engine = start(folder.path(), &hands, |_| {});
    let paused = until(|| Some(status(&engine)).filter(|status| status.pending == 1));
    assert_eq!((paused.state, paused.paused.unwrap().by.as_str()), (HandlerState::Paused, "user:ann"));
    assert!(hands.seen().is_empty());
    engine.resume_handler("review", ann()).unwrap();
    settled(&engine, 1, 0);
    let told = ["tacho.handler_paused", "tacho.handler_resumed"].map(|kind| of_type(&engine, kind).len());
    assert_eq!(told, [1, 1]);
    assert!(engine.pause_handler("nobody", ann()).is_err());
    engine.close().unwrap();
}

#[test]
fn alike_within_the_window_are_skipped_across_a_restart_too() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    let dedupe = |definition: &mut Definition| {
        let key = Key::Jq(Jq::compile(".data.key").unwrap());
        definition.policy.dedupe = Some(Dedupe { by: DedupeBy::Key(key), window_ms: 3_600_000 });
    };
    for round in 0..2 {
        let engine = start(folder.path(), &hands, dedupe);
        for key in ["k", "k", "k", &format!("z{round}")] {
            append(&engine, "task/x", &format!("{{\"key\":\"{key}\"}}"));
        }
        until(|| Some(status(&engine)).filter(|status| status.done + status.skipped == 4 * (round + 1)));
        engine.close().unwrap();
    }
    let seen: Vec<String> = hands.seen().into_iter().map(|(text, _)| text).collect();
    assert_eq!(seen, ["{\"key\":\"k\"}", "{\"key\":\"z0\"}", "{\"key\":\"z1\"}"]);
}

#[test]
fn a_breaker_opens_and_a_retry_by_hand_does_not_wait() {
    let folder = TempDir::new().unwrap();
    let works = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_well = works.clone();
    let hands = Hands::new(move |_| match is_well.load(std::sync::atomic::Ordering::SeqCst) {
        true => Ok(Vec::new()),
        false => Err(Failure::retry("down", "it is down")),
    });
    let engine = start(folder.path(), &hands, |definition| {
        definition.policy.breaker = Some(Breaker { failures: 2, open_ms: 30, probes: 1 });
        definition.policy.retry = Retry { attempts: 100, first_ms: 1, longest_ms: 1, ..Retry::default() };
    });
    append(&engine, "task/x", "{}");
    until(|| Some(status(&engine)).filter(|status| status.breaker == BreakerState::Open));
    works.store(true, std::sync::atomic::Ordering::SeqCst);
    let status = settled(&engine, 1, 0);
    assert_eq!(status.breaker, BreakerState::Closed);
    let states: Vec<String> =
        until(|| Some(of_type(&engine, "tacho.breaker_changed")).filter(|all| all.len() >= 3))
            .iter()
            .map(|event| json::to_value(event.data().unwrap())["state"].as_str().unwrap().to_owned())
            .collect();
    assert_eq!((states.first().unwrap().as_str(), states.last().unwrap().as_str()), ("open", "closed"));
    engine.close().unwrap();
}

#[test]
fn a_new_handler_may_begin_at_the_start_or_behind_a_position() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    let engine = open(folder.path(), |_| {});
    for n in 0..3_000 {
        if n % 100 == 0 {
            append(&engine, "task/x", &format!("{{\"n\":{n}}}"));
        } else {
            engine.append_and_wait(vec![event_with(&engine, "other.a", "task/x", "{}")]).unwrap();
        }
    }
    let from_start = |definition: &mut Definition| definition.policy.start = Start::Beginning;
    engine.start_reactions(vec![definition(&hands, from_start)]).unwrap();
    settled(&engine, 30, 0);
    let behind = of_type(&engine, "demo.a")[9].position;
    let late = |definition: &mut Definition| {
        definition.name = "late".into();
        definition.policy.start = Start::After(behind);
    };
    engine.start_reactions(vec![definition(&hands, late)]).unwrap();
    until(|| engine.handler("late").filter(|late| late.done == 20 && late.pending == 0));
    engine.close().unwrap();
}

#[test]
fn a_test_tells_the_answer_and_appends_nothing() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    let engine = start(folder.path(), &hands, |_| {});
    engine.append_and_wait(vec![event_with(&engine, "other.a", "task/x", "{\"n\":7}")]).unwrap();
    let event = of_type(&engine, "other.a").remove(0);
    let head = engine.head();
    let tested = engine.test_handler("review", event).unwrap();
    let events = tested.result.unwrap();
    assert_eq!((events.len(), events[0].kind(), engine.head()), (1, "demo.b", head));
    engine.close().unwrap();
}

#[test]
fn a_replay_goes_through_the_handlers_marked_and_once_for_a_name() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    let engine = start(folder.path(), &hands, |_| {});
    for n in 0..3 {
        append(&engine, "issue/P-1", &format!("{{\"n\":{n}}}"));
    }
    settled(&engine, 3, 0);
    let runtime = runtime();
    let order = || {
        let query = ReplayQuery { stream: "issue/P-1".into(), ..ReplayQuery::default() };
        ReplayOrder { query, id: None, sequences: None, patience: Duration::from_secs(20) }
    };
    let first = runtime.block_on(engine.replay(order(), ann())).unwrap();
    assert_eq!((first.outcomes.len(), first.repeated, first.open.len()), (3, 0, 0));
    assert!(first.outcomes.values().all(|outcome| outcome.is_same() && outcome.returned.len() == 1));
    let answers = of_type(&engine, "demo.b");
    assert_eq!(answers.len(), 6);
    assert!(answers[3..].iter().all(|event| event.text("correlationid").unwrap() == first.id));
    // The stream itself is as it was, and again it does nothing.
    let again = runtime.block_on(engine.replay(order(), ann())).unwrap();
    assert_eq!(
        (again.repeated, of_type(&engine, "demo.b").len(), of_type(&engine, "demo.a").len()),
        (3, 6, 3)
    );
    settled(&engine, 6, 0);
    engine.close().unwrap();
}

/// A worker that waits at a gate, and what is under way there.
#[derive(Clone, Default)]
struct Gate {
    under_way: Arc<Mutex<Vec<Vec<String>>>>,
    opened: Arc<(Mutex<usize>, std::sync::Condvar)>,
}

impl Gate {
    fn open(&self, more: usize) {
        *self.opened.0.lock().unwrap() += more;
        self.opened.1.notify_all();
    }

    fn seen(&self) -> Vec<Vec<String>> {
        self.under_way.lock().unwrap().clone()
    }
}

impl Workers for Gate {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Deliver for Gate {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        self.under_way.lock().unwrap().push(delivery.events.iter().map(text).collect());
        let mut opened = self.opened.0.lock().unwrap();
        while *opened == 0 {
            opened = self.opened.1.wait(opened).unwrap();
        }
        *opened -= 1;
        Ok(Delivered::default())
    }
}

fn gated(folder: &Path, gate: &Gate, change: impl FnOnce(&mut Policy)) -> Engine {
    let engine = open(folder, |_| {});
    let mut definition = definition(&Hands::echo(), |_| {});
    definition.workers = Arc::new(gate.clone());
    change(&mut definition.policy);
    engine.start_reactions(vec![definition]).unwrap();
    engine
}

fn tenant() -> Key {
    Key::Jq(Jq::compile(".data.tenant").unwrap())
}

#[test]
fn order_by_a_key_has_one_of_each_key_under_way() {
    let (folder, gate) = (TempDir::new().unwrap(), Gate::default());
    let engine = gated(folder.path(), &gate, |policy| {
        policy.order = Order::Key(tenant());
        policy.concurrency = 8;
    });
    for (stream, tenant) in [("task/1", "a"), ("task/2", "a"), ("task/3", "b"), ("task/4", "a")] {
        append(&engine, stream, &format!("{{\"tenant\":\"{tenant}\",\"at\":\"{stream}\"}}"));
    }
    until(|| Some(status(&engine)).filter(|status| status.pending == 4 && status.in_flight == 2));
    gate.open(4);
    settled(&engine, 4, 0);
    let of_a: Vec<String> = gate.seen().concat().into_iter().filter(|text| text.contains("\"a\"")).collect();
    let places: Vec<usize> = of_a.iter().map(|text| text.find("task/").unwrap()).collect();
    assert!(of_a.is_sorted() && places.len() == 3, "{of_a:?}");
    engine.close().unwrap();
}

#[test]
fn without_order_a_limit_by_key_holds() {
    let (folder, gate) = (TempDir::new().unwrap(), Gate::default());
    let engine = gated(folder.path(), &gate, |policy| {
        policy.order = Order::None;
        policy.per_key = Some(PerKey { key: tenant(), limit: 2 });
        policy.concurrency = 8;
    });
    for tenant in ["a", "a", "a", "a", "b"] {
        append(&engine, "task/1", &format!("{{\"tenant\":\"{tenant}\"}}"));
    }
    until(|| Some(status(&engine)).filter(|status| status.pending == 5 && status.in_flight == 3));
    gate.open(5);
    settled(&engine, 5, 0);
    engine.close().unwrap();
}

#[test]
fn batches_hold_one_group_and_what_is_critical_goes_first() {
    let (folder, gate) = (TempDir::new().unwrap(), Gate::default());
    let engine = gated(folder.path(), &gate, |policy| {
        policy.order = Order::None;
        policy.concurrency = 1;
        policy.batch = Batch { events: 10, by: Some(tenant()), ..Batch::default() };
    });
    // One is under way and holds the only worker, while the others gather.
    append(&engine, "task/1", "{\"tenant\":\"first\"}");
    until(|| Some(gate.seen()).filter(|seen| seen.len() == 1));
    for tenant in ["low", "low", "high", "low"] {
        let mut draft = Draft::new("demo.a", "/t", engine.new_id());
        draft.subject = Some("task/1".into());
        draft.put_text("priority", if tenant == "high" { "critical" } else { "low" });
        draft.set_data(format!("{{\"tenant\":\"{tenant}\"}}").into_bytes());
        engine.append_and_wait(vec![draft.finish(Sameness::FirstWins).unwrap()]).unwrap();
    }
    until(|| Some(status(&engine)).filter(|status| status.pending == 5));
    gate.open(3);
    settled(&engine, 5, 0);
    let low = "{\"tenant\":\"low\"}";
    assert_eq!(gate.seen()[1..], [vec!["{\"tenant\":\"high\"}"], vec![low, low, low]]);
    engine.close().unwrap();
}
