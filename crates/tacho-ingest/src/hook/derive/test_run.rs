//! Runs of tests: which commands are some, and how they ended.

use super::command::Command;
use super::output::Lines;
use super::summary::{self, Tally};
use super::{Call, Finding, confidence};
use serde_json::{Value, json};

/// A program that runs tests: its name, the words that must stand first among its arguments (any of them; none
/// is needed where the list is empty), and the runner as it is told.
const RUNNERS: &[(&str, &[&str], &str)] = &[
    ("pytest", &[], "pytest"),
    ("py.test", &[], "pytest"),
    ("unittest", &[], "unittest"),
    ("tox", &[], "tox"),
    ("nox", &[], "nox"),
    ("cargo", &["test", "t"], "cargo"),
    ("cargo", &["nextest"], "nextest"),
    ("go", &["test"], "go"),
    ("gotestsum", &[], "gotestsum"),
    ("jest", &[], "jest"),
    ("vitest", &[], "vitest"),
    ("mocha", &[], "mocha"),
    ("ava", &[], "ava"),
    ("playwright", &["test"], "playwright"),
    ("cypress", &["run"], "cypress"),
    ("ng", &["test"], "ng"),
    ("deno", &["test"], "deno"),
    ("bun", &["test"], "bun"),
    ("rspec", &[], "rspec"),
    ("rails", &["test"], "rails"),
    ("rake", &["test", "spec"], "rake"),
    ("phpunit", &[], "phpunit"),
    ("pest", &[], "pest"),
    ("artisan", &["test"], "artisan"),
    ("mvn", &["test", "verify"], "maven"),
    ("mvnw", &["test", "verify"], "maven"),
    ("gradle", &["test", "check"], "gradle"),
    ("gradlew", &["test", "check"], "gradle"),
    ("dotnet", &["test"], "dotnet"),
    ("ctest", &[], "ctest"),
    ("swift", &["test"], "swift"),
    ("mix", &["test"], "mix"),
    ("sbt", &["test"], "sbt"),
    ("bazel", &["test"], "bazel"),
    ("make", TEST_SCRIPTS, "make"),
    ("just", TEST_SCRIPTS, "just"),
    ("task", TEST_SCRIPTS, "task"),
    ("composer", &["test"], "composer"),
];

const TEST_SCRIPTS: &[&str] = &["test", "tests", "check", "test-unit", "test-integration", "test-e2e", "e2e"];
/// They run the scripts of a package; `test`, or what begins like it, is a run of tests.
pub(super) const PACKAGE_PROGRAMS: [&str; 4] = ["npm", "pnpm", "yarn", "bun"];
/// Options of package programs, Cargo, Make and Maven whose value is the next word.
pub(super) const VALUED: &[&str] = &[
    "--prefix",
    "-C",
    "--dir",
    "--filter",
    "-F",
    "--workspace",
    "-w",
    "--cwd",
    "--manifest-path",
    "-f",
    "-pl",
    "--config",
    "-c",
    "-j",
];
/// With one of them nothing is run.
const ASKING: &[&str] = &[
    "--help",
    "-h",
    "--version",
    "--collect-only",
    "--co",
    "--no-run",
    "--listTests",
    "--list",
    "--dry-run",
    "--showConfig",
    "--fixtures",
    "--markers",
];
/// Words that name a suite wherever they stand in the command.
const SUITES: [&str; 8] =
    ["integration", "e2e", "end-to-end", "unit", "smoke", "acceptance", "functional", "regression"];

/// A run of tests in a command line.
struct Run<'c> {
    command: &'c Command,
    runner: String,
    /// Whether the runner is only known to the script that it stands in.
    is_script: bool,
}

pub(super) fn findings(call: &Call<'_>) -> Vec<Finding> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for command in &call.commands {
        // Two runs of one runner print into one output, which is summed up.
        if let Some(run) = run(command).filter(|run| runs.iter().all(|known| known.runner != run.runner)) {
            runs.push(run);
        }
    }
    runs.iter().map(|run| if call.ending.is_none() { started(run) } else { ended(run, call) }).collect()
}

