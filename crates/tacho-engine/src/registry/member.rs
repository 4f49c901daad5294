//! Who is there: what the binary opened for the registry.

use super::entry::{EntryOrigin, texts};
use crate::delivery::{Failure, Workers};
use crate::handler::Definition;
use serde_json::{Value, json};
use std::sync::Arc;

/// Somebody who is to be there.
#[derive(Clone)]
pub struct Member {
    /// As [`crate::delivery::check_name`] wants it; a handler's name.
    pub id: String,
    pub origin: EntryOrigin,
    /// Its kind, or the host that it is at: for people, so no command line and no secret.
    pub run: String,
    pub capabilities: Vec<String>,
    pub version: Option<String>,
    /// A digest of what was said of it: where that changed, it is started anew.
    pub digest: String,
    /// What gets events of its own accord.
    pub definition: Option<Definition>,
    /// What is done when an event asks for it.
    pub offer: Option<Offer>,
    /// Why it cannot be there, in words.
    pub trouble: Option<String>,
    pub registration: Option<Registration>,
}

type List = Arc<dyn Fn() -> Result<Vec<String>, Failure> + Send + Sync>;
/// Workers for one capability.
pub(super) type Open = Arc<dyn Fn(&str) -> Result<Arc<dyn Workers>, Failure> + Send + Sync>;

/// What can be asked for without a subscription.
#[derive(Clone)]
pub struct Offer {
    /// Asks what it can do, which shows whether it is well; may block, within a limit of its own. `None`: the member's
    /// capabilities are all.
    pub list: Option<List>,
    /// Workers for one capability.
    pub open: Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationKind {
    Http,
    Mcp,
}

impl RegistrationKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Mcp => "mcp",
        }
    }

    /// The kind of this name.
    pub fn find(name: &str) -> Option<Self> {
        [Self::Http, Self::Mcp].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What somebody says of themselves; it stands on the log, so that the next start has it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    pub id: String,
    pub kind: RegistrationKind,
    pub url: String,
    pub capabilities: Vec<String>,
    pub version: Option<String>,
    /// Which events it gets of its own accord: conditions as in the configuration.
    pub on: Option<Value>,
    /// The tool that gets them.
    pub tool: Option<String>,
}

impl Registration {
    pub fn to_json(&self) -> Value {
        json!({
            "kind": self.kind.as_str(), "url": self.url, "capabilities": self.capabilities,
            "version": self.version, "on": self.on, "tool": self.tool,
        })
    }

    /// `None` for what is no registration.
    pub fn from_json(id: &str, data: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            id: id.to_owned(),
            kind: RegistrationKind::find(data["kind"].as_str()?)?,
            url: text(&data["url"])?,
            capabilities: texts(&data["capabilities"]),
            version: text(&data["version"]),
            on: Some(data["on"].clone()).filter(|on| !on.is_null()),
            tool: text(&data["tool"]),
        })
    }
}

type Read = Box<dyn FnMut() -> Result<Vec<Member>, String> + Send>;
type Look = Box<dyn FnMut() -> Option<Vec<Member>> + Send>;
type OpenRegistration = Box<dyn Fn(&Registration) -> Result<Member, String> + Send>;

/// Where members come from. Called on the registry's thread.
pub struct Sources {
    /// Reads the configuration again. An error refuses all of it.
    pub configuration: Read,
    /// Looks into the folder, about once a second: what is there, when that is not what was there before.
    pub directory: Option<Look>,
    /// Opens what somebody says of themselves, or says why not.
    pub registration: OpenRegistration,
    /// Tells whoever runs the server.
    pub tell: Box<dyn Fn(&str) + Send>,
}
