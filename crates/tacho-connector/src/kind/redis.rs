//! `redis`: the numbers of each hour and each day, as a JSON string under a key of their own.

use super::Kind;
use crate::bucket::Counters;
use crate::resp::{Connection, RespError};
use crate::{Secret, Settings, SettingsError, Surroundings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tacho_engine::delivery::{BatchLimits, Deliver, Delivered, Delivery, Failure};
use tacho_engine::{Engine, Metrics, MetricsQuery, Query, Wait};
use tacho_event::{Filter, Pattern, Position, Recorded, Timestamp};
use tokio::runtime::Runtime;

/// Events behind which the keys are written, whatever the time.
const FLUSH_EVENTS: usize = 100;
/// Keys are not written again sooner: a log that is caught up with writes them a few times a second.
const WRITE_PAUSE: Duration = Duration::from_millis(250);
/// Hours and days that are kept in memory; others are folded from the log again when an event falls into them.
const MAX_BUCKETS: usize = 64;
const TIMEOUT: Duration = Duration::from_secs(5);
const SECOND_NS: i64 = 1_000_000_000;

pub(super) const KIND: Kind = Kind {
    name: "redis",
    about: "Keeps counters of what it gets and the key figures of the log, of each hour under \
            `metrics:hourly:<YYYY-MM-DDTHH:00:00>` for 7 days and of each day \
            under `metrics:daily:<YYYY-MM-DD>` for 30 days, a JSON string each, by the time of the events, in UTC. `url` \
            is `redis://HOST[:PORT][/DATABASE]`; the secret is the password. Written every 100 events and every second \
            in which there were any. Lost keys come back with the next event of their hour or day.",
    keys: &["url", "secret_env", "secret_file", "timeout_ms"],
    types: &["*"],
    batch: || BatchLimits { events: 100, bytes: 1 << 20, window_ms: 0 },
    check: |settings, _| Server::read(settings).map(drop),
    open,
};

fn open(settings: &Settings, surroundings: &Surroundings) -> Result<Box<dyn Deliver>, SettingsError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| SettingsError::unusable("kind", error.to_string()))?;
    let mut filter = settings.filter.clone();
    if filter.types.is_empty() {
        // As the kernel reads it: every type but Tachograph's own.
        filter.types.push(Pattern::new("*"));
    }
    Ok(Box::new(Redis {
        server: Server::read(settings)?,
        engine: surroundings.engine.clone(),
        filter,
        runtime,
        buckets: BTreeMap::new(),
        unwritten: 0,
        written: None,
        connection: None,
    }))
}

/// The server that keys are set at.
struct Server {
    /// `HOST:PORT`.
    address: String,
    database: u32,
    password: Option<Secret>,
    timeout: Duration,
}

impl Server {
    fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let refuse = |reason: &str| SettingsError::unusable("url", reason);
        let url = settings.url.as_deref().ok_or(SettingsError::Missing("url"))?;
        let rest =
            url.strip_prefix("redis://").ok_or_else(|| refuse("write one such as redis://127.0.0.1:6379"))?;
        let (address, database) = rest.split_once('/').unwrap_or((rest, ""));
        if address.contains('@') {
            return Err(refuse(
                "a password does not belong into a URL: name it with secret_env or secret_file",
            ));
        }
        let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let database = if database.is_empty() { Some(0) } else { database.parse().ok() };
        Ok(Self {
            address: if has_port { address.to_owned() } else { format!("{address}:6379") },
            database: database
                .ok_or_else(|| refuse("what stands behind the slash is no number of a database"))?,
            password: settings.secret.clone(),
            timeout: settings.timeout_ms.map_or(TIMEOUT, Duration::from_millis),
        })
    }

    fn connect(&self) -> Result<Connection, RespError> {
        let mut connection = Connection::open(&self.address, self.timeout)?;
        let database = self.database.to_string();
        let mut commands: Vec<Vec<&[u8]>> = Vec::new();
        commands
            .extend(self.password.as_ref().map(|password| vec![&b"AUTH"[..], password.reveal().as_bytes()]));
        commands.push(vec![b"SELECT", database.as_bytes()]);
        connection.run(&commands)?;
        Ok(connection)
    }
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Span {
    Hour,
    Day,
}

impl Span {
    const ALL: [Self; 2] = [Self::Hour, Self::Day];

    fn seconds(self) -> u32 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// How long a key lives behind its last change.
    fn kept_seconds(self) -> u32 {
        match self {
            Self::Hour => 7 * 86_400,
            Self::Day => 30 * 86_400,
        }
    }

    /// Where the bucket begins that a moment falls into.
    fn start(self, time: Timestamp) -> Timestamp {
        let length = i64::from(self.seconds()) * SECOND_NS;
        Timestamp(time.0.div_euclid(length) * length)
    }

    fn key(self, start: Timestamp) -> String {
        let text = start.to_rfc3339();
        match self {
            Self::Hour => format!("metrics:hourly:{}", text.trim_end_matches('Z')),
            Self::Day => format!("metrics:daily:{}", &text[..10]),
        }
    }
}

struct Redis {
    server: Server,
    engine: Engine,
    /// What the sink is meant to get.
    filter: Filter,
    /// For asking the engine on a thread that is no task.
    runtime: Runtime,
    buckets: BTreeMap<(Timestamp, Span), Bucket>,
    /// Events since the keys were written.
    unwritten: usize,
    written: Option<Instant>,
    connection: Option<Connection>,
}

struct Bucket {
    counters: Counters,
    /// Everything up to here is in it: what is delivered twice is counted once.
    folded_to: Position,
    is_written: bool,
}

