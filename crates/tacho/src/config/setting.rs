//! Every setting, once: its name, what it holds, its default, what it does. The reference page, `config
//! show`, the reading of files and variables all follow from this list.

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `HOST:PORT`; empty where nothing need listen.
    Address,
    Path,
    /// A whole number.
    Count,
    /// A whole number, or text such as `64 MiB`.
    Bytes,
    /// A whole number of milliseconds, or text such as `50ms`, `2s`.
    Milliseconds,
    Flag,
    /// An amount of US dollars; nothing for none.
    Dollars,
    /// A list of texts; in a variable, separated by commas.
    Texts,
}

impl Kind {
    /// As the reference page names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Path => "path",
            Self::Count => "number",
            Self::Bytes => "number of bytes",
            Self::Milliseconds => "number of milliseconds",
            Self::Flag => "true or false",
            Self::Dollars => "US dollars",
            Self::Texts => "list of texts",
        }
    }
}

#[derive(Debug)]
pub struct Setting {
    /// `table.key`.
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written in an environment variable.
    pub default: &'static str,
    /// What it does, and what happens at a limit.
    pub doc: &'static str,
}

impl Setting {
    pub fn table(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(table, _)| table)
    }

    pub fn key(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, key)| key)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        match self.name {
            "server.data" => "TACHO_DATA".to_owned(),
            name => format!("TACHO_{}", name.replace('.', "_").to_uppercase()),
        }
    }
}

/// How long a reader without a server waits for the fold of its folder, in milliseconds.
pub const OFFLINE_WAIT_MS: u64 = 3_600_000;

/// A table of the file, and what it is about.
pub const TABLES: &[(&str, &str)] = &[
    ("server", "The server and its doors."),
    ("journal", "The log."),
    ("view", "The read side: the fold that feeds it, and queries."),
    ("snapshots", "States that are kept so that the next one is found sooner; they change no answer."),
    (
        "ingest",
        "What comes in. `[[ingest.rule]]` drops, samples or truncates events before they are appended.",
    ),
    ("derive", "Events that follow from the commands which agents run."),
    ("schemas", "What payloads must look like. `tacho schema` and `docs/events.md` tell the schemas."),
    ("redact", "What is kept out of the log. `[[redact.rule]]` adds secrets to those that are known."),
    ("hook", "Hooks of agents, and the spool that keeps them while the server is away."),
    ("registry", "Who is there to do something. `tacho registry` tells of them."),
    (
        "budget",
        "What may be spent. At 80 % comes the event `budget_warning`, at 100 % `budget_exceeded`, each once.",
    ),
];

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

