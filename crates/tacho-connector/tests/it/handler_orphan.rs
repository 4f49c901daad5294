//! A worker ends with the server, however that ends.

use crate::bench::eventually;
use crate::handler_peer::{Scripts, command, start, until_gone};
use std::process::{Command, Stdio};

/// Where the process that plays the server is told its folder.
const FOLDER: &str = "TACHO_TEST_ORPHAN_FOLDER";

#[cfg(target_os = "linux")]
#[test]
fn a_worker_dies_with_a_server_that_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return serve(std::path::Path::new(&folder));
    }
    let scripts = Scripts::new();
    // It leaves neither when its input ends nor when it is asked to.
    let pid = scripts.path("pid");
    let script =
        format!("trap '' TERM HUP\necho $$ > {0}.new\nmv {0}.new {0}\nexec tail -f /dev/null", pid.display());
    scripts.shell(&script);
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "handler_orphan::a_worker_dies_with_a_server_that_is_killed"])
        .env(FOLDER, scripts.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let worker = eventually("the worker runs", || {
        assert!(server.try_wait().unwrap().is_none(), "the server ended");
        std::fs::read_to_string(&pid).ok()
    });
    server.kill().unwrap();
    server.wait().unwrap();
    until_gone(worker.trim());
}

/// Keeps a worker until the test ends, or this process.
fn serve(folder: &std::path::Path) {
    let script = folder.join("script").to_str().unwrap().to_owned();
    let worker = start(&command(vec!["sh".into(), script], "warm"));
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(worker);
}
