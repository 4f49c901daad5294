//! What is in force: the file, then environment variables, then flags.

mod alert;
mod file;
pub mod handler;
pub mod heal;
mod layer;
mod mcp;
mod observability;
mod projection;
pub mod reference;
mod rule;
mod secret;
mod selection;
pub mod setting;
pub mod sink;
mod values;
mod yaml;

pub use file::Rules;
pub use handler::Handler;
pub use mcp::{ToolServer, offer as tool_offer};
pub use observability::Brought;
use observability::Project;
use rule::IngestRule;
pub use values::{Origin, Value, Values};

use crate::trust::{self, Programs};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tacho_connector::Surroundings;
use tacho_engine::delivery;
use tacho_engine::{Budgets, NanoUsd, Prices, Rule, WatchLimits};
use tacho_event::Pattern;
use tacho_ingest::shape::Format;
use tacho_ingest::{Redactor, marker, rules};
use tacho_server::Intake;

/// The setting that names a folder of handlers.
const HANDLER_FOLDER: &str = "registry.directory";
/// Read from the current folder when no other file is named.
const FILE_NAME: &str = "tacho.toml";
/// The setting that names the project's own file.
const PROJECT_FILE: &str = "server.observability_file";
/// Holds the token itself; a secret never comes from a flag.
const TOKEN_VARIABLE: &str = "TACHO_TOKEN";
/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;

/// Every setting with its value, and the rules.
#[derive(Debug)]
pub struct Config {
    pub values: Values,
    pub rules: Rules,
    /// The file that was read: the one that was named, or the working folder's.
    pub file: Option<PathBuf>,
    /// The user's own file, below that one, when there is one.
    pub user: Option<PathBuf>,
    /// The SHA-256 of the working folder's file, when that was read.
    found: Option<String>,
    /// The project's own file, when there is one.
    pub project: Option<PathBuf>,
    /// What came from it.
    pub brought: Vec<Brought>,
    /// What of it is not done.
    pub warnings: Vec<String>,
    /// Whether it came from no file alone, so that reading it again would make it another one.
    pub is_fixed: bool,
}

