//! What each step came to, as a table and as one line that a machine can read.

use std::fmt::Write;
use std::time::Duration;

pub enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl From<bool> for Outcome {
    fn from(passed: bool) -> Outcome {
        if passed { Outcome::Passed } else { Outcome::Failed("see its output above".to_owned()) }
    }
}

#[derive(Default)]
pub struct Summary {
    steps: Vec<(&'static str, Outcome, Duration)>,
}

impl Summary {
    pub fn add(&mut self, name: &'static str, outcome: Outcome, took: Duration) {
        self.steps.push((name, outcome, took));
    }

    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// Ends in a line `N passed, N failed`.
    pub fn render(&self, took: Duration) -> String {
        let width = self.steps.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0).max(5);
        let mut text = format!("{:width$}  {:7}  {:>7}\n", "step", "result", "seconds");
        for (name, outcome, took) in &self.steps {
            let (result, why) = match outcome {
                Outcome::Passed => ("passed", ""),
                Outcome::Failed(why) => ("FAILED", why.lines().next().unwrap_or_default()),
                Outcome::Skipped(why) => ("skipped", why.as_str()),
            };
            let line = format!("{name:width$}  {result:7}  {:7.1}  {why}", took.as_secs_f64());
            writeln!(text, "{}", line.trim_end()).expect("a string takes what is written");
        }
        writeln!(text, "{:width$}  {:7}  {:7.1}", "all", "", took.as_secs_f64()).expect("as above");
        let passed = self.count(|outcome| matches!(outcome, Outcome::Passed));
        writeln!(text, "{passed} passed, {} failed", self.failed()).expect("as above");
        text
    }

    fn count(&self, wanted: fn(&Outcome) -> bool) -> usize {
        self.steps.iter().filter(|(_, outcome, _)| wanted(outcome)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let mut summary = Summary::default();
        summary.add("one", Outcome::Passed, Duration::from_millis(1500));
        summary.add("another", Outcome::Failed("it broke\nbadly".to_owned()), Duration::from_secs(2));
        summary.add("third", Outcome::Skipped("no need".to_owned()), Duration::ZERO);
        let expected = "\
step     result   seconds
one      passed       1.5
another  FAILED       2.0  it broke
third    skipped      0.0  no need
all                   4.0
1 passed, 1 failed
";
        assert_eq!(summary.render(Duration::from_secs(4)), expected);
        assert_eq!(summary.failed(), 1);
    }
}
