use super::*;
use expect_test::expect;
use serde_json::json;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;

/// A home and a project of its own for each test.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("person")).unwrap();
        fs::create_dir_all(folder.path().join("project/.claude")).unwrap();
        fs::create_dir_all(folder.path().join("project/.codex")).unwrap();
        Place { folder }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn write(&self, below: &str, text: &str) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn request(&self, scope: Scope) -> Request {
        Request {
            scope: Some(scope),
            project_dir: self.path("project"),
            home: self.path("person"),
            config_dir: None,
            binary_path: "/opt/tacho/bin/tacho".into(),
            data_dir: "/srv/it's data".into(),
            dry_run: false,
        }
    }

    /// Everything in the project's `.claude`, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("project/.claude")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// An error's words, without the temporary folder.
    fn words(&self, error: Error) -> String {
        error.to_string().replace(self.folder.path().to_str().unwrap(), "…")
    }
}

fn value(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn connecting_hooks_all_events_but_those_that_act_for_git() {
    let place = Place::new();
    let report = claude_code::connect(&Request { scope: None, ..place.request(Scope::Local) }).unwrap();
    assert_eq!((report.scope, report.outcome, report.backup), (Scope::Local, Outcome::Connected, None));
    let file = place.path("project/.claude/settings.local.json");
    assert_eq!(report.file, file);
    let hooks = &value(&file)["hooks"];
    assert_eq!(hooks.as_object().unwrap().len(), 31);
    assert!(hooks.get("WorktreeCreate").is_none() && hooks.get("WorktreeRemove").is_none());
    let command = "/opt/tacho/bin/tacho hook claude-code --data \"/srv/it's data\"";
    assert_eq!(
        hooks["SessionEnd"],
        json!([{"hooks": [{"type": "command", "command": command, "timeout": 10}]}])
    );
}

#[test]
fn twice_is_once_and_disconnecting_leaves_no_file_that_was_not_there() {
    let place = Place::new();
    let request = place.request(Scope::Project);
    claude_code::connect(&request).unwrap();
    let file = place.path("project/.claude/settings.json");
    let once = fs::read(&file).unwrap();
    assert_eq!(claude_code::connect(&request).unwrap().outcome, Outcome::Unchanged);
    assert_eq!(fs::read(&file).unwrap(), once);
    assert_eq!(claude_code::disconnect(&request).unwrap().outcome, Outcome::Disconnected);
    assert_eq!(place.names(), [""; 0]);
    assert_eq!(claude_code::disconnect(&request).unwrap().outcome, Outcome::Unchanged);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_file_comes_back_byte_for_byte_with_its_mode_and_a_backup() {
    for text in
        ["{}", "{ \"hooks\": { \"Stop\": [] }, \"z\": 1, \"a\": [1,2] }\n", "{\n\t\"model\": \"opus\"\n}\n"]
    {
        let place = Place::new();
        let file = place.write("project/.claude/settings.local.json", text);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let request = place.request(Scope::Local);
        let report = claude_code::connect(&request).unwrap();
        assert_eq!(fs::read_to_string(report.backup.unwrap()).unwrap(), text);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        claude_code::disconnect(&request).unwrap();
        assert_eq!(value(&file), serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }
}

#[test]
fn a_dry_run_shows_a_diff_and_writes_nothing() {
    let place = Place::new();
    let file = place.write("project/.claude/settings.local.json", "{\n  \"model\": \"opus\"\n}\n");
    let request = Request { dry_run: true, ..place.request(Scope::Local) };
    let report = claude_code::connect(&request).unwrap();
    assert_eq!(report.outcome, Outcome::WouldChange);
    let diff = report.diff.unwrap();
    let head: Vec<_> = diff.lines().skip(2).take(8).collect();
    expect![[r#"
        @@ -1,3 +1,346 @@
         {
        -  "model": "opus"
        +  "model": "opus",
        +  "hooks": {
        +    "SessionStart": [
        +      {
        +        "hooks": ["#]]
    .assert_eq(&head.join("\n"));
    assert_eq!(fs::read_to_string(file).unwrap(), "{\n  \"model\": \"opus\"\n}\n");
    assert_eq!(place.names(), ["settings.local.json"]);
}

#[test]
fn links_are_followed_and_stay_links() {
    let place = Place::new();
    let real = place.write("dotfiles/claude.json", "{\"a\": 1}");
    let link = place.path("person/.claude/settings.json");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("../../dotfiles/claude.json", &link).unwrap();
    let report = claude_code::connect(&place.request(Scope::User)).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(value(&real)["a"], 1);
    assert!(value(&real)["hooks"].is_object());
    assert_eq!(
        report.backup.unwrap().parent().unwrap().canonicalize().unwrap(),
        place.path("dotfiles").canonicalize().unwrap()
    );
}

#[test]
fn a_link_to_nothing_makes_the_file_that_it_names() {
    let place = Place::new();
    fs::create_dir_all(place.path("dotfiles")).unwrap();
    let link = place.path("project/.claude/settings.local.json");
    symlink(place.path("dotfiles/local.json"), &link).unwrap();
    claude_code::connect(&place.request(Scope::Local)).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(value(&place.path("dotfiles/local.json"))["hooks"].is_object());
    fs::remove_file(&link).unwrap();
    symlink(&link, &link).unwrap();
    let error = claude_code::connect(&place.request(Scope::Local)).unwrap_err();
    expect!["cannot follow …/project/.claude/settings.local.json"].assert_eq(&place.words(error));
}

#[test]
fn a_second_scope_is_refused_and_named() {
    let place = Place::new();
    claude_code::connect(&place.request(Scope::User)).unwrap();
    let error = claude_code::connect(&place.request(Scope::Local)).unwrap_err();
    expect!["claude-code already reports to tacho through …/person/.claude/settings.json; keep that, or run `tacho disconnect claude-code --user` first"].assert_eq(&place.words(error));
    let report = claude_code::disconnect(&place.request(Scope::Local)).unwrap();
    assert!(report.notes[0].contains("disconnect claude-code --user"), "{report}");
    claude_code::disconnect(&place.request(Scope::User)).unwrap();
    claude_code::connect(&place.request(Scope::Local)).unwrap();
}

#[test]
fn a_project_in_the_home_folder_has_one_file_for_two_scopes() {
    let place = Place::new();
    let request = Request { project_dir: place.path("person"), ..place.request(Scope::User) };
    claude_code::connect(&request).unwrap();
    let again = Request { scope: Some(Scope::Project), ..request };
    assert_eq!(claude_code::connect(&again).unwrap().outcome, Outcome::Unchanged);
}

#[test]
fn an_enabled_plugin_is_refused_and_a_disabled_one_is_not() {
    let place = Place::new();
    place.write("person/.claude/settings.json", r#"{"enabledPlugins": {"tachograph@anywhere": true}}"#);
    let error = claude_code::connect(&place.request(Scope::Local)).unwrap_err();
    expect!["claude-code already reports to tacho through the plugin that …/person/.claude/settings.json enables; keep that, or disable the plugin `tachograph` with `/plugin` in claude first"].assert_eq(&place.words(error));
    place.write("project/.claude/settings.json", r#"{"enabledPlugins": {"tachograph@anywhere": false}}"#);
    claude_code::connect(&place.request(Scope::Local)).unwrap();
}

#[test]
fn a_wrapper_of_the_users_own_is_neither_doubled_nor_removed() {
    let place = Place::new();
    let text =
        r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "sleep 0 && tacho hook"}]}]}}"#;
    let file = place.write("project/.claude/settings.local.json", text);
    let error = claude_code::connect(&place.request(Scope::Local)).unwrap_err();
    expect!["claude-code already reports to tacho through `sleep 0 && tacho hook` in …/project/.claude/settings.local.json; remove that hook there, then run this again, or keep it and leave out this one"].assert_eq(&place.words(error));
    claude_code::disconnect(&place.request(Scope::Local)).unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), text);
}

#[test]
fn what_is_not_json_is_left_alone() {
    let place = Place::new();
    let file = place.write("project/.claude/settings.local.json", "{\"a\": 1, // mine\n}");
    for result in [
        claude_code::connect(&place.request(Scope::Local)),
        claude_code::disconnect(&place.request(Scope::Local)),
    ] {
        expect!["…/project/.claude/settings.local.json is not valid JSON (key must be a string at line 1 column 10); nothing was written: correct the file, then run this again"].assert_eq(&place.words(result.unwrap_err()));
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "{\"a\": 1, // mine\n}");
    assert_eq!(place.names(), ["settings.local.json"]);
}

#[test]
fn only_the_newest_ten_backups_are_kept() {
    let place = Place::new();
    let mine = place.write("project/.claude/settings.local.json", "{\"hooks\": {}}");
    place.write("project/.claude/settings.local.json.tacho-backup-of-mine", "first by name");
    for _ in 0..8 {
        claude_code::connect(&place.request(Scope::Local)).unwrap();
        claude_code::disconnect(&place.request(Scope::Local)).unwrap();
    }
    assert_eq!(fs::read_to_string(mine).unwrap(), "{\"hooks\": {}}");
    assert_eq!(place.names().iter().filter(|name| name.contains("tacho-backup-2")).count(), 10);
    assert!(place.names().contains(&"settings.local.json.tacho-backup-of-mine".to_owned()));
}

#[test]
fn relative_paths_are_refused() {
    let place = Place::new();
    let request = Request { data_dir: ".tacho".into(), ..place.request(Scope::Local) };
    expect![".tacho cannot be written into a settings file: it is not absolute, and hooks run in other folders; use another path"]
        .assert_eq(&claude_code::connect(&request).unwrap_err().to_string());
}

#[test]
fn the_plugin_hooks_the_same_events() {
    let place = Place::new();
    let connected = claude_code::connect(&place.request(Scope::Local)).unwrap();
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integrations/claude-code/hooks");
    let files = ["hooks.json", "newer-events.json"].map(|name| value(&plugin.join(name)));
    let mut events: Vec<_> =
        files.iter().flat_map(|file| file["hooks"].as_object().unwrap().keys().map(String::as_str)).collect();
    events.sort_unstable();
    let mut expected = connected.events.clone();
    expected.sort_unstable();
    assert_eq!(events, expected);
    assert!(files.iter().all(is_hooked));
}

#[test]
fn codex_is_hooked_in_its_own_file() {
    let place = Place::new();
    let report = codex::connect(&Request { scope: None, ..place.request(Scope::Project) }).unwrap();
    let file = place.path("project/.codex/hooks.json");
    assert_eq!((report.scope, &report.file), (Scope::Project, &file));
    let hooks = &value(&file)["hooks"];
    assert_eq!(hooks.as_object().unwrap().len(), 12);
    assert_eq!(hooks["SessionEnd"][0]["hooks"][0]["timeout"], 3);
    let error = codex::connect(&place.request(Scope::User)).unwrap_err();
    expect!["codex already reports to tacho through …/project/.codex/hooks.json; keep that, or run `tacho disconnect codex --project` first"].assert_eq(&place.words(error));
    codex::disconnect(&place.request(Scope::Project)).unwrap();
    assert!(!file.exists());
}

#[test]
fn codex_hooks_in_its_configuration_count_too() {
    let place = Place::new();
    place.write(
        "person/.codex/config.toml",
        "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"/x/tacho hook codex\"\n",
    );
    let error = codex::connect(&place.request(Scope::Project)).unwrap_err();
    expect!["codex already reports to tacho through …/person/.codex/config.toml; keep that, or remove its hooks that run `tacho hook` first"].assert_eq(&place.words(error));
    place.write("person/.codex/config.toml", "[features]\nhooks = false\n");
    let report = codex::connect(&place.request(Scope::Project)).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("switches hooks off")), "{report}");
    expect!["codex has no --local scope: use --project or --user"]
        .assert_eq(&codex::connect(&place.request(Scope::Local)).unwrap_err().to_string());
}

#[test]
fn what_is_printed_is_where_the_bytes_are() {
    let place = Place::new();
    let (real, link) = (place.path("dotfiles/claude"), place.path("project/.claude"));
    fs::create_dir_all(&real).unwrap();
    fs::remove_dir(&link).unwrap();
    symlink("../dotfiles/claude", &link).unwrap();
    let real = real.canonicalize().unwrap();
    fs::write(real.join("settings.local.json"), "{}\n").unwrap();
    let report = claude_code::connect(&place.request(Scope::Local)).unwrap();
    assert_eq!(report.file, real.join("settings.local.json"));
    assert_eq!(report.backup.unwrap().parent(), Some(real.as_path()));
}

#[test]
fn sessions_are_told_to_start_again_only_when_something_changed() {
    let place = Place::new();
    let told = || claude_code::connect(&place.request(Scope::Local)).unwrap().to_string();
    let (first, second) = (told(), told());
    assert!(first.contains("pick it up") && first.contains("WorktreeCreate and WorktreeRemove"), "{first}");
    assert!(second.contains("already reports") && !second.contains("pick it up"), "{second}");
}