const fn setting(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Setting {
    Setting { name, kind, default, doc }
}

use Kind::{Address, Bytes, Count, Dollars, Flag, Milliseconds, Path, Texts};

pub const SETTINGS: &[Setting] = &[
    setting(
        "server.listen",
        Address,
        "127.0.0.1:3010",
        "Where the server listens. Beyond loopback only with a token.",
    ),
    setting(
        "server.otlp_grpc",
        Address,
        "",
        "Where OTLP over gRPC is taken, such as `127.0.0.1:4317`; nowhere unless set. Beyond loopback only with a token.",
    ),
    setting("server.data", Path, ".tacho", "The data folder. `--data` names another."),
    setting(
        "server.observability_file",
        Path,
        ".claude/observability.yaml",
        "The project's own file, which is read when it is there; see `docs/observability.md`. Empty: none is read.",
    ),
    setting(
        "server.allowed_origins",
        Texts,
        "",
        "Origins of web pages that may talk to the server, such as `https://example.com`; `null` only when named here. Others get 403 `forbidden_origin`.",
    ),
    setting(
        "server.token_file",
        Path,
        "",
        "A file whose first line is the token that clients must send as `Authorization: Bearer`. The variable `TACHO_TOKEN` holds the token itself.",
    ),
    setting(
        "server.max_event_bytes",
        Bytes,
        "1 MiB",
        "Largest event. A larger one gets 413 `event_too_large`; a hook's has its longest strings cut.",
    ),
    setting(
        "server.max_batch_events",
        Count,
        "1000",
        "Most events of a request; more get 413 `batch_too_large`.",
    ),
    setting(
        "server.max_batch_bytes",
        Bytes,
        "4 MiB",
        "Largest body of a request; a larger one gets 413 `batch_too_large`.",
    ),
    setting(
        "server.max_telemetry_bytes",
        Bytes,
        "64 MiB",
        "Largest body of an OTLP export, expanded; a larger one gets 413 `batch_too_large`. It may hold more events than a request.",
    ),
    setting(
        "server.max_subscribers",
        Count,
        "1024",
        "Live subscribers at once; more get 503 `too_many_subscribers`.",
    ),
    setting(
        "server.subscriber_buffer_events",
        Count,
        "8192",
        "Events that wait for one slow subscriber; beyond, it is told of a gap and can resume.",
    ),
    setting(
        "server.subscriber_buffer_bytes",
        Bytes,
        "8 MiB",
        "Bytes that wait for one slow subscriber; beyond, it is told of a gap and can resume.",
    ),
    setting(
        "server.listen_names",
        Texts,
        "",
        "Names that a `Host` header may carry beside the loopback's, the address listened on and the allowed origins'. Others get 403 `forbidden_host`.",
    ),
    setting(
        "server.max_connections",
        Count,
        "4096",
        "Connections at once; more wait in the listener's queue.",
    ),
    setting(
        "server.header_timeout_ms",
        Milliseconds,
        "30000",
        "How long the head of a request may take, and a connection rest; then it closes.",
    ),
    setting(
        "server.body_timeout_ms",
        Milliseconds,
        "30000",
        "How long the body of a request may take; then 408 `request_timeout`.",
    ),
    setting(
        "server.heartbeat_ms",
        Milliseconds,
        "15000",
        "Silence on a live stream after which a heartbeat is sent.",
    ),
    setting(
        "server.write_timeout_ms",
        Milliseconds,
        "30000",
        "How long one write to a live subscriber may take before it is dropped.",
    ),
    setting(
        "server.shutdown_ms",
        Milliseconds,
        "5000",
        "How long a stopping server lets requests and streams end; then they are cut off.",
    ),
    setting(
        "journal.segment_bytes",
        Bytes,
        "64 MiB",
        "Size at which a file of the log is closed and the next one begun.",
    ),
    setting(
        "journal.queue_batches",
        Count,
        "1024",
        "Appends that may wait for the disk; more get 503 `overloaded`.",
    ),
    setting("view.chunk_events", Count, "5000", "Events folded in one transaction."),
    setting(
        "view.chunk_bytes",
        Bytes,
        "8 MiB",
        "Bytes of events folded in one transaction; bounds the memory of a fold that lags.",
    ),
    setting(
        "view.gather_ms",
        Milliseconds,
        "20",
        "How long commits gather before they are folded while no query waits.",
    ),
    setting(
        "view.idle_ms",
        Milliseconds,
        "250",
        "How long the log must rest before the read side is tidied.",
    ),
    setting("view.niceness", Count, "10", "How far the fold steps back for appends, 0 to 19."),
    setting(
        "view.wait_ms",
        Milliseconds,
        "5000",
        "How long a query waits for the read side to reach the head of the log; then 503 `view_behind`.",
    ),
    setting(
        "view.scan_ms",
        Milliseconds,
        "20",
        "How long a page scans before it answers with what it has and a cursor.",
    ),
    setting("view.page_events", Count, "1000", "Most events of a page."),
    setting("view.page_bytes", Bytes, "16 MiB", "Bytes of events after which a page ends."),
    setting("view.concurrent_queries", Count, "4", "Queries that run at once; more wait."),
    setting(
        "view.condition_ms",
        Milliseconds,
        "1000",
        "How long a condition in jq may take for a batch of events; then 400 `invalid_filter`.",
    ),
    setting(
        "view.condition_memory_bytes",
        Bytes,
        "256 MiB",
        "Address space of a process that evaluates a condition; one that needs more gets 400 `invalid_filter`.",
    ),
    setting(
        "view.condition_workers",
        Count,
        "8",
        "Processes that evaluate conditions at once; more questions wait, queries for `view.wait_ms`.",
    ),
    setting(
        "view.condition_idle_ms",
        Milliseconds,
        "5000",
        "How long such a process waits for another question with its condition.",
    ),
    setting(
        "snapshots.events",
        Count,
        "50",
        "A snapshot is made every so many events of a stream; in a long one they stand further apart.",
    ),
    setting(
        "snapshots.days",
        Count,
        "30",
        "How long a snapshot is kept, in days; one that was asked for stays.",
    ),
    setting("snapshots.bytes", Bytes, "256 MiB", "Most bytes of snapshots; beyond, the oldest are dropped."),
    setting("ingest.max_depth", Count, "100", "How deep JSON may nest; deeper gets 400 `invalid_json`."),
    setting(
        "schemas.strict",
        Texts,
        "base",
        "Shapes of incoming events (`base`, `simple`, `otel`, `mcp`, `cloudevents`) whose payloads must fit the schemas of their types; others get 422 `schema_violation`. `?validate=` says otherwise for a request. What hooks and telemetry bring is recorded always.",
    ),
    setting("ingest.markers_in_text", Flag, "true", "Whether `<EVENT>` markers count in what an agent says."),
    setting(
        "ingest.markers_in_agent_results",
        Flag,
        "true",
        "Whether markers count in what a subagent hands back.",
    ),
    setting(
        "ingest.markers_in_command_output",
        Flag,
        "true",
        "Whether markers count in what commands print.",
    ),
    setting(
        "ingest.marker_tools",
        Texts,
        "",
        "More tools in whose results markers count, such as `mcp__bus__*`.",
    ),
    setting(
        "redact.keys",
        Texts,
        "",
        "Further names of keys whose values are secret, beside those like password, secret, authorization, cookie.",
    ),
    setting(
        "derive.enabled",
        Flag,
        "true",
        "Whether a shell command in a hook gives events of its own: commits, pull requests, runs of tests, checks of quality; and a call of a tool server in a hook its `tool.<tool>.completed` or `.failed`. Each says in `confidence` how sure it is.",
    ),
    setting(
        "hook.spool_bytes",
        Bytes,
        "1 GiB",
        "Largest spool. What does not fit is dropped, counted, and told as `tacho.spool_overflow`.",
    ),
    setting("hook.spool_poll_ms", Milliseconds, "200", "How often the server looks at the spool."),
    setting(
        "hook.transcript_bytes",
        Bytes,
        "64 MiB",
        "Largest part of a subagent's transcript that is read for markers, from its end.",
    ),
    setting("hook.transcript_queue", Count, "256", "Transcripts that wait to be read; more are left unread."),
    setting(
        "hook.transcript_folders",
        Texts,
        "",
        "Folders below which transcripts are read, beside any `.claude/projects`.",
    ),
    setting(
        "registry.directory",
        Path,
        "",
        "A folder each of whose files `*.toml` is a handler, with the keys of `[[handler]]`; its name is the file's unless it says another. It is looked at once a second. Folder and files must be the user's own and not writable by others. Empty: there is none.",
    ),
    setting("budget.session_usd", Dollars, "", "By a session."),
    setting("budget.feature_usd", Dollars, "", "On a feature."),
    setting("budget.day_usd", Dollars, "", "On a day of UTC."),
];
