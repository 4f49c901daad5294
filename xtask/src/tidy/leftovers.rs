//! What was to be finished later, tests that are switched off, tests that wait for luck.

use super::source::{Language, SourceFile, whole_words};
use super::{Finding, Rule};

const RUST: &[(&str, &str)] = &[
    ("#[ignore", "make it pass or delete it; slow tests run with `cargo xtask test --slow`"),
    ("todo!(", "write it"),
    ("unimplemented!(", "write it, or make the case impossible"),
    ("dbg!(", "remove it"),
];
const SCRIPT: &[(&str, &str)] = &[
    ("test.skip", "make it pass or delete it"),
    ("it.skip", "make it pass or delete it"),
    ("describe.skip", "make it pass or delete it"),
    (".only(", "run all tests"),
];
const PYTHON: &[(&str, &str)] =
    &[("mark.skip", "make it pass or delete it"), ("unittest.skip", "make it pass or delete it")];

const MARKS: &[&str] = &["TODO", "FIXME", "XXX"];

pub fn check(source: &SourceFile<'_>) -> Vec<Finding> {
    let finding = |offset: usize, what: String, remedy: &str| Finding {
        path: source.path.to_owned(),
        line: source.line(offset),
        what,
        remedy: remedy.to_owned(),
        rule: Rule::Leftover,
    };
    let fragments = match source.language {
        Language::Rust => RUST,
        Language::Script | Language::Svelte => SCRIPT,
        Language::Python => PYTHON,
    };
    let mut findings = Vec::new();
    for (fragment, remedy) in fragments {
        for (offset, _) in source.code.match_indices(fragment) {
            findings.push(finding(offset, format!("`{}` is left", fragment.trim_end_matches('(')), remedy));
        }
    }
    for mark in MARKS {
        for offset in whole_words(&source.comments, mark) {
            findings.push(finding(
                offset,
                format!("{mark} is left"),
                "do it, or say why the code is right as it is",
            ));
        }
    }
    for (offset, _) in
        source.code.match_indices("thread::sleep").filter(|(offset, _)| source.in_tests(*offset))
    {
        let remedy = "wait for what must happen: a channel, a file, an answer, with a deadline";
        findings.push(finding(offset, "a test sleeps".to_owned(), remedy));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::parsed;

    #[test]
    fn in_rust() {
        let text =
            "#[ignore]\nfn f() { todo!() }\n// TODO later\nlet s = \"TODO todo!()\";\n// TodoWrite\ndbg!(x);";
        assert_eq!(
            parsed("a.rs", text, check),
            ["1: `#[ignore` is left", "2: `todo!` is left", "6: `dbg!` is left", "3: TODO is left"]
        );
    }

    #[test]
    fn in_scripts() {
        assert_eq!(parsed("a.test.ts", "test.skip('a');\ntest.only('b')", check).len(), 2);
        assert_eq!(parsed("a.py", "# FIXME\n", check), ["1: FIXME is left"]);
    }

    #[test]
    fn a_sleep_in_a_test_and_one_outside() {
        let text =
            "fn f() { thread::sleep(a); }\n#[cfg(test)]\nmod tests {\n fn g() { thread::sleep(a); }\n}\n";
        assert_eq!(parsed("crates/a/src/b.rs", text, check), ["4: a test sleeps"]);
        assert_eq!(parsed("crates/a/tests/it/b.rs", text, check).len(), 2);
    }
}
