//! The key figures by their public names: one list for answers, alerts, Prometheus, Redis and the description of
//! the API.

use super::metrics::Metrics;
use super::money::NanoUsd;
use std::collections::BTreeMap;

/// A key figure that is one number.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    pub name: &'static str,
    pub unit: Unit,
    /// What it says, in a line.
    pub help: &'static str,
    /// `None` without data.
    pub read: fn(&Metrics) -> Option<f64>,
}

/// A key figure that is a share of time for each agent.
#[derive(Debug, Clone, Copy)]
pub struct AgentFigure {
    pub name: &'static str,
    /// What it says, in a line.
    pub help: &'static str,
    pub read: fn(&Metrics) -> &BTreeMap<String, f64>,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Dollars,
    Seconds,
    /// A mean of counts.
    Count,
    /// From 0 to 1.
    Share,
}

impl Unit {
    /// How a name ends that says the unit; empty where none is wanted.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Dollars => "_usd",
            Self::Seconds => "_seconds",
            Self::Count | Self::Share => "",
        }
    }
}

/// Each figure that is one number.
pub const FIGURES: [Figure; 7] = [
    Figure {
        name: "cost_per_feature",
        unit: Unit::Dollars,
        help: "Mean cost of completed features.",
        read: |metrics| metrics.cost_per_feature,
    },
    Figure {
        name: "average_retry_count",
        unit: Unit::Count,
        help: "Retries before a task was complete, on average.",
        read: |metrics| metrics.average_retry_count,
    },
    Figure {
        name: "critic_rejection_rate",
        unit: Unit::Share,
        help: "Rejected of decided.",
        read: |metrics| metrics.critic_rejection_rate,
    },
    Figure {
        name: "validation_pass_rate",
        unit: Unit::Share,
        help: "Passed of validated.",
        read: |metrics| metrics.validation_pass_rate,
    },
    Figure {
        name: "time_to_completion_seconds",
        unit: Unit::Seconds,
        help: "From queued to complete, on average.",
        read: |metrics| metrics.time_to_completion_seconds,
    },
    Figure {
        name: "failure_rate",
        unit: Unit::Share,
        help: "Failed of all calls.",
        read: |metrics| metrics.failure_rate,
    },
    Figure {
        name: "cost_usd",
        unit: Unit::Dollars,
        help: "What was spent.",
        read: |metrics| metrics.cost.map(NanoUsd::usd),
    },
];

/// Each figure of agents.
pub const AGENT_FIGURES: [AgentFigure; 2] = [
    AgentFigure {
        name: "agent_utilization",
        help: "Working time as a share of the window, by agent; above 1 where an agent did several things at once.",
        read: |metrics| &metrics.agent_utilization,
    },
    AgentFigure {
        name: "agent_busy",
        help: "Share of the window in which an agent did anything.",
        read: |metrics| &metrics.agent_busy,
    },
];

impl Metrics {
    /// The figures that are one number, by their public names.
    pub fn figures(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> + '_ {
        FIGURES.iter().map(|figure| (figure.name, (figure.read)(self)))
    }

    /// The figures of agents, by their public names.
    pub fn agent_figures(&self) -> impl Iterator<Item = (&'static str, &BTreeMap<String, f64>)> {
        AGENT_FIGURES.iter().map(|figure| (figure.name, (figure.read)(self)))
    }
}
