use expect_test::{Expect, expect};
use tacho_event::Position;
use tacho_event::schema::{MAX_SCHEMA_BYTES, Registration, Registry, Version};

fn register(kind: &str, version: Version, schema: &str) -> Result<Registry, String> {
    let mut registry = Registry::default();
    let registration = Registration {
        kind: kind.into(),
        version,
        schema: schema.as_bytes().into(),
        meaning: String::new(),
        severity: None,
        declared_by: None,
        example: None,
        upcast: None,
    };
    let registered = registry.register(registration, Position(1));
    registered.map(|_| registry).map_err(|error| error.to_string())
}

fn check(schema: &str, expected: Expect) {
    expected.assert_eq(&register("a", Version::new(1, 0, 0), schema).expect_err("it is refused"));
}

#[test]
fn schemas_that_are_none() {
    check("{", expect!["the schema is not JSON: the text ends at byte 1, in the middle of a value"]);
    check(
        "7",
        expect![[r#"the schema is not JSON Schema 2020-12: 7 is not of types "boolean", "object", at #"#]],
    );
    check(
        r#"{"properties":{"a":{"type":"text"}}}"#,
        expect![[
            r#"the schema is not JSON Schema 2020-12: "text" is not valid under any of the schemas listed in the 'anyOf' keyword, at #/properties/a/type"#
        ]],
    );
    check(
        r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#,
        expect!["`$schema` at # cannot be used: use https://json-schema.org/draft/2020-12/schema"],
    );
}

#[test]
fn schemas_that_reach_outside() {
    check(
        r#"{"$ref":"https://example.com/a.json"}"#,
        expect![[
            r#"`$ref` at # names nothing: "https://example.com/a.json" must be a JSON Pointer into the schema, like #/$defs/x"#
        ]],
    );
    check(
        r#"{"$ref":"file:///etc/passwd"}"#,
        expect![[
            r#"`$ref` at # names nothing: "file:///etc/passwd" must be a JSON Pointer into the schema, like #/$defs/x"#
        ]],
    );
    check(
        r##"{"$ref":"#/$defs/gone"}"##,
        expect![[
            r##"`$ref` at # names nothing: "#/$defs/gone" must be a JSON Pointer into the schema, like #/$defs/x"##
        ]],
    );
    check(
        r#"{"items":{"$id":"https://example.com/"}}"#,
        expect!["`$id` at #/items cannot be used: only the whole schema has an identity, leave it out here"],
    );
    check(
        r##"{"$dynamicRef":"#a"}"##,
        expect!["`$dynamicRef` at # cannot be used: use `$ref` with a JSON Pointer"],
    );
}

#[test]
fn schemas_that_would_not_end() {
    check(
        r##"{"$ref":"#"}"##,
        expect![
            "the schema nests deeper than 32 at #: a payload's schema must be finite, so a `$ref` may not lead back to where it stands"
        ],
    );
    check(
        r##"{"properties":{"child":{"$ref":"#"}}}"##,
        expect![
            "the schema nests deeper than 32 at #/properties/child: a payload's schema must be finite, so a `$ref` may not lead back to where it stands"
        ],
    );
    check(
        &format!("{}{}{}", r#"{"not":"#.repeat(40), "{}", "}".repeat(40)),
        expect![
            "the schema nests deeper than 32 at #/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not/not: a payload's schema must be finite, so a `$ref` may not lead back to where it stands"
        ],
    );
    let doubling: Vec<_> = (0..13)
        .map(|n| {
            format!(
                r##""d{n}":{{"allOf":[{{"$ref":"#/$defs/d{m}"}},{{"$ref":"#/$defs/d{m}"}}]}}"##,
                m = n + 1
            )
        })
        .collect();
    let doubling = format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d13":{{}}}}}}"##, doubling.join(","));
    check(
        &doubling,
        expect!["the schema holds more than 4096 schemas, counting each use of a `$ref`: simplify it"],
    );
    let unevaluated = (0..4).fold("{}".to_owned(), |inner, _| {
        format!(r#"{{"if":{inner},"then":true,"unevaluatedProperties":{{"type":"integer"}}}}"#)
    });
    check(
        &unevaluated,
        expect![
            "`unevaluatedProperties` and `unevaluatedItems` nest deeper than 3 at #/if/if/if: use `additionalProperties` or `items`"
        ],
    );
    let large = format!(r#"{{"enum":["{}"]}}"#, "x".repeat(MAX_SCHEMA_BYTES));
    check(&large, expect!["the schema is 65549 bytes, the limit is 65536"]);
}

#[test]
fn regular_expressions_are_linear_and_small() {
    check(
        r#"{"pattern":"(?=a)b"}"#,
        expect![
            "the regular expression at #/pattern cannot be used: write it without look-around and back references, and smaller than 1048576 bytes when compiled"
        ],
    );
    check(
        r#"{"pattern":"(a)\\1"}"#,
        expect![
            "the regular expression at #/pattern cannot be used: write it without look-around and back references, and smaller than 1048576 bytes when compiled"
        ],
    );
    check(
        r#"{"pattern":"((a{1000}){1000}){1000}"}"#,
        expect![
            "the regular expression at #/pattern cannot be used: write it without look-around and back references, and smaller than 1048576 bytes when compiled"
        ],
    );
    let many: Vec<_> = (0..65).map(|n| format!(r#""p{n}":{{"pattern":"a"}}"#)).collect();
    check(
        &format!(r#"{{"properties":{{{}}}}}"#, many.join(",")),
        expect!["the schema holds more than 64 regular expressions: use `enum` or fewer of them"],
    );

    let registry = register("a", Version::new(1, 0, 0), r#"{"pattern":"^(a+)+$"}"#).unwrap();
    let hostile = format!("\"{}!\"", "a".repeat(100_000));
    assert!(registry.validate("a", None, Some(hostile.as_bytes())).is_err());
}

#[test]
fn names_and_versions() {
    let one = Version::new(1, 0, 0);
    for kind in ["", "*", "**", "a\nb", &"x".repeat(300)] {
        assert!(register(kind, one.clone(), "{}").unwrap_err().contains("names no event type"), "{kind:?}");
    }
    for kind in ["tacho.mine", "tacho.*"] {
        assert!(register(kind, one.clone(), "{}").unwrap_err().contains("reserved"), "{kind:?}");
    }
    let build = Version::parse("1.0.0+build").unwrap();
    assert!(register("a", build, "{}").unwrap_err().contains("without build metadata"));
}

#[test]
fn an_example_has_to_fit() {
    let registration = |example: &str| Registration {
        kind: "a".into(),
        version: Version::new(1, 0, 0),
        schema: (*br#"{"type":"object"}"#).into(),
        meaning: String::new(),
        severity: None,
        declared_by: None,
        example: Some(example.as_bytes().into()),
        upcast: None,
    };
    let refused = |example| Registry::default().check(registration(example)).unwrap_err().to_string();
    expect!["the example does not fit: the payload does not fit the schema of `a` 1.0.0: the payload must be object, but is array"].assert_eq(&refused("[]"));
    expect!["the example of `a` is not JSON: the text ends at byte 1, in the middle of a value"]
        .assert_eq(&refused("{"));
    let checked = Registry::default().check(registration(" { } ")).unwrap().expect("it is new");
    assert_eq!(checked.example.as_deref(), Some(&b"{}"[..]));
}

#[test]
fn references_inside_the_schema_are_followed() {
    let schema =
        r##"{"properties":{"a":{"$ref":"#/$defs/text~1long"}},"$defs":{"text/long":{"type":"string"}}}"##;
    let registry = register("a", Version::new(1, 0, 0), schema).unwrap();
    assert!(registry.validate("a", None, Some(br#"{"a":"x"}"#)).is_ok());
    assert!(registry.validate("a", None, Some(br#"{"a":1}"#)).is_err());
}
