use std::collections::{BTreeMap, HashSet};
use tacho_event::Pattern;
use tacho_event::catalogue::{self, Entry, Origin, VERSION};
use tacho_event::schema::Registry;

#[test]
fn every_example_fits_and_has_a_schema_of_its_own() {
    let registry = Registry::with_catalogue();
    for entry in &catalogue::ALL {
        let kind = entry.kind.replace('*', "something_new");
        let fits = registry.validate(&kind, Some(&VERSION), Some(entry.example.as_bytes()));
        let registered = fits.unwrap_or_else(|violations| panic!("{violations}")).expect("it is registered");
        assert_eq!(registered.registration.kind, entry.kind);
        assert!(registry.validate(&kind, None, Some(b"7")).is_err(), "{kind} takes a number");
        assert!(registry.validate(&kind, None, None).is_err(), "{kind} takes no payload at all");
    }
    assert_eq!(registry.all().count(), catalogue::ALL.len());
}

#[test]
fn every_entry_is_whole() {
    let mut kinds = HashSet::new();
    for Entry { kind, meaning, example, fields, .. } in &catalogue::ALL {
        assert!(kinds.insert(kind), "{kind} is there twice");
        assert!(
            meaning.ends_with('.') && !meaning.contains('\n') && meaning.len() <= 100,
            "{kind}: {meaning}"
        );
        let mut minified = Vec::new();
        tacho_event::json::minify(example.as_bytes(), 10, &mut minified).expect(kind);
        assert_eq!(minified, example.as_bytes(), "{kind}: the example is not minified");
        let names: HashSet<_> = fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), fields.len(), "{kind} has a field twice");
    }
}

#[test]
fn the_catalogue_counts_its_origins() {
    let mut counts = BTreeMap::new();
    for entry in catalogue::ALL.iter().filter(|entry| Pattern::new(entry.kind).is_exact()) {
        *counts.entry(format!("{:?}", entry.origin)).or_insert(0) += 1;
    }
    let expected = [
        ("Agent", 8),
        ("ClaudeCode", 33),
        ("Codex", 12),
        ("Factory", 14),
        ("Orchestration", 38),
        ("Tachograph", 8),
        ("Telemetry", 15),
    ];
    assert_eq!(counts, BTreeMap::from(expected.map(|(origin, count)| (origin.to_owned(), count))));
}

#[test]
fn hooks_are_named_in_snake_case() {
    for entry in &catalogue::ALL {
        let Some(namespace) = (match entry.origin {
            Origin::ClaudeCode => Some("claude"),
            Origin::Codex => Some("codex"),
            _ => None,
        }) else {
            continue;
        };
        if entry.kind.ends_with(".*") {
            continue;
        }
        let event = tacho_event::json::member(entry.example.as_bytes(), "hook_event_name").unwrap();
        let mut snake = String::new();
        for character in tacho_event::json::text(event).chars() {
            if character.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(character.to_lowercase());
        }
        assert_eq!(entry.kind, format!("{namespace}.{snake}"));
    }
}

#[test]
fn an_unknown_hook_falls_to_the_pattern_and_a_known_one_does_not() {
    let registry = Registry::with_catalogue();
    let found = |kind| registry.find(kind, None).map(|found| found.registration.kind.clone());
    assert_eq!(found("claude.brand_new").as_deref(), Some("claude.*"));
    assert_eq!(found("claude.post_tool_use").as_deref(), Some("claude.post_tool_use"));
    assert_eq!(found("mine.a"), None);
}

#[test]
fn markers_may_not_take_names_that_others_own() {
    for kind in [
        "tacho.anything",
        "claude.stop",
        "codex.new",
        "claude_code.api_request",
        "otel.log",
        "budget_invented",
        "hitl_invented",
        "task_queued",
        "OrchestrationStarted",
    ] {
        assert!(catalogue::is_reserved_for_markers(kind), "{kind}");
    }
    for kind in ["urlCacher.cacheRequested", "claudette.a", "budget", "mine", "orchestrationStarted", "codex"]
    {
        assert!(!catalogue::is_reserved_for_markers(kind), "{kind}");
    }
}
