//! Servers that a run starts, and ends by their id whatever happens.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A server may take this long to listen, and as long to end when asked.
const PATIENCE: Duration = Duration::from_secs(60);

/// A child process. Dropping it asks it to end, then kills it.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts the command, its output in `log`, and waits until it listens on `address`.
    pub async fn start(command: Command, address: SocketAddr, log: &Path) -> Result<Server> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut server = Server::start_worker(command, address, log)?;
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            server.check_alive(&program, log)?;
            if begun.elapsed() > PATIENCE {
                bail!("{program} does not listen after {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(server)
    }

    /// Starts a command that listens nowhere: it works for the server at `address`.
    pub fn start_worker(mut command: Command, address: SocketAddr, log: &Path) -> Result<Server> {
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("{program} could not be started"))?;
        Ok(Server { child, address })
    }

    fn check_alive(&mut self, program: &str, log: &Path) -> Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let said = fs::read_to_string(log).unwrap_or_default();
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        bail!("{program} ended with {status}: {last}");
    }

    /// Resident memory in MiB: all of it, and the part that is not backed by files.
    pub fn memory_mib(&self) -> Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_end_matches("kB").trim().parse::<f64>().ok()
        };
        let kib = |name: &str| field(name).with_context(|| format!("the process has no {name}"));
        Ok((kib("VmRSS:")? / 1024.0, kib("RssAnon:")? / 1024.0))
    }

    /// Processor time that the server has used, in seconds.
    pub fn cpu_seconds(&self) -> Result<f64> {
        // Linux counts it in hundredths for programs, whatever the kernel's own tick is.
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name before it may hold spaces; user and system time are the 12th and 13th field behind it.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        let ticks: Vec<f64> = fields.skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
    }

    /// Asks the server to end and waits for it; answers how long that took.
    pub async fn stop(mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.signal(Signal::TERM);
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                bail!("process {} does not end when asked", self.child.id());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(begun.elapsed())
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = Pid::from_raw(self.child.id() as i32) {
            // It may have ended by itself; then there is nobody to tell.
            let _ = kill_process(id, signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal(Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // The kill cannot be refused and the wait only reaps.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address whose port was free a moment ago.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
