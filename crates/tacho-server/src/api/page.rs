//! The dashboard, embedded: it asks nobody else for anything.

use crate::doors::SharedDoors;
use axum::Router;
use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use axum::routing::get;

/// `web/dist`: each file's path on the server, and its bytes. Behind a name with `.gz` is the same file, compressed.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// First parts of the paths that the dashboard itself tells apart: each answers with the same document.
const PAGES: [&str; 14] = [
    "live",
    "sessions",
    "session",
    "events",
    "trace",
    "rewind",
    "debugger",
    "orchestrations",
    "profile",
    "cost",
    "alerts",
    "handlers",
    "dead-letters",
    // The two before had this name once; the dashboard leads on.
    "delivery",
];

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file whose name holds a hash of its content never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

pub(crate) fn html() -> Response {
    file("/index.html", bytes_of("/index.html").unwrap_or_default())
}

/// Whether a path is the dashboard's own: its document or one of its files.
pub(crate) fn is_at(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    path == "/" || PAGES.contains(&first) || FILES.iter().any(|(name, _)| *name == path)
}

/// The document at every page's path, and the files that it names.
pub(crate) fn add_to(mut router: Router<SharedDoors>) -> Router<SharedDoors> {
    for page in PAGES {
        router = router.route(&format!("/{page}"), get(async || html()));
        router = router.route(&format!("/{page}/{{*rest}}"), get(async || html()));
    }
    for &(path, bytes) in FILES.iter().filter(|(path, _)| *path != "/index.html" && !path.ends_with(".gz")) {
        router = router.route(path, get(async move |headers: HeaderMap| packed(path, bytes, &headers)));
    }
    router
}

fn bytes_of(path: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes)
}

/// Compressed for a client that takes it so (RFC 9110, section 12.5.3).
fn packed(path: &'static str, bytes: &'static [u8], headers: &HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = accepted.split(',').any(|one| matches!(one.trim(), "gzip" | "*"));
    let compressed = bytes_of(&format!("{path}.gz"));
    let mut response = file(path, compressed.filter(|_| takes).unwrap_or(bytes));
    if compressed.is_some() {
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
        if takes {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    response
}

fn file(path: &'static str, bytes: &'static [u8]) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let kept = if path.starts_with("/assets/") { FOR_EVER } else { ASK_AGAIN };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(CONTENT_TYPE, kind_of(path));
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(REFERRER_POLICY, "no-referrer");
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(CACHE_CONTROL, kept);
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}
