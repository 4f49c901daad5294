//! Streams: `<category>/<id>`, the unit of order below the whole log.

/// Streams that only the engine writes.
pub const RESERVED_CATEGORIES: [&str; 5] = ["handler", "lease", "registry", "dead-letter", "tacho"];

/// What stands before the first slash; `source` of a foreign subject without one.
pub fn category(stream: &str) -> &str {
    stream.split_once('/').map_or("", |(category, _)| category)
}

/// Whether only the engine may write to it.
pub fn is_reserved(stream: &str) -> bool {
    RESERVED_CATEGORIES.contains(&category(stream))
}

/// The stream of a session.
pub fn of_session(session: &str) -> String {
    format!("session/{session}")
}

/// Where an event goes that names no stream: its source, without the leading slash.
pub fn of_source(source: &str) -> String {
    format!("source/{}", source.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories() {
        assert_eq!(category("issue/PROJ-1/x"), "issue");
        assert_eq!(category("plain"), "");
        assert!(is_reserved("lease/a") && is_reserved("tacho/system") && !is_reserved("leases/a"));
        assert_eq!(of_source("/agents/url-cacher"), "source/agents/url-cacher");
    }
}
