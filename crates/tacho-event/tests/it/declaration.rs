use expect_test::{Expect, expect};
use tacho_event::catalogue::{self, Origin};
use tacho_event::declaration::{Declaration, MAX_PROBLEMS, declarations};
use tacho_event::schema::{Registry, Severity, Version};

const URL_CACHER: &str = include_str!("url-cacher.md");

fn url_cacher() -> Vec<Declaration> {
    declarations("other-name", URL_CACHER).expect("it declares well")
}

#[test]
fn all_eight_of_url_cacher() {
    let told: Vec<_> = url_cacher()
        .iter()
        .map(|event| {
            let attributes = event.attributes.iter().map(|attribute| {
                let optional = if attribute.required { "" } else { "?" };
                format!("{}{optional}: {}", attribute.name, attribute.kind.as_str())
            });
            let attributes = attributes.collect::<Vec<_>>().join(", ");
            format!("{:>2} {} {}({attributes})\n", event.line, event.severity.as_str(), event.kind)
        })
        .collect();
    expect![[r#"
        21 info urlCacher.cacheRequested(url: string, cache_path: string, user_context?: string)
        30 info urlCacher.urlValidated(url: string, tld: string, path_segments: array)
        38 info urlCacher.cacheCheckStarted(cache_path: string)
        42 info urlCacher.urlAlreadyCached(cache_path: string, cache_age_hours: number, last_updated: string)
        50 info urlCacher.downloadStarted(url: string, user_agent?: string)
        57 info urlCacher.downloadCompleted(url: string, content_size: integer, download_duration_ms: integer)
        73 info urlCacher.urlCached(file_path: string, last_updated_file: string, content_size: integer)
        81 error urlCacher.urlCacheFailed(url: string, error_type: string, error_message: string, retry_count?: integer, existing_cache_preserved: boolean)
    "#]].assert_eq(&told.concat());
}

#[test]
fn a_declaration_says_what_it_means() {
    let first = &url_cacher()[0];
    assert_eq!((first.agent.as_str(), first.name.as_str()), ("url-cacher", "cacheRequested"));
    assert_eq!(first.description, "Somebody asked for a page & wants it soon.");
    let described: Vec<_> = first.attributes.iter().map(|attribute| attribute.description.as_str()).collect();
    assert_eq!(described, ["Where the page is.", "", "Why they asked."]);
    expect![[r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"url":{"type":"string","description":"Where the page is."},"cache_path":{"type":"string"},"user_context":{"type":"string","description":"Why they asked."}},"required":["url","cache_path"]}"#]].assert_eq(std::str::from_utf8(&first.schema()).unwrap());
}

#[test]
fn the_catalogue_and_the_declarations_agree() {
    let registry = Registry::with_catalogue();
    let declared = url_cacher();
    let catalogued = catalogue::ALL.iter().filter(|entry| entry.origin == Origin::Agent);
    for (entry, declaration) in catalogued.zip(&declared) {
        assert_eq!(entry.kind, declaration.kind);
        assert_eq!(entry.severity, Some(declaration.severity));
        // Only descriptions differ, so there is nothing to register.
        assert_eq!(registry.next_version(&declaration.kind, &declaration.schema()), None);
        assert_eq!(registry.check(declaration.registration(Version::new(1, 0, 0))), Ok(None));
    }
    assert_eq!(declared.len(), 8);
}

#[test]
fn the_plugin_declares_the_types_of_the_catalogue() {
    let markdown = include_str!("../../../../integrations/claude-code/agents/url-cacher.md");
    let declared = declarations("url-cacher", markdown).unwrap();
    let declared: Vec<_> = declared.iter().map(|event| (event.kind.as_str(), Some(event.severity))).collect();
    let catalogued = catalogue::ALL.iter().filter(|entry| entry.origin == Origin::Agent);
    assert_eq!(declared, catalogued.map(|entry| (entry.kind, entry.severity)).collect::<Vec<_>>());
}

#[test]
fn a_declaration_is_a_schema_that_holds() {
    let mut registry = Registry::default();
    for declaration in url_cacher() {
        let version = registry.next_version(&declaration.kind, &declaration.schema()).expect("it is new");
        let registration = registry.check(declaration.registration(version)).unwrap().expect("it is new");
        assert_eq!(registration.severity, Some(declaration.severity));
        registry.register(registration, tacho_event::Position(1)).unwrap();
    }
    let good = br#"{"url":"https://a.example","content_size":1,"download_duration_ms":2,"more":true}"#;
    assert!(registry.validate("urlCacher.downloadCompleted", None, Some(good)).unwrap().is_some());
    let bad = br#"{"url":7,"content_size":"1"}"#;
    let violations = registry.validate("urlCacher.downloadCompleted", None, Some(bad)).unwrap_err();
    expect![[r#"the payload does not fit the schema of `urlCacher.downloadCompleted` 1.0.0: the payload must have the member "download_duration_ms"; /url must be string, but is number; /content_size must be integer, but is string"#]].assert_eq(&violations.to_string());
}

#[test]
fn the_file_names_the_agent_without_front_matter() {
    let markdown = "<events><event name='done' type='warning'><description>D.</description></event></events>";
    let declared = declarations("my_agent v2", markdown).unwrap();
    assert_eq!(declared[0].kind, "myAgentV2.done");
    assert_eq!(declared[0].severity, Severity::Warning);
    assert_eq!(declared[0].schema(), json_object());
}

fn json_object() -> Box<[u8]> {
    (*br#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}"#).into()
}

#[test]
fn a_file_without_declarations_declares_nothing() {
    assert_eq!(declarations("a", "# Agent\n\nIt emits nothing, whatever `<events>` may say.\n"), Ok(vec![]));
    assert_eq!(declarations("größe", ""), Ok(vec![]));
}

#[test]
fn windows_line_ends_change_nothing() {
    let windows = declarations("x", &URL_CACHER.replace('\n', "\r\n")).unwrap();
    assert_eq!(windows, url_cacher());
}

fn check_problems(markdown: &str, expected: Expect) {
    let problems = declarations("a", markdown).expect_err("it has problems");
    expected.assert_eq(&problems.iter().map(|problem| format!("{problem}\n")).collect::<String>());
}

#[test]
fn problems_name_the_line_and_the_remedy() {
    check_problems(
        "\n\n<events>\n<event name='a' type='info'>\n",
        expect![[r#"
        line 3: `<events>` is never closed: end the block with `</events>`
    "#]],
    );
    check_problems(
        "x\n<events>\n<event name='a' type='info'>\n</events>",
        expect![[r#"
            line 4: the declaration is not XML: expected 'event' tag, not 'events'; close every element, write `&` as `&amp;`, `<` as `&lt;`, and values in quotes
        "#]],
    );
    check_problems(
        "<events>\n\n<event name='a' type='info'><description>A & B</description></event></events>",
        expect![[r#"
            line 3: the declaration is not XML: malformed entity reference; close every element, write `&` as `&amp;`, `<` as `&lt;`, and values in quotes
        "#]],
    );
    check_problems(
        "<events>\n<attribute name='a' type='string' required/></events>",
        expect![[r#"
            line 2: the declaration is not XML: expected '=' not '/'; close every element, write `&` as `&amp;`, `<` as `&lt;`, and values in quotes
        "#]],
    );
    check_problems(
        "# A\n\n<events colour='red'>\nloose\n<evnt/>\n<event type='fatal' title='x'>\n<description/>\n<description>b</description>\n<attributes>\n<attribute name='n' type='text'/>\n<attribute name='m' type='string' required='yes'/>\n<attribute name='k' type='string'/>\n<attribute name='k' type='string'/>\n</attributes></event>\n<event name='ok' type='info'/>\n</events>",
        expect![[r#"
            line 3: `<events>` has no attribute `colour`: remove it
            line 3: `<events>` holds loose text: put it into an element or a comment
            line 5: `<evnt>` has no place in `<events>`: use `<event>`
            line 6: `<event>` has no attribute `title`: use name, type
            line 6: `<event>` needs name="…"
            line 6: type="fatal" is unknown: use info, warning or error
            line 8: a second `<description>` in the same event: join them
            line 7: `<description>` is empty: say what it means that the event happened
            line 10: type="text" is unknown: use string, integer, number, boolean, array or object
            line 11: required="yes" is unknown: use true or false
            line 13: attribute `k` is declared twice: remove one
            line 15: the event has no `<description>`: say what it means that it happened
        "#]],
    );
    check_problems(
        "<events>\n<event name='b' type='info'><description>B</description></event>\n<event name='B' type='info'><description>B <b>C</b></description></event>\n<event name='claude.stop' type='info'><description>B</description></event>\n<event name='ö' type='info'><description>B</description></event></events>",
        expect![[r#"
            line 3: `a.b` is declared twice, first on line 2: remove one
            line 3: `<b>` has no place in `<description>`: use plain text
            line 4: `claude.stop` is reserved: rename the event or the agent
            line 5: "ö" names no event: use at most 80 letters, digits, `-` and `_`, like cacheRequested
        "#]],
    );
}

#[test]
fn an_agent_needs_a_name_that_a_type_can_hold() {
    let block = "<events></events>";
    let problems = declarations("größe", block).unwrap_err();
    assert_eq!(problems[0].line, 1);
    let problems = declarations(
        "a",
        &format!(
            "---\nname: claude\n---\n{}",
            "<events><event name='x' type='info'><description>D</description></event></events>"
        ),
    )
    .unwrap_err();
    assert_eq!(problems[0].to_string(), "line 4: `claude.x` is reserved: rename the event or the agent");
}

#[test]
fn what_is_told_of_a_hostile_file_is_bounded() {
    let many = "<event/>\n".repeat(10_000);
    let problems = declarations("a", &format!("<events>\n{many}</events>")).unwrap_err();
    assert_eq!(problems.len(), MAX_PROBLEMS);
    let deep = format!("<events>{}{}</events>", "<event>".repeat(50_000), "</event>".repeat(50_000));
    assert!(declarations("a", &deep).is_err());
    let entities = "<events>&a;</events>";
    assert!(declarations("a", entities).is_err());
    assert!(declarations("a", &"x".repeat(2 * 1024 * 1024)).is_err());
}
