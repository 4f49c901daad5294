//! An entry of the registry, and the events that hold it.

use super::member::Registration;
use crate::handler::Asker;
use serde_json::{Value, json};
use tacho_event::{Draft, Event, EventError, Sameness, Timestamp, head};

/// Somebody is there who was not.
pub const REGISTERED: &str = "tacho.registered";
/// An entry differs from before.
pub const REGISTRY_CHANGED: &str = "tacho.registry_changed";
/// Somebody is there no longer.
pub const UNREGISTERED: &str = "tacho.unregistered";
/// The configuration was read again, and something of it is otherwise.
pub const CONFIGURATION_CHANGED: &str = "tacho.configuration_changed";

/// What the streams of entries begin with.
pub(crate) const STREAMS: &str = "registry/";
const SOURCE: &str = "/tacho/registry";
/// Longest reason that is kept, in bytes.
const REASON_BYTES: usize = 500;

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $variant:ident $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$note])* $variant),+ }

        impl $name {
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn find(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words!(EntryKind {
    Handler "handler",
    /// Tools that are called when an event asks for what they can do.
    Server "server",
});

words!(EntryState {
    Running "running",
    Paused "paused",
    /// It gets nothing new.
    Draining "draining",
    Removed "removed",
    /// It cannot be opened, or does not answer.
    Failed "failed",
});

words!(
    /// Who brought it.
    EntryOrigin {
        Configuration "configuration",
        /// A file of the registry's folder.
        Directory "directory",
        Mcp "mcp",
        Http "http",
    }
);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryHealth {
    pub ok: bool,
    pub reason: Option<String>,
    /// When that was found.
    pub checked: Timestamp,
}

/// Somebody who is there, or was.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistryEntry {
    pub id: String,
    pub kind: EntryKind,
    pub state: EntryState,
    /// Who had it pause or drain.
    pub locked_by: Option<String>,
    /// Attempts in a row that had failed when this was written.
    pub attempts: u64,
    pub context_id: Option<String>,
    pub updated: Timestamp,
    pub capabilities: Vec<String>,
    pub version: Option<String>,
    pub health: EntryHealth,
    pub origin: EntryOrigin,
    /// Its kind, or the host that it is at; no command line.
    pub run: String,
    /// What it said of itself, where it registered itself.
    pub registration: Option<Registration>,
}

impl RegistryEntry {
    /// Whether there is nothing to tell: times, and the words of a passing failure, are no news.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let reason = |one: &Self| one.health.reason.clone().filter(|_| one.state == EntryState::Failed);
        reason(self) == reason(other)
            && self.health.ok == other.health.ok
            && (self.kind, self.state, self.origin) == (other.kind, other.state, other.origin)
            && (&self.locked_by, &self.context_id, &self.version)
                == (&other.locked_by, &other.context_id, &other.version)
            && (&self.capabilities, &self.run) == (&other.capabilities, &other.run)
            && self.registration == other.registration
    }

    pub fn is_there(&self) -> bool {
        self.state != EntryState::Removed
    }

    pub fn to_json(&self) -> Value {
        let health = &self.health;
        let mut data = json!({
            "id": self.id,
            "kind": self.kind.as_str(),
            "state": self.state.as_str(),
            "lockedBy": self.locked_by,
            "attempts": self.attempts,
            "context_id": self.context_id,
            "updatedAt": self.updated.to_rfc3339_millis(),
            "capabilities": self.capabilities,
            "version": self.version,
            "health": {
                "ok": health.ok, "reason": health.reason, "checked_at": health.checked.to_rfc3339_millis()
            },
            "origin": self.origin.as_str(),
            "run": self.run,
        });
        if let Some(registration) = &self.registration {
            data["registration"] = registration.to_json();
        }
        data
    }

    /// `None` for what is no entry.
    pub(super) fn from_json(data: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let time = |value: &Value| value.as_str().and_then(Timestamp::from_rfc3339);
        let (updated, health) = (time(&data["updatedAt"])?, &data["health"]);
        Some(Self {
            id: text(&data["id"])?,
            kind: EntryKind::find(data["kind"].as_str()?)?,
            state: EntryState::find(data["state"].as_str()?)?,
            locked_by: text(&data["lockedBy"]),
            attempts: data["attempts"].as_u64().unwrap_or(0),
            context_id: text(&data["context_id"]),
            updated,
            capabilities: texts(&data["capabilities"]),
            version: text(&data["version"]),
            health: EntryHealth {
                ok: health["ok"].as_bool()?,
                reason: text(&health["reason"]),
                checked: time(&health["checked_at"]).unwrap_or(updated),
            },
            origin: EntryOrigin::find(data["origin"].as_str()?)?,
            run: text(&data["run"])?,
            registration: Registration::from_json(data["id"].as_str()?, &data["registration"]),
        })
    }

    /// The event that holds it; `before` is what the log says of it.
    pub(super) fn to_event(
        &self,
        id: String,
        before: Option<&Self>,
        asker: Option<&Asker>,
    ) -> Result<Event, EventError> {
        let kind = match before.is_some_and(Self::is_there) {
            _ if !self.is_there() => UNREGISTERED,
            true => REGISTRY_CHANGED,
            false => REGISTERED,
        };
        let mut data = self.to_json();
        if let Some(asker) = asker {
            data["by"] = asker.by.clone().into();
            data["reason"] = asker.reason.clone().into();
        }
        event(kind, format!("{STREAMS}{}", self.id), id, &data, self.updated, asker)
    }
}

/// That the configuration was read again.
pub(super) fn configuration_changed(
    changed: &[String],
    asker: &Asker,
    id: String,
    now: Timestamp,
) -> Result<Event, EventError> {
    let data = json!({"changed": changed, "by": asker.by, "reason": asker.reason});
    event(CONFIGURATION_CHANGED, "tacho/configuration".to_owned(), id, &data, now, Some(asker))
}

fn event(
    kind: &'static str,
    stream: String,
    id: String,
    data: &Value,
    now: Timestamp,
    asker: Option<&Asker>,
) -> Result<Event, EventError> {
    let mut draft = Draft::new(kind, SOURCE, id);
    draft.subject = Some(stream.into());
    draft.put_text("time", &now.to_rfc3339());
    if let Some(asker) = asker {
        let (actor_type, actor) = asker.by.split_once(':').unwrap_or(("user", &asker.by));
        draft.put_text("actortype", actor_type);
        draft.put_text("actorid", actor);
    }
    draft.set_data(data.to_string().into_bytes());
    draft.finish(Sameness::FirstWins)
}

/// As much of a reason as is kept.
pub(super) fn reason(text: &str) -> String {
    head(text, REASON_BYTES).to_owned()
}

pub(super) fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
