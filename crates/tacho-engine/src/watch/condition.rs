//! Conditions of alerts: `<metric> <op> <threshold>`.

use std::fmt;
use tacho_view::{AGENT_FIGURES, FIGURES, Metrics};
use thiserror::Error;

/// A figure, how it is compared, and with what.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub metric: Metric,
    pub operator: Operator,
    pub threshold: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Above,
    Below,
    AtLeast,
    AtMost,
    Equal,
    NotEqual,
}

/// A figure that can be compared; an agent's is named as `agent_utilization.scribe`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    agent: Option<String>,
}

/// Why a condition cannot be read.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ConditionSyntaxError {
    #[error("{0:?} is no condition: write `<metric> <op> <threshold>`, such as `validation_pass_rate < 0.7`")]
    Shape(String),
    #[error("there is no metric {name:?}; known are {}", names().collect::<Vec<_>>().join(", "))]
    Metric { name: String },
    #[error("{0:?} is no number to compare with")]
    Threshold(String),
}

/// Another name of a figure, and the figure.
const ALIAS: (&str, &str) = ("time_to_completion", "time_to_completion_seconds");

const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Above),
    ("<", Operator::Below),
];

/// What a condition may name.
fn names() -> impl Iterator<Item = &'static str> {
    let agents = AGENT_FIGURES.iter().map(|figure| figure.name);
    agents.chain(FIGURES.iter().map(|figure| figure.name)).chain([ALIAS.0])
}

fn highest<'a>(shares: impl Iterator<Item = &'a f64>) -> Option<f64> {
    shares.copied().reduce(f64::max)
}

impl Condition {
    pub fn parse(text: &str) -> Result<Self, ConditionSyntaxError> {
        let shape = || ConditionSyntaxError::Shape(text.to_owned());
        let (written, operator) =
            OPERATORS.into_iter().find(|(op, _)| text.contains(op)).ok_or_else(shape)?;
        let (metric, threshold) = text.split_once(written).ok_or_else(shape)?;
        let threshold = threshold.trim();
        let number = threshold.parse().ok().filter(|number: &f64| number.is_finite());
        Ok(Self {
            metric: Metric::parse(metric.trim())?,
            operator,
            threshold: number.ok_or_else(|| ConditionSyntaxError::Threshold(threshold.to_owned()))?,
        })
    }

    /// The figure, when it is known, and whether the condition holds for it.
    pub fn check(&self, metrics: &Metrics) -> Option<(f64, bool)> {
        let current = self.metric.read(metrics)?;
        let holds = match self.operator {
            Operator::Above => current > self.threshold,
            Operator::Below => current < self.threshold,
            Operator::AtLeast => current >= self.threshold,
            Operator::AtMost => current <= self.threshold,
            // Figures are computed: the ninth digit behind the point is what they are exact to.
            Operator::Equal => (current - self.threshold).abs() < 1e-9,
            Operator::NotEqual => (current - self.threshold).abs() >= 1e-9,
        };
        Some((current, holds))
    }
}

impl Metric {
    fn parse(text: &str) -> Result<Self, ConditionSyntaxError> {
        let (name, agent) = match text.split_once('.') {
            Some((name, agent)) => (name, Some(agent.to_owned())),
            None => (text, None),
        };
        let takes_agent = AGENT_FIGURES.iter().any(|figure| figure.name == name);
        match names().find(|known| *known == name) {
            Some(name) if agent.is_none() || takes_agent => Ok(Self { name, agent }),
            _ => Err(ConditionSyntaxError::Metric { name: text.to_owned() }),
        }
    }

    fn read(&self, metrics: &Metrics) -> Option<f64> {
        if let Some(of_agents) = AGENT_FIGURES.iter().find(|figure| figure.name == self.name) {
            let shares = (of_agents.read)(metrics);
            return match &self.agent {
                Some(agent) => shares.get(agent).copied(),
                None => highest(shares.values()),
            };
        }
        let name = if self.name == ALIAS.0 { ALIAS.1 } else { self.name };
        FIGURES.iter().find(|figure| figure.name == name).and_then(|figure| (figure.read)(metrics))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)?;
        self.agent.iter().try_for_each(|agent| write!(formatter, ".{agent}"))
    }
}

impl Operator {
    pub fn as_str(self) -> &'static str {
        OPERATORS.into_iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.metric, self.operator.as_str(), self.threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_compared() {
        let metrics = Metrics {
            validation_pass_rate: Some(0.7),
            time_to_completion_seconds: Some(90.0),
            agent_utilization: [("a".to_owned(), 0.2), ("b".to_owned(), 0.9)].into(),
            ..Metrics::default()
        };
        let check = |text: &str| Condition::parse(text).unwrap().check(&metrics);
        assert_eq!(check("validation_pass_rate < 0.70"), Some((0.7, false)));
        assert_eq!(check("validation_pass_rate<=0.70"), Some((0.7, true)));
        assert_eq!(check("validation_pass_rate == 0.7"), Some((0.7, true)));
        assert_eq!(check("validation_pass_rate != 0.7"), Some((0.7, false)));
        assert_eq!(check("agent_utilization > 0.8"), Some((0.9, true)));
        assert_eq!(check("agent_utilization.a >= 0.3"), Some((0.2, false)));
        assert_eq!(check("time_to_completion > 60"), Some((90.0, true)));
        assert_eq!(check("time_to_completion_seconds > 60"), Some((90.0, true)));
        // No data is no reason for an alert.
        assert_eq!(check("cost_per_feature > 1"), None);
        assert_eq!(Condition::parse("cost_usd  >  1.50").unwrap().to_string(), "cost_usd > 1.5");
    }

    #[test]
    fn what_is_none_is_refused() {
        assert!(matches!(Condition::parse("cost_usd 1"), Err(ConditionSyntaxError::Shape(_))));
        assert!(matches!(Condition::parse("cots_usd > 1"), Err(ConditionSyntaxError::Metric { .. })));
        assert!(matches!(Condition::parse("cost_usd.a > 1"), Err(ConditionSyntaxError::Metric { .. })));
        assert!(matches!(Condition::parse("cost_usd > much"), Err(ConditionSyntaxError::Threshold(_))));
    }
}
