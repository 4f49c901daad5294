//! The registry on a real log: who is there, what is asked of them, reloads, drains, restarts.

use crate::handlers::{Hands, ann, append, definition, of_type, until};
use crate::{event_with, open, runtime};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tacho_engine::delivery::{Failure, Workers};
use tacho_engine::handler::Definition;
use tacho_engine::registry::{
    EntryOrigin, EntryState, Member, Offer, Registration, RegistrationKind, RegistryEntry, RegistryError,
    Sources, Split, by_capability,
};
use tacho_engine::{Engine, Moment, Wait};
use tacho_event::Pattern;
use tempfile::TempDir;

/// What the configuration names at the next reload.
type Configured = Arc<Mutex<Result<Vec<Member>, String>>>;

fn member(definition: Definition) -> Member {
    Member {
        id: definition.name.clone(),
        origin: EntryOrigin::Configuration,
        run: "test".into(),
        capabilities: definition.capabilities.clone(),
        version: definition.version.clone(),
        digest: definition.digest.clone(),
        definition: Some(definition),
        offer: None,
        trouble: None,
        registration: None,
    }
}

fn handler(hands: &Hands, name: &str, change: impl FnOnce(&mut Definition)) -> Member {
    member(definition(hands, |definition| {
        definition.name = name.into();
        change(definition);
    }))
}

/// Has `capability`, and gets nothing of its own accord.
fn able(hands: &Hands, name: &str, version: &str) -> Member {
    handler(hands, name, |definition| {
        definition.filter.types = vec![Pattern::new("nothing")];
        definition.capabilities = vec!["translate".into()];
        definition.version = Some(version.into());
    })
}

/// A server whose tools are those of the list.
fn server(hands: &Hands, tools: &Arc<Mutex<Result<Vec<String>, Failure>>>) -> Member {
    let (tools, hands) = (tools.clone(), hands.clone());
    let offer = Offer {
        list: Some(Arc::new(move || tools.lock().unwrap().clone())),
        open: Arc::new(move |_| Ok(Arc::new(hands.clone()) as Arc<dyn Workers>)),
    };
    Member { offer: Some(offer), definition: None, ..able(&Hands::echo(), "tools", "1.0.0") }
}

fn asks(engine: &Engine, split: &[(&str, u32)]) -> Definition {
    let split = Split(split.iter().map(|(version, part)| ((*version).to_owned(), *part)).collect());
    definition(&Hands::echo(), |definition| {
        definition.name = "ask".into();
        definition.workers = by_capability(engine, "translate".into(), split);
        definition.policy.retry.attempts = 1_000;
    })
}

fn opened(registration: &Registration) -> Result<Member, String> {
    if registration.url.contains("refused") {
        return Err("`url` is refused".into());
    }
    let member = handler(&Hands::echo(), &registration.id, |definition| {
        definition.digest = registration.to_json().to_string();
    });
    Ok(Member { origin: EntryOrigin::Http, ..member })
}

fn start(engine: &Engine, members: Vec<Member>) -> Configured {
    let configured: Configured = Arc::new(Mutex::new(Ok(members.clone())));
    let read = configured.clone();
    let sources = Sources {
        configuration: Box::new(move || read.lock().unwrap().clone()),
        directory: None,
        registration: Box::new(opened),
        tell: Box::new(|_| {}),
    };
    engine.start_registry(members, sources).unwrap();
    configured
}

fn entry(engine: &Engine, id: &str) -> Option<RegistryEntry> {
    runtime().block_on(engine.registry_entry(id, Moment::Now, Wait::Head)).unwrap()
}

fn entry_that(engine: &Engine, id: &str, is_so: impl Fn(&RegistryEntry) -> bool) -> RegistryEntry {
    until(|| entry(engine, id).filter(&is_so))
}

fn engine_at(folder: &Path) -> Engine {
    open(folder, |_| {})
}

fn is_done(engine: &Engine, name: &str, done: u64) -> bool {
    engine.handler(name).is_some_and(|status| (status.done, status.pending) == (done, 0))
}

