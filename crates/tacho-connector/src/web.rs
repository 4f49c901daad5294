//! Requests to a receiver over HTTP, and what its answers mean for a delivery.

use crate::{Settings, SettingsError};
use std::time::Duration;
use tacho_engine::delivery::{Failure, Verdict};
use ureq::http::{HeaderMap, Response, Uri};
use ureq::{Agent, Body};

/// How long one attempt may take unless configured otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer that is looked at, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// A receiver.
pub(crate) struct Web {
    url: Uri,
    agent: Agent,
}

impl Web {
    pub(crate) fn open(settings: &Settings) -> Result<Self, SettingsError> {
        let timeout = settings.timeout_ms.map_or(TIMEOUT, Duration::from_millis);
        Ok(Self::at(url(settings)?, timeout))
    }

    /// A receiver at a URL that was checked.
    pub(crate) fn at(url: Uri, timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .user_agent(concat!("tacho/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { url, agent: config.into() }
    }

    /// Posts to the URL with `below` behind its path; answers the body of a success. `now_seconds` since 1970
    /// is what a moment in `Retry-After` is measured from.
    pub(crate) fn post(
        &self,
        below: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        now_seconds: i64,
    ) -> Result<Vec<u8>, Failure> {
        let mut answer = self.send(below, headers, body, None, now_seconds)?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        // What was taken is taken, whatever is said about it.
        Ok(body.unwrap_or_default())
    }

    /// As [`Self::post`], but answers a success with its body unread; within `timeout` when there is one.
    pub(crate) fn send(
        &self,
        below: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        timeout: Option<Duration>,
        now_seconds: i64,
    ) -> Result<Response<Body>, Failure> {
        let url = format!("{}{below}", self.url.to_string().trim_end_matches('/'));
        let url = if below.is_empty() { self.url.to_string() } else { url };
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if timeout.is_some() {
            request = request.config().timeout_global(timeout).build();
        }
        let answer = request.send(body).map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        match status {
            200..=299 => Ok(answer),
            429 | 503 => {
                let mut failure = self.refused(status);
                failure.verdict = Verdict::Retry { after: retry_after(answer.headers(), now_seconds) };
                Err(failure)
            }
            408 | 425 => Err(self.refused(status)),
            400..=499 => Err(Failure { verdict: Verdict::Reject, ..self.refused(status) }),
            _ => Err(self.refused(status)),
        }
    }

    /// The whole body of a success.
    pub(crate) fn body(&self, answer: &mut Response<Body>, bytes_max: usize) -> Result<Vec<u8>, Failure> {
        let body = answer.body_mut().with_config().limit(bytes_max as u64).read_to_vec();
        body.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => self.too_large(bytes_max),
            error => self.unreachable(&error),
        })
    }

    pub(crate) fn too_large(&self, bytes_max: usize) -> Failure {
        let message = format!("{} answered more than {bytes_max} bytes; raise `output_bytes`", self.host());
        Failure::retry("output_too_large", message)
    }

    fn refused(&self, status: u16) -> Failure {
        Failure::retry(format!("http_{status}"), format!("{} answered {status}", self.host()))
    }

    pub(crate) fn unreachable(&self, error: &ureq::Error) -> Failure {
        let code = if matches!(error, ureq::Error::Timeout(_)) { "timeout" } else { "unreachable" };
        Failure::retry(code, format!("{}: {error}", self.host()))
    }

    /// A path or a query may hold a secret.
    pub(crate) fn host(&self) -> &str {
        self.url.authority().map_or("", |authority| authority.as_str())
    }
}

/// The receiver's URL.
pub(crate) fn url(settings: &Settings) -> Result<Uri, SettingsError> {
    parse_url(settings.url.as_deref().ok_or(SettingsError::Missing("url"))?)
}

/// A URL of a receiver that holds no secret.
pub(crate) fn parse_url(text: &str) -> Result<Uri, SettingsError> {
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
