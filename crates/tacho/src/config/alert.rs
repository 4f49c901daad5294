//! `[[alert]]`, `[alerts.webhook]`, `[alerts.mail]` and `[[price]]`: what is watched, who is told, what models cost.

use super::rule::read_one;
use super::sink::{self, Sink};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tacho_engine::{Action, Condition, Price, Rule};
use tacho_event::time::parse_duration_ns;

/// The names of the tables in the file.
pub const TABLES: [&str; 3] = ["alert", "alerts", "price"];
/// The sink that `[alerts.webhook]` is.
pub(super) const WEBHOOK: &str = "alerts-webhook";
/// A way to tell alerts: a sink with less to say.
struct Channel {
    name: &'static str,
    /// What the sink has beside the channel's keys.
    sink: &'static [(&'static str, &'static str)],
    keys: &'static [(&'static str, &'static str)],
}

const CHANNELS: [Channel; 2] = [
    Channel {
        name: "webhook",
        sink: &[("kind", "http"), ("name", WEBHOOK), ("mode", "payload")],
        keys: WEBHOOK_KEYS,
    },
    Channel { name: "mail", sink: &[("kind", "mail"), ("name", "alerts-mail")], keys: MAIL_KEYS },
];

/// Keys, and what they do, for the reference page.
pub const ALERT_KEYS: &[(&str, &str)] = &[
    ("condition", "`<metric> <op> <threshold>`, such as `validation_pass_rate < 0.7`; `> < >= <= == !=`."),
    ("action", "`notify_admin` (the default) or `warn_user`."),
    ("message", "What is told."),
    ("window", "The window of the metric, such as `24h`; `1h` by default."),
];
pub const WEBHOOK_KEYS: &[(&str, &str)] = &[
    ("url", "Gets each alert as a JSON object by POST, at least once."),
    ("secret_env", "The environment variable that holds the secret with which requests are signed."),
    ("secret_file", "The file whose first line is that secret."),
    ("timeout_ms", "How long one attempt may take. Default 10000."),
];
pub const MAIL_KEYS: &[(&str, &str)] = &[
    (
        "url",
        "The SMTP server: `smtps://host` (TLS), `smtp://host` (STARTTLS), `smtp+plain://host` (a relay on this machine).",
    ),
    ("from", "The address that writes."),
    ("to", "The addresses that are written to, commas between them."),
    ("user", "The name at the server, when it wants one."),
    ("secret_env", "The environment variable that holds the password."),
    ("secret_file", "The file whose first line is the password."),
    ("timeout_ms", "How long each step of one attempt may take. Default 10000."),
];
pub const PRICE_KEYS: &[(&str, &str)] = &[
    ("model", "A pattern of models; `*` matches any run of characters. The longest that fits wins."),
    ("effective", "The day from which on it holds, such as `2026-01-31`; since ever without it."),
    ("input", "US dollars a million tokens that came from no cache."),
    ("output", "US dollars a million tokens."),
    ("cache_read", "US dollars a million tokens read from a cache; as `input` without it."),
    (
        "cache_write_5m",
        "US dollars a million tokens written to a cache for five minutes; as `input` without it.",
    ),
    ("cache_write_1h", "For an hour; as the one before without it."),
];

#[derive(Deserialize)]
struct Alert {
    condition: String,
    action: Option<String>,
    message: Option<String>,
    window: Option<String>,
}

#[derive(Deserialize)]
struct PriceItem {
    model: String,
    effective: Option<toml::Value>,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write_5m: Option<f64>,
    cache_write_1h: Option<f64>,
}

/// One item of `[[alert]]`.
pub fn alert(item: &toml::Value) -> Result<Rule> {
    let alert: Alert = read_one("alert", item, ALERT_KEYS)?;
    let condition = Condition::parse(&alert.condition)?;
    let action = match &alert.action {
        None => Action::default(),
        Some(name) => Action::from_name(name).with_context(|| {
            let known = Action::ALL.map(|(name, _)| name).join(", ");
            format!("[[alert]]: {name:?} is no action; known are {known}")
        })?,
    };
    let message = alert.message.unwrap_or_else(|| condition.to_string());
    let mut rule = Rule::new(condition, action, message);
    if let Some(window) = alert.window {
        let length = parse_duration_ns(&window).filter(|length| *length > 0);
        rule.window_ns =
            length.with_context(|| format!("[[alert]]: `window` is {window:?}, write 1h or 7d"))?;
    }
    Ok(rule)
}

/// One item of `[[price]]`.
pub fn price(item: &toml::Value) -> Result<Price> {
    let price: PriceItem = read_one("price", item, PRICE_KEYS)?;
    Ok(Price {
        model: price.model,
        effective: price.effective.map_or(String::new(), |day| day.to_string().trim_matches('"').to_owned()),
        input: price.input,
        output: price.output,
        cache_read: price.cache_read,
        cache_write_5m: price.cache_write_5m,
        cache_write_1h: price.cache_write_1h,
    })
}

/// The sinks that `[alerts]` asks for.
pub fn channels(table: &toml::Value, others: &[Sink]) -> Result<Vec<Sink>> {
    let shape = "write [alerts.webhook] or [alerts.mail] above its keys";
    let Some(asked) = table.as_table() else { bail!(shape) };
    let mut sinks = Vec::new();
    for (name, item) in asked {
        let Some(channel) = CHANNELS.iter().find(|channel| channel.name == name) else {
            bail!(super::file::unknown("channel", name, CHANNELS.iter().map(|channel| channel.name)));
        };
        let mut item = item.as_table().context(shape)?.clone();
        if let Some(strange) = item.keys().find(|key| channel.keys.iter().all(|(known, _)| known != key)) {
            bail!(super::file::unknown("key", strange, channel.keys.iter().map(|(known, _)| *known)));
        }
        for (key, value) in channel.sink.iter().chain(&[("on", "tacho.alert")]) {
            item.insert((*key).to_owned(), (*value).into());
        }
        sinks.push(sink::read(&item.into(), others).with_context(|| format!("[alerts.{name}]"))?);
    }
    Ok(sinks)
}
