//! `http`: events as CloudEvents to a URL, signed.

use super::Kind;
use crate::{Settings, SettingsError, Surroundings, signature};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tacho_engine::Engine;
use tacho_engine::delivery::{BatchLimits, Deliver, Delivered, Delivery, Failure, Verdict};
use ureq::Agent;
use ureq::http::{HeaderMap, Uri};

/// How long one attempt may take unless configured otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) const KIND: Kind = Kind {
    name: "http",
    about: "Posts CloudEvents to `url`: a batch (`application/cloudevents-batch+json`), or with `mode = \"structured\"` \
            one at a time, or with `mode = \"payload\"` each payload alone (`application/json`). With a secret, requests are signed as Standard Webhooks says. A `Retry-After` of 429 and 503 \
            is honoured; any other answer of 400 to 499 but 408 makes a dead letter, all else is tried again.",
    keys: &["url", "mode", "secret_env", "secret_file", "timeout_ms"],
    batch: || BatchLimits { events: 100, bytes: 1 << 20, window_ms: 100 },
    check: |settings, _| {
        url(settings)?;
        mode(settings).map(drop)
    },
    open,
};

/// How events are put into requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Batch,
    Structured,
    /// One at a time, the payload alone.
    Payload,
}

fn mode(settings: &Settings) -> Result<Mode, SettingsError> {
    match settings.mode.as_deref() {
        None | Some("batch") => Ok(Mode::Batch),
        Some("structured") => Ok(Mode::Structured),
        Some("payload") => Ok(Mode::Payload),
        Some(other) => Err(SettingsError::unusable(
            "mode",
            format!("{other:?} is none of batch, structured and payload"),
        )),
    }
}

fn url(settings: &Settings) -> Result<Uri, SettingsError> {
    let text = settings.url.as_deref().ok_or(SettingsError::Missing("url"))?;
    let refuse = |reason: &str| SettingsError::unusable("url", reason);
    let url: Uri = text.parse().map_err(|_| refuse("it is no URL"))?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    match url.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err(refuse("a secret does not belong into a URL: name it with secret_env or secret_file"))
        }
        Some(_) if is_http => Ok(url),
        _ => Err(refuse("write one such as https://example.com/events")),
    }
}

fn open(settings: &Settings, surroundings: &Surroundings) -> Result<Box<dyn Deliver>, SettingsError> {
    let timeout = settings.timeout_ms.map_or(TIMEOUT, Duration::from_millis);
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .user_agent(concat!("tacho/", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(Box::new(Http {
        url: url(settings)?,
        mode: mode(settings)?,
        key: settings.secret.as_ref().map(signature::key).transpose()?,
        engine: surroundings.engine.clone(),
        agent: config.into(),
        accepted: 0,
    }))
}

struct Http {
    url: Uri,
    mode: Mode,
    /// What requests are signed with.
    key: Option<Vec<u8>>,
    engine: Engine,
    agent: Agent,
    /// Of the delivery that is tried again, the last position that was taken; structured mode sends one by one.
    accepted: u64,
}

impl Deliver for Http {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        match self.mode {
            Mode::Batch => {
                let mut body = b"[".to_vec();
                for (index, event) in delivery.events.iter().enumerate() {
                    if index > 0 {
                        body.push(b',');
                    }
                    event.write_cloudevent(&mut body);
                }
                body.push(b']');
                let ids = delivery.events.iter().map(|event| (event.source(), event.id()));
                self.post("application/cloudevents-batch+json", &message_id(ids), &body)?;
            }
            Mode::Structured | Mode::Payload => {
                let left = delivery.events.iter().filter(|event| event.position.0 > self.accepted);
                for event in left.collect::<Vec<_>>() {
                    let id = message_id([(event.source(), event.id())].into_iter());
                    match self.mode {
                        Mode::Payload => {
                            self.post("application/json", &id, event.data().unwrap_or(b"null"))?;
                        }
                        _ => self.post("application/cloudevents+json", &id, &event.to_cloudevent())?,
                    }
                    self.accepted = event.position.0;
                }
            }
        }
        Ok(Delivered::default())
    }
}

impl Http {
    fn post(&self, media_type: &str, id: &str, body: &[u8]) -> Result<(), Failure> {
        let mut request = self.agent.post(self.url.clone()).header("content-type", media_type);
        let seconds = self.engine.now().0.div_euclid(1_000_000_000);
        request = request.header("webhook-id", id).header("webhook-timestamp", seconds.to_string());
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", signature::sign(key, id, seconds, body));
        }
        let answer = request.send(body).map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        match status {
            200..=299 => Ok(()),
            429 | 503 => {
                let mut failure = self.refused(status);
                failure.verdict = Verdict::Retry { after: retry_after(answer.headers(), seconds) };
                Err(failure)
            }
            408 => Err(self.refused(status)),
            400..=499 => Err(Failure { verdict: Verdict::Reject, ..self.refused(status) }),
            _ => Err(self.refused(status)),
        }
    }

    fn refused(&self, status: u16) -> Failure {
        Failure::retry(format!("http_{status}"), format!("{} answered {status}", self.host()))
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let code = if matches!(error, ureq::Error::Timeout(_)) { "timeout" } else { "unreachable" };
        Failure::retry(code, format!("{}: {error}", self.host()))
    }

    /// A path or a query may hold a secret.
    fn host(&self) -> &str {
        self.url.authority().map_or("", |authority| authority.as_str())
    }
}

/// The same for the same events, so that a receiver recognises what came before.
fn message_id<'a>(keys: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    for part in keys.flat_map(|(source, id)| [source, id]) {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hex: String = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("msg_{hex}")
}

/// RFC 9110, section 10.2.3: seconds, or a moment.
fn retry_after(headers: &HeaderMap, now_seconds: i64) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = http_date(text)?;
    Some(Duration::from_secs(u64::try_from(moment - now_seconds).unwrap_or(0)))
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.strip_suffix(" GMT")?.split_ascii_whitespace().skip(1);
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let moment = tacho_event::Timestamp::from_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))?;
    Some(moment.0.div_euclid(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_moment() {
        let after = |text: &str, now| {
            let headers = HeaderMap::from_iter([(ureq::http::header::RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now).map(|after| after.as_secs())
        };
        assert_eq!(after("120", 0), Some(120));
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_770), Some(7));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_790), Some(0));
        assert_eq!(after("soon", 0), None);
    }

    #[test]
    fn a_url_holds_no_secret() {
        let told = |text: &str| url(&Settings { url: Some(text.into()), ..Settings::default() });
        assert!(told("http://127.0.0.1:1/x").is_ok());
        let refused = told("https://me:hunter2@example.com/").unwrap_err().to_string();
        assert!(refused.contains("secret_env") && !refused.contains("hunter2"), "{refused}");
        assert!(told("ftp://example.com/").is_err() && told("nowhere").is_err());
    }
}
