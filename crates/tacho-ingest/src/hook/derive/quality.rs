//! Checks of quality: linters, type checkers, formatters that only look, scanners.

use super::command::Command;
use super::output::{Lines, number_before, pairs};
use super::test_run::{PACKAGE_PROGRAMS, VALUED, script};
use super::{Call, Finding, confidence};
use serde_json::{Value, json};

/// A program that checks.
struct Checker {
    program: &'static str,
    /// Words of which one must stand first among its arguments; none is needed where the list is empty.
    verbs: &'static [&'static str],
    /// Options of which one must be given, or it does something else; none is needed where the list is empty.
    options: &'static [&'static str],
    check_type: &'static str,
}

const fn checks(program: &'static str, verbs: &'static [&'static str], check_type: &'static str) -> Checker {
    Checker { program, verbs, options: &[], check_type }
}

const fn looks(program: &'static str, options: &'static [&'static str]) -> Checker {
    Checker { program, verbs: &[], options, check_type: FORMAT }
}

const LINT: &str = "lint";
const TYPES: &str = "type_check";
const FORMAT: &str = "format";
const SECURITY: &str = "security_scan";
const CHECK: &[&str] = &["--check"];

const CHECKERS: &[Checker] = &[
    Checker { options: CHECK, ..checks("ruff", &["format"], FORMAT) },
    checks("ruff", &["check"], LINT),
    checks("eslint", &[], LINT),
    checks("oxlint", &[], LINT),
    checks("biome", &["check", "lint", "ci"], LINT),
    checks("stylelint", &[], LINT),
    checks("markdownlint", &[], LINT),
    checks("cargo", &["clippy"], LINT),
    Checker { options: CHECK, ..checks("cargo", &["fmt"], FORMAT) },
    checks("cargo", &["audit", "deny"], SECURITY),
    checks("flake8", &[], LINT),
    checks("pylint", &[], LINT),
    checks("golangci-lint", &["run"], LINT),
    checks("staticcheck", &[], LINT),
    checks("go", &["vet"], LINT),
    checks("shellcheck", &[], LINT),
    checks("hadolint", &[], LINT),
    checks("yamllint", &[], LINT),
    checks("ansible-lint", &[], LINT),
    checks("rubocop", &[], LINT),
    checks("phpstan", &["analyse", "analyze"], LINT),
    checks("psalm", &[], LINT),
    checks("phpcs", &[], LINT),
    checks("ktlint", &[], LINT),
    checks("swiftlint", &[], LINT),
    checks("clang-tidy", &[], LINT),
    checks("tflint", &[], LINT),
    checks("pre-commit", &["run"], LINT),
    checks("mypy", &[], TYPES),
    checks("pyright", &[], TYPES),
    checks("basedpyright", &[], TYPES),
    checks("tsc", &[], TYPES),
    checks("vue-tsc", &[], TYPES),
    checks("svelte-check", &[], TYPES),
    looks("prettier", &["--check", "-c", "--list-different", "-l"]),
    looks("black", CHECK),
    looks("isort", &["--check", "--check-only", "-c"]),
    looks("rustfmt", CHECK),
    looks("gofmt", &["-l", "-d"]),
    checks("bandit", &[], SECURITY),
    checks("semgrep", &["scan", "ci"], SECURITY),
    checks("gitleaks", &["detect", "protect", "git", "dir"], SECURITY),
    checks("trivy", &["fs", "image", "repo", "config"], SECURITY),
    checks("npm", &["audit"], SECURITY),
    checks("make", &["lint"], LINT),
    checks("just", &["lint"], LINT),
    checks("task", &["lint"], LINT),
];

/// Scripts of a package by the beginning of their names.
const SCRIPTS: &[(&str, &str)] = &[
    ("lint", LINT),
    ("eslint", LINT),
    ("typecheck", TYPES),
    ("type-check", TYPES),
    ("check-types", TYPES),
    ("tsc", TYPES),
    ("format:check", FORMAT),
    ("format-check", FORMAT),
    ("check-format", FORMAT),
];

/// With one of them nothing is checked.
const ASKING: &[&str] = &["--help", "-h", "--version", "-V", "--init", "--print-config", "--showConfig"];

struct Check<'c> {
    command: &'c Command,
    check_type: &'static str,
    /// The program, with the word that says what it does; or the script that stands for it.
    tool: String,
    is_script: bool,
}

pub(super) fn findings(call: &Call<'_>) -> Vec<Finding> {
    let mut checks: Vec<Check<'_>> = Vec::new();
    for command in &call.commands {
        let is_new = |check: &Check<'_>| {
            checks.iter().all(|known| (&known.tool, known.check_type) != (&check.tool, check.check_type))
        };
        if let Some(check) = check(command).filter(is_new) {
            checks.push(check);
        }
    }
    checks
        .iter()
        .map(|check| if call.ending.is_none() { started(check) } else { ended(check, call) })
        .collect()
}

