use bytes::Bytes;
use expect_test::{Expect, expect};
use tacho_event::schema::{Registration, Registry, Severity, Version, parse_urn};
use tacho_event::{Draft, Position, Recorded, Sameness, Sequence, Timestamp};

fn registration(kind: &str, version: &str, schema: &str) -> Registration {
    Registration {
        kind: kind.into(),
        version: Version::parse(version).unwrap(),
        schema: schema.as_bytes().into(),
        meaning: "Something happened.".into(),
        severity: None,
        declared_by: None,
        example: None,
        upcast: None,
    }
}

fn registry_of(entries: &[(&str, &str, &str)]) -> Registry {
    let mut registry = Registry::default();
    for (index, (kind, version, schema)) in entries.iter().enumerate() {
        let position = Position(index as u64 + 1);
        assert_eq!(
            registry.register(registration(kind, version, schema), position),
            Ok(true),
            "{kind} {version}"
        );
    }
    registry
}

fn recorded(position: u64, kind: &str, data: &[u8]) -> Recorded {
    let mut draft = Draft::new(kind, "/tacho", "id");
    draft.subject = Some("tacho/schemas".into());
    draft.set_data(data);
    let event = draft.finish(Sameness::FirstWins).unwrap();
    let bytes = Bytes::copy_from_slice(event.bytes());
    Recorded::new(Position(position), Sequence(position), Timestamp(0), bytes).unwrap()
}

fn found(registry: &Registry, kind: &str, version: Option<&str>) -> Option<String> {
    let version = version.map(|version| Version::parse(version).unwrap());
    let found = registry.find(kind, version.as_ref())?;
    Some(format!("{} {}", found.registration.kind, found.registration.version))
}

#[test]
fn the_type_wins_over_patterns_and_the_latest_release_over_others() {
    let registry = registry_of(&[
        ("*.completed", "1.0.0", "{}"),
        ("tool.*.completed", "3.0.0", "{}"),
        ("tool.*", "1.0.0", "{}"),
        ("tool.hammer.completed", "1.0.0", "{}"),
        ("tool.hammer.completed", "1.10.0", "{}"),
        ("tool.hammer.completed", "1.9.0", "{}"),
        ("tool.hammer.completed", "2.0.0-rc.1", "{}"),
        ("only.draft", "0.1.0-a", "{}"),
    ]);
    let latest = |kind| found(&registry, kind, None);
    assert_eq!(latest("tool.hammer.completed").as_deref(), Some("tool.hammer.completed 1.10.0"));
    assert_eq!(latest("tool.saw.completed").as_deref(), Some("tool.*.completed 3.0.0"));
    assert_eq!(latest("tool.saw.started").as_deref(), Some("tool.* 1.0.0"));
    assert_eq!(latest("vision.completed").as_deref(), Some("*.completed 1.0.0"));
    assert_eq!(latest("only.draft").as_deref(), Some("only.draft 0.1.0-a"));
    assert_eq!(latest("other"), None);
    assert_eq!(
        found(&registry, "tool.hammer.completed", Some("2.0.0-rc.1")).as_deref(),
        Some("tool.hammer.completed 2.0.0-rc.1")
    );
    assert_eq!(found(&registry, "tool.hammer.completed", Some("3.0.0")), None);
    let versions: Vec<_> = registry
        .versions_of("tool.hammer.completed")
        .map(|one| one.registration.version.to_string())
        .collect();
    assert_eq!(versions, ["1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1"]);
    let all: Vec<_> = registry.all().map(|one| one.registration.kind.as_str()).collect();
    assert_eq!(all, ["only.draft", "tool.hammer.completed", "tool.*.completed", "*.completed", "tool.*"]);
}

#[test]
fn patterns_leave_types_of_tachograph_alone() {
    let registry = registry_of(&[("*.created", "1.0.0", "false")]);
    assert_eq!(found(&registry, "tacho.index.created", None), None);
    assert!(registry.validate("tacho.index.created", None, Some(b"{}")).unwrap().is_none());
    assert!(registry.validate("my.created", None, Some(b"{}")).is_err());
}