#[test]
fn what_is_there_is_on_the_log_once_and_again_only_when_it_differs() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    let engine = engine_at(folder.path());
    start(&engine, vec![handler(&hands, "review", |_| {})]);
    let found = entry_that(&engine, "review", |_| true);
    assert_eq!((found.state, found.run.as_str(), found.health.ok), (EntryState::Running, "test", true));
    let first = of_type(&engine, "tacho.registered").remove(0).position;
    engine.pause_handler("review", ann()).unwrap();
    let paused = entry_that(&engine, "review", |entry| entry.state == EntryState::Paused);
    assert_eq!(paused.locked_by.as_deref(), Some("user:ann"));
    let before = runtime().block_on(engine.registry(Moment::Position(first), Wait::Head)).unwrap();
    assert_eq!((before.len(), before[0].state), (1, EntryState::Running));
    engine.close().unwrap();
    let engine = engine_at(folder.path());
    start(&engine, vec![handler(&hands, "review", |_| {}), handler(&hands, "other", |_| {})]);
    entry_that(&engine, "other", |_| true);
    assert_eq!(of_type(&engine, "tacho.registered").len(), 2);
    assert_eq!(of_type(&engine, "tacho.registry_changed").len(), 1);
    engine.close().unwrap();
    let engine = engine_at(folder.path());
    start(&engine, vec![handler(&hands, "other", |_| {})]);
    entry_that(&engine, "review", |entry| entry.state == EntryState::Removed);
}

#[test]
fn a_drained_one_gets_nothing_new_until_it_is_restored() {
    let (folder, old, new) = (TempDir::new().unwrap(), Hands::echo(), Hands::echo());
    let engine = engine_at(folder.path());
    let members = vec![able(&old, "old", "1.0.0"), able(&new, "new", "2.0.0"), member(asks(&engine, &[]))];
    start(&engine, members);
    append(&engine, "task/a", "1");
    until(|| is_done(&engine, "ask", 1).then_some(()));
    assert_eq!((old.seen().len(), new.seen().len()), (0, 1));
    until(|| engine.drain("new", ann()).ok());
    let drained = entry(&engine, "new").unwrap();
    assert_eq!((drained.state, drained.locked_by.as_deref()), (EntryState::Draining, Some("user:ann")));
    append(&engine, "task/a", "2");
    until(|| is_done(&engine, "ask", 2).then_some(()));
    assert_eq!((old.seen().len(), new.seen().len()), (1, 1));
    assert_eq!(engine.restore("new", ann()).unwrap().state, EntryState::Running);
    append(&engine, "task/a", "3");
    until(|| is_done(&engine, "ask", 3).then_some(()));
    assert_eq!((old.seen().len(), new.seen().len()), (1, 2));
    assert!(matches!(engine.drain("nobody", ann()), Err(RegistryError::Unknown(_))));
}

#[test]
fn events_are_parted_by_version() {
    let (folder, old, new) = (TempDir::new().unwrap(), Hands::echo(), Hands::echo());
    let engine = engine_at(folder.path());
    let ask = member(asks(&engine, &[("1.0.0", 75), ("2.0.0", 25)]));
    start(&engine, vec![able(&old, "old", "1.0.0"), able(&new, "new", "2.0.0"), ask]);
    let events = (0..400).map(|n| event_with(&engine, "demo.a", &format!("task/{n}"), "1"));
    engine.append_and_wait(events.collect()).unwrap();
    until(|| is_done(&engine, "ask", 400).then_some(()));
    let (old, new) = (old.seen().len(), new.seen().len());
    assert!(old + new == 400 && (60..140).contains(&new), "{old} and {new}");
}

#[test]
fn a_servers_tools_are_asked_for_by_their_names() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::echo());
    let tools = Arc::new(Mutex::new(Ok(vec!["translate".to_owned()])));
    let engine = engine_at(folder.path());
    start(&engine, vec![server(&hands, &tools), member(asks(&engine, &[]))]);
    append(&engine, "task/a", "1");
    until(|| is_done(&engine, "ask", 1).then_some(()));
    let found = entry_that(&engine, "tools", |entry| entry.health.ok);
    assert_eq!((found.kind.as_str(), found.capabilities), ("server", vec!["translate".to_owned()]));
    assert_eq!(hands.seen().len(), 1);
}

