//! Which crate may depend on which. A crate is a monopoly: what only it may do is in `bans`.

use serde_json::Value;

use super::bans;
use super::source::TextFile;
use super::{Finding, Rule};
use crate::workspace::Workspace;

/// A crate and the workspace crates that it may depend on. `*` is all of them.
const LAYERS: &[(&str, &[&str])] = &[
    ("tacho-event", &[]),
    ("tacho-journal", &["tacho-event"]),
    ("tacho-view", &["tacho-event"]),
    ("tacho-ingest", &["tacho-event"]),
    ("tacho-workflow", &["tacho-event"]),
    ("tacho-engine", &["tacho-event", "tacho-journal", "tacho-view", "tacho-workflow"]),
    ("tacho-connector", &["tacho-event", "tacho-engine"]),
    ("tacho-report", &["tacho-event", "tacho-view"]),
    ("tacho-cluster", &["tacho-event", "tacho-journal"]),
    ("tacho-server", &["tacho-event", "tacho-ingest", "tacho-engine", "tacho-report"]),
    ("tacho", &["*"]),
    ("tacho-testkit", &["tacho-event", "tacho-journal"]),
    ("tacho-bench", &[]),
    ("xtask", &[]),
];

/// Crates that only tests may use; any crate may have them as a development dependency.
const FOR_TESTS: &[&str] = &["tacho-testkit"];

pub fn check(workspace: &Workspace, texts: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let path = manifest.strip_prefix(&format!("{}/", workspace.root.display())).unwrap_or(manifest);
        let text = texts.iter().find(|text| text.path == path).map_or("", |text| text.text.as_str());
        findings.extend(check_package(package, &workspace.packages, path, text));
    }
    findings
}

fn check_package(package: &Value, packages: &[Value], path: &str, manifest: &str) -> Vec<Finding> {
    let name = package["name"].as_str().unwrap_or_default();
    let finding = |line: usize, what: String, remedy: String| Finding {
        path: path.to_owned(),
        line,
        what,
        remedy,
        rule: Rule::Layer,
    };
    let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
        let remedy = "add it to the table in xtask/src/tidy/layers.rs and to ARCHITECTURE.md".to_owned();
        return vec![finding(1, format!("crate `{name}` is in no layer"), remedy)];
    };
    let mut findings = Vec::new();
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let needed = dependency["name"].as_str().unwrap_or_default();
        let for_tests = dependency["kind"] == "dev";
        let line = manifest.lines().position(|line| line.starts_with(needed)).map_or(1, |index| index + 1);
        if !packages.iter().any(|package| package["name"] == needed) {
            if let (false, Some((why, remedy))) = (for_tests, bans::dependency(name, needed)) {
                findings.push(Finding { rule: Rule::Ban, ..finding(line, why, remedy) });
            }
        } else if !is_allowed(name, needed, for_tests, allowed) {
            let remedy = match allowed {
                [] => "it may depend on no other crate of the workspace".to_owned(),
                allowed => format!("it may depend on {}", allowed.join(", ")),
            };
            findings.push(finding(line, format!("`{name}` depends on `{needed}`"), remedy));
        }
    }
    findings
}

fn is_allowed(name: &str, needed: &str, for_tests: bool, allowed: &[&str]) -> bool {
    if FOR_TESTS.contains(&needed) {
        return for_tests;
    }
    // A package may name itself in its development dependencies to switch a feature on.
    allowed.contains(&needed) || allowed == ["*"] || (for_tests && name == needed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edge(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
        let packages =
            [json!({"name": from, "dependencies": [{"name": to, "kind": kind}]}), json!({"name": to})];
        let manifest = format!("[package]\n\n[dependencies]\n{to}.workspace = true\n");
        check_package(&packages[0], &packages, "Cargo.toml", &manifest)
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    #[test]
    fn an_edge_is_allowed_or_named_with_its_line() {
        assert!(edge("tacho-engine", "tacho-view", None).is_empty());
        assert!(edge("tacho", "tacho-ingest", None).is_empty());
        assert_eq!(
            edge("tacho-event", "tacho-view", None),
            [
                "Cargo.toml:4: `tacho-event` depends on `tacho-view` — it may depend on no other crate of the workspace"
            ]
        );
        assert_eq!(edge("tacho-engine", "tacho-ingest", None).len(), 1);
        assert_eq!(edge("tacho-view", "tacho-journal", Some("dev")).len(), 1);
    }

    #[test]
    fn the_testkit_is_for_tests_alone() {
        assert!(edge("tacho-view", "tacho-testkit", Some("dev")).is_empty());
        assert_eq!(edge("tacho-view", "tacho-testkit", None).len(), 1);
        assert_eq!(edge("tacho", "tacho-testkit", None).len(), 1);
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_found() {
        assert_eq!(edge("tacho-new", "tacho-event", None).len(), 1);
    }
}
