//! A configuration that is merely found starts no program unless its user says so.

use crate::place::Place;
use crate::server::{Server, documents};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const CONFIG: &str =
    "[[handler]]\nname = \"review\"\non = \"a.*\"\nrun = { command = [\"sh\", \"review.sh\"] }\n";
const HARMLESS: &str = "[[handler]]\nname = \"follow\"\non = \"a.*\"\nrun = { emit = { type = \"b\" } }\n";

#[test]
fn a_found_file_that_starts_programs_must_be_trusted_as_it_stands() {
    let place = Place::new();
    let file = place.write("project/tacho.toml", CONFIG);
    let refused = "error: tacho.toml starts programs and is not trusted as it stands (review: sh review.sh): read it, then run `tacho config trust`, or name it with --config\n";
    let up = ["up", "--listen", "127.0.0.1:0"];
    let told = place.run(&up);
    assert_eq!((told.code, told.stderr.as_str()), (Some(1), refused));
    assert!(!place.path("data").exists(), "nothing was begun");
    let told = place.run(&["config", "check"]);
    assert_eq!((told.code, told.stderr.as_str()), (Some(3), refused));
    assert!(place.run(&["config", "show"]).ok().stdout.contains("# not trusted: `tacho config trust`"));
    // Whatever starts nothing goes on.
    place.run(&["emit", "demo.one"]).ok();

    let told = place.run(&["config", "trust"]).ok().stdout;
    assert_eq!(told, "tacho.toml is trusted until it changes; it may start\n  review: sh review.sh\n");
    let list = place.path("home/.local/state/tacho/trusted.json");
    assert_eq!(fs::metadata(&list).unwrap().permissions().mode() & 0o777, 0o600);
    place.run(&["config", "check"]).ok();
    drop(Server::start(&place));

    fs::write(&file, format!("{CONFIG}# changed\n")).unwrap();
    assert_eq!(place.run(&up).stderr, refused);
    fs::write(&file, CONFIG).unwrap();
    place.run(&["config", "check"]).ok();
    assert_eq!(place.run(&["config", "trust", "--revoke"]).ok().stdout, "tacho.toml is trusted no longer\n");
    assert_eq!(place.run(&["config", "trust", "--revoke"]).ok().stdout, "tacho.toml was not trusted\n");
    assert_eq!(place.run(&up).stderr, refused);
}

#[test]
fn what_is_named_or_the_users_own_needs_no_trust() {
    let place = Place::new();
    let named = place.write("elsewhere/named.toml", CONFIG);
    drop(Server::start_with(&place, &["--config", named.to_str().unwrap()]));
    place.write("home/.config/tacho/tacho.toml", CONFIG);
    place.write("project/tacho.toml", HARMLESS);
    drop(Server::start(&place));
    let shown = documents(&place.run(&["config", "show", "--json"]).ok().stdout);
    let of = |name: &str| shown.iter().find(|line| line["name"] == name).unwrap().clone();
    assert_eq!(of("handler.review")["value"], "process sh review.sh");
    assert!(of("handler.review")["origin"].as_str().unwrap().ends_with("home/.config/tacho/tacho.toml"));
    assert_eq!(
        (&of("handler.follow")["value"], &of("handler.follow")["trusted"]),
        (&"emit b".into(), &true.into())
    );
}

#[test]
fn the_projects_file_lies_over_the_users() {
    let place = Place::new();
    place.write(
        "xdg/tacho/tacho.toml",
        "[server]\nlisten = \"127.0.0.1:4711\"\n[view]\nwait_ms = \"2s\"\n[[sink]]\nkind = \"console\"\n",
    );
    place.write("project/tacho.toml", "[view]\nwait_ms = \"3s\"\n[[sink]]\nkind = \"jsonl\"\npath = \"a\"\n");
    let show = |arguments: &[&str]| {
        let mut command = place.tacho(arguments);
        command.env("XDG_CONFIG_HOME", place.path("xdg"));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let shown = documents(&show(&["config", "show", "--json"]));
    let of = |name: &str| shown.iter().find(|line| line["name"] == name).unwrap().clone();
    assert_eq!(
        (&of("server.listen")["value"], &of("view.wait_ms")["value"]),
        (&"127.0.0.1:4711".into(), &3000.into())
    );
    assert_eq!(of("view.wait_ms")["origin"], "tacho.toml:2");
    assert!(show(&["config", "show"]).contains("2 sinks, 0 handlers"));
    assert!(show(&["config", "check"]).contains("xdg/tacho/tacho.toml is right\ntacho.toml is right\n"));
}

#[test]
fn an_agent_without_a_command_is_a_program_too() {
    let place = Place::new();
    let config = "[[handler]]\nname = \"ask\"\non = \"a\"\nrun = { mode = \"agent\" }\n[[handler]]\nname = \"tool\"\non = \"a\"\nrun = { mcp = [\"srv\"], tool = \"t\" }\n";
    place.write("project/tacho.toml", config);
    let told = place.run(&["config", "check"]).stderr;
    assert!(told.contains("(ask: claude; tool: srv)"), "{told}");
}

#[test]
fn a_key_that_nobody_knows_is_told_with_the_one_that_was_meant() {
    let place = Place::new();
    let config = CONFIG.replace("on = \"a.*\"", "on = { typ = \"a\" }");
    place.write("project/tacho.toml", &config);
    let told = place.run(&["config", "check"]);
    let wanted = "error: tacho.toml:2: handler `review`: there is no filter `typ`: did you mean `type`?\n";
    assert_eq!((told.code, told.stderr.as_str()), (Some(3), wanted));
    // What is wrong is not trusted either.
    assert_eq!(place.run(&["config", "trust"]).code, Some(1));
}
