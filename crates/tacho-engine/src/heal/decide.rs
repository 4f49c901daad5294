//! What to try about a dead letter, and when. Pure.

use super::rule::Rule;
use tacho_event::Timestamp;

/// What of a letter decides.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    /// Who gave up on the event, the last one first.
    pub(crate) handlers: &'a [String],
    pub(crate) code: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) failed: Timestamp,
    /// What was tried for the same original event.
    pub(crate) tried: &'a [Tried],
}

/// An attempt of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) rule: String,
    pub(crate) at: Timestamp,
    /// About this very letter, not about one that was tried again before.
    pub(crate) is_of_letter: bool,
    /// A person was told.
    pub(crate) is_escalation: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is a person's.
    Leave,
    /// No rule is left.
    GiveUp,
    Try {
        /// Its place in the list of rules.
        rule: usize,
        /// Of this rule, from 1.
        attempt: u32,
        at: Timestamp,
    },
}

/// The first rule that fits and has an attempt left. A letter that nothing was tried about is not given up.
pub(crate) fn decide(rules: &[Rule], facts: &Facts<'_>) -> Decision {
    if facts.tried.iter().any(|tried| tried.is_of_letter && tried.is_escalation) {
        return Decision::Leave;
    }
    let of_letter = facts.tried.iter().filter(|tried| tried.is_of_letter).map(|tried| tried.at);
    let since = of_letter.chain([facts.failed]).max().unwrap_or(facts.failed);
    for (index, rule) in rules.iter().enumerate() {
        let spent = facts.tried.iter().filter(|tried| tried.rule == rule.name).count();
        let spent = u32::try_from(spent).unwrap_or(u32::MAX);
        if spent < rule.attempts && rule.on.matches(facts.handlers, facts.code, facts.kind) {
            let pause = i64::try_from(rule.pause_ms(spent + 1)).unwrap_or(i64::MAX);
            let at = Timestamp(since.0.saturating_add(pause.saturating_mul(1_000_000)));
            return Decision::Try { rule: index, attempt: spent + 1, at };
        }
    }
    if facts.tried.is_empty() { Decision::Leave } else { Decision::GiveUp }
}

#[cfg(test)]
mod tests {
    use super::super::rule::{Action, On};
    use super::*;
    use tacho_event::Pattern;

    fn rule(name: &str, action: Action, attempts: u32, on: On) -> Rule {
        Rule { name: name.into(), on, action, attempts, after_ms: 60_000 }
    }

    fn rules() -> Vec<Rule> {
        let pattern = |text: &str| Some(Pattern::new(text));
        let on = On { handler: pattern("rev*"), code: pattern("timeout"), kind: None };
        vec![
            rule("wait", Action::Later, 2, on),
            rule("other", Action::Capability(None), 1, On { kind: pattern("demo.*"), ..On::default() }),
            rule("person", Action::Escalate, 3, On { code: pattern("http_*"), ..On::default() }),
        ]
    }

    /// `tried` is a list of rules, those about this very letter with a star, a minute apart.
    fn decided(handlers: &[&str], code: &str, kind: &str, tried: &[&str]) -> String {
        let handlers: Vec<String> = handlers.iter().map(|name| (*name).to_owned()).collect();
        let one = |(index, name): (usize, &&str)| Tried {
            rule: name.trim_end_matches('*').to_owned(),
            at: Timestamp((index as i64 + 1) * 60_000_000_000),
            is_of_letter: name.ends_with('*'),
            is_escalation: name.starts_with("person"),
        };
        let tried: Vec<Tried> = tried.iter().enumerate().map(one).collect();
        let facts = Facts { handlers: &handlers, code, kind, failed: Timestamp(0), tried: &tried };
        match decide(&rules(), &facts) {
            Decision::Leave => "leave".into(),
            Decision::GiveUp => "give up".into(),
            Decision::Try { rule, attempt, at } => {
                format!("{} {attempt} at {}s", rules()[rule].name, at.0 / 1_000_000_000)
            }
        }
    }

    #[test]
    fn the_first_rule_that_fits_and_has_an_attempt_left() {
        for (handlers, code, kind, tried, expected) in [
            (&["review"][..], "timeout", "demo.a", &[][..], "wait 1 at 60s"),
            // Of an earlier letter: the pause grows, and begins with this letter.
            (&["review"], "timeout", "demo.a", &["wait"], "wait 2 at 120s"),
            // Of this letter: the pause begins with the attempt.
            (&["review"], "timeout", "demo.a", &["wait*"], "wait 2 at 180s"),
            (&["review"], "timeout", "demo.a", &["wait", "wait"], "other 1 at 60s"),
            (&["review"], "timeout", "demo.a", &["wait", "wait", "other"], "give up"),
            // Who failed first counts too.
            (&["other", "review"], "timeout", "demo.a", &["wait"], "wait 2 at 120s"),
            (&["other"], "timeout", "demo.a", &[], "other 1 at 60s"),
            (&["review"], "http_500", "x.a", &[], "person 1 at 60s"),
            (&["review"], "http_500", "x.a", &["person*"], "leave"),
            (&["review"], "http_500", "x.a", &["person"], "person 2 at 120s"),
            // Nothing fits, and nothing was tried.
            (&["review"], "refused", "x.a", &[], "leave"),
            // A rule that is gone was tried.
            (&["review"], "refused", "x.a", &["gone"], "give up"),
            (&["review"], "refused", "tacho.alert", &[], "leave"),
        ] {
            assert_eq!(
                decided(handlers, code, kind, tried),
                expected,
                "{handlers:?} {code} {kind} {tried:?}"
            );
        }
    }

    #[test]
    fn pauses_grow_up_to_an_hour() {
        let later = rule("wait", Action::Later, 99, On::default());
        let pauses = [1, 2, 3, 6, 7, 8, u32::MAX].map(|attempt| later.pause_ms(attempt) / 60_000);
        assert_eq!(pauses, [1, 2, 4, 32, 60, 60, 60]);
        let longer = Rule { after_ms: 7_200_000, ..later };
        assert_eq!([1, 2].map(|attempt| longer.pause_ms(attempt) / 60_000), [120, 120]);
    }
}
