//! `tacho demo`: a story, played through the real doors.

use super::up::set_place;
use crate::client::Client;
use crate::config::{Config, handler, heal, sink};
use crate::failure::Ending;
use crate::filters::FilterArguments;
use crate::log::{Log, Question};
use crate::serving::{Serving, Stop};
use crate::story::{self, Pace, Player};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Start a server in a fresh folder and play a story of several agents
///
/// The story comes in through the doors that real programs use: hooks, markers, HTTP. When it has ended the
/// server goes on until Ctrl-C, unless --exit is given.
#[derive(Debug, Args)]
pub struct Demo {
    /// The data folder, which must not hold a log [default: a new one below the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:3010, or any free port]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Play as fast as it goes, print what was recorded, and end
    #[arg(long)]
    exit: bool,
}

impl Demo {
    pub fn run(self) -> Result<Ending> {
        crate::data_folder::create_for_owner_alone();
        let data = self.data.clone().unwrap_or_else(fresh_folder);
        if crate::data_folder::holds_log(&data) {
            bail!("{} holds a log already: name a fresh folder with --data", data.display());
        }
        let mut config = Config::load(None)?;
        set_scene(&mut config, &data)?;
        let listen = self.listen.clone().unwrap_or_else(|| free_address(&config));
        set_place(&mut config, Some(data), Some(listen))?;
        let serving = Serving::start(&config)?;
        let (client, data) =
            (Client::new(&format!("http://{}", serving.address), config.token()?), serving.data.clone());
        let stop = Stop::default();
        let server = {
            let stop = stop.clone();
            std::thread::spawn(move || serving.run_until(stop))
        };
        let told = self.tell(&client, &data, &stop);
        if self.exit || told.is_err() {
            stop.now();
        }
        let served = server.join().map_err(|_| anyhow::anyhow!("the server panicked"))?;
        // Ctrl-C during the story takes the server away from it; that is no failure of the story.
        if !stop.was_asked_from_outside() {
            told?;
        }
        served?;
        Ok(Ending::Done)
    }

    fn tell(&self, client: &Client, data: &std::path::Path, stop: &Stop) -> Result<()> {
        let mut output = Output::stdout();
        let folder = data.display().to_string();
        output.line(&format!(
            "Tachograph listens on {}; its log is in {}.",
            client.server(),
            escape(&folder)
        ))?;
        output.flush()?;
        let begun = Instant::now();
        let pace = if self.exit { Pace::AsFastAsItGoes } else { Pace::Told };
        let mut player = Player::new(client.clone(), data, pace)?;
        for step in story::steps()? {
            if stop.was_asked_from_outside() {
                return Ok(());
            }
            player.play(step, &mut |text| {
                output.line(text)?;
                Ok(output.flush()?)
            })?;
        }
        report(client, begun, &mut output)?;
        if !self.exit {
            output.line(&format!("\nThe server goes on. Try: tacho events --server {}", client.server()))?;
            output.line("Ctrl-C stops it.")?;
        }
        Ok(output.flush()?)
    }
}

/// What was recorded, by type.
fn report(client: &Client, begun: Instant, output: &mut Output) -> Result<()> {
    let seconds = begun.elapsed().as_secs_f64();
    let (mut types, mut sessions) = (BTreeMap::<String, u64>::new(), BTreeSet::new());
    let question =
        Question { filters: FilterArguments::default().check()?, limit: u64::MAX, ..Question::default() };
    let total = Log::Server(client.clone())
        .each(&question, &mut |event| {
            *types.entry(event.kind().into_owned()).or_default() += 1;
            sessions.extend(event.text("sessionid").map(|session| session.into_owned()));
            Ok(())
        })
        .context("what was recorded cannot be read")?;
    let kinds = types.len();
    output.line(&format!(
        "\nRecorded {total} events of {kinds} types in {} sessions, in {seconds:.1} s:",
        sessions.len()
    ))?;
    for (kind, count) in types {
        output.line(&format!("{count:>6}  {}", escape(&kind)))?;
    }
    Ok(())
}

/// The story's own sinks and budget: it is nobody's news, and the pages about deliveries and budgets have something to
/// show.
fn set_scene(config: &mut Config, data: &Path) -> Result<()> {
    let lines = std::path::absolute(data.join("project/logs/agent-events.jsonl"))?;
    let asks = ["hitl_escalated", "budget_*", "tacho.alert"];
    let scene = [
        toml::toml! { kind = "jsonl" },
        // Nobody listens there: after three attempts each event is a dead letter.
        toml::toml! {
            kind = "http"
            name = "pager"
            url = "http://127.0.0.1:9/page"
            retry = { attempts = 3, first_ms = 200, longest_ms = 1000 }
        },
    ];
    config.rules.sinks.clear();
    config.rules.handlers.clear();
    config.rules.servers.clear();
    config.is_fixed = true;
    config.rules.heals.clear();
    for mut item in scene {
        match item["kind"].as_str() {
            Some("jsonl") => item.insert("path".to_owned(), lines.display().to_string().into()),
            _ => item.insert("on".to_owned(), asks.map(toml::Value::from).to_vec().into()),
        };
        config.rules.sinks.push(sink::read(&item.into(), &config.rules.sinks)?);
    }
    for item in story::handlers(&data.join("project"))? {
        config.rules.handlers.push(handler::read(&item, &config.rules.handlers)?);
    }
    let later = toml::toml! {
        name = "the-registry-comes-back"
        on = { handler = "publish" }
        do = "later"
        after = "1s"
    };
    config.rules.heals.push(heal::read(&later.into(), &[])?);
    config.set_flag("budget.feature_usd", "the demo's budget", "0.5")
}

fn fresh_folder() -> PathBuf {
    let id = crate::identity::hyphenated(crate::identity::random());
    std::env::temp_dir().join(format!("tacho-demo-{}", &id[..8]))
}

/// The configured address, or any free port beside it.
fn free_address(config: &Config) -> String {
    let wanted = config.values.text("server.listen").to_owned();
    match TcpListener::bind(&wanted) {
        Ok(_) => wanted,
        Err(_) => "127.0.0.1:0".to_owned(),
    }
}
