//! Who may come in: the rules on Host, Origin, Sec-Fetch-Site and the token.
//!
//! A page of another site can make a browser send requests here. Its Host header tells a name that was rebound
//! to this address; its Origin header tells the page.

use crate::api::page;
use crate::config::Config;
use crate::problem::Problem;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, UPGRADE};
use axum::http::{HeaderMap, HeaderName, Method, Request};
use std::collections::HashSet;
use std::net::SocketAddr;
use tacho_event::Code;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Paths that answer without a token: whoever starts the server must be able to ask whether it runs. The dashboard's own
/// files do too: they hold nothing that was recorded, and ask for the token before they read any of it. A ticket is its own
/// proof.
const OPEN_PATHS: [&str; 3] = ["/healthz", "/readyz", "/open"];
/// Paths below which even a read is refused to a foreign page. It could not see the answer, but the work would be
/// done. The rest may be linked to.
const GUARDED_PATHS: [&str; 5] = ["/api", "/hooks", "/v1", "/ws", "/agent-events"];

#[derive(Debug)]
pub(crate) struct Gate {
    /// Hosts in lower case, without port.
    hosts: Vec<String>,
    origins: Vec<String>,
    token: Option<String>,
}

impl Gate {
    pub(crate) fn new(config: &Config, addresses: &[SocketAddr]) -> Self {
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
        hosts.extend(addresses.iter().map(|address| host_of(&address.to_string())));
        hosts.extend(config.listen_names.iter().map(|name| host_of(name)));
        let origins: Vec<String> = config.allowed_origins.iter().map(|origin| normalised(origin)).collect();
        hosts.extend(
            origins.iter().filter_map(|origin| origin.split_once("://")).map(|(_, rest)| host_of(rest)),
        );
        let mut known = HashSet::new();
        hosts.retain(|host| known.insert(host.clone()));
        Self { hosts, origins, token: config.token.clone() }
    }

    /// Why the request is refused, if it is.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let headers = request.headers();
        let host = self.check_host(request)?;
        let upgrades = headers.contains_key(UPGRADE);
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if !safe || upgrades || is_guarded(request.uri().path()) {
            self.check_origin(headers, host)?;
        }
        self.check_token(request)
    }

    /// The `Access-Control-Allow-Origin` of the answer: the request's origin, when it was named in the
    /// configuration.
    pub(crate) fn allowed_origin(&self, headers: &HeaderMap) -> Option<String> {
        let origin = headers.get(ORIGIN)?.to_str().ok()?;
        self.origins.contains(&normalised(origin)).then(|| origin.to_owned())
    }

    fn check_host<'a, B>(&self, request: &'a Request<B>) -> Result<&'a str, Problem> {
        let mut named = request.headers().get_all(HOST).iter();
        let header = named.next().and_then(|host| host.to_str().ok());
        let host = match (header, request.uri().authority()) {
            (_, Some(authority)) => Some(authority.as_str()),
            (header, None) => header,
        };
        let known = |host: &str| self.hosts.contains(&host_of(host));
        match host {
            Some(host) if named.next().is_none() && known(host) && header.is_none_or(known) => Ok(host),
            _ => Err(Problem::new(
                Code::ForbiddenHost,
                format!(
                    "host {:?} is none of this server: use one of {}, or name it in `server.listen_names`",
                    host.unwrap_or_default(),
                    self.hosts.join(", ")
                ),
            )),
        }
    }

    fn check_origin(&self, headers: &HeaderMap, host: &str) -> Result<(), Problem> {
        let refuse = |what: String| {
            let detail = format!("{what}: name the page's origin in `server.allowed_origins` if it may");
            Err(Problem::new(Code::ForbiddenOrigin, detail))
        };
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => {}
            (Some(origin), None) => {
                let origin = normalised(origin.to_str().unwrap_or("(unreadable)"));
                let own = origin.split_once("://").is_some_and(|(scheme, rest)| {
                    matches!(scheme, "http" | "https") && rest == host.to_ascii_lowercase()
                });
                if self.origins.contains(&origin) {
                    return Ok(());
                }
                if !own {
                    return refuse(format!("origin {origin:?} may not use this server"));
                }
            }
            _ => return refuse("several origins may not use this server".to_owned()),
        }
        match headers.get(SEC_FETCH_SITE) {
            Some(site) if site == "cross-site" => {
                refuse("a page of another site may not use this server".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn check_token<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let Some(token) = &self.token else { return Ok(()) };
        let path = request.uri().path();
        let upgrades = request.headers().contains_key(UPGRADE);
        if OPEN_PATHS.contains(&path) || (page::is_at(path) && !upgrades) {
            return Ok(());
        }
        let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = sent
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        match sent {
            Some((_, sent)) if is_same(sent.trim().as_bytes(), token.as_bytes()) => Ok(()),
            _ => {
                let detail = "send the server's token as `Authorization: Bearer …`";
                Err(Problem::new(Code::Unauthorized, detail))
            }
        }
    }
}

fn is_guarded(path: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    GUARDED_PATHS.iter().any(|guarded| path.strip_prefix(guarded).is_some_and(below))
}

/// The host without its port, in lower case; an IPv6 address keeps its brackets.
fn host_of(authority: &str) -> String {
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => format!("[{address}]"),
        None => authority.split(':').next().unwrap_or_default().to_owned(),
    };
    host.to_ascii_lowercase()
}

