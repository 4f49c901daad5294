//! Who sent an export: the resource and scope that its records share.

use super::node::Node;
use super::value::{self, Object, attributes};
use crate::hook::push_path_part;
use crate::redact::Redactor;
use crate::shape::key_text;
use std::borrow::Cow;
use tacho_event::json;

/// Beginnings of resource attributes that say nothing about the work: machine, process, SDK.
const LEFT_OUT: [&str; 4] = ["host.", "os.", "process.", "telemetry."];
const KEPT: &str = "host.name";
/// What Claude Code's scopes begin with.
const CLAUDE_CODE_SCOPE: &str = "com.anthropic.claude_code";
const CLAUDE_CODE: &str = "claude-code";

/// What every record of a resource and scope has in common, redacted.
pub(super) struct Resource {
    /// `/otel/<service.name>`.
    pub(super) source: String,
    pub(super) service: Option<String>,
    /// A session that the resource names for all of its records.
    pub(super) session: Option<String>,
    /// The attributes that are worth keeping, as an object; `None` when there is none.
    pub(super) kept: Option<Vec<u8>>,
    /// The scope's name; not kept where it tells nothing new.
    pub(super) scope: Option<String>,
    pub(super) is_claude_code: bool,
}

impl Resource {
    pub(super) fn read(resource: Option<Node<'_>>, scope: Option<Node<'_>>, redactor: &Redactor) -> Self {
        let list = resource.and_then(|resource| resource.member("attributes"));
        let all = attributes(list.as_deref(), false).to_json();
        let all = redactor.redact_json(&all);
        let text = |name: &str| value::text(json::member(&all, name)).map(Cow::into_owned);
        let service = text("service.name");
        let mut source = "/otel".to_owned();
        if let Some(service) = &service {
            source.push('/');
            push_path_part(service, &mut source);
        }
        let scope = scope.and_then(|scope| scope.member("name"));
        let scope = value::text(scope.as_deref()).map(Cow::into_owned);
        let of_claude_code = scope.as_ref().is_some_and(|scope| scope.starts_with(CLAUDE_CODE_SCOPE));
        Self {
            is_claude_code: of_claude_code || service.as_deref() == Some(CLAUDE_CODE),
            source,
            session: text("session.id"),
            kept: kept(&all),
            scope: scope.filter(|_| !of_claude_code),
            service,
        }
    }

    /// Adds what the resource tells to a record's payload.
    pub(super) fn add_to(&self, data: &mut Object) {
        if let Some(scope) = &self.scope {
            data.add_text("scope", scope);
        }
        if let Some(kept) = &self.kept {
            data.add("resource", kept);
        }
    }

    /// The attributes of a record by name.
    pub(super) fn attributes(&self, list: Option<&[u8]>) -> Object {
        attributes(list, self.is_claude_code)
    }
}

fn kept(all: &[u8]) -> Option<Vec<u8>> {
    let mut object = Object::default();
    for (key, value) in json::members(all) {
        let key = key_text(key);
        if key == KEPT || !LEFT_OUT.iter().any(|beginning| key.starts_with(beginning)) {
            object.add(&key, value);
        }
    }
    (!object.is_empty()).then(|| object.to_json())
}
