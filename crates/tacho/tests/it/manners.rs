//! Help, exit codes, suggestions, completions, configuration, escaping.

use crate::place::Place;
use crate::server::documents;
use expect_test::{expect, expect_file};
use std::process::{Command, Stdio};

#[test]
fn the_help_of_the_whole() {
    expect![[r#"
        The flight recorder and control tower for AI agents.

        Tachograph records what agents do on a durable, tamper-evident, append-only log, and shows it live.
        Start with `tacho up`, then `tacho connect claude-code`.

        Usage: tacho <COMMAND>

        Commands:
          up           Start the server
          demo         Start a server in a fresh folder and play a story of several agents
          connect      Have an agent report to this log, by hooks in its settings
          disconnect   Take the hooks out of an agent's settings again
          hook         Record an agent's hook from standard input; never fails, never prints
          mcp          Tool servers that speak the Model Context Protocol (MCP)
          emit         Append one event and print its position
          import       Take in events from files: transcripts, exports, logs of events
          tail         Watch events as they happen
          events       Query the events of the log, oldest first
          timeline     Show the history of a stream, such as session/9826db1e-… or issue/PROJ-1
          causes       Show what led to an event, and what it led to
          why          Say why a stream failed: what it began with, what was tried, what to do next
          profile      Show where the time and the money of a stream went
          state        Show the state of a stream at any moment, such as `tacho state issue/PROJ-1 --at
                       14:00`
          diff         Compare two moments of a stream, or find where two streams part
          whatif       Show what a stream's state would be with a history that is otherwise; nothing is
                       written
          replay       Plan a replay of a stream's events, or do it: what is handed out again, what is
                       skipped, and why
          snapshot     Make, list and drop snapshots of a stream's states; they save time and change no
                       answer
          stats        Show the key figures of the last hour: utilization, cost, retries, pass and rejection
                       rates
          cost         Show what was spent, by session, agent, subagent, model, feature or day, or by model
                       and day
          alerts       Alerts on key figures: list the rules, test them, show what was told
          waits        What waits for a person: escalations, and calls and questions of agents, the oldest
                       first
          handler      Handlers and sinks of a running server: how far each is, and what is to be done
          registry     Handlers and tool servers of a running server: who is there, what they can do,
                       whether they are well
          dead         Dead letters: what handlers and sinks gave up on, and what becomes of it
          heal         What heals dead letters: the rules, and what was tried
          open         Open the dashboard in a browser, which may control handlers from then on
          schema       The registry of schemas: list, show, check, register, scan
          backup       Write the log into one file, from a running or a stopped server
          restore      Make a data folder from a backup
          rebuild      Drop the read side and fold it from the log again
          doctor       Look for what may be wrong with this installation
          config       Show or check the configuration
          service      Keep the server running after a reboot (systemd user unit, launchd agent)
          completions  Print the completions of a shell
          man          Print the manual page, or write one for each command into a folder
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version
    "#]]
    .assert_eq(&Place::new().run(&["--help"]).ok().stdout);
}

#[test]
fn the_version_is_on_standard_output() {
    let told = Place::new().run(&["--version"]).ok().stdout;
    assert_eq!(told, format!("tacho {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_exits_with_2_and_suggests() {
    let place = Place::new();
    let told = place.run(&["evnets"]);
    assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""));
    assert!(told.stderr.contains("a similar subcommand exists: 'events'"), "{}", told.stderr);
    for wrong in [
        &["events", "--limt", "3"][..],
        &["events", "--since", "whenever"],
        &["events", "--where", ".data ==="],
        &["emit", "x.y", "--attr", "novalue"],
        &["emit", "x.y", "--data", "{nope"],
        &["emit", "x.y", "--actor", "nobody"],
        &["emit", "x.y", "--expect", "maybe"],
        &["emit", "claude.stop", "--marker"],
        &["emit", "OrchestrationStarted", "--marker"],
        &["emit", "x.y", "--data", "[]", "--attr", "a=b"],
        &["import", "x", "--as", "csv"],
        &["tail", "--from", "middle"],
        &["up", "--listen", "nowhere"],
        &["connect", "emacs"],
        &["events", "--server", "https://example.com"],
    ] {
        assert_eq!(place.run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_failure_exits_with_1_and_says_what_where_and_what_next() {
    let place = Place::new();
    let told = place.run(&["events"]);
    assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""));
    let data = place.path("data").display().to_string();
    assert_eq!(
        told.stderr,
        format!(
            "error: no server runs on {data} and there is no log in {data}: start one with `tacho up`, or name another with --server or --data\n"
        )
    );
    let told = place.run(&["events", "--server", "http://127.0.0.1:9"]);
    assert!(
        told.stderr.starts_with("error: no server answers at http://127.0.0.1:9 and there is no log in "),
        "{}",
        told.stderr
    );
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_its_line() {
    let place = Place::new();
    let file = place.write("project/tacho.toml", "[server]\nlissen = \"127.0.0.1:1\"\n");
    let told = place.run(&["config", "check"]);
    assert_eq!(told.code, Some(3));
    assert_eq!(told.stderr, "error: tacho.toml:2: there is no key `lissen`: did you mean `listen`?\n");
    assert_eq!(place.run(&["up"]).code, Some(1));
    std::fs::write(&file, "[[redact.rule]]\nname = \"x\"\npattern = \"(\"\n").unwrap();
    let told = place.run(&["config", "check"]);
    let wanted = "error: tacho.toml:3: redaction rule `x`: \"(\" is no regular expression: unclosed group\n";
    assert_eq!((told.code, told.stderr.as_str()), (Some(3), wanted));
    assert_eq!(place.run(&["up"]).stderr, wanted);
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:4711\"\n").unwrap();
    assert_eq!(place.run(&["config", "check"]).ok().stdout, "tacho.toml is right\n");
    let mut show = place.tacho(&["config", "show", "--json"]);
    show.env("TACHO_VIEW_WAIT_MS", "2s");
    let shown = documents(&String::from_utf8(show.output().unwrap().stdout).unwrap());
    let of = |name: &str| shown.iter().find(|line| line["name"] == name).unwrap().clone();
    assert_eq!(
        (&of("server.listen")["value"], &of("server.listen")["origin"]),
        (&"127.0.0.1:4711".into(), &"tacho.toml:2".into())
    );
    assert_eq!(
        (&of("view.wait_ms")["value"], &of("view.wait_ms")["origin"]),
        (&2000.into(), &"TACHO_VIEW_WAIT_MS".into())
    );
    assert_eq!(of("view.scan_ms")["origin"], "default");
    for (name, value, told) in [
        (
            "TACHO_SERVER_LISTN",
            "x",
            "there is no variable `TACHO_SERVER_LISTN`: did you mean `TACHO_SERVER_LISTEN`?",
        ),
        (
            "TACHO_HOOK_SPOOL_BYTES",
            "abc",
            "TACHO_HOOK_SPOOL_BYTES cannot be read\n  because: \"abc\" is no size: write a number of bytes, or one such as 64 MiB",
        ),
        (
            "TACHO_HOOK_SPOOL_BYTES",
            "-1",
            "TACHO_HOOK_SPOOL_BYTES cannot be read\n  because: \"-1\" is no size: write a number of bytes, or one such as 64 MiB",
        ),
    ] {
        let mut check = place.tacho(&["config", "check"]);
        let output = check.env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("error: {told}\n"));
    }
    let mut check = place.tacho(&["config", "check"]);
    check.env("TACHO_HOOK_DEBUG", "1").env("TACHO_VIEW_WAITMS", "2s");
    let told = String::from_utf8(check.output().unwrap().stderr).unwrap();
    assert_eq!(told, "error: there is no variable `TACHO_VIEW_WAITMS`: did you mean `TACHO_VIEW_WAIT_MS`?\n");
}

#[test]
fn the_checked_in_references_are_fresh() {
    let place = Place::new();
    let mut commands = place.tacho(&["reference"]);
    commands.env_remove("TACHO_DATA");
    expect_file!["../../../../docs/commands.md"]
        .assert_eq(&String::from_utf8(commands.output().unwrap().stdout).unwrap());
    expect_file!["../../../../docs/configuration.md"]
        .assert_eq(&place.run(&["config", "reference"]).ok().stdout);
}

#[test]
fn shells_can_complete_and_manuals_can_be_read() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(place.run(&["completions", shell]).ok().stdout.contains("timeline"), "{shell}");
    }
    assert!(place.run(&["man"]).ok().stdout.starts_with(".ie"));
    place.run(&["man", place.path("man").to_str().unwrap()]).ok();
    assert!(place.path("man/tacho-events.1").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    place.run(&["emit", "demo.one", "--data", &format!("\"{}\"", "x".repeat(100_000))]).ok();
    let mut child =
        place.tacho(&["events", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn text_of_strangers_commands_no_terminal() {
    let place = Place::new();
    let evil = "a\u{1b}[2J\u{9b}31m\u{202e}b\nc";
    place.run(&["emit", "demo.evil", "--data", &serde_json::json!({"message": evil}).to_string()]).ok();
    for arguments in
        [&["events"][..], &["timeline", "source/tacho/emit"], &["tail", "--from", "start", "--no-follow"]]
    {
        let told = place.run(arguments).ok().stdout;
        assert!(told.contains("a\\x1b[2J\\x9b31m\\u{202e}b\\nc"), "{told:?}");
        assert!(!told.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{told:?}");
    }
}

#[test]
fn colour_is_for_terminals_alone() {
    let place = Place::new();
    place.run(&["emit", "demo.one"]).ok();
    let mut command = place.tacho(&["events"]);
    command.env_remove("NO_COLOR");
    let told = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(!told.contains('\u{1b}'), "{told:?}");
    if let Some(coloured) = on_a_terminal(&place, None) {
        assert!(coloured.contains("\u{1b}["), "{coloured:?}");
        let plain = on_a_terminal(&place, Some("1")).unwrap();
        assert!(!plain.contains("\u{1b}[3"), "{plain:?}");
    }
}

/// What the command prints on a terminal that `script` of util-linux plays; `None` where that is not installed.
fn on_a_terminal(place: &Place, no_color: Option<&str>) -> Option<String> {
    let binary = env!("CARGO_BIN_EXE_tacho");
    let mut command = Command::new("script");
    command.args(["-qec", &format!("{binary} events"), "/dev/null"]);
    command
        .stdin(Stdio::null())
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .env("TACHO_DATA", place.path("data"));
    command.env_remove("TACHO_SERVER").envs(no_color.map(|value| ("NO_COLOR", value)));
    Some(String::from_utf8_lossy(&command.output().ok()?.stdout).into_owned())
}
