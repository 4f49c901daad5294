//! `tacho up`: the server.

use crate::config::Config;
use crate::data_folder;
use crate::failure::{Ending, WrongUsage};
use crate::serving::{Serving, Stop};
use crate::terminal::escape;
use anyhow::Result;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Start the server
///
/// Ctrl-C lets running requests end and exits with 0; once more stops at once.
#[derive(Debug, Args)]
pub struct Up {
    /// The data folder [env: TACHO_DATA=] [default: ./.tacho]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen [env: TACHO_SERVER_LISTEN=] [default: 127.0.0.1:3010]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The configuration file [default: ./tacho.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Up {
    pub fn run(self) -> Result<Ending> {
        data_folder::create_for_owner_alone();
        let mut config = Config::load(self.config.as_deref())?;
        set_place(&mut config, self.data, self.listen)?;
        let serving = Serving::start(&config)?;
        greet(&serving, &config);
        serving.run_until(Stop::default())?;
        Ok(Ending::Done)
    }
}

/// Sets what the flags of `up` and `demo` say.
pub fn set_place(config: &mut Config, data: Option<PathBuf>, listen: Option<String>) -> Result<()> {
    if let Some(data) = data {
        config.set_flag("server.data", "--data", &data.to_string_lossy())?;
    }
    if let Some(listen) = listen {
        let set = config.set_flag("server.listen", "--listen", &listen);
        set.map_err(|error| WrongUsage(format!("{error:#}")))?;
    }
    Ok(())
}

fn greet(serving: &Serving, config: &Config) {
    let (address, data) = (serving.address, serving.data.display().to_string());
    let mut stderr = std::io::stderr().lock();
    // A closed standard error keeps nobody from serving.
    let _ = writeln!(stderr, "tacho {} listens on http://{address}", env!("CARGO_PKG_VERSION"));
    if let Some(address) = serving.otlp_grpc {
        let _ = writeln!(stderr, "OTLP over gRPC is taken on {address}");
    }
    let _ = writeln!(stderr, "the log is in {}", escape(&data));
    if let Some(project) = &config.project {
        let project = project.display().to_string();
        let _ = writeln!(stderr, "{} is in force: `tacho config show` says what it brings", escape(&project));
    }
    for warning in &config.warnings {
        let _ = writeln!(stderr, "warning: {}", escape(warning));
    }
    let _ =
        writeln!(stderr, "next: `tacho connect claude-code` in a project, then `tacho tail`; Ctrl-C stops");
}
