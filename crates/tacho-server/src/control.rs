//! Who may control what runs here: pause, resume, retry, discard, test.
//!
//! Whoever reaches the server may read and append. To control it one must also read its data folder, where the control
//! token is: the command line does, and hands a browser a cookie by way of a ticket that counts once.

mod actor;
mod ticket;

pub(crate) use actor::Actor;

use crate::gate::is_same;
use crate::problem::Problem;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tacho_event::Code;
use ticket::Tickets;

/// Carries the control token where the server's own token occupies `Authorization`.
const TOKEN: HeaderName = HeaderName::from_static("x-tacho-control");
const COOKIE_NAME: &str = "tacho_control";

#[derive(Debug)]
pub(crate) struct Control {
    /// `None`: nobody may.
    token: Option<String>,
    tickets: Mutex<Tickets>,
}

impl Control {
    pub(crate) fn new(token: Option<String>) -> Self {
        Self { token, tickets: Mutex::default() }
    }

    /// Who asks, when they may.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<Actor, Problem> {
        let Some(token) = &self.token else {
            return Err(Problem::new(Code::ControlToken, "this server was started without a control token"));
        };
        let is_token = |sent: &str| is_same(sent.as_bytes(), token.as_bytes());
        if [bearer(headers), header(headers, &TOKEN)].into_iter().flatten().any(is_token) {
            return Ok(Actor::of(headers));
        }
        if cookies(headers).any(is_token) {
            return Ok(Actor::dashboard());
        }
        let detail = "this needs the control token: the command line reads it from the data folder, for a browser run \
                      `tacho open`";
        Err(Problem::new(Code::ControlToken, detail))
    }

    /// A ticket to this path, for whoever [`Self::check`] lets.
    pub(crate) fn issue(&self, path: String) -> Result<String, Problem> {
        let ticket = ticket::random().map_err(|error| {
            Problem::new(Code::Internal, format!("the system has no random bytes for a ticket: {error}"))
        })?;
        self.tickets().issue(ticket.clone(), path, Instant::now());
        Ok(ticket)
    }

    /// The cookie and the path that a ticket is good for, once.
    pub(crate) fn redeem(&self, ticket: &str) -> Result<(HeaderValue, String), Problem> {
        let refuse = || {
            let detail = "the ticket was used, or is older than a minute: run `tacho open` again";
            Problem::new(Code::ControlToken, detail)
        };
        let token = self.token.as_ref().ok_or_else(refuse)?;
        let path = self.tickets().redeem(ticket, Instant::now()).ok_or_else(refuse)?;
        let cookie = format!("{COOKIE_NAME}={token}; Path=/; HttpOnly; SameSite=Strict");
        let mut cookie = HeaderValue::try_from(cookie).map_err(|_| refuse())?;
        cookie.set_sensitive(true);
        Ok((cookie, path))
    }

    fn tickets(&self) -> std::sync::MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = header(headers, &AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The values of our cookie: a browser may send several, set at different paths.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &'static str)]) -> String {
        let control = Control::new(Some("c0ffee".into()));
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        match control.check(&headers) {
            Ok(actor) => actor.to_string(),
            Err(problem) => problem.code.as_str().to_owned(),
        }
    }

    #[test]
    fn the_token_comes_in_three_ways() {
        assert_eq!(told(&[("authorization", "Bearer c0ffee")]), "user:dashboard");
        assert_eq!(
            told(&[("authorization", "Bearer other"), ("x-tacho-control", "c0ffee")]),
            "user:dashboard"
        );
        assert_eq!(told(&[("x-tacho-control", "c0ffee"), ("x-tacho-actor", "ann")]), "user:ann");
        assert_eq!(told(&[("cookie", "a=b; tacho_control=c0ffee")]), "user:dashboard");
        assert_eq!(
            told(&[("cookie", "tacho_control=old"), ("cookie", "tacho_control=c0ffee")]),
            "user:dashboard"
        );
    }

    #[test]
    fn without_it_nobody_controls_anything() {
        for headers in [
            &[][..],
            &[("authorization", "Bearer c0ffe")],
            &[("authorization", "c0ffee")],
            &[("x-tacho-control", "")],
            &[("cookie", "tacho_control=c0ffeee")],
            &[("cookie", "xtacho_control=c0ffee")],
        ] {
            assert_eq!(told(headers), "control_token", "{headers:?}");
        }
        let control = Control::new(None);
        let empty = HeaderMap::from_iter([(TOKEN, HeaderValue::from_static(""))]);
        assert!(control.check(&empty).is_err());
    }
}
