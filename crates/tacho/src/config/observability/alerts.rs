//! `alerts` and `channels`: what is watched, and who is told.

use super::Project;
use super::destinations::{add, add_secret, table};
use super::fields::{Fields, Known};
use crate::config::alert::WEBHOOK;
use crate::config::file::unknown;
use crate::config::yaml::{Document, Node};
use anyhow::Result;
use tacho_engine::{Action, Condition, Rule};

pub const KEYS: &Known = &[
    ("condition", "`<metric> <op> <threshold>`, such as `validation_pass_rate < 0.70`."),
    ("action", "`notify_admin` (the default) or `warn_user`."),
    ("message", "What is told."),
    ("channels", "The channels that tell of it, a list; all that are enabled without it."),
];
pub const CHANNEL_KEYS: &Known = &[
    ("console", "The server's standard output."),
    ("webhook", "A receiver over HTTP, as `[alerts.webhook]` of tacho.toml."),
    ("email", "Is set up in tacho.toml alone, as `[alerts.mail]`."),
];
pub const CONSOLE_KEYS: &Known = &[("enabled", "`false` switches it off.")];
pub const WEBHOOK_KEYS: &Known = &[
    ("enabled", "`false` switches it off."),
    ("url", "Gets each alert as a JSON object by POST."),
    ("url_env", "The environment variable that holds the URL instead; `ALERT_WEBHOOK_URL` without either."),
    ("secret_env", "The environment variable that holds the secret with which requests are signed."),
    ("secret_file", "The file whose first line is that secret."),
];
const CHANNELS: [&str; 2] = ["console", "webhook"];
const URL_VARIABLE: &str = "ALERT_WEBHOOK_URL";
const NO_MAIL: &str = "mail is set up in tacho.toml alone: write [alerts.mail] there";
/// The names of `email` where people write them.
const MAIL: [&str; 2] = ["email", "mail"];

/// Each alert's condition with the channels that it names; without any, all tell of it.
#[derive(Default)]
pub struct Routes(Vec<(String, Option<Vec<&'static str>>)>);

pub fn read(
    document: &Document<'_>,
    node: &Node,
    window_ns: Option<i64>,
    routes: &mut Routes,
    project: &mut Project,
) -> Result<()> {
    let fields = Fields::read(document, node, KEYS, &mut project.warnings)?;
    let refuse =
        |key: &str, why: String| document.refuse(fields.get(key).unwrap_or(node), format!("`{key}`: {why}"));
    let condition = Condition::parse(fields.need("condition")?)
        .map_err(|error| refuse("condition", error.to_string()))?;
    let action = match fields.text("action")? {
        None => Action::default(),
        Some(name) => Action::from_name(name).ok_or_else(|| {
            let known = Action::ALL.map(|(name, _)| name).join(", ");
            refuse("action", format!("{name:?} is no action; known are {known}"))
        })?,
    };
    let message = fields.text("message")?.map_or_else(|| condition.to_string(), str::to_owned);
    let text = condition.to_string();
    let names = fields.get("channels").map(|_| named(&fields, project)).transpose()?;
    routes.0.push((text.clone(), names));
    let mut rule = Rule::new(condition, action, message);
    rule.window_ns = window_ns.unwrap_or(rule.window_ns);
    project.rules.alerts.push(rule);
    project.bring(node, "alert".to_owned(), format!("{text} ({})", action.name()));
    Ok(())
}

/// The channels that an alert names.
fn named(fields: &Fields<'_>, project: &mut Project) -> Result<Vec<&'static str>> {
    let mut names = Vec::new();
    for (place, name) in fields.texts("channels")? {
        if MAIL.contains(&name) {
            project.warnings.push(fields.document.say(place, format!("`channels`: {NO_MAIL}")));
            continue;
        }
        let known = CHANNELS.into_iter().find(|known| *known == name);
        let told = || unknown("channel", name, CHANNELS.into_iter());
        names.push(known.ok_or_else(|| fields.document.refuse(place, told()))?);
    }
    Ok(names)
}

/// Opens the channels: those that are configured, and those that an alert names.
pub fn channels(
    document: &Document<'_>,
    node: Option<&Node>,
    alerts: Option<&Node>,
    routes: &Routes,
    project: &mut Project,
) -> Result<()> {
    let known: Vec<_> = CHANNEL_KEYS.iter().copied().chain([("mail", "As `email`.")]).collect();
    let fields = node.map(|node| Fields::read(document, node, &known, &mut project.warnings)).transpose()?;
    let part = |name: &str| fields.as_ref().and_then(|fields| fields.get(name));
    for name in MAIL.into_iter().filter(|name| part(name).is_some()) {
        let key = fields.as_ref().map_or(&document.root, |fields| fields.key(name));
        project.warnings.push(document.say(key, format!("`channels.{name}`: {NO_MAIL}")));
    }
    for (name, keys) in [("console", CONSOLE_KEYS), ("webhook", WEBHOOK_KEYS)] {
        let Some(place) = part(name).or(alerts).filter(|_| routes.asks(name) || part(name).is_some()) else {
            continue;
        };
        let nothing = Node::of_nothing(place);
        let channel = part(name).unwrap_or(&nothing);
        let fields = Fields::read(document, channel, keys, &mut project.warnings)?;
        if fields.is_enabled()? {
            open(name, &fields, routes, project)?;
        }
    }
    Ok(())
}

fn open(name: &str, fields: &Fields<'_>, routes: &Routes, project: &mut Project) -> Result<()> {
    let (sink, mut item) = match name {
        "console" => ("alerts-console", table([("kind", "console")])),
        _ => {
            let Some(url) = url(fields, project)? else { return Ok(()) };
            let mut item = table([("kind", "http"), ("url", &url), ("mode", "payload")]);
            add_secret(fields, &mut item)?;
            (WEBHOOK, item)
        }
    };
    let mut on = table([("type", "tacho.alert")]);
    if let Some(condition) = routes.condition(name) {
        on.insert("where".to_owned(), condition.into());
    }
    item.insert("on".to_owned(), on.into());
    add(fields, sink, item, project)
}

fn url(fields: &Fields<'_>, project: &mut Project) -> Result<Option<String>> {
    if let Some(url) = fields.text("url")? {
        return Ok(Some(url.to_owned()));
    }
    let variable = fields.text("url_env")?.unwrap_or(URL_VARIABLE);
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let told = format!("the webhook has no `url`, and {variable} is not set: no alert goes there");
        project.warnings.push(fields.document.say(fields.node, told));
    }
    Ok(url)
}

impl Routes {
    /// Whether an alert names the channel.
    fn asks(&self, channel: &str) -> bool {
        self.0.iter().any(|(_, names)| names.as_ref().is_some_and(|names| names.contains(&channel)))
    }

    /// What chooses a channel's alerts; `None` where it gets all. What is told without a rule goes to each.
    fn condition(&self, channel: &str) -> Option<String> {
        let reaches = |names: &Option<Vec<&str>>| names.as_ref().is_none_or(|names| names.contains(&channel));
        if self.0.iter().all(|(_, names)| reaches(names)) {
            return None;
        }
        let mut chosen = ".data.kind != \"threshold\"".to_owned();
        for (condition, _) in self.0.iter().filter(|(_, names)| reaches(names)) {
            chosen
                .push_str(&format!(" or .data.condition == {}", serde_json::Value::from(condition.as_str())));
        }
        Some(chosen)
    }
}
