use crate::place::Place;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn value(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn connecting_twice_is_once_and_disconnecting_puts_the_file_back() {
    let place = Place::new();
    let mine = json!({"model": "opus", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo mine"}]}]}});
    let file = place.write("project/.claude/settings.json", &mine.to_string());
    place.run(&["connect", "claude-code", "--project"]).ok();
    let once = fs::read(&file).unwrap();
    let hooks = &value(&file)["hooks"];
    assert_eq!(hooks["Stop"][0], mine["hooks"]["Stop"][0]);
    let command = hooks["PreToolUse"][0]["hooks"][0]["command"].as_str().unwrap();
    assert!(
        command.ends_with(&format!(" hook claude-code --data {}", place.path("data").display())),
        "{command}"
    );
    place.run(&["connect", "claude-code", "--project"]).ok();
    assert_eq!(fs::read(&file).unwrap(), once);
    place.run(&["disconnect", "claude-code", "--project"]).ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), mine.to_string());
}

#[test]
fn the_local_scope_is_the_default_and_a_second_scope_is_refused() {
    let place = Place::new();
    place.run(&["connect", "claude-code"]).ok();
    assert!(place.path("project/.claude/settings.local.json").exists());
    let refused = place.run(&["connect", "claude-code", "--user"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("settings.local.json"), "{}", refused.stderr);
    assert!(refused.stderr.contains("tacho disconnect claude-code --local"), "{}", refused.stderr);
    assert!(!place.path("home/.claude").exists());
}

#[test]
fn a_dry_run_prints_the_difference_and_writes_nothing() {
    let place = Place::new();
    let shown = place.run(&["connect", "codex", "--dry-run"]).ok();
    assert!(shown.stdout.contains("+    \"SessionStart\": ["), "{}", shown.stdout);
    assert!(!place.path("project/.codex").exists());
}

#[test]
fn the_hook_command_runs_from_any_folder_and_through_a_shell() {
    let place = Place::new();
    let data = place.path("it's a \"data\" $folder");
    let mut connect = place.tacho(&["connect", "claude-code"]);
    assert!(connect.env("TACHO_DATA", &data).status().unwrap().success());
    let settings = value(&place.path("project/.claude/settings.local.json"));
    let command = settings["hooks"]["Stop"][0]["hooks"][0]["command"].as_str().unwrap().to_owned();
    let words = shlex::split(&command).unwrap();
    assert!(Path::new(&words[0]).is_absolute() && Path::new(&words[0]).exists(), "{command}");
    assert_eq!(words[1..], ["hook", "claude-code", "--data", data.to_str().unwrap()].map(str::to_owned));
}
