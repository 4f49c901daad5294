//! `mcp`: a tool of an MCP server, called with what a program makes of the event.

mod discovery;
mod server;
mod web_session;

use super::emit::{answer, refused};
use super::json_rpc::{self, Answer};
use super::launch::{self, Launch};
use super::settings::program;
use super::{HandlerKind, HandlerSettings, HandlerSurroundings, OpenedHandler, TIMEOUT, output};
use crate::SettingsError;
use crate::web::{self, Web};
use server::{Place, Server};
use std::sync::Arc;
use std::time::Duration;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Returned, Workers};
use tacho_event::json::{self, Kind};
use tacho_event::{Jq, Recorded};

pub use discovery::{Tool, list_tools};

/// Of what a tool said in an error, in bytes.
const WORDS_BYTES: usize = 1_000;

pub(super) const KIND: HandlerKind = HandlerKind {
    name: "mcp",
    about: "Calls `tool` of an MCP server: of the command `mcp`, which is kept and spoken to over its standard input and output, or of a `url` (streamable HTTP). \
            The first answer of the jq program `arguments` to the CloudEvent (`.data` when it is missing) are the tool's arguments. What the tool answers becomes an event \
            `tool.<tool>.completed` with `tool`, `arguments`, `result` and `serverId`; an error of the tool is tried again.",
    keys: &[
        "mcp",
        "url",
        "tool",
        "arguments",
        "directory",
        "environment",
        "variables",
        "output_bytes",
        "memory_bytes",
    ],
    check: |settings| {
        check_place(settings)?;
        arguments(settings)?;
        tool(settings).map(drop)
    },
    open,
};

fn check_place(settings: &HandlerSettings) -> Result<(), SettingsError> {
    match (&settings.url, settings.mcp.is_empty()) {
        (Some(_), false) => Err(SettingsError::unusable("url", "give a command as `mcp` or a URL, not both")),
        (Some(url), true) => web::parse_url(url).map(drop),
        (None, _) => launch::check("mcp", &settings.mcp, settings),
    }
}

fn tool(settings: &HandlerSettings) -> Result<String, SettingsError> {
    settings.tool.clone().filter(|tool| !tool.is_empty()).ok_or(SettingsError::Missing("tool"))
}

fn arguments(settings: &HandlerSettings) -> Result<Option<Jq>, SettingsError> {
    settings.arguments.as_deref().map(|text| program("arguments", text)).transpose()
}

/// Where the server of checked settings is.
fn place(settings: &HandlerSettings, surroundings: &HandlerSurroundings) -> Result<Place, SettingsError> {
    check_place(settings)?;
    Ok(match &settings.url {
        Some(url) => Place::Url(Arc::new(Web::at(web::parse_url(url)?, TIMEOUT))),
        None => Place::Command(Launch::new(&settings.mcp, settings, surroundings)),
    })
}

fn open(settings: &HandlerSettings, surroundings: &HandlerSurroundings) -> OpenedHandler {
    Ok(Arc::new(Plan {
        place: place(settings, surroundings)?,
        output_bytes: settings.output_bytes(),
        tool: tool(settings)?,
        arguments: arguments(settings)?,
        now: surroundings.now.clone(),
    }))
}

#[derive(Clone)]
struct Plan {
    place: Place,
    output_bytes: usize,
    tool: String,
    arguments: Option<Jq>,
    now: server::Now,
}

impl Workers for Plan {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        let server = Server::start(&self.place, self.output_bytes, &self.now, TIMEOUT)?;
        Ok(Box::new(Worker { plan: self.clone(), server: Some(server) }))
    }
}

struct Worker {
    plan: Plan,
    /// `None` behind a failure that ended it.
    server: Option<Server>,
}

impl Deliver for Worker {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let time = delivery.timeout.unwrap_or(TIMEOUT);
        let mut returned = Vec::with_capacity(delivery.events.len());
        for event in delivery.events {
            returned.push(self.call(event, delivery.key, time)?);
        }
        Ok(Delivered { returned, ..Delivered::default() })
    }
}

impl Worker {
    fn call(&mut self, event: &Recorded, key: &str, time: Duration) -> Result<Returned, Failure> {
        let arguments = self.plan.arguments_of(event)?;
        self.server.take_if(|server| !server.is_alive());
        let server = match self.server.as_mut() {
            Some(server) => server,
            None => {
                let Plan { place, output_bytes, now, .. } = &self.plan;
                self.server.insert(Server::start(place, *output_bytes, now, time)?)
            }
        };
        let answer = server.call("tools/call", &params(&self.plan.tool, &arguments, key), time);
        let name = server.name().to_owned();
        match answer {
            Ok(Answer::Result(result)) => completed(&self.plan.tool, event, &arguments, &result, &name),
            Ok(Answer::Error(error)) => Err(json_rpc::failure(&error)),
            Err(failure) => {
                self.server = None;
                Err(failure)
            }
        }
    }
}

impl Plan {
    fn arguments_of(&self, event: &Recorded) -> Result<Vec<u8>, Failure> {
        let arguments = match &self.arguments {
            Some(program) => answer("arguments", program, &event.to_cloudevent())?,
            None => event.data().unwrap_or(b"{}").to_vec(),
        };
        match json::kind(&arguments) {
            Kind::Object => Ok(arguments),
            _ => Err(refused("arguments", "the arguments of a tool are an object")),
        }
    }
}

fn params(tool: &str, arguments: &[u8], key: &str) -> Vec<u8> {
    let mut params = b"{\"name\":".to_vec();
    json::write_string(tool, &mut params);
    params.extend_from_slice(b",\"arguments\":");
    params.extend_from_slice(arguments);
    params.extend_from_slice(b",\"_meta\":{\"progressToken\":");
    json::write_string(key, &mut params);
    params.extend_from_slice(b"}}");
    params
}

/// What a tool's result becomes.
fn completed(
    tool: &str,
    event: &Recorded,
    arguments: &[u8],
    result: &[u8],
    server: &str,
) -> Result<Returned, Failure> {
    let content = json::member(result, "content").unwrap_or(b"[]");
    if json::member(result, "isError") == Some(b"true") {
        let texts = json::elements(content).filter_map(|part| json::member(part, "text"));
        let words = texts.map(|text| json::text(text).into_owned()).collect::<Vec<_>>().join("\n");
        return Err(Failure::retry("tool_error", tacho_event::head(&words, WORDS_BYTES)));
    }
    let mut data = b"{\"tool\":".to_vec();
    json::write_string(tool, &mut data);
    data.extend_from_slice(b",\"arguments\":");
    data.extend_from_slice(arguments);
    data.extend_from_slice(b",\"result\":{\"content\":");
    data.extend_from_slice(content);
    if let Some(structured) = json::member(result, "structuredContent") {
        data.extend_from_slice(b",\"structuredContent\":");
        data.extend_from_slice(structured);
    }
    data.extend_from_slice(b"},\"serverId\":");
    json::write_string(server, &mut data);
    data.push(b'}');
    let mut subject = Vec::new();
    json::write_string(event.stream(), &mut subject);
    Ok(output::event(&format!("tool.{tool}.completed"), &subject, &data))
}