fn check(command: &Command) -> Option<Check<'_>> {
    if command.has(ASKING) {
        return None;
    }
    let first = command.positional(VALUED).next();
    let known = CHECKERS.iter().find(|checker| {
        checker.program == command.program
            && (checker.verbs.is_empty() || first.is_some_and(|word| checker.verbs.contains(&word)))
            && (checker.options.is_empty() || command.has(checker.options))
    });
    if let Some(Checker { program, verbs, check_type, .. }) = known {
        let verb = first.filter(|_| !verbs.is_empty());
        let tool = verb.map_or_else(|| (*program).to_owned(), |verb| format!("{program} {verb}"));
        return Some(Check { command, check_type, tool, is_script: false });
    }
    let script = PACKAGE_PROGRAMS.contains(&command.program.as_str()).then(|| script(command)).flatten()?;
    let (_, check_type) = SCRIPTS.iter().find(|(beginning, _)| script.starts_with(beginning))?;
    Some(Check { command, check_type, tool: script.to_owned(), is_script: true })
}

fn key(check: &Check<'_>) -> String {
    format!("{} {}", check.check_type, check.tool)
}

fn started(check: &Check<'_>) -> Finding {
    let confidence = if check.is_script { confidence::SCRIPT } else { confidence::COMMAND };
    Finding::new(
        "QualityCheckStarted",
        &key(check),
        confidence,
        [("check_type", json!(check.check_type)), ("check_tool", json!(check.tool))],
    )
}

fn ended(check: &Check<'_>, call: &Call<'_>) -> Finding {
    let issues = issues(&Lines::of(&call.output));
    let verdict = {
        // Issues fail a check only where its exit status says so: most tools print warnings and succeed.
        let counted = issues.filter(|_| !call.succeeded(check.command)).unwrap_or(0);
        call.verdict(check.command, issues.is_some(), counted, ["issue found", "issues found"])
    };
    let mut data = vec![("check_type", json!(check.check_type)), ("check_tool", json!(check.tool))];
    data.extend(issues.map(|issues| ("issues_found", json!(issues))));
    data.push(("passed_quality_gate", json!(verdict.failure.is_none())));
    data.extend(call.seconds.filter(|_| call.is_alone()).map(|seconds| ("duration_seconds", json!(seconds))));
    let kind = match verdict.failure {
        None => "QualityCheckCompleted",
        Some(reason) => {
            data.push(("failure_reason", Value::String(reason)));
            "QualityCheckFailed"
        }
    };
    Finding::new(kind, &key(check), verdict.confidence, data)
}

/// What tools print when they find nothing.
const NOTHING_FOUND: [&str; 9] = [
    "All checks passed",
    "Success: no issues found",
    "no offenses detected",
    "No errors",
    "found 0 vulnerabilities",
    "All matched files use Prettier",
    "would be left unchanged",
    "No issues found",
    "no leaks found",
];

