//! Who listens on a port that is taken.

use crate::client::Client;
use std::fs;
use std::net::SocketAddr;

/// `process 4711 (python3)`, as far as it can be found out; says when it is one of ours.
pub fn holder(address: SocketAddr) -> String {
    let ours = Client::new(&format!("http://{address}"), None).greet().is_ok();
    let what = if ours { "another tacho server" } else { "another program" };
    match process(address) {
        Some((pid, name)) => format!("{what}, process {pid} ({name})"),
        None => what.to_owned(),
    }
}

/// Linux tells sockets and their owners below `/proc`; elsewhere nobody is named.
fn process(address: SocketAddr) -> Option<(u32, String)> {
    let table = if address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let inode = listening_inode(&fs::read_to_string(table).ok()?, address.port())?;
    let socket = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pid = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).find(|pid| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|link| link.as_os_str() == socket.as_str())
    })?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some((pid, name.trim().to_owned()))
}

/// The inode of the socket that listens on `port`, from the text of `/proc/net/tcp` (proc(5)).
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let matches = fields.get(1)?.ends_with(&wanted) && *fields.get(3)? == LISTEN;
        if matches { fields.get(9)?.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_holder_of_a_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (pid, _) = process(listener.local_addr().unwrap()).unwrap();
        assert_eq!(pid, std::process::id());
    }
}