impl Config {
    /// Reads the user's own file, `file` or else `tacho.toml` in the current folder when there is one, the
    /// environment, then what the project's file adds.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut values = Values::defaults()?;
        let user = trust::user_file().filter(|file| file.is_file());
        let mut below = Rules::default();
        if let Some(user) = &user {
            below = file::read(user, &mut values)?.0;
            below.handlers.iter_mut().for_each(|handler| handler.is_users = true);
            below.servers.iter_mut().for_each(|server| server.is_users = true);
        }
        let local = || {
            let local = PathBuf::from(FILE_NAME);
            let is_users = || user.as_ref().is_some_and(|user| is_same_file(user, &local));
            (local.is_file() && !is_users()).then_some(local)
        };
        let read = file.map(Path::to_owned).or_else(local);
        let (mut rules, mut found) = (Rules::default(), None);
        if let Some(path) = &read {
            let digest;
            (rules, digest) = file::read(path, &mut values)?;
            found = file.is_none().then_some(digest);
        }
        for handler in &mut rules.handlers {
            handler.needs_trust = found.is_some();
        }
        for server in &mut rules.servers {
            server.needs_trust = found.is_some();
        }
        rules.lay_over(below);
        values.read_environment()?;
        let project = project_file(&values)?;
        let (mut brought, mut warnings) = (Vec::new(), Vec::new());
        if let Some(path) = &project {
            let mut project = Project::read(path)?;
            warnings.append(&mut project.warnings);
            brought = project.merge_into(&mut values, &mut rules);
        }
        rules.check_names()?;
        heal::check_handlers(&rules.heals, &rules.handlers)?;
        let is_fixed = false;
        Ok(Self { values, rules, file: read, user, found, project, brought, warnings, is_fixed })
    }

    /// The programs of a file that was merely found in the working folder; they run only when it is trusted.
    pub fn programs_in_question(&self) -> Option<Programs> {
        let (file, digest) = (self.file.as_ref()?, self.found.as_ref()?);
        let mut lines = self.rules.programs(true);
        // Its files name programs, too.
        lines.extend(folder_line(&self.values).filter(|_| self.names_folder(file)));
        Programs::of(file, digest, lines)
    }

    /// Whether it is this file that names the folder of handlers.
    fn names_folder(&self, file: &Path) -> bool {
        matches!(self.values.origin(HANDLER_FOLDER), Origin::File(origin, _) if origin == file)
    }

    /// The folder of handlers, when there is one.
    pub fn handler_folder(&self) -> Option<PathBuf> {
        let path = Some(self.values.text(HANDLER_FOLDER));
        path.filter(|path| !path.is_empty() && !self.is_fixed).map(PathBuf::from)
    }

    /// Reads the same files and variables again. What flags said is not in it.
    pub fn reader(&self) -> Box<dyn Fn() -> Result<Self> + Send> {
        let (named, is_fixed) = (self.file.clone().filter(|_| self.found.is_none()), self.is_fixed);
        Box::new(move || {
            anyhow::ensure!(!is_fixed, "this server's handlers come from no file");
            Self::load(named.as_deref())
        })
    }

    /// The handlers and the tool servers that may be started.
    ///
    /// # Errors
    /// When the working folder's file names programs and is not trusted as it stands.
    pub fn startable(&self) -> Result<(&[Handler], &[ToolServer])> {
        if let Some(programs) = self.programs_in_question() {
            programs.check()?;
        }
        Ok((&self.rules.handlers, &self.rules.servers))
    }

    /// Sets what a flag of the command line says.
    pub fn set_flag(&mut self, name: &'static str, flag: &'static str, text: &str) -> Result<()> {
        let setting = setting::find(name).with_context(|| format!("{name} is no setting"))?;
        let value = Value::parse(setting.kind, text).with_context(|| format!("{flag} cannot be read"))?;
        self.values.set(setting, value, Origin::Flag(flag));
        Ok(())
    }

    /// The data folder, absolute.
    pub fn data(&self) -> Result<PathBuf> {
        absolute(self.values.text("server.data"))
    }

    pub fn listen(&self) -> Result<SocketAddr> {
        self.values.text("server.listen").parse().context("server.listen is no address")
    }

    /// Where OTLP over gRPC is taken, when it is switched on.
    pub fn otlp_grpc(&self) -> Result<Option<SocketAddr>> {
        match self.values.text("server.otlp_grpc") {
            "" => Ok(None),
            address => address.parse().map(Some).context("server.otlp_grpc is no address"),
        }
    }

    /// The token that clients must send: the variable's, else the file's first line.
    pub fn token(&self) -> Result<Option<String>> {
        if let Some(token) = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()) {
            return Ok(Some(token));
        }
        let path = self.values.text("server.token_file");
        if path.is_empty() {
            return Ok(None);
        }
        let text =
            std::fs::read_to_string(path).with_context(|| format!("the token file {path} cannot be read"))?;
        let token = text.lines().next().unwrap_or_default().trim();
        anyhow::ensure!(
            (1..=TOKEN_BYTES_MAX).contains(&token.len()),
            "the token file {path} must hold a token of 1 to {TOKEN_BYTES_MAX} bytes in its first line"
        );
        Ok(Some(token.to_owned()))
    }

    /// What the engine takes from the settings.
    pub fn engine(&self, data: PathBuf, holder: String) -> tacho_engine::Config {
        let values = &self.values;
        let mut engine = tacho_engine::Config::new(data);
        engine.journal.segment_bytes = values.number("journal.segment_bytes");
        engine.journal.queue_batches = values.size("journal.queue_batches");
        engine.journal.holder = holder;
        engine.fold.chunk_events = values.size("view.chunk_events");
        engine.fold.chunk_bytes = values.size("view.chunk_bytes");
        engine.fold.gather_ms = values.number("view.gather_ms");
        engine.fold.idle_ms = values.number("view.idle_ms");
        engine.fold.niceness = u8::try_from(values.number("view.niceness").min(19)).unwrap_or(19);
        engine.rewind.programs.clone_from(&self.rules.projections);
        engine.rewind.snapshot_events = values.number("snapshots.events").max(1);
        engine.rewind.snapshot_days = values.number("snapshots.days");
        engine.rewind.snapshot_bytes = values.number("snapshots.bytes");
        engine.query.wait_ms = values.number("view.wait_ms");
        engine.query.scan_ms = values.number("view.scan_ms");
        engine.query.page_events = values.size("view.page_events");
        engine.query.page_bytes = values.size("view.page_bytes");
        engine.query.concurrent = values.size("view.concurrent_queries");
        engine.condition.batch_ms = values.number("view.condition_ms");
        engine.condition.memory_bytes = values.number("view.condition_memory_bytes");
        engine.condition.workers = values.size("view.condition_workers");
        engine.condition.idle_ms = values.number("view.condition_idle_ms");
        engine.live.subscribers = values.size("server.max_subscribers");
        engine.live.buffer_events = values.size("server.subscriber_buffer_events");
        engine.live.buffer_bytes = values.size("server.subscriber_buffer_bytes");
        engine.hook.spool_poll_ms = values.number("hook.spool_poll_ms");
        engine.hook.transcript_bytes = values.number("hook.transcript_bytes");
        engine.hook.transcript_queue = values.size("hook.transcript_queue");
        engine.hook.transcript_folders =
            values.texts("hook.transcript_folders").iter().map(PathBuf::from).collect();
        engine
    }

    /// Prices, budgets and alerts.
    pub fn watch(&self) -> Result<WatchLimits> {
        let budget = |name: &str| {
            let text = self.values.text(name);
            let amount = text.parse().ok().and_then(NanoUsd::from_usd);
            anyhow::ensure!(text.is_empty() || amount.is_some(), "{name} is no amount of dollars");
            Ok(amount)
        };
        let alerts = &self.rules.alerts;
        Ok(WatchLimits {
            prices: Prices::new(self.rules.prices.clone())?,
            budgets: Budgets {
                session: budget("budget.session_usd")?,
                feature: budget("budget.feature_usd")?,
                day: budget("budget.day_usd")?,
            },
            rules: if alerts.is_empty() { Rule::defaults() } else { alerts.clone() },
            ..WatchLimits::default()
        })
    }

    /// What the server's doors take from the settings.
    pub fn doors(&self, data: &Path) -> Result<tacho_server::Config> {
        let values = &self.values;
        let runtime_folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let limits = tacho_server::Limits {
            telemetry_bytes: values.size("server.max_telemetry_bytes"),
            connections: values.size("server.max_connections"),
            header_timeout_ms: values.number("server.header_timeout_ms"),
            body_timeout_ms: values.number("server.body_timeout_ms"),
            heartbeat_ms: values.number("server.heartbeat_ms"),
            write_timeout_ms: values.number("server.write_timeout_ms"),
            shutdown_ms: values.number("server.shutdown_ms"),
            ..Default::default()
        };
        Ok(tacho_server::Config {
            hook_socket: tacho_engine::socket::socket_path(data, runtime_folder.as_deref()),
            allowed_origins: values.texts("server.allowed_origins").to_vec(),
            listen_names: values.texts("server.listen_names").to_vec(),
            token: self.token()?,
            control_token: None,
            intake: self.intake()?,
            limits,
        })
    }

    /// What happens to everything that comes in, here as at a server's doors.
    pub fn intake(&self) -> Result<Intake> {
        let values = &self.values;
        let limits = tacho_ingest::Limits {
            event_bytes: values.size("server.max_event_bytes"),
            batch_events: values.size("server.max_batch_events"),
            batch_bytes: values.size("server.max_batch_bytes"),
            depth: values.size("ingest.max_depth"),
        };
        let markers = marker::Policy {
            assistant_text: values.flag("ingest.markers_in_text"),
            agent_results: values.flag("ingest.markers_in_agent_results"),
            command_output: values.flag("ingest.markers_in_command_output"),
            tools: values
                .texts("ingest.marker_tools")
                .iter()
                .map(|tool| Pattern::new(tool.as_str()))
                .collect(),
        };
        let rules = rules::Rules(self.rules.ingest.iter().map(IngestRule::to_rule).collect());
        let strict = values.texts("schemas.strict").iter().map(|name| {
            let names = || Format::ALL.map(Format::name).join(", ");
            Format::from_name(name)
                .with_context(|| format!("schemas.strict names {name:?}, but knows only {}", names()))
        });
        Ok(Intake {
            redactor: Arc::new(self.redactor()?),
            limits,
            markers,
            derives: values.flag("derive.enabled"),
            rules,
            strict: strict.collect::<Result<Vec<_>>>()?,
        })
    }

    /// What delivers to the configured sinks.
    pub fn sinks(&self, surroundings: &Surroundings) -> Result<Vec<delivery::Handler>> {
        self.rules.sinks.iter().map(|sink| sink.open(surroundings)).collect()
    }

    /// Cuts out what is secret: the known secrets and those of the configuration.
    pub fn redactor(&self) -> Result<Redactor> {
        let rules = self.rules.redact.iter().map(|rule| (&rule.name, &rule.pattern));
        let redactor = Redactor::with_rules(rules).context("a [[redact.rule]] cannot be used")?;
        Ok(redactor.with_keys(self.values.texts("redact.keys")))
    }

    /// What hooks must know; they read no configuration.
    pub fn hook_settings(&self) -> crate::hook::Settings {
        crate::hook::Settings {
            spool_bytes: self.values.number("hook.spool_bytes"),
            rules: self.rules.redact.iter().map(|rule| (rule.name.clone(), rule.pattern.clone())).collect(),
            keys: self.values.texts("redact.keys").to_vec(),
        }
    }
}

