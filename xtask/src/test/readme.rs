//! Runs the README's commands as a reader would.
//!
//! A fence's first line says what happens to its block:
//!
//! | first line            | meaning                                                                     |
//! |-----------------------|-----------------------------------------------------------------------------|
//! | ```` ```sh ````       | runs in a fresh folder and a fresh home, with the built `tacho` on the path |
//! | ```` ```sh continue ```` | goes on where the block before it ended: same folder, same shell         |
//! | ```` ```sh no-test: WHY ```` | is not run; the reason is printed                                    |
//!
//! A block fails with its first command that fails. What it leaves running is ended when its last
//! continuation has run, so `tacho up &` may be written as a reader would write it.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use super::summary::Outcome;
use crate::workspace::Workspace;

/// A story of the README may take this long, its server's start included.
const DEADLINE: Duration = Duration::from_secs(120);
/// What a story leaves running may take this long to end once asked.
const GRACE: Duration = Duration::from_secs(5);
/// Where a server listens when it is not told otherwise, as the README's commands do not tell it.
const DEFAULT_PORT: u16 = 3010;

/// Ends the story when the pipe on its standard input closes, as it does when the test itself is killed. The outer
/// parentheses keep the watcher out of the story's own jobs.
const WATCHDOG: &str = "exec 3<&0 </dev/null; ((cat <&3 >/dev/null; kill -TERM -$$) &); exec 3<&-\n";

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let readme = fs::read_to_string(workspace.root.join("README.md")).context("README.md cannot be read")?;
    let binary = workspace.tacho();
    if !binary.is_file() {
        bail!("{} is missing: the release build must pass first", binary.display());
    }
    let scratch = workspace.target.join("readme");
    let (stories, skipped) = stories(&readme)?;
    for Skipped { line, reason } in skipped {
        println!("README.md:{line}: not run: {reason}");
    }
    let mut failed = Vec::new();
    for story in &stories {
        println!("README.md:{}: running", story.line);
        let ran = check_port_free().and_then(|()| start(story, &scratch, &binary)).and_then(Group::wait);
        if let Err(error) = ran {
            println!("README.md:{}: {error:#}", story.line);
            failed.push(format!("README.md:{}", story.line));
        }
    }
    match (stories.len(), failed.as_slice()) {
        (0, _) => Ok(Outcome::Failed("README.md has no ```sh block that can be run".to_owned())),
        (_, []) => Ok(Outcome::Passed),
        (_, failed) => Ok(Outcome::Failed(format!("failed: {}", failed.join(", ")))),
    }
}

