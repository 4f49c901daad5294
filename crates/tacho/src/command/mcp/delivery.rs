//! What was told → frames, on the way that hooks take: to the server's socket, else to the spool.

use super::told::Told;
use crate::hook::{self, Delivered, Settings};
use crate::{git, identity};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tacho_event::TraceContext;
use tacho_ingest::Redactor;
use tacho_ingest::hook::Agent;
use tacho_journal::spool::HookFrame;

/// For how long a server that did not answer is not asked again.
const REST: Duration = Duration::from_secs(1);

pub struct Delivery {
    data: PathBuf,
    settings: Settings,
    redactor: Redactor,
    /// The server did not answer; until then the spool takes everything.
    away_until: Option<Instant>,
}

impl Delivery {
    pub fn new(data: PathBuf) -> Self {
        let settings = Settings::load(&data);
        let redactor = settings.redactor();
        Self { data, settings, redactor, away_until: None }
    }

    /// Whether it is kept.
    pub fn deliver(&mut self, told: Told) -> bool {
        self.refresh();
        let frame = self.frame(told).encode();
        if self.away_until.is_none_or(|until| Instant::now() >= until) {
            self.away_until = None;
            match hook::to_server(&self.data, &frame) {
                Ok(()) => return true,
                Err(_) => self.away_until = Some(Instant::now() + REST),
            }
        }
        let spooled = hook::to_spool(&self.data, &frame, self.settings.spool_bytes);
        // What a full spool drops is counted there and told by the server.
        spooled.is_ok_and(|spooled| spooled != Delivered::Dropped)
    }

    /// A server that was started since may know more secrets.
    fn refresh(&mut self) {
        let settings = Settings::load(&self.data);
        if settings != self.settings {
            self.redactor = settings.redactor();
            self.settings = settings;
        }
    }

    fn frame(&self, told: Told) -> HookFrame {
        let payload = hook::clean(&told.payload, &self.redactor);
        let head = std::env::current_dir().ok().and_then(|folder| git::head(&folder));
        let (git_sha, branch) = head.map_or((None, None), |head| (head.sha, head.branch));
        let traceparent =
            std::env::var("TRACEPARENT").ok().filter(|text| TraceContext::parse(text).is_some());
        let id = identity::uuid7(told.time, identity::random());
        let agent = Agent::Mcp.name().to_owned();
        HookFrame { id, time: told.time, agent, git_sha, branch, traceparent, payload: payload.bytes }
    }
}
