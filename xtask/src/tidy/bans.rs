//! What only some crates may do: libraries that they may name, calls that they may make.

use super::source::SourceFile;
use super::{Finding, Rule};

/// Who is bound by a ban.
enum Scope {
    /// Only these crates may.
    Only(&'static [&'static str]),
    /// These crates may not.
    Never(&'static [&'static str]),
}
use Scope::{Never, Only};

struct Ban {
    /// Dependencies by name, or fragments of code.
    names: &'static [&'static str],
    scope: Scope,
    remedy: &'static str,
}

/// Crates below the engine: no clock, no randomness, no task.
const PURE: &[&str] = &["tacho-event", "tacho-view", "tacho-ingest", "tacho-workflow", "tacho-report"];

/// Normal and build dependencies; tests may use what they like.
const DEPENDENCIES: &[Ban] = &[
    Ban { names: &["rusqlite"], scope: Only(&["tacho-view"]), remedy: "only tacho-view speaks SQL" },
    Ban {
        names: &["clap", "clap_complete", "clap_mangen"],
        scope: Only(&["tacho"]),
        remedy: "only the binary has a command line",
    },
    Ban {
        names: &["anyhow"],
        scope: Only(&["tacho", "xtask", "tacho-bench"]),
        remedy: "a library has its own small `thiserror` enum",
    },
    Ban {
        names: &["axum", "hyper"],
        scope: Only(&["tacho-server"]),
        remedy: "only tacho-server knows inbound HTTP",
    },
    Ban {
        names: &["tokio"],
        scope: Never(&["tacho-event", "tacho-journal", "tacho-view", "tacho-ingest", "tacho-workflow"]),
        remedy: "async begins in tacho-engine: own a thread behind a bounded channel",
    },
    Ban {
        names: &["getrandom", "rand", "fastrand"],
        scope: Never(PURE),
        remedy: "decide purely: let the caller hand the random bytes in",
    },
    Ban {
        names: &["async-nats", "redis", "tonic", "prost"],
        scope: Only(&["tacho-bench", "tacho-connector", "tacho-cluster"]),
        remedy: "only connectors speak outbound protocols",
    },
];

/// Fragments of code in a crate's `src`, outside its test modules.
const CODE: &[Ban] = &[
    Ban {
        names: &["env::var"],
        scope: Only(&["tacho", "xtask", "tacho-bench"]),
        remedy: "only the binary reads the environment: take the value as a parameter",
    },
    Ban {
        names: &["SystemTime", "Instant::now", "Timestamp::now", "Zoned::now"],
        scope: Never(PURE),
        remedy: "decide purely: take the time as a parameter",
    },
    Ban {
        names: &["getrandom::", "thread_rng", "rand::random"],
        scope: Never(PURE),
        remedy: "decide purely: let the caller hand the random bytes in",
    },
    Ban {
        names: &[".sync_all(", ".sync_data(", "fsync(", "fdatasync("],
        scope: Only(&["tacho-journal", "tacho-connector", "tacho", "tacho-testkit", "tacho-bench"]),
        remedy: "only the journal makes bytes durable, and connectors what they deliver",
    },
    Ban {
        names: &["process::Command", "Command::new("],
        scope: Only(&["tacho-connector", "tacho", "tacho-testkit", "xtask", "tacho-bench"]),
        remedy: "only connectors spawn processes",
    },
];

/// Why `name` may not have `dependency`, and what to do.
pub fn dependency(name: &str, dependency: &str) -> Option<(String, String)> {
    let ban = DEPENDENCIES.iter().find(|ban| ban.names.contains(&dependency) && ban.binds(name))?;
    Some((format!("`{name}` depends on `{dependency}`"), ban.remedy.to_owned()))
}

pub fn check(source: &SourceFile<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_a_crate = source.path.ends_with(".rs") && source.path.contains("/src/");
    for ban in CODE.iter().filter(|ban| of_a_crate && ban.binds(source.package())) {
        for name in ban.names {
            for (offset, _) in source.code.match_indices(name).filter(|(offset, _)| !source.in_tests(*offset))
            {
                findings.push(Finding {
                    path: source.path.to_owned(),
                    line: source.line(offset),
                    what: format!("`{}` in {}", name.trim_end_matches('('), source.package()),
                    remedy: ban.remedy.to_owned(),
                    rule: Rule::Ban,
                });
            }
        }
    }
    findings
}

impl Ban {
    fn binds(&self, package: &str) -> bool {
        match self.scope {
            Only(allowed) => !allowed.contains(&package),
            Never(banned) => banned.contains(&package),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::parsed;

    #[test]
    fn dependencies() {
        assert!(dependency("tacho-view", "rusqlite").is_none());
        assert!(dependency("tacho-engine", "rusqlite").is_some());
        assert!(dependency("tacho-engine", "tokio").is_none());
        assert!(dependency("tacho-journal", "tokio").is_some());
        assert!(dependency("tacho-event", "serde_json").is_none());
    }

    #[test]
    fn code() {
        let text = "use std::time::SystemTime;\n// SystemTime\nlet a = \"Instant::now\";\n#[cfg(test)]\nmod tests { fn f() { Instant::now(); } }\n";
        assert_eq!(parsed("crates/tacho-event/src/a.rs", text, check), ["1: `SystemTime` in tacho-event"]);
        assert!(parsed("crates/tacho-engine/src/a.rs", text, check).is_empty());
        assert!(parsed("crates/tacho-event/tests/it/a.rs", text, check).is_empty());
        let sync = "file.sync_data()?;\nenv::var_os(\"A\");";
        assert_eq!(
            parsed("crates/tacho-view/src/a.rs", sync, check),
            ["2: `env::var` in tacho-view", "1: `.sync_data` in tacho-view"]
        );
        assert!(parsed("crates/tacho/src/a.rs", sync, check).is_empty());
    }
}
