//! `mail`: events as mails over SMTP (RFC 5321).

use super::Kind;
use crate::{Settings, SettingsError, name_of};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::{self, SmtpTransportBuilder};
use lettre::{Message, SmtpTransport, Transport};
use serde_json::Value;
use std::fmt::Write;
use std::time::{Duration, SystemTime};
use tacho_engine::delivery::{BatchLimits, Deliver, Delivered, Delivery, Failure, Verdict};
use tacho_event::{Recorded, head};
use ureq::http::Uri;

/// How long each step of one attempt may take unless configured otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Of a payload in a mail, in bytes; the log has the whole.
const PAYLOAD_BYTES_MAX: usize = 16 << 10;
/// Of a subject, in characters.
const SUBJECT_MAX: usize = 120;
/// A server that wants a login that it did not get, or does not know it (RFC 4954): a person can mend that.
const LOGIN_REFUSALS: [u16; 3] = [530, 534, 535];

pub(super) const KIND: Kind = Kind {
    name: "mail",
    about: "Sends a mail to the addresses `to` over the SMTP server `url`: `smtps://host` speaks TLS from the start (port 465), \
            `smtp://host` begins it with STARTTLS and goes no further without (port 587), `smtp+plain://host` has none (port 25; for a relay on this \
            machine). A refusal for good (5xx) makes a dead letter, unless it is of the login; all else is tried again.",
    keys: &["url", "from", "to", "user", "secret_env", "secret_file", "timeout_ms"],
    types: &["*"],
    batch: || BatchLimits { events: 20, bytes: 1 << 20, window_ms: 1000 },
    check: |settings, has_secret| {
        if settings.user.is_some() != has_secret {
            let reason = "name both: the user, and where its password is";
            return Err(SettingsError::unusable("user", reason));
        }
        addresses(settings)?;
        server(settings).map(drop)
    },
    open: |settings, _| Ok(Box::new(Mail::open(settings)?)),
};

struct Mail {
    from: Mailbox,
    to: Mailboxes,
    server: SmtpTransport,
    host: String,
}

impl Mail {
    fn open(settings: &Settings) -> Result<Self, SettingsError> {
        let (from, to) = addresses(settings)?;
        let (mut server, host) = server(settings)?;
        if let (Some(user), Some(password)) = (&settings.user, &settings.secret) {
            server = server.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        let timeout = settings.timeout_ms.map_or(TIMEOUT, Duration::from_millis);
        Ok(Self { from, to, server: server.timeout(Some(timeout)).build(), host })
    }

    fn failure(&self, error: &smtp::Error) -> Failure {
        let Some(status) = error.status().map(u16::from) else {
            let code = if error.is_timeout() { "timeout" } else { "unreachable" };
            return Failure::retry(code, format!("{}: {error}", self.host));
        };
        let mut failure = Failure::retry(format!("smtp_{status}"), format!("{}: {error}", self.host));
        if error.is_permanent() && !LOGIN_REFUSALS.contains(&status) {
            failure.verdict = Verdict::Reject;
        }
        failure
    }
}

impl Deliver for Mail {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let mut mail = Message::builder()
            .from(self.from.clone())
            .subject(subject(delivery.events))
            .message_id(Some(format!("<{}@tachograph>", name_of(delivery.events))))
            .header(ContentType::TEXT_PLAIN);
        for address in self.to.iter() {
            mail = mail.to(address.clone());
        }
        if let Some(event) = delivery.events.first() {
            let seconds = u64::try_from(event.time().0.div_euclid(1_000_000_000)).unwrap_or(0);
            mail = mail.date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        }
        let refuse = |error| Failure {
            verdict: Verdict::Reject,
            ..Failure::retry("unwritable", format!("the mail cannot be written: {error}"))
        };
        let mail = mail.body(body(delivery.events)).map_err(refuse)?;
        self.server.send(&mail).map_err(|error| self.failure(&error))?;
        Ok(Delivered::default())
    }
}

fn addresses(settings: &Settings) -> Result<(Mailbox, Mailboxes), SettingsError> {
    let refuse = |key| move |_| SettingsError::unusable(key, "write addresses such as me@example.com");
    let from = settings.from.as_deref().ok_or(SettingsError::Missing("from"))?;
    let to = settings.to.as_deref().ok_or(SettingsError::Missing("to"))?;
    Ok((from.parse().map_err(refuse("from"))?, to.parse().map_err(refuse("to"))?))
}

/// The server as the URL names it, and its name for messages.
fn server(settings: &Settings) -> Result<(SmtpTransportBuilder, String), SettingsError> {
    let text = settings.url.as_deref().ok_or(SettingsError::Missing("url"))?;
    let refuse = |reason: &str| SettingsError::unusable("url", reason);
    let url: Uri = text.parse().map_err(|_| refuse("it is no URL"))?;
    let authority = url.authority().ok_or_else(|| refuse("write one such as smtp://mail.example.com"))?;
    if authority.as_str().contains('@') {
        return Err(refuse("a secret does not belong into a URL: name it with secret_env or secret_file"));
    }
    let host = url.host().unwrap_or_default();
    let unusable = |error: smtp::Error| refuse(&error.to_string());
    let server = match url.scheme_str() {
        Some("smtps") => SmtpTransport::relay(host).map_err(unusable)?,
        Some("smtp") => SmtpTransport::starttls_relay(host).map_err(unusable)?,
        Some("smtp+plain") => SmtpTransport::builder_dangerous(host),
        _ => return Err(refuse("write smtp://, smtps:// or smtp+plain://")),
    };
    let server = match url.port_u16() {
        Some(port) => server.port(port),
        None => server,
    };
    Ok((server, authority.to_string()))
}

/// What the first event says, and how many others came with it.
fn subject(events: &[Recorded]) -> String {
    let Some(first) = events.first() else { return String::new() };
    let message = payload(first).and_then(|data| Some(data.get("message")?.as_str()?.to_owned()));
    let said = message.unwrap_or_else(|| format!("{} in {}", first.kind(), first.stream()));
    let line: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUBJECT_MAX).collect();
    match events.len() - 1 {
        0 => format!("[tacho] {line}"),
        more => format!("[tacho] {line} (and {more} more)"),
    }
}

fn body(events: &[Recorded]) -> String {
    let mut text = String::new();
    for event in events {
        let (kind, stream, time) = (event.kind(), event.stream(), event.time().to_rfc3339());
        let _ = write!(text, "{kind}\n{time}  {stream}  position {}\n\n", event.position.0);
        if let Some(data) = payload(event) {
            let mut pretty = serde_json::to_string_pretty(&data).unwrap_or_default();
            if pretty.len() > PAYLOAD_BYTES_MAX {
                pretty.truncate(head(&pretty, PAYLOAD_BYTES_MAX).len());
                pretty.push_str("\n… the log has the rest");
            }
            let _ = write!(text, "{pretty}\n\n");
        }
    }
    text
}

fn payload(event: &Recorded) -> Option<Value> {
    serde_json::from_slice(event.data()?).ok()
}