impl Deliver for Redis {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        for event in delivery.events {
            for span in Span::ALL {
                self.fold(span, event)?;
            }
        }
        self.unwritten += delivery.events.len();
        let is_early = self.written.is_some_and(|written| written.elapsed() < WRITE_PAUSE);
        if self.unwritten >= FLUSH_EVENTS && !is_early {
            self.write()?;
        }
        Ok(Delivered::default())
    }

    fn settle(&mut self) -> Result<(), Failure> {
        self.write()
    }
}

impl Redis {
    fn fold(&mut self, span: Span, event: &Recorded) -> Result<(), Failure> {
        let start = span.start(event.time());
        let kept = i64::from(span.kept_seconds()) * SECOND_NS;
        if self.engine.now().0.saturating_sub(start.0) > kept {
            return Ok(());
        }
        if !self.buckets.contains_key(&(start, span)) {
            let bucket = self.load(span, start)?;
            self.buckets.insert((start, span), bucket);
        }
        if let Some(bucket) = self.buckets.get_mut(&(start, span))
            && event.position > bucket.folded_to
        {
            bucket.counters.add(event);
            bucket.folded_to = event.position;
            bucket.is_written = false;
        }
        Ok(())
    }

    /// Folds a bucket from the log, so that a restart forgets nothing.
    fn load(&self, span: Span, start: Timestamp) -> Result<Bucket, Failure> {
        let end = Timestamp(start.0 + i64::from(span.seconds()) * SECOND_NS);
        let filter = Filter { since: Some(start), until: Some(end), ..self.filter.clone() };
        let mut query = Query { filter, wait: Wait::Head, ..Query::default() };
        let mut bucket = Bucket {
            counters: Counters::new(start, span.seconds()),
            folded_to: Position::ZERO,
            is_written: false,
        };
        loop {
            let page = self.runtime.block_on(self.engine.query(query.clone()));
            let page = page.map_err(|error| Failure::retry("view_behind", error.to_string()))?;
            for event in &page.events {
                bucket.counters.add(event);
            }
            bucket.folded_to = page.position.max(bucket.folded_to);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(bucket),
            }
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let now = self.engine.now().to_rfc3339_millis();
        let mut entries = Vec::new();
        for ((start, span), bucket) in self.buckets.iter().filter(|(_, bucket)| !bucket.is_written) {
            let mut value = bucket.counters.to_json(&self.metrics(bucket)?);
            value.insert("updated".into(), now.clone().into());
            value.insert("position".into(), bucket.folded_to.0.into());
            let (value, kept) = (Value::Object(value).to_string(), span.kept_seconds().to_string());
            entries.push((span.key(*start), value, kept));
        }
        if !entries.is_empty() {
            let commands: Vec<Vec<&[u8]>> = entries
                .iter()
                .map(|(key, value, kept)| {
                    vec![&b"SET"[..], key.as_bytes(), value.as_bytes(), b"EX", kept.as_bytes()]
                })
                .collect();
            self.run(&commands)?;
        }
        self.unwritten = 0;
        self.written = Some(Instant::now());
        self.buckets.values_mut().for_each(|bucket| bucket.is_written = true);
        while self.buckets.len() > MAX_BUCKETS {
            self.buckets.pop_first();
        }
        Ok(())
    }

    /// The key figures of the bucket's time, of the whole log.
    fn metrics(&self, bucket: &Bucket) -> Result<Metrics, Failure> {
        let Counters { from, seconds, .. } = bucket.counters;
        // A window begins behind its first moment.
        let to = Timestamp(from.0 + i64::from(seconds) * SECOND_NS - 1);
        let query = MetricsQuery { from: Timestamp(from.0 - 1), to };
        let metrics = self.runtime.block_on(self.engine.metrics(query, Wait::For(bucket.folded_to)));
        metrics.map_err(|error| Failure::retry("view_behind", error.to_string()))
    }

    fn run(&mut self, commands: &[Vec<&[u8]>]) -> Result<(), Failure> {
        let connection = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.server.connect(),
        };
        let done = connection.and_then(|mut connection| connection.run(commands).map(|()| connection));
        match done {
            Ok(connection) => {
                self.connection = Some(connection);
                Ok(())
            }
            Err(error) => {
                let code = match &error {
                    RespError::Refused(_) => "redis_refused",
                    RespError::Io(_) => "unreachable",
                };
                Err(Failure::retry(code, format!("redis at {}: {error}", self.server.address)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_the_hour_and_the_day() {
        let time = Timestamp::from_rfc3339("2026-11-20T08:35:17.5Z").unwrap();
        let key = |span: Span| span.key(span.start(time));
        assert_eq!(key(Span::Hour), "metrics:hourly:2026-11-20T08:00:00");
        assert_eq!(key(Span::Day), "metrics:daily:2026-11-20");
    }

    #[test]
    fn a_url_names_host_port_and_database() {
        let read = |url: &str| {
            let server = Server::read(&Settings { url: Some(url.into()), ..Settings::default() });
            server.map(|server| (server.address, server.database))
        };
        assert_eq!(read("redis://127.0.0.1:7000/9"), Ok(("127.0.0.1:7000".into(), 9)));
        assert_eq!(read("redis://cache"), Ok(("cache:6379".into(), 0)));
        assert!(read("redis://:hunter2@cache").is_err_and(|error| !error.to_string().contains("hunter2")));
        assert!(read("rediss://cache").is_err() && read("redis://cache/x").is_err());
    }
}
