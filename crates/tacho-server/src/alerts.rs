//! Alerts as JSON, for the server's answers and the command line.

use crate::problem::quoted;
use tacho_engine::RuleState;
use tacho_event::Recorded;

/// The answer of `GET /api/alerts`.
pub fn alert_rules_json(rules: &[RuleState], anomalies: &[Recorded]) -> String {
    let rules: Vec<String> = rules.iter().map(alert_rule_json).collect();
    let anomalies = anomalies.iter().map(|event| String::from_utf8_lossy(event.data().unwrap_or(b"{}")));
    format!("{{\"rules\":[{}],\"anomalies\":[{}]}}", rules.join(","), anomalies.collect::<Vec<_>>().join(","))
}

/// A rule and how it stands.
pub fn alert_rule_json(state: &RuleState) -> String {
    let condition = &state.rule.condition;
    let standing = match (state.current, state.holds) {
        (None, _) => "no_data",
        (Some(_), false) => "ok",
        (Some(_), true) => "firing",
    };
    let current = state.current.map_or("null".to_owned(), |current| current.to_string());
    let told = state.told.map_or("null".to_owned(), |told| format!("\"{told}\""));
    format!(
        "{{\"condition\":{},\"metric\":{},\"operator\":\"{}\",\"threshold\":{},\"current_value\":{current},\
         \"state\":\"{standing}\",\"action\":\"{}\",\"message\":{},\"window_seconds\":{},\"fired_at\":{told}}}",
        quoted(&condition.to_string()),
        quoted(&condition.metric.to_string()),
        condition.operator.as_str(),
        condition.threshold,
        state.rule.action.name(),
        quoted(&state.rule.message),
        state.rule.window_ns / 1_000_000_000
    )
}
