//! `[[heal]]`: what is tried about dead letters.

use super::handler::Handler;
use super::rule::read_one;
use super::setting::Kind;
use super::values::Value;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tacho_engine::heal::{Action, On, Rule};
use tacho_event::{Jq, Pattern};

/// The list's name in the file.
pub const TABLE: &str = "heal";

/// What holds where an item names no number.
const ATTEMPTS: u32 = 3;
const AFTER_LATER_MS: u64 = 60_000;
const AFTER_MS: u64 = 1_000;

/// Keys, and what they do, for the reference page.
pub const KEYS: &[(&str, &str)] = &[
    ("name", "Names it in the events of its attempts, which are counted by it, so it must not change."),
    (
        "on",
        "Which letters: a table with `handler`, `code` (of the error) and `type` (of the event), each a pattern with `*`; every one without it.",
    ),
    (
        "do",
        "`later`: the same again. `parameters`: again, with another payload. `capability`: another handler. `agent`: again, with the payload that a handler answers. `escalate`: a person is asked.",
    ),
    (
        "attempts",
        "Most attempts for the same original event; then the next rule that fits has its turn. Default 3.",
    ),
    (
        "after",
        "The pause before the first attempt; each one is twice as long as the one before, up to an hour. Default `\"1m\"` for `later`, else `\"1s\"`.",
    ),
    (
        "data",
        "`parameters`: a jq program that makes the payload; `.` is `{event, error: {code, message}, attempts, handler}`.",
    ),
    (
        "capability",
        "`capability`: what the other handler can do; one of the capabilities of the handler that failed without it.",
    ),
    (
        "handler",
        "`agent`: the handler that is asked. It gets `{event, error, attempts, handler}` as the payload of a `tacho.dead_letter`; the `data` of the first event that it returns is the payload, or the JSON in the text of `data.result`. What it returns is not appended.",
    ),
];

#[derive(Deserialize)]
struct Item {
    name: String,
    on: Option<toml::Value>,
    r#do: String,
    attempts: Option<u32>,
    after: Option<toml::Value>,
    data: Option<String>,
    capability: Option<String>,
    handler: Option<String>,
}

#[derive(Deserialize)]
struct Conditions {
    handler: Option<String>,
    code: Option<String>,
    r#type: Option<String>,
}

/// The keys of `on`.
const ON: &[(&str, &str)] = &[("handler", ""), ("code", ""), ("type", "")];

/// Reads one item of the list; `others` are those before it.
pub fn read(item: &toml::Value, others: &[Rule]) -> Result<Rule> {
    let item: Item = read_one(TABLE, item, KEYS)?;
    ensure!(!item.name.is_empty(), "[[heal]]: `name` is empty");
    ensure!(others.iter().all(|other| other.name != item.name), "two [[heal]] are named {:?}", item.name);
    let name = item.name.clone();
    rule(item).with_context(|| format!("heal `{name}`"))
}

fn rule(item: Item) -> Result<Rule> {
    let keys = [("data", &item.data), ("capability", &item.capability), ("handler", &item.handler)];
    let own = match item.r#do.as_str() {
        "parameters" => Some("data"),
        "capability" => Some("capability"),
        "agent" => Some("handler"),
        _ => None,
    };
    if let Some((key, _)) = keys.iter().find(|(key, value)| value.is_some() && own != Some(*key)) {
        bail!("`{key}` is no key of `do = {:?}`", item.r#do);
    }
    let action = match item.r#do.as_str() {
        "later" => Action::Later,
        "parameters" => {
            let program = item.data.context("`data` is missing: say what the payload is made of")?;
            Action::Parameters(Jq::compile(&program).context("`data`")?)
        }
        "capability" => Action::Capability(item.capability),
        "agent" => Action::Agent(item.handler.context("`handler` is missing: say who is asked")?),
        "escalate" => Action::Escalate,
        strange => bail!("`do` is {strange:?}, but it is one of {}", Action::NAMES.join(", ")),
    };
    let attempts = item.attempts.unwrap_or(ATTEMPTS);
    ensure!(attempts > 0, "`attempts` is 0: write 1 or more");
    let default = if matches!(action, Action::Later) { AFTER_LATER_MS } else { AFTER_MS };
    let after_ms = match item.after.map(|after| Value::from_toml(Kind::Milliseconds, &after)) {
        Some(after) => match after.context("`after`")? {
            Value::Number(number) => number,
            _ => default,
        },
        None => default,
    };
    let on = item.on.as_ref().map(on).transpose()?.unwrap_or_default();
    Ok(Rule { name: item.name, on, action, attempts, after_ms })
}

