use crate::handler_peer::{
    LONG, SHORT, Scripts, ask, command, deliver, event, events, fails, start, until_gone,
};
use std::collections::BTreeMap;
use tacho_connector::HandlerSettings;
use tacho_engine::delivery::Failure;

fn shell(scripts: &Scripts, text: &str) -> HandlerSettings {
    command(scripts.shell(text), "process")
}

/// What becomes of an event under a shell script.
fn failure(text: &str) -> Failure {
    fails(&mut start(&shell(&Scripts::new(), text)), "{}", LONG)
}

#[test]
fn an_event_goes_in_as_a_line_and_events_come_out() {
    let scripts = Scripts::new();
    let text = "n=0\nwhile read -r line; do n=$((n+1)); last=$line; done\necho\necho \"{\\\"type\\\": \\\"a\\\", \\\"lines\\\": $n}\"\nprintf %s \"$last\"\n";
    let mut worker = start(&shell(&scripts, text));
    let returned = deliver(&mut worker, &events(3), LONG).unwrap();
    assert_eq!(returned[0]["lines"], 3);
    assert_eq!((&returned[1]["id"], &returned[1]["data"]["n"]), (&"e3".into(), &3.into()));
    assert_eq!(returned[1]["subject"], "task/x");
    let mut silent = start(&command(vec!["true".into()], "process"));
    assert_eq!(deliver(&mut silent, &events(1), LONG), Ok(vec![]), "who reads nothing may end well");
}

#[test]
fn how_it_ends_is_told() {
    let exit = failure("echo first >&2; echo 'no such task' >&2; exit 7");
    assert_eq!(exit.code, "exit_7");
    assert!(exit.message.contains("no such task") && exit.message.contains("sh"), "{}", exit.message);
    assert_eq!(failure("kill -9 $$").code, "signal_9");
    let rubbish = failure("echo '{}'; echo done");
    assert_eq!(rubbish.code, "bad_output");
    assert!(rubbish.message.contains("line 2"), "{}", rubbish.message);
    let absent = fails(&mut start(&command(vec!["/no/such/program".into()], "process")), "{}", LONG);
    assert_eq!(absent.code, "not_started");
    assert!(absent.message.contains("/no/such/program"), "{}", absent.message);
}

#[test]
fn what_takes_too_long_or_says_too_much_is_killed() {
    let scripts = Scripts::new();
    let hangs = fails(&mut start(&shell(&scripts, "tail -f /dev/null")), "{}", SHORT);
    assert_eq!(hangs.code, "timeout");
    assert!(hangs.message.contains("200 ms"), "{}", hangs.message);
    let settings = HandlerSettings { output_bytes: Some(10_000), ..shell(&scripts, "yes") };
    let floods = fails(&mut start(&settings), "{}", LONG);
    assert_eq!(floods.code, "output_too_large");
    assert!(floods.message.contains("10000 bytes"), "{}", floods.message);
    let errors = "yes problem | head -c 3000000 >&2; echo end >&2; exit 1";
    let noisy = fails(&mut start(&shell(&scripts, errors)), "{}", LONG);
    assert!(noisy.message.ends_with("end") && noisy.message.len() < 1_000, "{}", noisy.message);
}

#[test]
fn an_event_larger_than_a_pipe_passes_both_ways() {
    let mut worker = start(&command(vec!["cat".into()], "process"));
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(700_000));
    let returned = deliver(&mut worker, &[event(1, "s", &large), event(2, "s", &large)], LONG).unwrap();
    assert_eq!(returned[1]["data"]["text"].as_str().unwrap().len(), 700_000);
}

#[test]
fn its_children_end_with_it() {
    let scripts = Scripts::new();
    let text = "tail -f /dev/null &\necho \"{\\\"type\\\":\\\"a\\\",\\\"child\\\":$!}\"";
    let returned = ask(&mut start(&shell(&scripts, text)), "{}");
    until_gone(&returned["child"].to_string());
}

#[test]
fn it_sees_what_it_is_meant_to_see() {
    let scripts = Scripts::new();
    let text = "import json, os, sys\nprint(json.dumps({'type': 'a', 'environment': dict(os.environ), 'arguments': sys.argv, 'folder': os.getcwd()}))";
    let settings = HandlerSettings {
        environment: vec!["TOKEN".into()],
        variables: BTreeMap::from([("MODE".to_owned(), "fast".to_owned())]),
        directory: Some(scripts.0.path().to_owned()),
        ..command(scripts.python(text), "process")
    };
    let seen = ask(&mut start(&settings), "{\"secret\":\"payload-text\"}");
    let environment = &seen["environment"];
    assert_eq!((&environment["MODE"], &environment["TACHO_ATTEMPT"]), (&"fast".into(), &"2".into()));
    assert_eq!(environment["TACHO_IDEMPOTENCY_KEY"], "key-1");
    assert!(environment["PATH"].is_string() && environment["TOKEN"] == "t-1", "{environment}");
    assert!(environment["SECRET"].is_null(), "{environment}");
    assert!(!seen.to_string().contains("payload-text"), "{seen}");
    let folder = std::fs::canonicalize(scripts.0.path()).unwrap();
    assert_eq!(seen["folder"], folder.to_str().unwrap());
}

#[test]
fn its_memory_has_a_limit() {
    let scripts = Scripts::new();
    let text = "echo \"{\\\"type\\\":\\\"a\\\",\\\"kibibytes\\\":$(ulimit -v)}\"";
    let settings = HandlerSettings { memory_bytes: Some(512 << 20), ..shell(&scripts, text) };
    assert_eq!(ask(&mut start(&settings), "{}")["kibibytes"], 512 << 10);
}
