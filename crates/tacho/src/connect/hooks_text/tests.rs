use super::*;
use expect_test::{Expect, expect};
use serde_json::from_str;

const EVENTS: &[Event] =
    &[Event { name: "Stop", timeout_seconds: 10 }, Event { name: "SessionEnd", timeout_seconds: 3 }];
const COMMAND: &str = "/bin/tacho hook claude-code --data /data";

/// The text with the hooks, and that taking them out again leaves every byte as it was.
#[track_caller]
fn check(text: &str, expected: Expect) {
    let added = add(text, EVENTS, COMMAND).unwrap();
    expected.assert_eq(&added);
    assert_eq!(add(&added, EVENTS, COMMAND).unwrap(), added, "twice is once");
    assert_eq!(remove(&added, None).unwrap(), text, "removing restores");
    assert_eq!(remove(text, None).unwrap(), text, "removing nothing changes nothing");
}

#[test]
fn an_indented_file_keeps_its_indentation() {
    check(
        "{\n    \"model\": \"opus\",\n    \"list\": [1, 2,   3],\n    \"hooks\": {\n        \"Stop\": [\n            {\"hooks\": []}\n        ]\n    }\n}\n",
        expect![[r#"
            {
                "model": "opus",
                "list": [1, 2,   3],
                "hooks": {
                    "Stop": [
                        {"hooks": []},
                        {
                            "hooks": [
                                {
                                    "type": "command",
                                    "command": "/bin/tacho hook claude-code --data /data",
                                    "timeout": 10
                                }
                            ]
                        }
                    ],
                    "SessionEnd": [
                        {
                            "hooks": [
                                {
                                    "type": "command",
                                    "command": "/bin/tacho hook claude-code --data /data",
                                    "timeout": 3
                                }
                            ]
                        }
                    ]
                }
            }
        "#]],
    );
}

#[test]
fn a_file_on_one_line_stays_on_one_line() {
    check(
        r#"{"model": "opus", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo mine"}]}]}}"#,
        expect![[
            r#"{"model": "opus", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo mine"}]}, {"hooks": [{"type": "command", "command": "/bin/tacho hook claude-code --data /data", "timeout": 10}]}], "SessionEnd": [{"hooks": [{"type": "command", "command": "/bin/tacho hook claude-code --data /data", "timeout": 3}]}]}}"#
        ]],
    );
    check(
        r#"{"a":1.50,"b":12345678901234567890123}"#,
        expect![[
            r#"{"a":1.50,"b":12345678901234567890123,"hooks":{"Stop":[{"hooks":[{"type":"command","command":"/bin/tacho hook claude-code --data /data","timeout":10}]}],"SessionEnd":[{"hooks":[{"type":"command","command":"/bin/tacho hook claude-code --data /data","timeout":3}]}]}}"#
        ]],
    );
}

#[test]
fn an_empty_object_is_indented_by_two() {
    check(
        "{}\n",
        expect![[r#"
            {
              "hooks": {
                "Stop": [
                  {
                    "hooks": [
                      {
                        "type": "command",
                        "command": "/bin/tacho hook claude-code --data /data",
                        "timeout": 10
                      }
                    ]
                  }
                ],
                "SessionEnd": [
                  {
                    "hooks": [
                      {
                        "type": "command",
                        "command": "/bin/tacho hook claude-code --data /data",
                        "timeout": 3
                      }
                    ]
                  }
                ]
              }
            }
        "#]],
    );
}

#[test]
fn tabs_carriage_returns_escapes_and_a_byte_order_mark_survive() {
    for text in [
        "{\r\n\t\"a\": \"\\\"}]\\u00e9\\\\\",\r\n\t\"b\": {}\r\n}\r\n",
        "\u{feff}{\n  \"é\": [true, null, -1e3, {}]\n}",
        "{\"a\"\n:\n1\n}",
        " {\"hooks\" : {\"Stop\":[ {\"matcher\":\"*\"} ] , \"X\": 1 } }",
    ] {
        let added = add(text, EVENTS, COMMAND).unwrap();
        let value: Value = from_str(added.trim_start_matches('\u{feff}')).unwrap();
        assert_eq!(commands(&value).count(), EVENTS.len(), "{added}");
        assert_eq!(remove(&added, None).unwrap(), text);
    }
}

#[test]
fn a_moved_binary_replaces_the_old_command_and_nothing_else() {
    let old = add("{\"hooks\": {\"Stop\": []}}", EVENTS, "'/old place/tacho' hook claude-code --data /old")
        .unwrap();
    let new = add(&old, EVENTS, COMMAND).unwrap();
    let value: Value = from_str(&new).unwrap();
    assert_eq!(commands(&value).collect::<Vec<_>>(), [COMMAND, COMMAND]);
}

#[test]
fn what_the_owner_changed_around_our_command_stays() {
    let edited = format!(
        r#"{{"hooks": {{"Stop": [{{"hooks": [{{"type": "command", "command": "{COMMAND}", "timeout": 60}}]}}]}}}}"#
    );
    let value: Value = from_str(&add(&edited, EVENTS, COMMAND).unwrap()).unwrap();
    assert_eq!(value["hooks"]["Stop"][0]["hooks"][0]["timeout"], 60);
    assert_eq!(value["hooks"]["Stop"].as_array().unwrap().len(), 1);
}

#[test]
fn a_neighbour_in_our_group_stays_when_ours_goes() {
    let shared = format!(
        r#"{{"hooks": {{"Stop": [{{"hooks": [{{"type": "command", "command": "{COMMAND}"}}, {{"type": "command", "command": "echo mine"}}]}}]}}}}"#
    );
    assert_eq!(
        remove(&shared, None).unwrap(),
        r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo mine"}]}]}}"#
    );
}

#[test]
fn containers_that_were_empty_before_stay() {
    for before in
        ["{\"hooks\": {}}", "{\"hooks\": {\"Stop\": []}}", "{\"hooks\": {\"Stop\": [], \"Other\": []}}"]
    {
        let added = add(before, EVENTS, COMMAND).unwrap();
        assert_eq!(remove(&added, Some(&from_str(before).unwrap())).unwrap(), before);
    }
}

#[test]
fn other_shapes_are_refused_with_words() {
    let refusal = |text: &str| add(text, EVENTS, COMMAND).unwrap_err().to_string();
    expect!["is not valid JSON (EOF while parsing a value at line 1 column 0)"].assert_eq(&refusal(""));
    expect!["is not valid JSON (trailing comma at line 1 column 9)"].assert_eq(&refusal("{\"a\": 1,}"));
    expect!["has a list as the file where an object belongs"].assert_eq(&refusal("[]"));
    expect!["has null as `hooks` where an object belongs"].assert_eq(&refusal("{\"hooks\": null}"));
    expect!["has a string in `hooks.Stop` where a list belongs"]
        .assert_eq(&refusal("{\"hooks\": {\"Stop\": \"x\"}}"));
    assert!(refusal(&"[".repeat(100_000)).starts_with("is not valid JSON (recursion limit"));
}

#[test]
fn only_the_form_that_connect_writes_is_own() {
    for own in [COMMAND, "'/a b/tacho' hook codex --data '/c d'", "tacho hook"] {
        assert!(is_own(own), "{own}");
    }
    for foreign in
        ["echo tacho hook", "tacho events", "tacho", "/x/other hook", "command -v tacho && tacho hook", "'"]
    {
        assert!(!is_own(foreign), "{foreign}");
    }
    assert!(runs_tacho_hook("command -v tacho >/dev/null && exec tacho hook claude-code"));
}