/// How many issues the output tells of.
fn issues(output: &Lines<'_>) -> Option<u64> {
    compiler(output)
        .or_else(|| total(output))
        .or_else(|| {
            let nothing = output.iter().any(|line| NOTHING_FOUND.iter().any(|phrase| line.contains(phrase)));
            nothing.then_some(0)
        })
        .or_else(|| places(output))
}

/// Cargo: `warning: x (lib) generated 3 warnings`, `error: could not compile x due to 2 previous errors; 1 warning
/// emitted`, a line for each crate.
fn compiler(output: &Lines<'_>) -> Option<u64> {
    let counts = output.iter().filter_map(|line| {
        let line = line.strip_prefix("warning: ").or_else(|| line.strip_prefix("error: "))?;
        let (_, generated) = line.split_once(" generated ").or_else(|| line.split_once(" due to "))?;
        let issues =
            pairs(generated).filter(|(_, word)| matches!(word.as_str(), "warning" | "warnings" | "previous"));
        Some(issues.fold(0, |sum: u64, (number, _)| sum.saturating_add(number)))
    });
    counts.reduce(u64::saturating_add)
}

/// The last line that names a total: `✖ 12 problems (…)`, `Found 3 errors in 2 files`, `3 issues:`.
fn total(output: &Lines<'_>) -> Option<u64> {
    const NOUNS: [&str; 5] = ["problem", "issue", "offense", "vulnerabilit", "error"];
    output.rev().find_map(|line| {
        let is_total = ["Found ", "found", "✖ ", "problem", "offense", " issues:", " issues.", "vulnerabilit"]
            .iter()
            .any(|word| line.contains(word))
            // Pyright: `3 errors, 1 warning, 0 informations`.
            || (line.contains(" errors, ") && line.contains(" warning"));
        is_total.then(|| NOUNS.iter().find_map(|noun| number_before(line, noun))).flatten()
    })
}

/// Lines that name a place: `src/a.c:3:7: …`, `src/a.ts(3,7): error TS2322: …`, `In a.sh line 3:`.
fn places(output: &Lines<'_>) -> Option<u64> {
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty())
    };
    let names_place = |line: &&str| {
        let mut parts = line.splitn(4, ':').skip(1);
        (is_number(parts.next()) && is_number(parts.next()))
            || line.contains(": error TS")
            || (line.starts_with("In ") && line.contains(" line ") && line.ends_with(':'))
    };
    let count = output.iter().filter(names_place).count() as u64;
    (count > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_are_counted() {
        for (output, expected) in [
            ("/a.js\n  1:1  error  x  no-undef\n\n✖ 12 problems (10 errors, 2 warnings)", Some(12)),
            ("a.py:1:1: F401\nFound 3 errors.\n[*] 1 fixable", Some(3)),
            ("All checks passed!", Some(0)),
            ("Found 3 errors in 2 files (checked 5 source files)", Some(3)),
            ("Success: no issues found in 5 source files", Some(0)),
            ("3 errors, 1 warning, 0 informations", Some(3)),
            ("src/a.ts(3,7): error TS2322: no\nsrc/b.ts(3,7): error TS2322: no", Some(2)),
            (
                "warning: `x` (lib) generated 3 warnings (run `cargo clippy --fix`)\nwarning: `x` (lib test) generated 1 warning (1 duplicate)",
                Some(4),
            ),
            ("error: could not compile `x` (lib) due to 2 previous errors; 1 warning emitted", Some(3)),
            ("a.go:3:5: unused\n3 issues:\n* errcheck: 3", Some(3)),
            ("0 issues.", Some(0)),
            ("12 files inspected, 3 offenses detected", Some(3)),
            ("12 files inspected, no offenses detected", Some(0)),
            ("In a.sh line 3:\necho $x\n     ^-- SC2086", Some(1)),
            ("found 0 vulnerabilities", Some(0)),
            ("3 vulnerabilities (1 low, 2 high)", Some(3)),
            ("a.c:3:7: warning: x", Some(1)),
            ("done in 12 s", None),
        ] {
            assert_eq!(issues(&Lines::of(output)), expected, "{output}");
        }
    }
}