/// Blocks that run in one shell. The line is the first block's fence, 1-based.
#[derive(Debug, PartialEq, Eq)]
struct Story {
    line: usize,
    script: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Skipped {
    line: usize,
    reason: String,
}

fn stories(readme: &str) -> Result<(Vec<Story>, Vec<Skipped>)> {
    let (mut stories, mut skipped) = (Vec::<Story>::new(), Vec::new());
    let mut lines = readme.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```").filter(|info| !info.is_empty()) else {
            continue;
        };
        let block: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        let line = index + 1;
        let Some(rest) =
            info.trim().strip_prefix("sh").filter(|rest| !rest.starts_with(char::is_alphanumeric))
        else {
            continue;
        };
        // The shell names the README's line of the block that it is in.
        let script = format!("echo '  README.md:{line}'\n{}\n", block.join("\n"));
        match rest.trim() {
            "" => stories.push(Story { line, script }),
            "continue" => match stories.last_mut() {
                Some(story) => story.script.push_str(&script),
                None => bail!("README.md:{line}: there is no block to continue"),
            },
            rest => match rest.strip_prefix("no-test") {
                Some(reason) => skipped.push(Skipped { line, reason: reason_or_default(reason) }),
                None => bail!("README.md:{line}: `sh {rest}` is neither `continue` nor `no-test: WHY`"),
            },
        }
    }
    Ok((stories, skipped))
}

fn reason_or_default(reason: &str) -> String {
    let reason = reason.trim_start_matches(':').trim();
    if reason.is_empty() { "it gives no reason".to_owned() } else { reason.to_owned() }
}

fn check_port_free() -> Result<()> {
    if TcpStream::connect((Ipv4Addr::LOCALHOST, DEFAULT_PORT)).is_ok() {
        bail!(
            "port {DEFAULT_PORT}, where the README's server listens, is taken: end the program that holds it"
        );
    }
    Ok(())
}

fn start(story: &Story, scratch: &Path, binary: &Path) -> Result<Group> {
    let folder = scratch.join(format!("line-{}", story.line));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let (home, work) = (folder.join("home"), folder.join("work"));
    fs::create_dir_all(&home)?;
    fs::create_dir_all(&work)?;
    let script = folder.join("story.sh");
    fs::write(&script, format!("{WATCHDOG}{}", story.script))?;
    let binaries = folder.join("bin");
    fs::create_dir(&binaries)?;
    symlink(binary, binaries.join("tacho"))?;
    let mut path = vec![binaries];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let child = Command::new("sh")
        .arg("-eu")
        .arg(&script)
        .current_dir(&work)
        .env("HOME", &home)
        .env("PATH", std::env::join_paths(path)?)
        .env_remove("TACHO_DATA")
        .env_remove("TACHO_SERVER")
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .context("sh could not be started")?;
    Ok(Group { leader: child })
}

/// A shell and all that it started. Dropping it ends them.
struct Group {
    leader: Child,
}

impl Group {
    fn wait(mut self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < DEADLINE {
            if let Some(status) = self.leader.try_wait()? {
                return if status.success() { Ok(()) } else { bail!("failed with {status}") };
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("was not done after {} s: end what it starts, or mark it `no-test: WHY`", DEADLINE.as_secs())
    }

    fn signal(&self, signal: Signal) -> bool {
        Pid::from_raw(self.leader.id() as i32).is_some_and(|group| kill_process_group(group, signal).is_ok())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        // A group answers to no signal once it is empty; the shell itself must be reaped for that.
        while begun.elapsed() < GRACE {
            let shell_ended = matches!(self.leader.try_wait(), Ok(Some(_)));
            if shell_ended && !self.signal(Signal::CONT) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.signal(Signal::KILL);
        // The shell has been killed; the wait only reaps it.
        let _ = self.leader.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn blocks_become_stories() {
        let readme = "\
# Title
```sh
one
```
```sh continue
two
```
```json
{}
```
```sh no-test: needs systemd
three
```
```shell
four
```
";
        let (found, skipped) = stories(readme).expect("it is well formed");
        let script = "echo '  README.md:2'\none\necho '  README.md:5'\ntwo\n";
        assert_eq!(found, [Story { line: 2, script: script.to_owned() }]);
        assert_eq!(skipped, [Skipped { line: 11, reason: "needs systemd".to_owned() }]);
    }

    #[test]
    fn an_unknown_mark_is_refused() {
        assert!(stories("```sh notest\n```\n").is_err());
        assert!(stories("```sh continue\n```\n").is_err());
    }

    fn begin(name: &str, script: &str) -> (Group, PathBuf) {
        let folder = std::env::temp_dir().join(format!("tacho-readme-{}-{name}", std::process::id()));
        let story = Story { line: 1, script: script.to_owned() };
        (start(&story, &folder, Path::new("/bin/true")).expect("sh starts"), folder)
    }

    #[test]
    fn a_story_ends_with_what_it_left_running() {
        let (group, folder) = begin("left", "tacho\nsleep 600 &\necho $! > ../pid\n");
        group.wait().expect("the shell exits with 0");
        let pid: i32 = fs::read_to_string(folder.join("line-1/pid")).unwrap().trim().parse().unwrap();
        let alive = rustix::process::test_kill_process(Pid::from_raw(pid).unwrap()).is_ok();
        assert!(!alive || is_zombie(pid));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_story_ends_when_the_test_is_killed() {
        let (mut group, folder) = begin("killed", "sleep 600\n");
        drop(group.leader.stdin.take());
        assert!(group.wait().unwrap_err().to_string().starts_with("failed with"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_story_fails_with_its_first_command_that_fails() {
        let (group, folder) = begin("fails", "false\ntrue\n");
        assert!(group.wait().is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    /// An orphan stays a zombie where no init process reaps it, as in a container.
    fn is_zombie(pid: i32) -> bool {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    }
}
