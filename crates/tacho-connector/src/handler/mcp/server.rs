//! An MCP server that was greeted (`modelcontextprotocol.io`, revision 2025-06-18).

use super::web_session::WebSession;
use crate::handler::json_rpc::{self, Answer, JsonRpc};
use crate::handler::launch::Launch;
use crate::web::Web;
use std::sync::Arc;
use std::time::Duration;
use tacho_engine::delivery::Failure;
use tacho_event::{Timestamp, json};

const HELLO: &str = concat!(
    "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"tacho\",\"version\":\"",
    env!("CARGO_PKG_VERSION"),
    "\"}}"
);

pub(super) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

#[derive(Clone)]
pub(super) enum Place {
    Command(Launch),
    Url(Arc<Web>),
}

/// After a failure of it, another one is to be started.
pub(super) struct Server {
    channel: Channel,
    /// As it calls itself.
    name: String,
}

enum Channel {
    Process(JsonRpc),
    Web(WebSession),
}

impl Server {
    pub(super) fn start(
        place: &Place,
        output_bytes: usize,
        now: &Now,
        time: Duration,
    ) -> Result<Self, Failure> {
        let (mut channel, place) = match place {
            Place::Command(launch) => {
                (Channel::Process(JsonRpc::start(launch, output_bytes)?), launch.program().to_owned())
            }
            Place::Url(web) => {
                let session = WebSession::new(web.clone(), output_bytes, now.clone());
                (Channel::Web(session), web.host().to_owned())
            }
        };
        let hello = match channel.call("initialize", HELLO.as_bytes(), time)? {
            Answer::Result(hello) => hello,
            Answer::Error(error) => return Err(json_rpc::failure(&error)),
        };
        if let (Channel::Web(session), Some(version)) =
            (&mut channel, json::member(&hello, "protocolVersion"))
        {
            session.speak(json::text(version).into_owned());
        }
        channel.notify("notifications/initialized", b"{}", time)?;
        let name = json::member(&hello, "serverInfo").and_then(|server| json::member(server, "name"));
        let name = name.map_or(place, |name| json::text(name).into_owned());
        Ok(Self { channel, name })
    }

    pub(super) fn call(&mut self, method: &str, params: &[u8], time: Duration) -> Result<Answer, Failure> {
        self.channel.call(method, params, time)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_alive(&self) -> bool {
        match &self.channel {
            Channel::Process(peer) => peer.conversation().is_alive(),
            Channel::Web(_) => true,
        }
    }
}

impl Channel {
    fn call(&mut self, method: &str, params: &[u8], time: Duration) -> Result<Answer, Failure> {
        match self {
            Self::Process(peer) => peer.call(method, params, time),
            Self::Web(session) => session.call(method, params, time),
        }
    }

    fn notify(&mut self, method: &str, params: &[u8], time: Duration) -> Result<(), Failure> {
        match self {
            Self::Process(peer) => {
                peer.notify(method, params);
                Ok(())
            }
            Self::Web(session) => session.notify(method, params, time),
        }
    }
}
