//! The healer on a real log: each action, restarts, and the end of all attempts.

use crate::handlers::{Hands, ann, definition, of_type, text, until};
use crate::{event_with, open, runtime};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tacho_engine::delivery::{Failure, LetterDeed};
use tacho_engine::handler::{Definition, Retry};
use tacho_engine::heal::{Action, On, Rule};
use tacho_engine::{Engine, Heal, HealState, LetterQuery};
use tacho_event::{Jq, Pattern, json};
use tempfile::TempDir;

fn rule(action: Action, attempts: u32) -> Rule {
    Rule { name: action.name().into(), on: On::default(), action, attempts, after_ms: 1 }
}

/// Fails once for each letter.
fn once(definition: &mut Definition) {
    definition.policy.retry = Retry { attempts: 1, ..Retry::default() };
}

/// Refuses what has `bad` in it; answers `demo.b` with the payload of anything else.
fn picky() -> Hands {
    Hands::new(|event| match text(event).contains("bad") {
        true => Err(Failure::reject("refused", "it is bad")),
        false => Ok(vec![format!("{{\"type\":\"demo.b\",\"data\":{}}}", text(event))]),
    })
}

fn named(name: &str, hands: &Hands, capability: &str) -> Definition {
    definition(hands, |definition| {
        once(definition);
        definition.name = name.into();
        definition.capabilities = vec![capability.into()];
        if name != "review" {
            definition.filter.types = vec![Pattern::new("none")];
        }
    })
}

fn start(folder: &Path, definitions: Vec<Definition>, rules: Vec<Rule>) -> Engine {
    let engine = open(folder, |_| {});
    engine.start_reactions(definitions).unwrap();
    engine.start_healer(rules).unwrap();
    engine
}

fn append(engine: &Engine, stream: &str, data: &str) {
    engine.append_and_wait(vec![event_with(engine, "demo.a", stream, data)]).unwrap();
}

fn heals(engine: &Engine) -> Vec<Heal> {
    runtime().block_on(engine.heals()).unwrap()
}

/// The attempts, the oldest first, when the last one has come to this.
fn ended(engine: &Engine, state: HealState) -> Vec<Heal> {
    let mut heals =
        until(|| Some(heals(engine)).filter(|all| all.first().is_some_and(|one| one.state == state)));
    heals.reverse();
    heals
}

fn counts(engine: &Engine) -> [usize; 4] {
    ["tacho.heal_attempted", "tacho.heal_failed", "tacho.healed", "tacho.heal_given_up"]
        .map(|kind| of_type(engine, kind).len())
}

fn open_letters(engine: &Engine) -> u64 {
    let query = LetterQuery { limit: 10, ..LetterQuery::default() };
    runtime().block_on(engine.dead_letters(query, None)).unwrap().total
}

#[test]
fn later_tries_again_until_it_goes_well() {
    let folder = TempDir::new().unwrap();
    let works = Arc::new(AtomicBool::new(false));
    let is_well = works.clone();
    let hands = Hands::new(move |_| match is_well.swap(true, SeqCst) {
        true => Ok(Vec::new()),
        false => Err(Failure::reject("down", "it is down")),
    });
    let engine = start(folder.path(), vec![named("review", &hands, "x")], vec![rule(Action::Later, 3)]);
    append(&engine, "issue/PROJ-1", "{\"n\":1}");
    let heals = ended(&engine, HealState::Healed);
    assert_eq!((heals.len(), heals[0].attempt, heals[0].handler.as_str()), (1, 1, "review"));
    assert_eq!((counts(&engine), open_letters(&engine)), ([1, 0, 1, 0], 0));
    let recoveries = ["RecoveryAttempted", "RecoverySucceeded"].map(|kind| of_type(&engine, kind).remove(0));
    assert!(recoveries.iter().all(|event| event.stream() == "issue/PROJ-1"));
    let from = |index: usize| {
        json::to_value(recoveries[index].data().unwrap())["recovery_from"].as_str().unwrap().to_owned()
    };
    assert_eq!((from(0), from(1)), (of_type(&engine, "demo.a")[0].id().to_owned(), from(0)));
    engine.close().unwrap();
}