#[test]
fn an_event_names_the_schema_that_it_fits() {
    let registry = registry_of(&[("tool.*", "1.2.3", r#"{"type":"object"}"#)]);
    let schema = registry.validate("tool.a", None, Some(b"{}")).unwrap().expect("the pattern matches");
    assert_eq!(parse_urn(&schema.urn("tool.a")), Some(("tool.a".into(), Version::new(1, 2, 3))));
}

#[test]
fn a_registered_version_never_changes() {
    let mut registry =
        registry_of(&[("a", "1.0.0", r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#)]);
    let mut again = |version: &str, schema: &str| {
        registry.register(registration("a", version, schema), Position(9)).map_err(|error| error.to_string())
    };
    // White space, order and descriptions are no change.
    let same = r#"{ "properties": {"n": {"description": "count", "type": "integer"}}, "type": "object" }"#;
    assert_eq!(again("1.0.0", same), Ok(false));
    expect!["`a` 1.0.0 is registered with another schema, and a registered version never changes: register this one as 2.0.0"].assert_eq(&again("1.0.0", r#"{"type":"object","properties":{"n":{"type":"string"}}}"#).unwrap_err());
    expect!["`a` 1.0.0 is registered with another schema, and a registered version never changes: register this one as 1.1.0"].assert_eq(
        &again("1.0.0", r#"{"type":"object","properties":{"n":{"type":"integer"},"m":{}}}"#).unwrap_err(),
    );
    assert_eq!(again("0.9.0", "{}"), Ok(true), "a lower version is history");
    expect!["payloads of `a` 1.0.0 may not fit 2.0.0: say in `upcast` how the one becomes the other, or register a schema that only adds optional members"].assert_eq(&again("2.0.0", r#"{"type":"string"}"#).unwrap_err());
    assert_eq!(again("2.0.0-beta", r#"{"type":"string"}"#), Ok(true), "nobody relies on it yet");
    let mut with_steps = registration("a", "2.0.0", r#"{"type":"object","required":["m"]}"#);
    with_steps.upcast = Some(br#"[{"rename":"n"}]"#.as_slice().into());
    let refused = registry.register(with_steps.clone(), Position(9)).unwrap_err().to_string();
    expect!["the upcaster of `a` cannot be used: step 1 is none of rename and to, default and value, remove, convert and to, map and values"].assert_eq(&refused);
    with_steps.upcast = Some(br#"[{"rename":"n","to":"m"}]"#.as_slice().into());
    assert_eq!(registry.register(with_steps, Position(9)), Ok(true));
}

#[test]
fn a_schema_without_a_version_gets_the_next() {
    let old = r#"{"type":"object","properties":{"a":{"type":"string"},"b":{}},"required":["a"]}"#;
    let registry = registry_of(&[("x", "1.4.2", old)]);
    let next =
        |schema: &str| registry.next_version("x", schema.as_bytes()).map(|version| version.to_string());
    assert_eq!(registry.next_version("new", b"{}"), Some(Version::new(1, 0, 0)));
    assert_eq!(next(old), None);
    let described = r#"{"title":"T","type":"object","properties":{"a":{"type":"string","description":"D"},"b":{}},"required":["a"]}"#;
    assert_eq!(next(described), None);
    for wider in [
        r#"{"type":"object","properties":{"a":{"type":"string"},"b":{},"description":{"type":"string"}},"required":["a"]}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"},"b":{}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#,
    ] {
        assert_eq!(next(wider).as_deref(), Some("1.5.0"), "{wider}");
    }
    for other in [
        r#"{"type":"object","properties":{"a":{"type":"string"},"b":{}},"required":["a","b"]}"#,
        r#"{"type":"object","properties":{"a":{"type":"number"},"b":{}},"required":["a"]}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"},"b":{}},"required":["a"],"maxProperties":2}"#,
        r#"{"type":"array"}"#,
        "false",
    ] {
        assert_eq!(next(other).as_deref(), Some("2.0.0"), "{other}");
    }
    let closed = registry_of(&[("x", "1.0.0", r#"{"properties":{"a":{}},"additionalProperties":false}"#)]);
    let forgot = closed.next_version("x", br#"{"properties":{},"additionalProperties":false}"#);
    assert_eq!(forgot, Some(Version::new(2, 0, 0)), "a closed object refuses what it forgot");
}

#[test]
fn the_log_fills_the_registry() {
    let mut full = registration("my.type", "1.0.0", r#"{"type":"object","required":["a"]}"#);
    full.severity = Some(Severity::Warning);
    full.declared_by = Some("my-agent".into());
    full.example = Some((*b"{\"a\": 1}").into());
    let checked = Registry::default().check(full.clone()).unwrap().expect("it is new");
    expect![[r#"{"type":"my.type","version":"1.0.0","meaning":"Something happened.","severity":"warning","declared_by":"my-agent","example":{"a":1},"schema":{"type":"object","required":["a"]}}"#]].assert_eq(std::str::from_utf8(&checked.to_data()).unwrap());
    assert_eq!(Registration::from_data(&checked.to_data()), Ok(checked.clone()));

    let mut registry = Registry::with_catalogue();
    let event = recorded(7, "tacho.schema_registered", &checked.to_data());
    assert_eq!(registry.apply(&event), Ok(true));
    assert_eq!(registry.apply(&event), Ok(false), "folding again changes nothing");
    assert_eq!(registry.apply(&recorded(8, "other", b"{}")), Ok(false));
    let known = registry.find("my.type", None).expect("it was registered");
    assert_eq!((known.position, &known.registration), (Some(Position(7)), &checked));
    assert!(registry.validate("my.type", None, Some(b"{}")).is_err());

    let unlike = registration("my.type", "1.0.0", "false");
    assert_eq!(registry.apply(&recorded(9, "tacho.schema_registered", &unlike.to_data())), Ok(false));
    assert!(registry.validate("my.type", None, Some(b"{\"a\":1}")).is_ok(), "the first registration counts");
}

#[test]
fn the_log_wins_over_the_catalogue() {
    let mut registry = Registry::with_catalogue();
    let other = registration("task_queued", "1.0.0", r#"{"required":["mine"]}"#);
    assert!(registry.check(other.clone()).is_err());
    assert_eq!(registry.apply(&recorded(1, "tacho.schema_registered", &other.to_data())), Ok(true));
    assert!(registry.validate("task_queued", None, Some(b"{\"mine\":1}")).is_ok());
}

#[test]
fn what_the_log_holds_that_cannot_be_used_does_not_stop_the_fold() {
    let mut registry = Registry::default();
    for data in
        [&b"7"[..], b"{}", br#"{"type":"a","version":"1","schema":{}}"#, br#"{"type":"a","version":"1.0.0"}"#]
    {
        assert!(registry.apply(&recorded(1, "tacho.schema_registered", data)).is_err());
    }
    assert_eq!(registry.all().count(), 0);
    let unusable = registration("a", "1.0.0", r#"{"type":"nonsense"}"#);
    assert_eq!(registry.apply(&recorded(1, "tacho.schema_registered", &unusable.to_data())), Ok(true));
    let violations = registry.validate("a", None, Some(b"{}")).unwrap_err();
    assert!(violations.to_string().contains("cannot be checked"), "{violations}");
}

fn check_violations(schema: &str, data: &str, expected: Expect) {
    let registry = registry_of(&[("my.type", "1.0.0", schema)]);
    let violations = registry.validate("my.type", None, Some(data.as_bytes())).expect_err("it does not fit");
    let lines = violations.list.iter().map(|violation| format!("{violation}\n"));
    expected.assert_eq(&lines.chain(violations.more.then(|| "and more\n".to_owned())).collect::<String>());
}

#[test]
fn violations_name_the_path_and_what_was_expected_but_no_value() {
    check_violations(
        r#"{"type":"object","required":["a","b"],"additionalProperties":false,"properties":{
            "a":{"type":["string","null"]},"b":{},"e":{"enum":["x","y",1]},"c":{"const":"k"},
            "p":{"pattern":"^[a-z]+$"},"n":{"minimum":3},"l":{"items":{"type":"integer"},"maxItems":2},
            "o":{"oneOf":[{"type":"string"},{"type":"number"}]},"s":{"minLength":2}}}"#,
        r#"{"a":7,"e":"secret-1","c":"secret-2","p":"SECRET-3","n":1,"l":[1,"secret-4",3.5],"o":[],"s":"z","extra":1}"#,
        expect![[r#"
            the payload must have the member "b"
            /a must be null or string, but is number
            /e must be one of "x", "y", 1
            /c must be "k"
            /p must match "^[a-z]+$"
            /n the value is less than the minimum of 3
            /l the value has more than 2 items
            /l/1 must be integer, but is string
            /l/2 must be integer, but is number
            /o must fit one of the allowed forms
            and more
        "#]],
    );
    check_violations(
        r#"{"type":"object"}"#,
        "[1]",
        expect![[r#"
        the payload must be object, but is array
    "#]],
    );
    check_violations(
        r#"{"type":"object"}"#,
        r#"{"n":1e999}"#,
        expect![[r#"
        the payload must have no number beyond the range of a 64-bit float, and at most 127 levels
    "#]],
    );
    check_violations(
        "false",
        "{}",
        expect![[r#"
        the payload must not be there
    "#]],
    );
}

#[test]
fn violations_are_bounded() {
    let many = format!("[{}]", vec!["\"x\""; 100].join(","));
    check_violations(
        r#"{"items":{"type":"integer"}}"#,
        &many,
        expect![[r#"
        /0 must be integer, but is string
        /1 must be integer, but is string
        /2 must be integer, but is string
        /3 must be integer, but is string
        /4 must be integer, but is string
        /5 must be integer, but is string
        /6 must be integer, but is string
        /7 must be integer, but is string
        /8 must be integer, but is string
        /9 must be integer, but is string
        and more
    "#]],
    );
    let more = format!("[{}]", vec!["\"x\""; 100_000].join(","));
    check_violations(
        r#"{"items":{"type":"integer"}}"#,
        &more,
        expect![[r#"
        /0 must be integer, but is string
        and more
    "#]],
    );
    let long = format!(r#"{{"{}":1}}"#, "ä".repeat(10_000));
    check_violations(
        r#"{"additionalProperties":{"type":"string"}}"#,
        &long,
        expect![[r#"
        /äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää… must be string, but is number
    "#]],
    );
}
