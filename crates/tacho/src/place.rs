//! Which server a command talks to, and which folder it falls back to.

use crate::client::{Client, Silence};
use crate::config::{self, Config, Origin};
use crate::control_token;
use crate::data_folder;
use crate::failure::WrongUsage;
use crate::terminal::escape;
use anyhow::{Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use ureq::http::Uri;

/// Where the command line looks when nothing else names a server.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:3010";

#[derive(Debug, Clone, Default, Args)]
pub struct ServerArguments {
    /// The server to talk to [default: the data folder's, else http://127.0.0.1:3010]
    #[arg(long, value_name = "URL", env = "TACHO_SERVER", hide_env_values = true)]
    pub server: Option<String>,
}

#[derive(Debug, Clone, Default, Args)]
pub struct PlaceArguments {
    #[command(flatten)]
    pub server: ServerArguments,
    /// The data folder [env: TACHO_DATA=] [default: ./.tacho]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What a running server leaves in its data folder, so that the command line finds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    pub address: String,
    /// RFC 3339.
    pub started: String,
    pub version: String,
}

/// A server that may answer, and a folder that may be opened.
#[derive(Debug)]
pub struct Place {
    pub client: Client,
    /// Absolute.
    pub data: PathBuf,
    pub config: Config,
    /// A folder was named, no server was, and none runs on that folder: asking one elsewhere would answer
    /// from another log.
    is_folder_alone: bool,
    /// The caller named the server, so nothing else may quietly stand in for it.
    is_server_named: bool,
    /// What asking the server gave, once it was asked.
    greeting: OnceCell<Result<(), Silence>>,
}

impl Place {
    pub fn find(arguments: &PlaceArguments) -> Result<Self> {
        let mut config = Config::load(None)?;
        if let Some(data) = &arguments.data {
            config.set_flag("server.data", "--data", &data.to_string_lossy())?;
        }
        let data = match &arguments.data {
            Some(data) => config::absolute(data)?,
            None => config.data()?,
        };
        let named =
            arguments.server.server.as_deref().filter(|server| !server.is_empty()).map(url).transpose()?;
        let running = running(&data).map(|running| format!("http://{}", running.address));
        let is_set = |name| *config.values.origin(name) != Origin::Default;
        let listens =
            is_set("server.listen").then(|| format!("http://{}", config.values.text("server.listen")));
        let is_server_named = named.is_some();
        let is_folder_alone = named.is_none() && running.is_none() && is_set("server.data");
        let server = named.or(running).or(listens).unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let client = Client::new(&server, config.token()?);
        let greeting = OnceCell::new();
        Ok(Self { client, data, config, is_folder_alone, is_server_named, greeting })
    }

    /// Whether a server can be asked.
    pub fn answers(&self) -> bool {
        !self.is_folder_alone && self.greeting().is_ok()
    }

    /// The server, for what no folder can answer.
    ///
    /// # Errors
    /// When none runs on the folder that was named.
    pub fn server(&self) -> Result<&Client> {
        if self.is_folder_alone {
            bail!("{}: start one with `tacho up`, or name another with --server", self.silence());
        }
        Ok(&self.client)
    }

    /// The server, for one who may control what runs there.
    ///
    /// # Errors
    /// When its control token is not known here.
    pub fn controlled(&self) -> Result<Client> {
        let client = self.server()?.clone();
        let user = user_name();
        if let Some(token) = std::env::var(control_token::VARIABLE).ok().filter(|token| !token.is_empty()) {
            return Ok(client.controlling(token, &user));
        }
        // The token of a folder is shown to the server of that folder alone.
        let running = running(&self.data).filter(|running| is_at(self.client.server(), &running.address));
        let token = running.map(|_| control_token::read(&self.data)).transpose()?.flatten();
        match token {
            Some(token) => Ok(client.controlling(token, &user)),
            None => bail!(
                "the control token of {} is not in {}: name the data folder of that server with --data, or set {}",
                client.server(),
                self.data.display(),
                control_token::VARIABLE
            ),
        }
    }

    /// Whether a server takes what is written; else it goes into the folder.
    ///
    /// # Errors
    /// When a server was named and is not there: written elsewhere, it would be missed.
    pub fn writes_to_server(&self) -> Result<bool> {
        if !self.answers() && self.is_server_named {
            bail!(
                "{}; nothing was written, because --server or TACHO_SERVER names that one: start it, or leave the name out to write into {}",
                self.silence(),
                self.data.display()
            );
        }
        Ok(self.answers())
    }

    /// Says that the folder answers in place of the server that was named.
    pub fn tell_of_folder(&self) {
        if self.is_server_named {
            let told = format!("{}: reading the log in {}", self.silence(), self.data.display());
            // Where standard error is closed nobody listens.
            let _ = writeln!(std::io::stderr(), "note: {}", escape(&told));
        }
    }

    /// A server that holds the log but does not answer would be worked on behind its back.
    pub fn refuse_held(&self) -> Result<()> {
        let Some(holder) = data_folder::holder(&self.data) else { return Ok(()) };
        let address = self.client.server().trim_start_matches("http://");
        let remedy = if holder.contains(address) && !self.is_folder_alone {
            "look at its output, or stop it"
        } else {
            "name its address with --server, or stop it"
        };
        bail!("{}, but {} is held by {holder}: {remedy}", self.silence(), self.data.display())
    }

    /// The beginning of a sentence that says that none can.
    pub fn silence(&self) -> String {
        let server = self.client.server();
        match self.greeting() {
            _ if self.is_folder_alone => format!("no server runs on {}", self.data.display()),
            Err(Silence::Hung) => format!("{server} takes connections but does not answer"),
            Err(Silence::Stranger) => format!("what answers at {server} is no tacho"),
            Err(Silence::Absent) | Ok(()) => format!("no server answers at {server}"),
        }
    }

    fn greeting(&self) -> Result<(), Silence> {
        *self.greeting.get_or_init(|| self.client.greet())
    }
}

/// Whether the URL of a server leads to where one says that it listens.
fn is_at(server: &str, address: &str) -> bool {
    let (Ok(uri), Ok(address)) = (server.parse::<Uri>(), address.parse::<SocketAddr>()) else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_this_machine = address.ip().is_loopback() || address.ip().is_unspecified();
    let is_host = match host.parse::<IpAddr>() {
        Ok(host) => host == address.ip() || (host.is_loopback() && address.ip().is_unspecified()),
        Err(_) => host.eq_ignore_ascii_case("localhost") && is_this_machine,
    };
    is_host && uri.port_u16().unwrap_or(80) == address.port()
}

/// `HOST:PORT` as a URL. There is no TLS in this program: beyond the machine it belongs behind a tunnel.
fn url(server: &str) -> Result<String, WrongUsage> {
    let url = match server.split_once("://") {
        None if server.contains(':') => format!("http://{server}"),
        Some(("http", _)) => server.to_owned(),
        Some((scheme, _)) => {
            return Err(WrongUsage(format!(
                "{server}: {scheme} is not spoken here, only http: write http://HOST:PORT"
            )));
        }
        None => return Err(no_url(server)),
    };
    let host = url.parse::<Uri>().ok().and_then(|uri| Some(!uri.host()?.is_empty()));
    if host == Some(true) { Ok(url) } else { Err(no_url(server)) }
}

fn no_url(server: &str) -> WrongUsage {
    WrongUsage(format!(
        "{server:?} is no URL of a server: write http://HOST:PORT with --server or TACHO_SERVER"
    ))
}

/// The server of a data folder, if one says that it runs.
pub fn running(data: &Path) -> Option<Running> {
    let text = std::fs::read(running_file(data)).ok()?;
    serde_json::from_slice(&text).ok().filter(|running: &Running| is_alive(running.pid))
}

pub fn running_file(data: &Path) -> PathBuf {
    data_folder::run_folder(data).join("server.json")
}

fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    // A process of another user answers "not permitted": it is there.
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// Who types, for the record: their name, else their number.
fn user_name() -> String {
    let named = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_to_its_own_server_alone() {
        for (server, address) in [
            ("http://127.0.0.1:3010", "127.0.0.1:3010"),
            ("http://localhost:3010", "127.0.0.1:3010"),
            ("http://127.0.0.1:3010", "0.0.0.0:3010"),
            ("http://[::1]:3010", "[::1]:3010"),
        ] {
            assert!(is_at(server, address), "{server} {address}");
        }
        for (server, address) in [
            ("http://127.0.0.1:3011", "127.0.0.1:3010"),
            ("http://evil.example:3010", "127.0.0.1:3010"),
            ("http://localhost.evil.example:3010", "127.0.0.1:3010"),
            ("http://10.0.0.1:3010", "0.0.0.0:3010"),
            ("http://127.0.0.1:3010@evil.example", "127.0.0.1:3010"),
        ] {
            assert!(!is_at(server, address), "{server} {address}");
        }
    }
}