#[test]
fn a_program_changes_the_payload() {
    let (folder, hands) = (TempDir::new().unwrap(), picky());
    let program = "{n: .event.data.n, was: .error.code, by: .handler, attempts}";
    let rules = vec![rule(Action::Parameters(Jq::compile(program).unwrap()), 3)];
    let engine = start(folder.path(), vec![named("review", &hands, "x")], rules);
    append(&engine, "task/x", "{\"n\":1,\"word\":\"bad\"}");
    ended(&engine, HealState::Healed);
    let answers = until(|| Some(of_type(&engine, "demo.b")).filter(|answers| !answers.is_empty()));
    let data = json::to_value(answers[0].data().unwrap());
    let expected = r#"{"n":1,"was":"refused","by":"review","attempts":1}"#;
    assert_eq!(data, json::to_value(expected.as_bytes()));
    engine.close().unwrap();
}

#[test]
fn a_program_that_fails_uses_its_attempts_up() {
    let (folder, hands) = (TempDir::new().unwrap(), picky());
    let rules = vec![rule(Action::Parameters(Jq::compile(".event | error").unwrap()), 2)];
    let engine = start(folder.path(), vec![named("review", &hands, "x")], rules);
    append(&engine, "issue/PROJ-1", "\"bad\"");
    until(|| (counts(&engine) == [2, 2, 0, 1]).then_some(()));
    let heals = ended(&engine, HealState::GivenUp);
    assert_eq!((heals.len(), hands.seen().len(), open_letters(&engine)), (2, 1, 1));
    assert!(heals.iter().all(|heal| heal.error.is_some()));
    assert_eq!(of_type(&engine, "RecoveryFailed").len(), 1);
    engine.close().unwrap();
}

#[test]
fn another_handler_with_the_capability_takes_over() {
    for capability in [Some("review".to_owned()), None] {
        let folder = TempDir::new().unwrap();
        let (bad, worse, good, stranger) = (picky(), picky(), Hands::echo(), Hands::echo());
        let definitions = vec![
            named("review", &bad, "review"),
            Definition { version: Some("2.0.0".into()), ..named("first", &worse, "review") },
            named("second", &good, "review"),
            named("stranger", &stranger, "other"),
        ];
        let engine = start(folder.path(), definitions, vec![rule(Action::Capability(capability), 3)]);
        append(&engine, "task/x", "\"bad\"");
        let heals = ended(&engine, HealState::Healed);
        let takers: Vec<&str> = heals.iter().map(|heal| heal.retry.as_ref().unwrap().0.as_str()).collect();
        assert_eq!(takers, ["first", "second"], "who failed is not asked again");
        let seen = [&bad, &worse, &good, &stranger].map(|hands| hands.seen().len());
        assert_eq!((seen, open_letters(&engine)), ([1, 1, 1, 0], 0));
        engine.close().unwrap();
    }
}