fn normalised(origin: &str) -> String {
    origin.trim_end_matches('/').to_ascii_lowercase()
}

/// Compares in a time that does not tell where the first difference is.
pub(crate) fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(config: &Config, method: Method, headers: &[(&str, &str)]) -> &'static str {
        told_at(config, method, "/api/events", headers)
    }

    fn told_at(config: &Config, method: Method, path: &str, headers: &[(&str, &str)]) -> &'static str {
        let gate = Gate::new(config, &["127.0.0.1:3010".parse().unwrap()]);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match gate.check(&request.body(()).unwrap()) {
            Ok(()) => "in",
            Err(problem) => problem.code.as_str(),
        }
    }

    #[test]
    fn hosts() {
        let config = Config { listen_names: vec!["Box.local".into()], ..Config::default() };
        for host in ["localhost", "LOCALHOST:3010", "127.0.0.1:3010", "[::1]:99", "box.local:3010"] {
            assert_eq!(told(&config, Method::GET, &[("host", host)]), "in", "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::2]", ""] {
            assert_eq!(told(&config, Method::GET, &[("host", host)]), "forbidden_host", "{host}");
        }
        assert_eq!(told(&config, Method::GET, &[]), "forbidden_host");
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(told(&config, Method::GET, &two), "forbidden_host");
    }

    #[test]
    fn origins() {
        let config = Config { allowed_origins: vec!["http://app.example".into()], ..Config::default() };
        let post =
            |origin: &str| told(&config, Method::POST, &[("host", "localhost:3010"), ("origin", origin)]);
        assert_eq!(post("http://localhost:3010"), "in");
        assert_eq!(post("http://app.example"), "in");
        for origin in ["http://evil.example", "null", "http://localhost:3000", "http://localhost"] {
            assert_eq!(post(origin), "forbidden_origin", "{origin}");
        }
        let site =
            |site: &str| told(&config, Method::POST, &[("host", "localhost"), ("sec-fetch-site", site)]);
        assert_eq!((site("cross-site"), site("same-origin"), site("none")), ("forbidden_origin", "in", "in"));
        let upgrade = [("host", "localhost"), ("origin", "http://evil.example"), ("upgrade", "websocket")];
        assert_eq!(told(&config, Method::GET, &upgrade), "forbidden_origin");
    }

    #[test]
    fn a_foreign_page_may_link_to_the_page_and_read_nothing() {
        let config = Config { allowed_origins: vec!["http://app.example".into()], ..Config::default() };
        let get = |path: &str, name: &str, value: &str| {
            told_at(&config, Method::GET, path, &[("host", "localhost:3010"), (name, value)])
        };
        for path in [
            "/api/events",
            "/api/events/stream?where=.",
            "/api/waits/x/resolve",
            "/hooks/claude-code",
            "/v1/logs",
            "/ws",
            "/agent-events",
        ] {
            assert_eq!(get(path, "sec-fetch-site", "cross-site"), "forbidden_origin", "{path}");
            assert_eq!(get(path, "origin", "http://evil.example"), "forbidden_origin", "{path}");
            assert_eq!(get(path, "origin", "http://app.example"), "in", "{path}");
            assert_eq!(get(path, "sec-fetch-site", "same-origin"), "in", "{path}");
        }
        for path in ["/", "/session/abc", "/healthz", "/apiary"] {
            assert_eq!(get(path, "sec-fetch-site", "cross-site"), "in", "{path}");
        }
    }

    #[test]
    fn a_foreign_host_is_told_each_known_one_once() {
        let gate = Gate::new(&Config::default(), &["127.0.0.1:3010".parse().unwrap()]);
        assert_eq!(gate.hosts, ["localhost", "127.0.0.1", "[::1]"]);
    }

    #[test]
    fn tokens() {
        let config = Config { token: Some("secret".into()), ..Config::default() };
        let with =
            |value: &str| told(&config, Method::GET, &[("host", "localhost"), ("authorization", value)]);
        assert_eq!((with("Bearer secret"), with("bearer secret")), ("in", "in"));
        assert_eq!((with("Bearer wrong!"), with("secret")), ("unauthorized", "unauthorized"));
        assert_eq!(told(&config, Method::GET, &[("host", "localhost")]), "unauthorized");
        let bare = |path: &str| told_at(&config, Method::GET, path, &[("host", "localhost")]);
        for path in ["/", "/session/abc", "/index.html", "/healthz"] {
            assert_eq!(bare(path), "in", "{path}");
        }
        for path in ["/api", "/api/events", "/metrics", "/openapi.json", "/sessionsx", "/ws", "/agent-events"]
        {
            assert_eq!(bare(path), "unauthorized", "{path}");
        }
        let upgrade = [("host", "localhost"), ("upgrade", "websocket")];
        assert_eq!(told_at(&config, Method::GET, "/", &upgrade), "unauthorized");
    }
}
