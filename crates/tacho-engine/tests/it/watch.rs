//! Prices, budgets and alerts: what a look at the folded log says, and that it says it once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use tacho_engine::{Action, Budgets, Clock, Condition, Config, Engine, NanoUsd, Query, Rule, RuleState};
use tacho_event::{Draft, Filter, Pattern, Sameness, Timestamp, json};
use tempfile::TempDir;

const NOW_NS: i64 = 1_790_000_000_000_000_000;
const MINUTE_NS: i64 = 60_000_000_000;

#[derive(Clone)]
struct SetClock(Arc<AtomicI64>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(SeqCst))
    }
}

struct Watched {
    engine: Engine,
    clock: SetClock,
}

impl Watched {
    fn open(folder: &Path, change: impl FnOnce(&mut Config)) -> Self {
        let clock = SetClock(Arc::new(AtomicI64::new(NOW_NS)));
        let mut config = Config::new(folder);
        config.watch.rules = Vec::new();
        change(&mut config);
        Self { engine: Engine::open(config, clock.clone()).unwrap(), clock }
    }

    async fn add(&self, kind: &'static str, data: &str) {
        let mut draft = Draft::new(kind, "/t", self.engine.new_id());
        draft.subject = Some("task/x".into());
        draft.put_text("time", &self.clock.now().to_rfc3339());
        draft.put_text("sessionid", "s1");
        draft.set_data(data.as_bytes());
        let event = draft.finish(Sameness::FirstWins).unwrap();
        self.engine.append(vec![event], Vec::new()).await.unwrap();
    }

    /// The payloads of a type, after a look at everything.
    async fn said(&self, kind: &str) -> Vec<String> {
        self.engine.wait(tacho_engine::Wait::Head).await.unwrap();
        self.engine.look().await.unwrap();
        let filter = Filter { types: vec![Pattern::new(kind)], ..Filter::default() };
        let page = self.engine.query(Query { filter, ..Query::default() }).await.unwrap();
        let data = |event: &tacho_event::Recorded| String::from_utf8(event.data().unwrap().to_vec()).unwrap();
        page.events.iter().map(data).collect()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn usage(request: u32) -> String {
    format!(
        r#"{{"message_id":"m{request}","request_id":"r{request}","model":"claude-sonnet-4-5","usage":{{"input_tokens":1200,"output_tokens":42,"cache_read_input_tokens":5000,"cache_creation_input_tokens":300}}}}"#
    )
}

#[test]
fn prices_come_into_force_when_something_is_to_be_priced() {
    let folder = TempDir::new().unwrap();
    let watched = Watched::open(folder.path(), |_| {});
    runtime().block_on(async {
        watched.add("demo.a", "{}").await;
        assert!(watched.said("tacho.prices").await.is_empty());
        watched.add("claude.transcript.usage", &usage(1)).await;
        let tables = watched.said("tacho.prices").await;
        assert_eq!(tables.len(), 1);
        assert!(tables[0].contains("claude-sonnet-4"));
        // The table that is in force is not put in force again.
        watched.add("claude.transcript.usage", &usage(2)).await;
        assert_eq!(watched.said("tacho.prices").await.len(), 1);
        let costs =
            tacho_engine::CostQuery { by: tacho_engine::Dimension::Session, since: None, until: None };
        let (costs, _) = watched.engine.costs(costs, tacho_engine::Wait::Head).await.unwrap();
        assert_eq!((costs.total.cost, costs.total.unpriced), (NanoUsd(2 * 6_855_000), 0));
    });
    watched.engine.close().unwrap();
}

#[test]
fn a_budget_is_warned_of_and_exceeded_once() {
    let folder = TempDir::new().unwrap();
    let budgets = Budgets { session: Some(NanoUsd(20_000_000)), ..Budgets::default() };
    let limits = |config: &mut Config| config.watch.budgets = budgets;
    let watched = Watched::open(folder.path(), limits);
    runtime().block_on(async {
        for request in 0..2 {
            watched.add("claude.transcript.usage", &usage(request)).await;
        }
        assert!(watched.said("budget_*").await.is_empty());
        // Prices are in force now; the third request passes the budget, with its warning.
        watched.add("claude.transcript.usage", &usage(3)).await;
        let said = watched.said("budget_*").await;
        assert_eq!(said.len(), 2);
        assert_eq!(
            said[0],
            r#"{"budget":"session","session":"s1","limit_usd":0.02,"spent_usd":0.020565,"used":1.0283}"#
        );
        watched.add("claude.transcript.usage", &usage(4)).await;
        assert_eq!(watched.said("budget_*").await.len(), 2);
    });
    watched.engine.close().unwrap();
    // A restart forgets nothing.
    let watched = Watched::open(folder.path(), limits);
    runtime().block_on(async {
        assert_eq!(watched.said("budget_*").await.len(), 2);
    });
    watched.engine.close().unwrap();
}

#[test]
fn an_alert_is_told_once_in_ten_minutes_across_restarts() {
    let folder = TempDir::new().unwrap();
    let condition = Condition::parse("validation_pass_rate < 0.7").unwrap();
    let rule = Rule::new(condition, Action::WarnUser, "look at \"x\"");
    let rules = |config: &mut Config| config.watch.rules = vec![rule.clone()];
    let watched = Watched::open(folder.path(), rules);
    let runtime = runtime();
    runtime.block_on(async {
        assert!(watched.said("tacho.alert").await.is_empty());
        assert_eq!(watched.engine.alert_rules().await.unwrap()[0].current, None);
        watched.add("validation_complete", r#"{"task_id":"a","result":{"passed":false}}"#).await;
        let said = watched.said("tacho.alert").await;
        let alert = |name: &str| json::text(json::member(said[0].as_bytes(), name).unwrap()).into_owned();
        assert_eq!(
            ["metric", "operator", "threshold", "current_value", "action", "message", "timestamp_iso"]
                .map(alert),
            [
                "validation_pass_rate",
                "<",
                "0.7",
                "0",
                "warn_user",
                "look at \"x\"",
                "2026-09-21T14:13:20.000Z"
            ]
        );
        watched.clock.0.fetch_add(9 * MINUTE_NS, SeqCst);
        assert_eq!(watched.said("tacho.alert").await.len(), 1);
    });
    watched.engine.close().unwrap();
    let watched = Watched::open(folder.path(), rules);
    runtime.block_on(async {
        watched.clock.0.fetch_add(9 * MINUTE_NS, SeqCst);
        assert_eq!(watched.said("tacho.alert").await.len(), 1);
        watched.clock.0.fetch_add(MINUTE_NS, SeqCst);
        assert_eq!(watched.said("tacho.alert").await.len(), 2);
        let [RuleState { current, holds, told, .. }] = &watched.engine.alert_rules().await.unwrap()[..]
        else {
            panic!("there is one rule")
        };
        assert_eq!((*current, *holds), (Some(0.0), true));
        assert_eq!(*told, Some(Timestamp(NOW_NS + 10 * MINUTE_NS)));
        for task in ["b", "c", "d"] {
            let passed = format!(r#"{{"task_id":"{task}","result":{{"passed":true}}}}"#);
            watched.add("validation_complete", &passed).await;
        }
        let state = &watched.engine.alert_rules().await.unwrap()[0];
        assert_eq!((state.current, state.holds), (Some(0.75), false));
        assert_eq!(state.told, Some(Timestamp(NOW_NS + 10 * MINUTE_NS)), "what was told stays told");
    });
    watched.engine.close().unwrap();
}