/// Whether both lead to the same bytes.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let ends = (one.canonicalize(), other.canonicalize());
    matches!(ends, (Ok(one), Ok(other)) if one == other)
}

/// The folder of handlers as one that starts programs.
fn folder_line(values: &Values) -> Option<(String, String)> {
    let folder = Some(values.text(HANDLER_FOLDER)).filter(|path| !path.is_empty())?;
    Some((HANDLER_FOLDER.to_owned(), format!("what is in {folder}")))
}

/// Reads a file alone: the programs that it starts, and the SHA-256 of what was read.
pub fn programs_of(file: &Path) -> Result<(Option<Programs>, String)> {
    let mut values = Values::defaults()?;
    let (rules, sha256) = file::read(file, &mut values)?;
    let mut lines = rules.programs(false);
    lines.extend(folder_line(&values));
    Ok((Programs::of(file, &sha256, lines), sha256))
}

/// The project's file. Nobody need have one, but one that was named must be there.
fn project_file(values: &Values) -> Result<Option<PathBuf>> {
    let path = PathBuf::from(values.text(PROJECT_FILE));
    if path.is_file() {
        return Ok(Some(path));
    }
    let is_named = *values.origin(PROJECT_FILE) != Origin::Default && !path.as_os_str().is_empty();
    anyhow::ensure!(
        !is_named,
        "there is no file {}, which {} names as {PROJECT_FILE}",
        path.display(),
        values.origin(PROJECT_FILE)
    );
    Ok(None)
}

/// The path from the root, links not followed: hook and server must agree on its text.
pub fn absolute(path: impl AsRef<Path>) -> Result<PathBuf> {
    let path = path.as_ref();
    let absolute = std::path::absolute(path);
    absolute.with_context(|| format!("{} cannot be made absolute", path.display()))
}