#[test]
fn a_server_that_does_not_answer_is_told_as_failed() {
    let folder = TempDir::new().unwrap();
    let tools = Arc::new(Mutex::new(Err(Failure::retry("exit_1", "it ended at once"))));
    let engine = engine_at(folder.path());
    start(&engine, vec![server(&Hands::echo(), &tools)]);
    let found = entry_that(&engine, "tools", |entry| entry.state == EntryState::Failed);
    assert_eq!(found.health.reason.as_deref(), Some("it ended at once"));
}

#[test]
fn a_reload_starts_what_changed_anew_and_loses_nothing() {
    let (folder, old, new) = (TempDir::new().unwrap(), Hands::echo(), Hands::echo());
    let engine = engine_at(folder.path());
    let configured = start(&engine, vec![handler(&old, "review", |_| {}), handler(&old, "stays", |_| {})]);
    append(&engine, "task/a", "1");
    until(|| is_done(&engine, "review", 1).then_some(()));
    engine.pause_handler("review", ann()).unwrap();
    append(&engine, "task/a", "2");
    *configured.lock().unwrap() = Err("tacho.toml:3: there is no key `nam`".into());
    let refused = until(|| match engine.reload_configuration(ann()) {
        Err(RegistryError::NotReady) => None,
        answer => Some(answer.unwrap_err().to_string()),
    });
    assert_eq!(refused, "nothing of it is in force: tacho.toml:3: there is no key `nam`");
    let changed = handler(&new, "review", |definition| definition.digest = "2".into());
    *configured.lock().unwrap() = Ok(vec![changed, handler(&old, "stays", |_| {})]);
    assert_eq!(engine.reload_configuration(ann()).unwrap(), ["review"]);
    engine.resume_handler("review", ann()).unwrap();
    until(|| is_done(&engine, "review", 2).then_some(()));
    assert_eq!(new.seen(), [("2".to_owned(), 1)]);
    assert_eq!(of_type(&engine, "tacho.configuration_changed").len(), 1);
    assert!(engine.reload_configuration(ann()).unwrap().is_empty());
    *configured.lock().unwrap() = Ok(Vec::new());
    assert_eq!(engine.reload_configuration(ann()).unwrap(), ["review", "stays"]);
    assert_eq!(entry(&engine, "review").unwrap().state, EntryState::Removed);
}

#[test]
fn who_registers_themselves_is_there_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let engine = engine_at(folder.path());
    start(&engine, vec![handler(&Hands::echo(), "review", |_| {})]);
    let registration = |id: &str, url: &str| Registration {
        id: id.into(),
        kind: RegistrationKind::Http,
        url: url.into(),
        capabilities: Vec::new(),
        version: None,
        on: Some("demo.a".into()),
        tool: None,
    };
    let mine = registration("mine", "http://127.0.0.1:1/");
    let made = until(|| engine.register(mine.clone(), ann()).ok());
    assert_eq!((made.state, made.registration.as_ref()), (EntryState::Running, Some(&mine)));
    let refused = |registration| engine.register(registration, ann()).unwrap_err().to_string();
    assert_eq!(refused(registration("x", "http://refused")), "`url` is refused");
    assert!(refused(registration("review", "http://127.0.0.1:1/")).starts_with("\"review\" is taken"));
    append(&engine, "task/a", "1");
    until(|| is_done(&engine, "mine", 1).then_some(()));
    engine.close().unwrap();
    let engine = engine_at(folder.path());
    append(&engine, "task/a", "2");
    start(&engine, Vec::new());
    until(|| is_done(&engine, "mine", 2).then_some(()));
    assert_eq!(engine.unregister("mine", ann()).unwrap().state, EntryState::Removed);
    assert!(engine.handler("mine").is_none());
    assert_eq!(of_type(&engine, "tacho.unregistered").len(), 2);
}
