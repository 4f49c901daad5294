//! What test programs print at their end → counts.

use super::output::{Lines, labelled, number_before, pairs, seconds};

/// The counts of a run; what a program does not tell is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tally {
    pub passed: Option<u64>,
    pub failed: Option<u64>,
    pub skipped: Option<u64>,
    pub total: Option<u64>,
    pub seconds: Option<f64>,
}

/// One program's way of summing up.
pub(super) struct Dialect {
    /// The program, as `test_runner` names it.
    pub runner: &'static str,
    read: fn(&Lines<'_>) -> Option<Tally>,
}

/// Those that are hard to mistake come first: any of them may be behind `make test`.
pub(super) const DIALECTS: &[Dialect] = &[
    Dialect { runner: "cargo", read: cargo },
    Dialect { runner: "nextest", read: nextest },
    Dialect { runner: "jest", read: jest },
    Dialect { runner: "vitest", read: vitest },
    Dialect { runner: "maven", read: maven },
    Dialect { runner: "dotnet", read: dotnet },
    Dialect { runner: "phpunit", read: phpunit },
    Dialect { runner: "rspec", read: rspec },
    Dialect { runner: "unittest", read: unittest },
    Dialect { runner: "gradle", read: gradle },
    Dialect { runner: "ctest", read: ctest },
    Dialect { runner: "tap", read: tap },
    Dialect { runner: "deno", read: deno },
    Dialect { runner: "mocha", read: mocha },
    Dialect { runner: "bun", read: bun },
    Dialect { runner: "pytest", read: pytest },
    Dialect { runner: "playwright", read: playwright },
    Dialect { runner: "go", read: go },
];

/// What the runner printed, in its own dialect; of a runner that has none, such as `make`, in any. And the
/// runner whose dialect it was.
pub(super) fn read(runner: &str, output: &Lines<'_>) -> Option<(&'static str, Tally)> {
    let is_known = DIALECTS.iter().any(|dialect| dialect.runner == runner);
    let mut dialects = DIALECTS.iter().filter(|dialect| !is_known || dialect.runner == runner);
    let (runner, mut tally) = dialects.find_map(|dialect| Some((dialect.runner, (dialect.read)(output)?)))?;
    if tally.total.is_none() && tally.passed.is_some() {
        let parts = [tally.passed, tally.failed, tally.skipped];
        tally.total = Some(parts.into_iter().flatten().fold(0, u64::saturating_add));
    }
    if tally.passed.is_some() || tally.total.is_some() {
        tally.failed.get_or_insert(0);
    }
    Some((runner, tally))
}

impl Tally {
    /// Adds `(5, "passed")` and its kin; whether it counts anything.
    fn count(&mut self, number: u64, word: &str) -> bool {
        let field = match word {
            "passed" | "passing" | "pass" | "succeeded" | "xpassed" | "flaky" => &mut self.passed,
            "failed" | "failing" | "fail" | "failures" | "failure" | "error" | "errors" => &mut self.failed,
            "skipped" | "pending" | "ignored" | "xfailed" | "todo" | "skip" => &mut self.skipped,
            "total" => &mut self.total,
            _ => return false,
        };
        *field = Some(field.unwrap_or(0).saturating_add(number));
        true
    }

