//! The server's life in this process: folder, port, engine, doors, and the way down.

mod handler_folder;
mod hangup;
mod port;
mod registration;
mod registry;
mod shutdown;

use crate::condition_worker;
use crate::config::Config;
use crate::control_token;
use crate::data_folder;
use crate::hook;
use crate::identity;
use crate::place::{Running, running_file};
use crate::terminal::sink_block;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tacho_connector::Surroundings;
use tacho_engine::{Engine, SystemClock, memory};
use tacho_server::Listeners;
use tokio::runtime::{Builder, Runtime};

pub use shutdown::Stop;

/// A server that has its folder and its port, and is about to answer.
pub struct Serving {
    pub address: SocketAddr,
    /// Where OTLP over gRPC is taken, when it is.
    pub otlp_grpc: Option<SocketAddr>,
    /// Absolute.
    pub data: PathBuf,
    listeners: Listeners,
    engine: Engine,
    doors: tacho_server::Config,
    runtime: Runtime,
}

impl Serving {
    /// Takes the folder and the port. Whoever holds one of them is named.
    pub fn start(config: &Config) -> Result<Self> {
        memory::keep_little();
        config.startable()?;
        let (data, listen, otlp_grpc) = (config.data()?, config.listen()?, config.otlp_grpc()?);
        let mut doors = config.doors(&data)?;
        let open = [Some(listen), otlp_grpc].into_iter().flatten().find(|listen| !listen.ip().is_loopback());
        if let (Some(open), None) = (open, &doors.token) {
            bail!(
                "{open} can be reached from other machines: set TACHO_TOKEN or server.token_file, or listen on 127.0.0.1"
            );
        }
        data_folder::create(&data).with_context(|| format!("cannot create {}", data.display()))?;
        if let Some(holder) = data_folder::holder(&data) {
            bail!(
                "{} is held by {holder}: use that server, stop it, or name another folder with --data",
                data.display()
            );
        }
        let listener = bind(listen, "--listen")?;
        let address = listener.local_addr()?;
        let grpc = otlp_grpc.map(|listen| bind(listen, "server.otlp_grpc")).transpose()?;
        let otlp_grpc = grpc.as_ref().map(TcpListener::local_addr).transpose()?;
        let listeners = Listeners { http: vec![listener], otlp_grpc: grpc };
        let holder = format!("process {} at http://{address}", std::process::id());
        let mut settings = config.engine(data.clone(), holder);
        settings.watch = config.watch()?;
        settings.condition_worker =
            Some(condition_worker::command().context("cannot find this program's own file")?);
        let engine = Engine::open(settings, SystemClock)
            .with_context(|| format!("cannot open the log in {}", data.display()))?;
        let ready = control_token::keep(&data).and_then(|token| {
            doors.control_token = Some(token);
            start_sinks(config, &engine)?;
            registry::start(config, &engine, config.reader())
        });
        if let Err(error) = ready {
            let _ = engine.close();
            return Err(error);
        }
        leave_word(config, &data, address)
            .with_context(|| format!("cannot write into {}", data.display()))?;
        let runtime = Builder::new_multi_thread().enable_all().build().context("cannot start a runtime")?;
        Ok(Self { address, otlp_grpc, data, listeners, engine, doors, runtime })
    }

    /// Answers until a signal or `stop` asks it to end, then drains, and closes the log.
    pub fn run_until(self, stop: Stop) -> Result<()> {
        let stop = {
            let _entered = self.runtime.enter();
            hangup::listen(self.engine.clone())?;
            stop.wait()?
        };
        let served =
            self.runtime.block_on(tacho_server::run(self.listeners, self.engine.clone(), self.doors, stop));
        let closed = self.engine.close();
        // Whoever reads it later finds a process that is gone.
        let _ = fs::remove_file(running_file(&self.data));
        served.context("the server failed")?;
        closed.context("the log could not be closed")
    }
}

/// Where each begins is fixed before the server answers.
fn start_sinks(config: &Config, engine: &Engine) -> Result<()> {
    let surroundings = Surroundings { engine: engine.clone(), console: Arc::new(sink_block) };
    let handlers = config.sinks(&surroundings)?;
    engine.start_handlers(handlers).context("the sinks cannot be started")
}

/// `setting` is where another address is chosen.
fn bind(listen: SocketAddr, setting: &str) -> Result<TcpListener> {
    match TcpListener::bind(listen) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!(
                "{listen} is taken by {}: stop it, or choose another address with {setting}",
                port::holder(listen)
            )
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {listen}")),
    }
}

/// Tells the command line where the server is, and hooks what the configuration changes for them.
fn leave_word(config: &Config, data: &Path, address: SocketAddr) -> Result<()> {
    let running = Running {
        pid: std::process::id(),
        address: address.to_string(),
        started: identity::now().to_rfc3339_millis(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    data_folder::replace(&running_file(data), &serde_json::to_vec_pretty(&running)?)?;
    let settings = config.hook_settings();
    let file = hook::Settings::file(data);
    if settings != hook::Settings::default() {
        return Ok(data_folder::replace(&file, &serde_json::to_vec_pretty(&settings)?)?);
    }
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