fn run(command: &Command) -> Option<Run<'_>> {
    if command.has(ASKING) {
        return None;
    }
    let program = command.program.strip_suffix(".cmd").unwrap_or(&command.program);
    let mut words = command.positional(VALUED);
    let first = words.next();
    let known = |(name, verbs, _): &&(&str, &[&str], &str)| {
        *name == program && (verbs.is_empty() || first.is_some_and(|word| verbs.contains(&word)))
    };
    if let Some((name, verbs, runner)) = RUNNERS.iter().find(known) {
        if (*name, first) == ("cargo", Some("nextest")) && words.next() != Some("run") {
            return None;
        }
        let is_script = std::ptr::eq(*verbs, TEST_SCRIPTS);
        return Some(Run { command, runner: (*runner).to_owned(), is_script });
    }
    let is_node = program == "node" && command.has(&["--test"]);
    let is_script = PACKAGE_PROGRAMS.contains(&program) && script(command).is_some_and(is_test_script);
    let is_django = program == "manage.py" || first.is_some_and(|word| word.ends_with("manage.py"));
    let is_django = is_django && command.arguments.iter().any(|word| word == "test");
    let runner = if is_django { "unittest" } else { program };
    (is_node || is_script || is_django).then(|| Run { command, runner: runner.to_owned(), is_script })
}

/// The script that a package program runs: `npm run lint`, `yarn lint`.
pub(super) fn script(command: &Command) -> Option<&str> {
    let mut words = command.positional(VALUED);
    match words.next()? {
        "run" | "run-script" | "workspace" => words.next(),
        word => Some(word),
    }
}

fn is_test_script(script: &str) -> bool {
    matches!(script, "test" | "t" | "tst" | "tests" | "e2e")
        || ["test:", "tests:", "test-", "e2e:"].iter().any(|beginning| script.starts_with(beginning))
}

fn started(run: &Run<'_>) -> Finding {
    let confidence = if run.is_script { confidence::SCRIPT } else { confidence::COMMAND };
    Finding::new(
        "TestRunStarted",
        &run.runner,
        confidence,
        [("test_suite", json!(suite(run))), ("test_runner", json!(run.runner))],
    )
}

fn ended(run: &Run<'_>, call: &Call<'_>) -> Finding {
    let read = summary::read(&run.runner, &Lines::of(&call.output));
    let (runner, tally) = match read {
        Some((runner, tally)) => (runner.to_owned(), Some(tally)),
        None => (run.runner.clone(), None),
    };
    let failed = tally.as_ref().and_then(|tally| tally.failed).unwrap_or(0);
    let verdict = call.verdict(run.command, tally.is_some(), failed, ["test failed", "tests failed"]);
    let mut data = vec![("test_suite", json!(suite(run))), ("test_runner", json!(runner))];
    let Tally { passed, failed, skipped, total, seconds } = tally.unwrap_or_default();
    let counts = [("total_tests", total), ("passed", passed), ("failed", failed), ("skipped", skipped)];
    data.extend(counts.into_iter().filter_map(|(name, count)| Some((name, json!(count?)))));
    let seconds = seconds.or(call.seconds.filter(|_| call.is_alone()));
    data.extend(seconds.map(|seconds| ("duration_seconds", json!(seconds))));
    let kind = match verdict.failure {
        None => "TestRunCompleted",
        Some(reason) => {
            data.push(("failure_reason", Value::String(reason)));
            "TestRunFailed"
        }
    };
    Finding::new(kind, &run.runner, verdict.confidence, data)
}

/// What the words of the command say of the suite; `all` where they say nothing.
fn suite(run: &Run<'_>) -> String {
    const LONGEST_BYTES: usize = 200;
    let words = || run.command.arguments.iter();
    let named = SUITES.into_iter().find(|suite| words().any(|word| word.contains(suite)));
    if let Some(suite) = named {
        return suite.to_owned();
    }
    let verbs =
        RUNNERS.iter().filter(|(_, _, runner)| *runner == run.runner).flat_map(|(_, verbs, _)| *verbs);
    let verbs: Vec<&str> = verbs.copied().chain(["run", "run-script", "test", "t"]).collect();
    let package = run.command.value(&["-p", "--package"]).filter(|_| run.command.program == "cargo");
    let first = run.command.positional(VALUED).find(|word| !verbs.contains(word));
    tacho_event::head(package.or(first).unwrap_or("all"), LONGEST_BYTES).to_owned()
}