    fn count_line(&mut self, line: &str) -> bool {
        pairs(line).fold(false, |any, (number, word)| self.count(number, &word) || any)
    }
}

fn of_line(line: &str) -> Option<Tally> {
    let mut tally = Tally::default();
    tally.count_line(line).then_some(tally)
}

/// `=== 2 failed, 48 passed, 1 skipped in 3.21s ===`, or without the frame.
fn pytest(output: &Lines<'_>) -> Option<Tally> {
    let is_summary = |line: &&str| {
        let line = line.trim_matches(['=', ' ']);
        line.starts_with("no tests ran")
            || (line.starts_with(|first: char| first.is_ascii_digit())
                && [" passed", " failed", " error", " skipped", " deselected"]
                    .iter()
                    .any(|word| line.contains(word)))
    };
    let line = output.rev().find(is_summary)?;
    let seconds = line.rsplit_once(" in ").and_then(|(_, time)| seconds(time));
    if line.contains("no tests ran") {
        return Some(Tally { total: Some(0), seconds, ..Tally::default() });
    }
    Some(Tally { seconds, ..of_line(line)? })
}

/// A line for each binary: `test result: ok. 5 passed; 0 failed; 1 ignored; … finished in 0.01s`.
fn cargo(output: &Lines<'_>) -> Option<Tally> {
    let mut tally = Tally::default();
    let mut any = false;
    for line in output.iter().filter_map(|line| line.trim().strip_prefix("test result: ")) {
        any |= tally.count_line(line);
        if let Some(time) = line.rsplit_once("finished in ").and_then(|(_, time)| seconds(time)) {
            *tally.seconds.get_or_insert(0.0) += time;
        }
    }
    any.then_some(tally)
}

/// `Summary [   0.123s] 10 tests run: 9 passed, 1 failed, 2 skipped`.
fn nextest(output: &Lines<'_>) -> Option<Tally> {
    let line = output.rev().find_map(|line| line.trim().strip_prefix("Summary ["))?;
    let (time, counts) = line.split_once(']')?;
    Some(Tally { seconds: seconds(time), ..of_line(counts)? })
}

/// `Tests:       1 failed, 5 passed, 6 total`, `Time:        1.234 s`.
fn jest(output: &Lines<'_>) -> Option<Tally> {
    let find = |label: &str| output.rev().find_map(|line| line.trim().strip_prefix(label));
    let tally = of_line(find("Tests:")?)?;
    tally.total?;
    Some(Tally { seconds: find("Time:").and_then(seconds), ..tally })
}

/// `Tests  1 failed | 5 passed (6)`, `Duration  1.23s`.
fn vitest(output: &Lines<'_>) -> Option<Tally> {
    let find = |label: &str| output.rev().find_map(|line| line.trim().strip_prefix(label));
    let tally = of_line(find("Tests  ")?)?;
    Some(Tally { seconds: find("Duration  ").and_then(seconds), ..tally })
}

/// `12 passing (34ms)`, `2 failing`, `1 pending`, a line each.
fn mocha(output: &Lines<'_>) -> Option<Tally> {
    let mut tally = Tally::default();
    for line in output.iter().map(str::trim) {
        let (number, rest) = line.split_once(' ').unwrap_or((line, ""));
        let word = rest.split_once(' ').map_or(rest, |(word, _)| word);
        if let (Ok(number), "passing" | "failing" | "pending") = (number.parse(), word) {
            tally.count(number, word);
            if word == "passing" {
                tally.seconds = rest.split_once('(').and_then(|(_, time)| seconds(time));
            }
        }
    }
    tally.passed.is_some().then_some(tally)
}

/// `Tests run: 12, Failures: 1, Errors: 0, Skipped: 2`; a line with the time is of one class.
fn maven(output: &Lines<'_>) -> Option<Tally> {
    let mut sum = Tally::default();
    for line in output.iter().filter(|line| line.contains("Tests run: ") && !line.contains("Time elapsed")) {
        let number = |label| labelled(line, label).unwrap_or(0);
        let (total, skipped) = (number("Tests run:"), number("Skipped:"));
        let failed = number("Failures:").saturating_add(number("Errors:"));
        for (number, word) in [(total, "total"), (failed, "failed"), (skipped, "skipped")] {
            sum.count(number, word);
        }
        sum.count(total.saturating_sub(failed).saturating_sub(skipped), "passed");
    }
    sum.total.is_some().then_some(sum)
}

/// `Passed!  - Failed: 0, Passed: 12, Skipped: 0, Total: 12, …` for each assembly, or
/// `Test summary: total: 12, failed: 0, succeeded: 12, skipped: 0, duration: 1.2s`.
fn dotnet(output: &Lines<'_>) -> Option<Tally> {
    let mut sum = Tally::default();
    if let Some(line) = output.rev().find(|line| line.contains("Test summary: total:")) {
        sum.seconds = line.rsplit_once("duration:").and_then(|(_, time)| seconds(time));
        for (label, word) in
            [("total:", "total"), ("failed:", "failed"), ("succeeded:", "passed"), ("skipped:", "skipped")]
        {
            sum.count(labelled(line, label)?, word);
        }
        return Some(sum);
    }
    for line in output.iter().filter(|line| line.contains("Failed:") && line.contains("Total:")) {
        for (label, word) in
            [("Total:", "total"), ("Failed:", "failed"), ("Passed:", "passed"), ("Skipped:", "skipped")]
        {
            sum.count(labelled(line, label).unwrap_or(0), word);
        }
    }
    sum.total.is_some().then_some(sum)
}

/// `OK (12 tests, 30 assertions)`, or `Tests: 12, Assertions: 30, Failures: 2, Errors: 1, Skipped: 1.`
fn phpunit(output: &Lines<'_>) -> Option<Tally> {
    let line = output.rev().find(|line| line.contains("ssertions"))?;
    if line.starts_with("OK") {
        let total = number_before(line, "test")?;
        return Some(Tally { passed: Some(total), total: Some(total), ..Tally::default() });
    }
    let number = |label| labelled(line, label).unwrap_or(0);
    let (total, skipped) = (labelled(line, "Tests:")?, number("Skipped:"));
    let failed = number("Failures:").saturating_add(number("Errors:"));
    Some(Tally {
        passed: Some(total.saturating_sub(failed).saturating_sub(skipped)),
        failed: Some(failed),
        skipped: Some(skipped),
        total: Some(total),
        seconds: None,
    })
}

/// `10 examples, 2 failures, 1 pending`, `Finished in 1.23 seconds`.
fn rspec(output: &Lines<'_>) -> Option<Tally> {
    let line = output.rev().find(|line| line.contains(" example") && line.contains(" failure"))?;
    let total = number_before(line, "example")?;
    let mut tally = of_line(line)?;
    let other = tally.failed.unwrap_or(0).saturating_add(tally.skipped.unwrap_or(0));
    tally.passed = Some(total.saturating_sub(other));
    tally.seconds = output.rev().find_map(|line| line.trim().strip_prefix("Finished in ")).and_then(seconds);
    Some(Tally { total: Some(total), ..tally })
}

/// `Ran 5 tests in 0.003s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=1)`.
fn unittest(output: &Lines<'_>) -> Option<Tally> {
    let (total, time) = output.rev().find_map(|line| {
        let (total, time) = line.strip_prefix("Ran ")?.split_once(" test")?;
        Some((total.parse::<u64>().ok()?, time.split_once(" in ")?.1))
    })?;
    let verdict = output.rev().find(|line| line.starts_with("OK") || line.starts_with("FAILED ("))?;
    let number = |label| labelled(verdict, label).unwrap_or(0);
    let failed = number("failures=").saturating_add(number("errors="));
    let skipped = number("skipped=");
    Some(Tally {
        passed: Some(total.saturating_sub(failed).saturating_sub(skipped)),
        failed: Some(failed),
        skipped: Some(skipped),
        total: Some(total),
        seconds: seconds(time),
    })
}

/// `12 tests completed, 1 failed, 2 skipped`, which Gradle prints when some fail.
fn gradle(output: &Lines<'_>) -> Option<Tally> {
    let mut sum = Tally::default();
    for line in output.iter().filter(|line| line.contains(" completed, ")) {
        let Some(total) = number_before(line, "test") else { continue };
        let of_line = of_line(line)?;
        let other = of_line.failed.unwrap_or(0).saturating_add(of_line.skipped.unwrap_or(0));
        sum.count(total, "total");
        sum.count(of_line.failed.unwrap_or(0), "failed");
        sum.count(of_line.skipped.unwrap_or(0), "skipped");
        sum.count(total.saturating_sub(other), "passed");
    }
    sum.total.is_some().then_some(sum)
}

/// `90% tests passed, 1 tests failed out of 10`.
fn ctest(output: &Lines<'_>) -> Option<Tally> {
    let line = output.rev().find(|line| line.contains("% tests passed, "))?;
    let (_, counts) = line.split_once(", ")?;
    let (failed, total) = (number_before(counts, "test")?, counts.rsplit(' ').next()?.parse::<u64>().ok()?);
    Some(Tally {
        passed: Some(total.saturating_sub(failed)),
        failed: Some(failed),
        total: Some(total),
        ..Tally::default()
    })
}

/// `# tests 5`, `# pass 4`, `# fail 1`; Node writes `ℹ` for `#`.
fn tap(output: &Lines<'_>) -> Option<Tally> {
    let mut tally = Tally::default();
    for line in output.iter().filter_map(|line| line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")))
    {
        let (word, number) = line.trim().split_once(' ').unwrap_or_default();
        match (word, number.trim().parse::<f64>()) {
            ("duration_ms", Ok(time)) => tally.seconds = Some((time * 1e3).round() / 1e6),
            ("tests", Ok(number)) => tally.total = Some(number as u64),
            ("pass" | "fail" | "skipped" | "todo", Ok(number)) => drop(tally.count(number as u64, word)),
            _ => {}
        }
    }
    (tally.passed.is_some() && tally.failed.is_some()).then_some(tally)
}

/// `ok | 5 passed | 0 failed (12ms)`.
fn deno(output: &Lines<'_>) -> Option<Tally> {
    let line = output.rev().find(|line| line.starts_with("ok | ") || line.starts_with("FAILED | "))?;
    Some(Tally { seconds: line.rsplit_once('(').and_then(|(_, time)| seconds(time)), ..of_line(line)? })
}

/// ` 5 pass`, ` 1 fail`, `Ran 6 tests across 2 files. [12.00ms]`.
fn bun(output: &Lines<'_>) -> Option<Tally> {
    let end = output.rev().find(|line| line.starts_with("Ran ") && line.contains(" across "))?;
    let mut tally = Tally::default();
    for line in output.iter().map(str::trim) {
        let (number, word) = line.split_once(' ').unwrap_or_default();
        if let (Ok(number), "pass" | "fail" | "skip" | "todo") = (number.parse(), word) {
            tally.count(number, word);
        }
    }
    let seconds = end.rsplit_once('[').and_then(|(_, time)| seconds(time));
    Some(Tally { total: number_before(end, "test"), seconds, ..tally })
}

/// `5 passed (3.2s)`, `1 failed`, `2 skipped`, a line each.
fn playwright(output: &Lines<'_>) -> Option<Tally> {
    let mut tally = Tally::default();
    for line in output.iter().map(str::trim) {
        let (number, rest) = line.split_once(' ').unwrap_or_default();
        let (word, time) = rest.split_once(" (").unwrap_or((rest, ""));
        if let (Ok(number), "passed" | "failed" | "skipped" | "flaky") = (number.parse(), word) {
            tally.count(number, word);
            tally.seconds = seconds(time).or(tally.seconds);
        }
    }
    (tally.passed.is_some() || tally.failed.is_some()).then_some(tally)
}

/// `ok  pkg 0.1s`, `FAIL pkg 0.1s` for each package; tests themselves with `-v`, or when they fail.
fn go(output: &Lines<'_>) -> Option<Tally> {
    let (mut tally, mut packages) = (Tally::default(), 0_u64);
    for line in output.iter() {
        let mut parts = line.split('\t');
        match (parts.next().unwrap_or_default().trim(), parts.next()) {
            ("ok" | "FAIL", Some(_)) => {
                packages += 1;
                if let Some(time) = parts.next().and_then(seconds) {
                    *tally.seconds.get_or_insert(0.0) += time;
                }
            }
            (line, None) if line.starts_with("--- PASS: ") => drop(tally.count(1, "passed")),
            (line, None) if line.starts_with("--- FAIL: ") => drop(tally.count(1, "failed")),
            (line, None) if line.starts_with("--- SKIP: ") => drop(tally.count(1, "skipped")),
            _ => {}
        }
    }
    let failed_packages = output.iter().filter(|line| line.starts_with("FAIL\t")).count() as u64;
    if packages == 0 {
        return None;
    }
    // A package that does not compile fails without a test.
    tally.failed = Some(tally.failed.unwrap_or(0).max(failed_packages));
    Some(tally)
}

#[cfg(test)]
mod tests;