fn on(value: &toml::Value) -> Result<On> {
    let on: Conditions = read_one("heal.on", value, ON)?;
    let pattern = |text: Option<String>| text.map(Pattern::new);
    Ok(On { handler: pattern(on.handler), code: pattern(on.code), kind: pattern(on.r#type) })
}

/// Whether everyone that a rule asks is there.
pub fn check_handlers(rules: &[Rule], handlers: &[Handler]) -> Result<()> {
    for rule in rules {
        if let Action::Agent(asked) = &rule.action
            && handlers.iter().all(|handler| handler.name != *asked)
        {
            bail!("heal `{}`: no [[handler]] is named {asked:?}, which `handler` asks", rule.name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::apply;
    use crate::config::values::Values;
    use std::path::Path;

    fn rules(text: &str) -> Result<Vec<Rule>> {
        Ok(apply(Path::new("tacho.toml"), text, &mut Values::defaults()?)?.heals)
    }

    /// What is said of a rule with these lines beside a name.
    fn refused(lines: &str) -> String {
        format!("{:#}", rules(&format!("[[heal]]\nname = \"x\"\n{lines}\n")).unwrap_err())
    }

    #[test]
    fn a_name_and_a_deed_are_enough() {
        let text = "[[heal]]\nname = \"wait\"\ndo = \"later\"\n[[heal]]\nname = \"ask\"\ndo = \"escalate\"\n";
        let rules = rules(text).unwrap();
        assert_eq!((rules[0].attempts, rules[0].after_ms, rules[0].on.conditions().count()), (3, 60_000, 0));
        assert_eq!((rules[1].action.name(), rules[1].after_ms), ("escalate", 1_000));
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
[[heal]]
name = "shorten"
on = { handler = "rev*", code = "http_4*", type = "demo.*" }
do = "parameters"
data = ".event.data | del(.body)"
attempts = 2
after = "5s"
[[heal]]
name = "other"
do = "capability"
capability = "review"
[[heal]]
name = "repair"
do = "agent"
handler = "agent"
"#;
        let rules = rules(text).unwrap();
        let on: Vec<_> = rules[0].on.conditions().collect();
        assert_eq!(on, [("handler", "rev*"), ("code", "http_4*"), ("type", "demo.*")]);
        assert_eq!((rules[0].attempts, rules[0].after_ms), (2, 5_000));
        let Action::Parameters(program) = &rules[0].action else { panic!("{:?}", rules[0].action) };
        assert_eq!(program.as_str(), ".event.data | del(.body)");
        assert!(matches!(&rules[1].action, Action::Capability(Some(name)) if name == "review"));
        assert!(matches!(&rules[2].action, Action::Agent(name) if name == "agent"));
        let told = format!("{:#}", check_handlers(&rules, &[]).unwrap_err());
        assert_eq!(told, "heal `repair`: no [[handler]] is named \"agent\", which `handler` asks");
    }

    #[test]
    fn a_refusal_says_what_is_meant() {
        for (lines, told) in [
            (
                "do = \"wait\"",
                "heal `x`: `do` is \"wait\", but it is one of later, parameters, capability, agent, escalate",
            ),
            ("do = \"parameters\"", "heal `x`: `data` is missing: say what the payload is made of"),
            ("do = \"agent\"", "heal `x`: `handler` is missing: say who is asked"),
            ("do = \"later\"\ndata = \".\"", "heal `x`: `data` is no key of `do = \"later\"`"),
            ("do = \"later\"\nattempts = 0", "heal `x`: `attempts` is 0: write 1 or more"),
            ("do = \"later\"\nafter = \"soon\"", "heal `x`: `after`"),
            ("do = \"parameters\"\ndata = \"(\"", "heal `x`: `data`"),
            (
                "do = \"later\"\non.handlr = \"a\"",
                "heal `x`: [[heal.on]]: there is no key `handlr`: did you mean `handler`?",
            ),
            ("do = \"later\"\natempts = 1", "[[heal]]: there is no key `atempts`: did you mean `attempts`?"),
            ("do = \"later\"\n[[heal]]\nname = \"x\"\ndo = \"later\"", "two [[heal]] are named \"x\""),
        ] {
            assert!(refused(lines).contains(told), "{}", refused(lines));
        }
    }
}
