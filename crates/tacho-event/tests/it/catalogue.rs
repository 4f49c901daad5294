use expect_test::expect;
use std::collections::{BTreeMap, HashSet};
use tacho_event::Pattern;
use tacho_event::catalogue::{self, Entry, Origin, VERSION};
use tacho_event::json::{self, Kind};
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
fn what_an_entry_says_of_its_payload_is_in_its_example() {
    for entry in &catalogue::ALL {
        let example = entry.example.as_bytes();
        // The agent of a hook is there only inside a subagent.
        let is_hook = matches!(entry.origin, Origin::ClaudeCode | Origin::Codex);
        for named in [entry.phase_field, entry.agent_field.filter(|_| !is_hook)].into_iter().flatten() {
            assert!(entry.fields.iter().any(|field| field.name == named), "{}: {named}", entry.kind);
            let value = json::member(example, named).unwrap_or_else(|| panic!("{}: {named}", entry.kind));
            assert_eq!(json::kind(value), Kind::String, "{}: {named}", entry.kind);
        }
    }
}

#[test]
fn phases_are_closed_and_other_words_are_open() {
    let registry = Registry::with_catalogue();
    let fits = |kind: &str, data: &str| registry.validate(kind, None, Some(data.as_bytes())).is_ok();
    for phase in catalogue::PHASES {
        assert!(fits("PhaseStarted", &format!(r#"{{"phase":"{phase}"}}"#)), "{phase}");
    }
    assert!(!fits("PhaseStarted", r#"{"phase":"LUNCH"}"#));
    assert!(!fits("PhaseStarted", r#"{}"#));
    assert!(fits("PhaseCompleted", r#"{"phase":"DOCUMENT","next_phase":null}"#));
    assert!(!fits("PhaseCompleted", r#"{"phase":"DOCUMENT","next_phase":"LUNCH"}"#));
    assert!(fits("GapIdentified", r#"{"gap_id":"g","gap_type":"of a new kind","severity":"medium"}"#));
    assert!(!fits("GapIdentified", r#"{"gap_id":"g","severity":"warning"}"#));
    assert!(fits("OrchestrationStarted", r#"{"workflow_type":"of my own","mine":[1]}"#));
    assert!(fits("OrchestrationStarted", "{}"));
}

#[test]
fn a_replay_skips_what_acted_on_the_world_outside() {
    let skipped = catalogue::ALL.iter().filter(|entry| entry.origin == Origin::Orchestration);
    let skipped: Vec<_> = skipped.filter(|entry| !entry.is_replayable).map(|entry| entry.kind).collect();
    expect![[r#"
        GapEscalated
        CommitCreated
        PRCreated
        PRMerged
        PRClosed
        IssueTransitioned
        CommentPosted
        WorklogAdded
        ConfluencePageCreated
        CheckpointRestored"#]]
    .assert_eq(&skipped.join("\n"));
    for (kind, is_replayable) in [
        ("claude.post_tool_use", false),
        ("claude.brand_new", false),
        ("claude_code.api_request", false),
        ("tacho.alert", false),
        ("tool.hammer.completed", true),
        ("mine.a", true),
    ] {
        assert_eq!(catalogue::is_replayable(kind), is_replayable, "{kind}");
    }
}

/// What an orchestration of an issue usually is: a hundred and more events of which few touch the outside.
#[test]
fn most_of_an_orchestration_is_replayable() {
    let usual = [
        ("OrchestrationStarted", 1),
        ("PhaseStarted", 6),
        ("AgentSpawned", 40),
        ("AgentCompleted", 38),
        ("AgentFailed", 2),
        ("QualityCheckStarted", 6),
        ("QualityCheckCompleted", 6),
        ("TestRunStarted", 8),
        ("TestRunCompleted", 8),
        ("GapIdentified", 3),
        ("GapResolved", 3),
        ("CheckpointCreated", 4),
        ("PhaseSummaryCreated", 5),
        ("CommitCreated", 3),
        ("PRCreated", 1),
        ("PRMerged", 1),
        ("IssueTransitioned", 1),
        ("PhaseCompleted", 6),
        ("OrchestrationCompleted", 1),
    ];
    let count = |replayable: bool| -> u32 {
        let chosen = usual.iter().filter(|(kind, _)| catalogue::is_replayable(kind) == replayable);
        chosen.map(|(_, count)| count).sum()
    };
    let (replayed, skipped) = (count(true), count(false));
    assert!(replayed * 100 > (replayed + skipped) * 95, "{replayed} of {}", replayed + skipped);
}

#[test]
fn projections_name_what_they_read() {
    let known = ["orchestration", "agents", "quality", "session", "task"];
    let mut read = BTreeMap::new();
    for entry in &catalogue::ALL {
        for projection in entry.read_by {
            assert!(known.contains(projection), "{}: {projection}", entry.kind);
            *read.entry(*projection).or_insert(0) += 1;
        }
    }
    let expected = [("agents", 6), ("orchestration", 34), ("quality", 7), ("session", 54), ("task", 8)];
    assert_eq!(read, BTreeMap::from(expected));
}

#[test]
fn types_of_tools_fall_to_their_patterns() {
    let registry = Registry::with_catalogue();
    let found = |kind| registry.find(kind, None).map(|found| found.registration.kind.clone());
    assert_eq!(found("tool.browser_take_screenshot.completed").as_deref(), Some("tool.*.completed"));
    assert_eq!(found("tool.a.b.failed").as_deref(), Some("tool.*.failed"));
    assert_eq!(found("page.captured").as_deref(), Some("*.captured"));
    assert_eq!(found("vision.analysis.completed").as_deref(), Some("vision.analysis.completed"));
    assert_eq!(found("tool.completed"), None);
    let entry = |kind| catalogue::entry_of(kind).map(|entry| entry.kind);
    assert_eq!(entry("tool.hammer.completed"), Some("tool.*.completed"));
    assert_eq!(entry("tacho.screen.captured"), None);
}

#[test]
fn the_catalogue_counts_its_origins() {
    let mut counts = BTreeMap::new();
    for entry in catalogue::ALL.iter().filter(|entry| Pattern::new(entry.kind).is_exact()) {
        *counts.entry(format!("{:?}", entry.origin)).or_insert(0) += 1;
    }
    let expected = [
        ("Agent", 8),
        ("Bus", 18),
        ("ClaudeCode", 33),
        ("Codex", 12),
        ("Factory", 14),
        ("Orchestration", 38),
        ("Tachograph", 25),
        ("Telemetry", 15),
    ];
    assert!(counts.values().sum::<i32>() > 90, "{counts:?}");
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
