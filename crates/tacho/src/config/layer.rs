//! One file over another: the project's over the user's.

use super::file::Rules;

impl Rules {
    /// Takes what the file below says, where this one says nothing of the same: of the same name, type or metric.
    pub fn lay_over(&mut self, below: Rules) {
        add(&mut self.ingest, below.ingest, |own, other| own.pattern == other.pattern);
        // A secret stays one, whoever says so.
        self.redact.extend(below.redact);
        add(&mut self.sinks, below.sinks, |own, other| own.is_like(other));
        add(&mut self.handlers, below.handlers, |own, other| own.name == other.name);
        add(&mut self.servers, below.servers, |own, other| own.name == other.name);
        add(&mut self.heals, below.heals, |own, other| own.name == other.name);
        add(&mut self.alerts, below.alerts, |own, other| own.condition.metric == other.condition.metric);
        add(&mut self.prices, below.prices, |own, other| own.model == other.model);
        add(&mut self.projections, below.projections, |own, other| own.name == other.name);
    }
}

fn add<T>(own: &mut Vec<T>, others: Vec<T>, is_like: impl Fn(&T, &T) -> bool) {
    let known = own.len();
    for other in others {
        if !own[..known].iter().any(|own| is_like(own, &other)) {
            own.push(other);
        }
    }
}