#[test]
fn an_agent_repairs_the_payload() {
    let (folder, hands) = (TempDir::new().unwrap(), picky());
    let agent = Hands::new(|event| {
        let letter = json::to_value(event.data().unwrap());
        assert_eq!((&letter["event"]["data"], &letter["error"]["code"]), (&"bad".into(), &"refused".into()));
        Ok(vec![r#"{"type":"agent.answered","data":{"result":"Here it is: {\"n\": 8}"}}"#.to_owned()])
    });
    let definitions = vec![named("review", &hands, "x"), named("repair", &agent, "y")];
    let engine = start(folder.path(), definitions, vec![rule(Action::Agent("repair".into()), 3)]);
    append(&engine, "task/x", "\"bad\"");
    let heals = ended(&engine, HealState::Healed);
    assert_eq!((heals.len(), agent.seen().len()), (1, 1));
    let seen: Vec<String> = hands.seen().into_iter().map(|(text, _)| text).collect();
    assert_eq!(seen, ["\"bad\"", "{\"n\":8}"]);
    assert!(of_type(&engine, "agent.answered").is_empty(), "what the agent says of it is no event");
    engine.close().unwrap();
}

#[test]
fn an_agent_that_fails_gives_way_to_a_person_who_is_asked_once() {
    let (folder, hands) = (TempDir::new().unwrap(), picky());
    let agent = Hands::new(|_| Err(Failure::retry("down", "it is down")));
    let definitions = || vec![named("review", &hands, "x"), named("repair", &agent, "y")];
    let rules = || vec![rule(Action::Agent("repair".into()), 2), rule(Action::Escalate, 3)];
    let engine = start(folder.path(), definitions(), rules());
    append(&engine, "task/x", "{\"task_id\":\"t_1\",\"is\":\"bad\"}");
    let waits = |engine: &Engine| runtime().block_on(engine.waits()).unwrap();
    let wait = until(|| waits(&engine).pop());
    assert_eq!((wait.task().as_deref(), wait.event.stream()), (Some("t_1"), "task/x"));
    assert_eq!((agent.seen().len(), counts(&engine)), (2, [3, 2, 0, 0]));
    engine.close().unwrap();
    let engine = start(folder.path(), definitions(), rules());
    append(&engine, "task/y", "{\"task_id\":\"t_2\",\"is\":\"bad\"}");
    until(|| (waits(&engine).len() == 2).then_some(()));
    assert_eq!((of_type(&engine, "hitl_escalated").len(), counts(&engine)), (2, [6, 4, 0, 0]));
    engine.close().unwrap();
}

#[test]
fn what_dies_again_is_given_up_behind_the_bound_and_once() {
    let (folder, hands) = (TempDir::new().unwrap(), picky());
    let rules = || vec![rule(Action::Later, 3)];
    let engine = start(folder.path(), vec![named("review", &hands, "x")], rules());
    append(&engine, "task/x", "\"bad\"");
    until(|| (counts(&engine)[3] == 1).then_some(()));
    assert_eq!((counts(&engine), open_letters(&engine)), ([3, 0, 0, 1], 1));
    engine.close().unwrap();
    // The letter is looked at again, before the next one.
    let engine = start(folder.path(), vec![named("review", &hands, "x")], rules());
    append(&engine, "task/z", "\"bad again\"");
    until(|| (counts(&engine)[3] == 2).then_some(()));
    assert_eq!((counts(&engine), hands.seen().len()), ([6, 0, 0, 2], 8));
    let attempts: Vec<u64> = heals(&engine).iter().rev().take(3).map(|heal| heal.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    engine.close().unwrap();
}

#[test]
fn a_restart_between_an_attempt_and_its_outcome_loses_neither() {
    let (folder, hands) = (TempDir::new().unwrap(), picky());
    let program = "\"good\"";
    let rules = || vec![rule(Action::Parameters(Jq::compile(program).unwrap()), 3)];
    let engine = start(folder.path(), vec![named("review", &hands, "x")], Vec::new());
    append(&engine, "task/x", "\"bad\"");
    until(|| (open_letters(&engine) == 1).then_some(()));
    // The attempt is on the log, and its outcome is not: the handler rests.
    engine.pause_handler("review", ann()).unwrap();
    engine.start_healer(rules()).unwrap();
    until(|| (counts(&engine)[0] == 1).then_some(()));
    engine.close().unwrap();
    let engine = start(folder.path(), vec![named("review", &hands, "x")], rules());
    assert_eq!(heals(&engine)[0].state, HealState::Tried);
    engine.resume_handler("review", ann()).unwrap();
    ended(&engine, HealState::Healed);
    assert_eq!((counts(&engine), hands.seen().len()), ([1, 0, 1, 0], 2));
    engine.close().unwrap();
}

#[test]
fn what_a_person_settles_is_left_alone() {
    let (folder, hands) = (TempDir::new().unwrap(), picky());
    let patient = Rule { after_ms: 3_600_000, ..rule(Action::Later, 3) };
    let engine = start(folder.path(), vec![named("review", &hands, "x")], vec![patient]);
    append(&engine, "task/x", "\"bad\"");
    until(|| (open_letters(&engine) == 1).then_some(()));
    let letter = of_type(&engine, "tacho.dead_letter").remove(0);
    let deed = LetterDeed::Retry { data: Some(b"\"good\"".to_vec()) };
    runtime().block_on(engine.settle_letter(letter.id(), deed, ann())).unwrap();
    until(|| (hands.seen().len() == 2).then_some(()));
    engine.start_healer(vec![rule(Action::Later, 3)]).unwrap();
    // The healer is at work: it heals another letter.
    append(&engine, "task/y", "\"bad\"");
    until(|| (counts(&engine)[3] == 1).then_some(()));
    assert_eq!(counts(&engine), [3, 0, 0, 1]);
    assert!(heals(&engine).iter().all(|heal| heal.letter != letter.id()));
    engine.close().unwrap();
}
