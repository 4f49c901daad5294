//! Who is there: the handlers and tool servers of the configuration, those of the folder, and who registers themselves.

use super::handler_folder::HandlerFolder;
use super::registration;
use crate::config::{Config, Handler};
use crate::terminal::escape;
use anyhow::{Context, Result};
use std::sync::Arc;
use tacho_connector::HandlerSurroundings;
use tacho_engine::Engine;
use tacho_engine::registry::{EntryOrigin, Member, Sources};

/// Reads the configuration again.
type Again = Box<dyn Fn() -> Result<Config> + Send>;

/// Where each handler begins is fixed before the server answers.
pub fn start(config: &Config, engine: &Engine, again: Again) -> Result<()> {
    let clock = engine.clone();
    let surroundings = HandlerSurroundings {
        environment: std::env::vars_os().collect(),
        now: Arc::new(move || clock.now()),
    };
    let mut members = configured(config, engine, &surroundings)?;
    let mut folder =
        config.handler_folder().map(|path| HandlerFolder::new(path, engine.clone(), surroundings.clone()));
    if let Some(found) = folder.as_mut().and_then(HandlerFolder::look) {
        for member in found {
            if members.iter().any(|other| other.id == member.id) {
                tell(&format!(
                    "{} is configured, too: what the folder has of that name is left out",
                    member.id
                ));
            } else {
                members.push(member);
            }
        }
    }
    let (read, around) = ((engine.clone(), surroundings.clone()), (engine.clone(), surroundings));
    let sources = Sources {
        configuration: Box::new(move || {
            let config = again().map_err(|error| format!("{error:#}"))?;
            configured(&config, &read.0, &read.1).map_err(|error| format!("{error:#}"))
        }),
        directory: folder.map(|mut folder| Box::new(move || folder.look()) as Box<_>),
        registration: Box::new(move |registration| {
            registration::open(registration, &around.0, &around.1).map_err(|error| format!("{error:#}"))
        }),
        tell: Box::new(tell),
    };
    engine.start_registry(members, sources).context("the handlers cannot be started")?;
    engine.start_healer(config.rules.heals.clone()).context("the healer cannot be started")
}

/// What the configuration names, when all of it may be started.
fn configured(config: &Config, engine: &Engine, surroundings: &HandlerSurroundings) -> Result<Vec<Member>> {
    let (handlers, servers) = config.startable()?;
    let handlers =
        handlers.iter().map(|handler| of_handler(handler, EntryOrigin::Configuration, engine, surroundings));
    handlers.chain(servers.iter().map(|server| Ok(server.member(surroundings)))).collect()
}

/// A handler as the registry takes it; starts nothing yet.
pub fn of_handler(
    handler: &Handler,
    origin: EntryOrigin,
    engine: &Engine,
    surroundings: &HandlerSurroundings,
) -> Result<Member> {
    Ok(Member {
        id: handler.name.clone(),
        origin,
        run: handler.run.told(),
        capabilities: handler.capabilities.clone(),
        version: handler.version.clone(),
        digest: handler.digest.clone(),
        definition: Some(handler.open(engine, surroundings)?),
        offer: None,
        trouble: None,
        registration: None,
    })
}

/// Says something to whoever runs the server.
pub fn tell(what: &str) {
    // A closed standard error keeps nobody from serving.
    let _ = std::io::Write::write_all(
        &mut std::io::stderr().lock(),
        format!("warning: {}\n", escape(what)).as_bytes(),
    );
}
