use super::*;
use expect_test::{Expect, expect};

fn check(runner: &str, output: &str, expected: Expect) {
    let told = match read(runner, &Lines::of(output)) {
        None => "nothing".to_owned(),
        Some((runner, tally)) => {
            let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
            format!(
                "{runner}: {} of {} passed, {} failed, {} skipped, {:?} s",
                number(tally.passed),
                number(tally.total),
                number(tally.failed),
                number(tally.skipped),
                tally.seconds.unwrap_or_default()
            )
        }
    };
    expected.assert_eq(&told);
}

#[test]
fn python() {
    check(
        "pytest",
        "FAILED tests/test_a.py::test_b - assert 1 == 2\n===== 2 failed, 48 passed, 1 skipped, 3 warnings, 1 error in 63.21s (0:01:03) =====",
        expect!["pytest: 48 of 52 passed, 3 failed, 1 skipped, 63.21 s"],
    );
    check(
        "pytest",
        "........ [100%]\n8 passed in 2.04s",
        expect!["pytest: 8 of 8 passed, 0 failed, - skipped, 2.04 s"],
    );
    check(
        "pytest",
        "=== no tests ran in 0.01s ===",
        expect!["pytest: - of 0 passed, 0 failed, - skipped, 0.01 s"],
    );
    check("pytest", "ImportError: no module named x", expect!["nothing"]);
    check(
        "unittest",
        "..F\n----\nRan 5 tests in 0.003s\n\nFAILED (failures=1, errors=1, skipped=1)",
        expect!["unittest: 2 of 5 passed, 2 failed, 1 skipped, 0.003 s"],
    );
}

#[test]
fn rust() {
    let output = "running 5 tests\ntest a ... ok\n\ntest result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\n   Doc-tests x\n\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s";
    check("cargo", output, expect!["cargo: 7 of 9 passed, 1 failed, 1 skipped, 1.51 s"]);
    check("make", output, expect!["cargo: 7 of 9 passed, 1 failed, 1 skipped, 1.51 s"]);
    check(
        "nextest",
        "     Summary [   0.123s] 10 tests run: 9 passed, 1 failed, 2 skipped",
        expect!["nextest: 9 of 12 passed, 1 failed, 2 skipped, 0.123 s"],
    );
}

#[test]
fn javascript() {
    check(
        "npm",
        "Test Suites: 1 failed, 3 passed, 4 total\nTests:       1 failed, 2 skipped, 5 passed, 8 total\nSnapshots:   0 total\nTime:        1.234 s, estimated 2 s",
        expect!["jest: 5 of 8 passed, 1 failed, 2 skipped, 1.234 s"],
    );
    check(
        "vitest",
        " Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 5 passed | 1 skipped (7)\n   Start at  10:00:00\n   Duration  1.23s (transform 20ms, setup 0ms)",
        expect!["vitest: 5 of 7 passed, 1 failed, 1 skipped, 1.23 s"],
    );
    check(
        "mocha",
        "  12 passing (34ms)\n  1 pending\n  2 failing\n\n  1) x",
        expect!["mocha: 12 of 15 passed, 2 failed, 1 skipped, 0.034 s"],
    );
    check(
        "node",
        "ℹ tests 5\nℹ suites 0\nℹ pass 4\nℹ fail 1\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 62.3",
        expect!["tap: 4 of 5 passed, 1 failed, 0 skipped, 0.0623 s"],
    );
    check(
        "playwright",
        "  1 failed\n    [chromium] › a.spec.ts\n  2 skipped\n  5 passed (3.2s)",
        expect!["playwright: 5 of 8 passed, 1 failed, 2 skipped, 3.2 s"],
    );
    check(
        "bun",
        " 5 pass\n 1 fail\n 9 expect() calls\nRan 6 tests across 2 files. [12.00ms]",
        expect!["bun: 5 of 6 passed, 1 failed, - skipped, 0.012 s"],
    );
    check(
        "deno",
        "ok | 5 passed | 0 failed (12ms)",
        expect!["deno: 5 of 5 passed, 0 failed, - skipped, 0.012 s"],
    );
}

#[test]
fn others() {
    check(
        "go",
        "ok  \texample.com/a\t0.120s\n?   \texample.com/b\t[no test files]\n--- FAIL: TestX (0.00s)\n    x_test.go:5: no\nFAIL\nFAIL\texample.com/c\t0.003s\nFAIL",
        expect!["go: - of - passed, 1 failed, - skipped, 0.123 s"],
    );
    check(
        "go",
        "--- PASS: TestA (0.00s)\n--- SKIP: TestB (0.00s)\nPASS\nok  \texample.com/a\t0.5s",
        expect!["go: 1 of 2 passed, 0 failed, 1 skipped, 0.5 s"],
    );
    check(
        "rspec",
        "Finished in 1.23 seconds (files took 0.5 seconds to load)\n10 examples, 2 failures, 1 pending",
        expect!["rspec: 7 of 10 passed, 2 failed, 1 skipped, 1.23 s"],
    );
    check(
        "phpunit",
        "OK (12 tests, 30 assertions)",
        expect!["phpunit: 12 of 12 passed, 0 failed, - skipped, 0.0 s"],
    );
    check(
        "phpunit",
        "FAILURES!\nTests: 12, Assertions: 30, Failures: 2, Errors: 1, Skipped: 1.",
        expect!["phpunit: 8 of 12 passed, 3 failed, 1 skipped, 0.0 s"],
    );
    check(
        "maven",
        "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s - in A\n[ERROR] Tests run: 12, Failures: 1, Errors: 0, Skipped: 2",
        expect!["maven: 9 of 12 passed, 1 failed, 2 skipped, 0.0 s"],
    );
    check(
        "dotnet",
        "Passed!  - Failed:     0, Passed:    12, Skipped:     0, Total:    12, Duration: 45 ms - x.dll",
        expect!["dotnet: 12 of 12 passed, 0 failed, 0 skipped, 0.0 s"],
    );
    check(
        "gradle",
        "12 tests completed, 1 failed, 2 skipped",
        expect!["gradle: 9 of 12 passed, 1 failed, 2 skipped, 0.0 s"],
    );
    check(
        "ctest",
        "90% tests passed, 1 tests failed out of 10",
        expect!["ctest: 9 of 10 passed, 1 failed, - skipped, 0.0 s"],
    );
}
