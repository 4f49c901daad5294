//! The types that the agent `url-cacher` declares and emits by markers.

use super::{Entry, Origin};
use crate::schema::Field;
use crate::schema::Severity::{self, Error, Info};
use crate::schema::ValueKind::{Array, Boolean, Integer, Number, String};

pub const ENTRIES: &[Entry] = &[
    of(
        "urlCacher.cacheRequested",
        Info,
        "Somebody asked for a page to be cached.",
        &[
            Field::required("url", String),
            Field::required("cache_path", String),
            Field::optional("user_context", String),
        ],
        r#"{"url":"https://docs.example.com/guide/","cache_path":".cache/docs-example-com/guide/"}"#,
    ),
    of(
        "urlCacher.urlValidated",
        Info,
        "The address can be fetched.",
        &[
            Field::required("url", String),
            Field::required("tld", String),
            Field::required("path_segments", Array),
        ],
        r#"{"url":"https://docs.example.com/guide/","tld":"example.com","path_segments":["guide"]}"#,
    ),
    of(
        "urlCacher.cacheCheckStarted",
        Info,
        "The cache is searched for the page.",
        &[Field::required("cache_path", String)],
        r#"{"cache_path":".cache/docs-example-com/guide/"}"#,
    ),
    of(
        "urlCacher.urlAlreadyCached",
        Info,
        "The page is in the cache and fresh enough.",
        &[
            Field::required("cache_path", String),
            Field::required("cache_age_hours", Number),
            Field::required("last_updated", String),
        ],
        r#"{"cache_path":".cache/docs-example-com/guide/","cache_age_hours":2.5,"last_updated":"2026-01-15T14:30:00Z"}"#,
    ),
    of(
        "urlCacher.downloadStarted",
        Info,
        "The page is being fetched.",
        &[Field::required("url", String), Field::optional("user_agent", String)],
        r#"{"url":"https://docs.example.com/guide/","user_agent":"curl/8.5"}"#,
    ),
    of(
        "urlCacher.downloadCompleted",
        Info,
        "The page was fetched.",
        &[
            Field::required("url", String),
            Field::required("content_size", Integer),
            Field::required("download_duration_ms", Integer),
        ],
        r#"{"url":"https://docs.example.com/guide/","content_size":48213,"download_duration_ms":412}"#,
    ),
    of(
        "urlCacher.urlCached",
        Info,
        "The page is in the cache.",
        &[
            Field::required("file_path", String),
            Field::required("last_updated_file", String),
            Field::required("content_size", Integer),
        ],
        r#"{"file_path":".cache/docs-example-com/guide/index.md","last_updated_file":".cache/docs-example-com/guide/last-updated","content_size":48213}"#,
    ),
    of(
        "urlCacher.urlCacheFailed",
        Error,
        "The page could not be cached.",
        &[
            Field::required("url", String),
            Field::required("error_type", String),
            Field::required("error_message", String),
            Field::optional("retry_count", Integer),
            Field::required("existing_cache_preserved", Boolean),
        ],
        r#"{"url":"https://docs.example.com/guide/","error_type":"timeout","error_message":"no answer within 30 s","retry_count":3,"existing_cache_preserved":true}"#,
    ),
];

const fn of(
    kind: &'static str,
    severity: Severity,
    meaning: &'static str,
    fields: &'static [Field<'static>],
    example: &'static str,
) -> Entry {
    Entry::new(kind, Origin::Agent, meaning, fields, example).with_severity(severity)
}
