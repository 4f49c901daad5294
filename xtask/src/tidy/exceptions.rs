//! Where a rule would make the code worse. Each exception has its reason; one that nothing needs is a finding.

use super::{Finding, Rule};

struct Exception {
    rule: Rule,
    path: &'static str,
    /// Part of what the finding says, to keep the exception narrow.
    about: &'static str,
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] = &[Exception {
    rule: Rule::Ban,
    path: "crates/tacho-engine/src/condition/worker.rs",
    about: "Command",
    reason: "a condition runs in a process of this same program, only so that it can be ended; it speaks to nobody else",
}];

/// Removes what is excepted, and adds the exceptions that removed nothing.
pub fn apply(findings: Vec<Finding>) -> Vec<Finding> {
    apply_list(findings, EXCEPTIONS)
}

fn apply_list(mut findings: Vec<Finding>, exceptions: &[Exception]) -> Vec<Finding> {
    for exception in exceptions {
        let before = findings.len();
        findings.retain(|finding| !exception.covers(finding));
        if findings.len() == before {
            findings.push(Finding {
                path: exception.path.to_owned(),
                line: 1,
                what: format!("nothing needs the exception for {:?} ({})", exception.rule, exception.reason),
                remedy: "remove it from xtask/src/tidy/exceptions.rs".to_owned(),
                rule: exception.rule,
            });
        }
    }
    findings
}

impl Exception {
    fn covers(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && self.path == finding.path && finding.what.contains(self.about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_removes_its_finding_and_an_idle_one_is_found() {
        let finding = |path: &str| Finding {
            path: path.to_owned(),
            line: 1,
            what: "`base` is named `base`".to_owned(),
            remedy: String::new(),
            rule: Rule::Name,
        };
        let exceptions =
            [Exception { rule: Rule::Name, path: "a.rs", about: "`base`", reason: "users say it" }];
        let left = apply_list(vec![finding("a.rs"), finding("b.rs")], &exceptions);
        assert_eq!(left, [finding("b.rs")]);
        let left = apply_list(Vec::new(), &exceptions);
        assert!(left[0].what.contains("users say it"));
    }
}
