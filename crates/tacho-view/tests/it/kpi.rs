//! Key figures and costs, from events to answers.

use bytes::Bytes;
use tacho_event::{Draft, Position, Recorded, Sameness, Sequence, Timestamp, json};
use tacho_view::{
    CostQuery, CostRow, Costs, Dimension, Metrics, MetricsQuery, NanoUsd, Reader, Tokens, Writer,
};

const LOG: [u8; 16] = [5; 16];
const HOUR_S: i64 = 3600;
/// The window of the tests ends here.
const NOW_S: i64 = 1_790_000_000;

fn seconds(time: i64) -> Timestamp {
    Timestamp(time * 1_000_000_000)
}

/// A view that grows by events at moments given in seconds before [`NOW_S`].
struct View {
    _folder: tempfile::TempDir,
    writer: Writer,
    reader: Reader,
    position: u64,
}

impl View {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
        Self { _folder: folder, writer, reader, position: 0 }
    }

    fn add(&mut self, before_s: i64, kind: &str, data: &str) {
        self.add_with(before_s, kind, data, &[]);
    }

    fn add_with(&mut self, before_s: i64, kind: &str, data: &str, attributes: &[(&'static str, &str)]) {
        self.add_from("/t", before_s, kind, data, attributes);
    }

    fn add_from(
        &mut self,
        source: &str,
        before_s: i64,
        kind: &str,
        data: &str,
        attributes: &[(&'static str, &str)],
    ) {
        self.position += 1;
        let mut draft = Draft::new(kind, source, self.position.to_string());
        draft.subject = Some("task/t".into());
        draft.put_text("time", &seconds(NOW_S - before_s).to_rfc3339());
        for (name, value) in attributes {
            draft.put_text(*name, value);
        }
        let mut minified = Vec::new();
        json::minify(data.as_bytes(), 10, &mut minified).unwrap();
        draft.set_data(minified);
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let bytes = Bytes::copy_from_slice(event.bytes());
        let recorded = Recorded::new(Position(self.position), Sequence(1), seconds(NOW_S), bytes).unwrap();
        self.writer.fold(&[recorded]).unwrap();
    }

    fn metrics(&self) -> Metrics {
        let query = MetricsQuery { from: seconds(NOW_S - HOUR_S), to: seconds(NOW_S) };
        self.reader.metrics(query).unwrap()
    }

    fn costs(&self, by: Dimension) -> Costs {
        self.reader.costs(&CostQuery { by, since: None, until: None }).unwrap()
    }

    /// Name and dollars of each row.
    fn spent(&self, by: Dimension) -> Vec<(String, f64)> {
        let rows = self.costs(by).rows;
        rows.into_iter().map(|row| (row.name.unwrap_or_default(), row.cost.usd())).collect()
    }

    fn queue(&mut self, before_s: i64, task: &str, feature: &str) {
        let data = format!(r#"{{"task_id":"{task}","feature":"{feature}","est_cost":0.4}}"#);
        self.add(before_s, "task_queued", &data);
    }

    fn complete(&mut self, before_s: i64, agent: &str, task: &str, status: &str, duration_ms: i64) {
        let data = format!(
            r#"{{"agent":"{agent}","task_id":"{task}","status":"{status}","duration_ms":{duration_ms},"cost_usd":0.10}}"#
        );
        self.add(before_s, "agent_completed", &data);
    }

    fn validate(&mut self, before_s: i64, task: &str, result: &str) {
        let data = format!(r#"{{"task_id":"{task}","result":{result},"cost":0.03,"duration_ms":5}}"#);
        self.add(before_s, "validation_complete", &data);
    }
}

fn close(actual: Option<f64>, expected: f64) {
    assert!(actual.is_some_and(|actual| (actual - expected).abs() < 1e-9), "{actual:?} is not {expected}");
}

#[test]
fn without_data_nothing_is_zero() {
    let mut view = View::new();
    assert_eq!(view.metrics(), Metrics::default());
    assert_eq!(view.costs(Dimension::Model), Costs { total: CostRow::default(), rows: Vec::new() });
    view.add(10, "demo.other", "{}");
    assert_eq!(view.metrics(), Metrics::default());
}

#[test]
fn a_task_is_complete_at_its_first_passed_validation_else_at_its_last_success() {
    let mut view = View::new();
    view.queue(3000, "a", "f");
    view.complete(2900, "scribe", "a", "failed", 1000);
    view.complete(2800, "scribe", "a", "success", 1000);
    view.complete(2700, "critic", "a", "rejected", 1000);
    view.validate(2600, "a", r#"{"passed":false}"#);
    view.complete(2500, "scribe", "a", "success", 1000);
    view.validate(2400, "a", r#"{"test_passed":true}"#);
    // What comes behind is no retry.
    view.complete(2300, "scribe", "a", "failed", 1000);
    view.validate(2200, "a", r#"{"status":"passed"}"#);
    let metrics = view.metrics();
    close(metrics.average_retry_count, 2.0);
    close(metrics.time_to_completion_seconds, 600.0);
    close(metrics.validation_pass_rate, 2.0 / 3.0);
    view.queue(3000, "b", "g");
    view.complete(2000, "scribe", "b", "success", 1000);
    view.complete(1000, "scribe", "b", "success", 1000);
    let metrics = view.metrics();
    close(metrics.average_retry_count, 1.0);
    close(metrics.time_to_completion_seconds, 1300.0);
}

#[test]
fn what_was_derived_from_a_command_is_in_no_figure() {
    let mut view = View::new();
    let data = r#"{"test_suite":"unit","failed":2,"duration_seconds":60,"agent_name":"scribe"}"#;
    view.add_from("/derived/claude-code/shop", 100, "TestRunFailed", data, &[]);
    assert_eq!(view.metrics(), Metrics::default());
    view.add(90, "TestRunCompleted", data);
    close(view.metrics().validation_pass_rate, 1.0);
}

#[test]
fn a_feature_is_complete_when_all_its_tasks_are() {
    let mut view = View::new();
    view.queue(2 * HOUR_S, "a", "checkout");
    view.queue(3000, "b", "checkout");
    view.complete(2 * HOUR_S - 1, "scribe", "a", "success", 1000);
    assert_eq!(view.metrics().cost_per_feature, None);
    view.complete(100, "scribe", "b", "failed", 1000);
    assert_eq!(view.metrics().cost_per_feature, None);
    view.complete(50, "scribe", "b", "success", 1000);
    view.validate(40, "b", r#"{"success":true}"#);
    // Three completions and a validation, the older task's too.
    close(view.metrics().cost_per_feature, 0.33);
    // A validation without a verdict costs, and says nothing of passing.
    view.validate(30, "b", "{}");
    close(view.metrics().cost_per_feature, 0.36);
    close(view.metrics().validation_pass_rate, 1.0);
}

#[test]
fn a_recorded_decision_and_its_completion_are_one() {
    let mut view = View::new();
    view.add(110, "critic_decision", r#"{"rejected":true}"#);
    view.complete(100, "critic", "a", "rejected", 9000);
    close(view.metrics().critic_rejection_rate, 1.0);
    // The other outcome, and one that is far away, are decisions of their own.
    view.add(90, "critic_decision", r#"{"rejected":false}"#);
    close(view.metrics().critic_rejection_rate, 0.5);
    view.add(10, "critic_decision", r#"{"rejected":false}"#);
    view.complete(80, "critic", "b", "approved", 9000);
    close(view.metrics().critic_rejection_rate, 1.0 / 3.0);
    view.add(79, "critic_decision", r#"{"rejected":false,"task_id":"c"}"#);
    close(view.metrics().critic_rejection_rate, 0.25);
}

#[test]
fn utilization_is_cut_to_the_window_and_overlaps_count_twice() {
    let mut view = View::new();
    // Half of it lies before the window.
    view.complete(HOUR_S - 360, "scribe", "a", "success", 720_000);
    view.complete(HOUR_S - 360, "scribe", "b", "success", 180_000);
    let metrics = view.metrics();
    close(metrics.agent_utilization.get("scribe").copied(), 0.15);
    close(metrics.agent_busy.get("scribe").copied(), 0.1);
}

#[test]
fn hooks_alone_tell_work_and_failures() {
    let mut view = View::new();
    let session = [("sessionid", "s1"), ("actorid", "claude-code")];
    let prompt = |view: &mut View, at| view.add_with(at, "claude.user_prompt_submit", "{}", &session);
    prompt(&mut view, 3000);
    view.add_with(2990, "claude.post_tool_use", r#"{"duration_ms":40}"#, &session);
    view.add_with(2980, "claude.post_tool_use_failure", r#"{"duration_ms":40}"#, &session);
    let subagent = r#"{"agent_id":"a1","agent_type":"Explore"}"#;
    view.add_with(2900, "claude.subagent_start", subagent, &session);
    view.add_with(2720, "claude.subagent_stop", subagent, &session);
    // A compaction's stop has no start.
    view.add_with(2700, "claude.subagent_stop", r#"{"agent_id":"a2","agent_type":""}"#, &session);
    view.add_with(2640, "claude.stop", "{}", &session);
    let metrics = view.metrics();
    close(metrics.failure_rate, 0.5);
    // A client library tells of tools by another name.
    view.add(2970, "tool_completed", r#"{"tool":"Bash","status":"failed"}"#);
    close(view.metrics().failure_rate, 2.0 / 3.0);
    close(metrics.agent_utilization.get("claude-code").copied(), 0.1);
    close(metrics.agent_utilization.get("Explore").copied(), 0.05);
    close(metrics.time_to_completion_seconds, 360.0);
    assert_eq!(metrics.agent_utilization.len(), 2);
    // An interrupt says nothing: the turn ends where it was heard of last.
    prompt(&mut view, 2000);
    view.add_with(1820, "claude.post_tool_use", r#"{"duration_ms":40}"#, &session);
    prompt(&mut view, 1000);
    view.add_with(820, "claude.stop", "{}", &session);
    close(view.metrics().agent_utilization.get("claude-code").copied(), 0.2);
}

const TELEMETRY: &str = r#"{"model":"claude-sonnet-4-5","input_tokens":1200,"output_tokens":42,"cache_read_tokens":5000,"cache_creation_tokens":300,"cost_usd":0.006854999999999999,"cost_usd_micros":6855,"duration_ms":87,"request_id":"req_1","feature":"greet"}"#;
const TRANSCRIPT: &str = r#"{"message_id":"m","request_id":"req_1","model":"claude-sonnet-4-5","usage":{"input_tokens":1200,"output_tokens":42,"cache_read_input_tokens":5000,"cache_creation_input_tokens":300}}"#;
const PRICES: &str = r#"{"version":"1","prices":[
    {"model":"claude-sonnet-4*","effective":"2025-01-01","input":3,"output":15,"cache_read":0.3,"cache_write_5m":3.75,"cache_write_1h":6},
    {"model":"claude-*","effective":"2025-01-01","input":100,"output":100}]}"#;

#[test]
fn a_request_is_counted_once_by_its_best_account() {
    for order in [[TELEMETRY, TRANSCRIPT], [TRANSCRIPT, TELEMETRY]] {
        let mut view = View::new();
        view.add(50, "tacho.prices", PRICES);
        for data in order.into_iter().chain(order) {
            let kind = if data == TELEMETRY { "claude_code.api_request" } else { "claude.transcript.usage" };
            view.add_with(40, kind, data, &[("sessionid", "s1"), ("actorid", "claude-code")]);
        }
        let costs = view.costs(Dimension::Model);
        let expected = CostRow {
            name: Some("claude-sonnet-4-5".to_owned()),
            day: None,
            cost: NanoUsd(6_855_000),
            requests: 1,
            unpriced: 0,
            tokens: Tokens { input: 1200, output: 42, cache_read: 5000, cache_write: 300 },
        };
        assert_eq!(costs.rows, std::slice::from_ref(&expected));
        assert_eq!(costs.total, CostRow { name: None, ..expected });
        assert_eq!(view.spent(Dimension::Feature), [("greet".to_owned(), 0.006855)]);
        assert_eq!(view.spent(Dimension::Session), [("s1".to_owned(), 0.006855)]);
        assert_eq!(view.spent(Dimension::Agent), [("claude-code".to_owned(), 0.006855)]);
        assert_eq!(view.metrics().cost, Some(NanoUsd(6_855_000)));
    }
}

#[test]
fn a_long_prompt_may_have_a_price_of_its_own() {
    let mut view = View::new();
    let prices = r#"{"version":"1","prices":[
        {"model":"m","effective":"2025-01-01","input":1,"output":2},
        {"model":"m","effective":"2025-01-01","above_tokens":1000,"input":10,"output":20},
        {"model":"n","effective":"2025-01-01","above_tokens":1000,"input":10,"output":20},
        {"model":"n","effective":"2025-06-01","input":3,"output":4}]}"#;
    view.add(50, "tacho.prices", prices);
    let mut cost = |id: &str, model: &str, input: u64, cached: u64| {
        let usage = format!(
            "{{\"input_tokens\":{input},\"cache_read_input_tokens\":{cached},\"output_tokens\":100}}"
        );
        let data = format!("{{\"message_id\":\"{id}\",\"model\":\"{model}\",\"usage\":{usage}}}");
        let before = view.costs(Dimension::Model).total.cost;
        view.add(40, "claude.transcript.usage", &data);
        view.costs(Dimension::Model).total.cost.0 - before.0
    };
    assert_eq!(cost("a", "m", 1000, 0), 1_200_000);
    // What came from the cache is a part of the prompt.
    assert_eq!(cost("b", "m", 1, 1000), 12_010_000);
    // A later table of the model stands for itself.
    assert_eq!(cost("c", "n", 2000, 0), 6_400_000);
}

#[test]
fn a_completion_costs_with_the_model_that_took_up_the_task() {
    let mut view = View::new();
    let start = |model: &str| format!(r#"{{"agent":"scribe","task_id":"t","model":"{model}","tools":[]}}"#);
    let end = |more: &str| {
        format!(
            r#"{{"agent":"scribe","task_id":"t","status":"failed","duration_ms":10,"cost_usd":0.25{more}}}"#
        )
    };
    view.add(90, "agent_started", &start("small"));
    view.add(80, "agent_completed", &end(""));
    view.add(70, "agent_started", &start("large"));
    view.add(60, "agent_completed", &end(""));
    view.add(50, "agent_completed", &end(r#","model":"own""#));
    view.add(40, "agent_completed", r#"{"agent":"critic","task_id":"t","status":"failed","cost_usd":0.5}"#);
    let mut spent = view.spent(Dimension::Model);
    spent.sort_by(|one, other| one.0.cmp(&other.0));
    let dollars = [("", 0.5), ("large", 0.25), ("own", 0.25), ("small", 0.25)];
    assert_eq!(spent, dollars.map(|(model, cost)| (model.to_owned(), cost)));
    let metrics = view.metrics();
    let models = metrics.models.iter().map(|(model, uses)| (&model[..], uses.count, uses.cost));
    let quarter = Some(NanoUsd(250_000_000));
    assert_eq!(
        models.collect::<Vec<_>>(),
        [("large", 1, quarter), ("own", 1, quarter), ("small", 1, quarter)]
    );
    assert_eq!(metrics.cost, Some(NanoUsd(1_250_000_000)));
}

#[test]
fn models_are_told_day_by_day() {
    const DAY: i64 = 86_400;
    let mut view = View::new();
    view.add(10 * DAY, "tacho.prices", PRICES);
    let usage = |id: u64, model: &str, output: u64| {
        format!(
            "{{\"message_id\":\"m{id}\",\"model\":\"{model}\",\"usage\":{{\"input_tokens\":0,\"output_tokens\":{output}}}}}"
        )
    };
    for (id, (before, model, output)) in [
        (3 * DAY, "claude-sonnet-4-5", 1000),
        (2 * DAY, "claude-sonnet-4-5", 2000),
        (2 * DAY, "claude-sonnet-4-5", 4000),
        (2 * DAY, "claude-opus-4", 10),
        (DAY, "nobody-knows", 1),
    ]
    .into_iter()
    .enumerate()
    {
        view.add(before, "claude.transcript.usage", &usage(id as u64, model, output));
    }
    let day = |before: i64| seconds(NOW_S - before).to_rfc3339()[..10].to_owned();
    let rows = |costs: Costs| -> Vec<(String, String, f64, u64)> {
        let told = |row: CostRow| (row.day.unwrap(), row.name.unwrap(), row.cost.usd(), row.requests);
        costs.rows.into_iter().map(told).collect()
    };
    let sonnet = || "claude-sonnet-4-5".to_owned();
    let expected = [
        (day(DAY), "nobody-knows".to_owned(), 0.0, 1),
        (day(2 * DAY), sonnet(), 0.09, 2),
        (day(2 * DAY), "claude-opus-4".to_owned(), 0.001, 1),
        (day(3 * DAY), sonnet(), 0.015, 1),
    ];
    assert_eq!(rows(view.costs(Dimension::ModelDay)), expected);
    let since = Some(seconds(NOW_S - 2 * DAY - 1));
    let recent = CostQuery { by: Dimension::ModelDay, since, until: None };
    let costs = view.reader.costs(&recent).unwrap();
    assert_eq!((costs.total.cost, costs.total.unpriced), (NanoUsd(91_000_000), 1));
    assert_eq!(rows(costs), expected[..3]);
}

#[test]
fn the_price_table_gives_what_the_agent_itself_reports() {
    let mut view = View::new();
    view.add(50, "claude.transcript.usage", TRANSCRIPT);
    // Without a price it is told as such, and never as nothing.
    let row = view.costs(Dimension::Model).rows.remove(0);
    assert_eq!((row.cost, row.requests, row.unpriced), (NanoUsd(0), 1, 1));
    assert_eq!(view.metrics().cost, None);
    assert_eq!(view.reader.prices_version().unwrap(), None);
    view.add(40, "tacho.prices", PRICES);
    assert_eq!(view.reader.prices_version().unwrap().as_deref(), Some("1"));
    let row = view.costs(Dimension::Model).rows.remove(0);
    assert_eq!((row.cost, row.requests, row.unpriced), (NanoUsd(6_855_000), 1, 0));
    // A price is not in force before its day.
    view.add(30, "tacho.prices", &PRICES.replace("2025-01-01", "2099-01-01"));
    assert_eq!(view.costs(Dimension::Model).rows[0].unpriced, 1);
}

#[test]
fn agents_that_tell_their_cost_count_where_no_session_does() {
    let mut view = View::new();
    view.queue(100, "a", "checkout");
    view.complete(90, "scribe", "a", "success", 1000);
    view.validate(80, "a", r#"{"passed":true}"#);
    let told = r#"{"agent":"scribe","task_id":"a","status":"success","cost_usd":9}"#;
    view.add_with(70, "agent_completed", told, &[("sessionid", "s1")]);
    assert_eq!(view.spent(Dimension::Feature), [("checkout".to_owned(), 0.13)]);
    assert_eq!(view.spent(Dimension::Agent), [("scribe".to_owned(), 0.10), ("validation".to_owned(), 0.03)]);
    let recent = CostQuery { by: Dimension::Day, since: Some(seconds(NOW_S - 85)), until: None };
    let costs = view.reader.costs(&recent).unwrap();
    assert_eq!((costs.total.cost, costs.rows.len()), (NanoUsd(30_000_000), 1));
    assert_eq!(costs.rows[0].name.as_deref(), Some(&seconds(NOW_S).to_rfc3339()[..10]));
    let budget = view.reader.spent_by(Dimension::Feature, NanoUsd(130_000_000)).unwrap();
    assert_eq!(budget, [("checkout".to_owned(), NanoUsd(130_000_000))]);
    assert!(view.reader.spent_by(Dimension::Feature, NanoUsd(130_000_001)).unwrap().is_empty());
}
