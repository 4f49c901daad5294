//! `tacho tail`: the live console.

use crate::client::{Client, ClientError, Message, Problem, query_string};
use crate::cloud_event::CloudEvent;
use crate::failure::{Ending, WrongUsage};
use crate::filters::{FilterArguments, Filters};
use crate::log::{Log, Question};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, console_block};
use anyhow::{Result, bail};
use clap::Args;
use jiff::tz::TimeZone;
use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

/// The first wait before a lost connection is made again; it doubles up to the longest.
const RECONNECT_FIRST: Duration = Duration::from_millis(100);
const RECONNECT_LONGEST: Duration = Duration::from_secs(5);

/// Watch events as they happen
#[derive(Debug, Args)]
pub struct Tail {
    #[command(flatten)]
    filters: FilterArguments,
    /// Where to begin: start, end, or behind a position
    #[arg(long, value_name = "FROM", default_value = "end")]
    from: From,
    /// End when what was there at the start of the command has been shown
    #[arg(long)]
    no_follow: bool,
    /// Print CloudEvents, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Start,
    End,
    Position(u64),
}

impl FromStr for From {
    type Err = WrongUsage;

    fn from_str(text: &str) -> Result<Self, WrongUsage> {
        match text {
            "start" => Ok(Self::Start),
            "end" => Ok(Self::End),
            _ => text
                .parse()
                .map(Self::Position)
                .map_err(|_| WrongUsage("write start, end or a position".into())),
        }
    }
}

impl Tail {
    pub fn run(self) -> Result<Ending> {
        let filters = self.filters.check()?;
        let place = Place::find(&self.place)?;
        let console = Console { output: Output::stdout(), zone: TimeZone::system(), as_json: self.json };
        if self.no_follow {
            return console.history(&place, filters, self.from);
        }
        if !place.answers() {
            bail!(
                "{}: start one with `tacho up`; without one, `--from start --no-follow` shows what is there",
                place.silence()
            );
        }
        let from = match self.from {
            From::Start => Some("start".to_owned()),
            From::End => None,
            From::Position(position) => Some(position.to_string()),
        };
        Follower { client: place.client, filters, from, last_id: None, console }.run()
    }
}

/// Shows events as they come.
struct Console {
    output: Output,
    zone: TimeZone,
    as_json: bool,
}

impl Console {
    fn show(&mut self, event: &CloudEvent) -> Result<()> {
        if self.as_json {
            self.output.json(event.bytes())?;
        } else {
            let (palette, columns) = (self.output.palette, self.output.columns);
            self.output.line(&console_block(event, &self.zone, palette, columns))?;
        }
        Ok(())
    }

    fn history(mut self, place: &Place, filters: Filters, from: From) -> Result<Ending> {
        let log = Log::open(place)?;
        let after = match from {
            From::Start => 0,
            From::Position(position) => position,
            From::End => return Ok(Ending::Done),
        };
        let question = Question { filters, after: Some(after), limit: u64::MAX, ..Default::default() };
        log.each(&question, &mut |event| self.show(&event))?;
        self.output.flush()?;
        Ok(Ending::Done)
    }
}

/// A live stream that is taken up again where it broke off.
struct Follower {
    client: Client,
    filters: Filters,
    from: Option<String>,
    /// The id of the last event that was shown.
    last_id: Option<String>,
    console: Console,
}

impl Follower {
    fn run(mut self) -> Result<Ending> {
        let mut messages = self.client.messages(&self.path(), None)?;
        loop {
            let broken = loop {
                match messages.next() {
                    Some(Ok(message)) => {
                        if !self.take(message)? {
                            break "this console was too slow".to_owned();
                        }
                    }
                    Some(Err(error)) => break error.to_string(),
                    None => break "the server closed the stream".to_owned(),
                }
            };
            self.tell(&format!("{broken}; connecting again"));
            messages = self.reconnect()?;
            self.tell("connected again");
        }
    }

    fn path(&self) -> String {
        let mut parameters = self.filters.parameters.clone();
        parameters.extend(self.from.clone().map(|from| ("from", from)));
        let query = query_string(parameters.iter().map(|(name, value)| (*name, value.as_str())));
        format!("/api/events/stream{query}")
    }

    /// Answers whether the stream goes on; after a gap it is taken up again at the last event shown.
    fn take(&mut self, message: Message) -> Result<bool> {
        match message.kind.as_str() {
            "" | "event" => {
                self.console.show(&CloudEvent::new(message.data.into_bytes()))?;
                self.console.output.flush()?;
            }
            "gap" => return Ok(false),
            "error" => bail!(ClientError::Refused(Problem::from_answer(400, message.data.as_bytes()))),
            "reset" => {
                self.tell("this is another log than before: going on from its head");
                self.last_id = None;
            }
            _ => {}
        }
        self.last_id = message.id.or(self.last_id.take());
        Ok(true)
    }

    /// Tries until the server is back; a server that refuses ends the command.
    fn reconnect(&self) -> Result<crate::client::Messages> {
        let mut wait = RECONNECT_FIRST;
        let path = self.path();
        loop {
            std::thread::sleep(wait);
            match self.client.messages(&path, self.last_id.as_deref()) {
                Ok(messages) => return Ok(messages),
                Err(ClientError::Unreachable { .. }) => wait = (wait * 2).min(RECONNECT_LONGEST),
                Err(error) => bail!(error),
            }
        }
    }

    fn tell(&self, what: &str) {
        // Where standard error is closed nobody listens.
        let _ = writeln!(std::io::stderr(), "tacho tail: {}", crate::terminal::escape(what));
    }
}
