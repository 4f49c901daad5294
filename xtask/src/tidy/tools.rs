//! Rules that other tools hold: format, lints, licences and advisories of dependencies.

use anyhow::{Context, Result};

use super::{Finding, Rule};
use crate::install::rust_component;
use crate::workspace::Workspace;

pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    rust_component("fmt", "rustfmt")?;
    rust_component("clippy", "clippy")?;
    let mut findings = format(workspace)?;
    findings.extend(lints(workspace)?);
    findings.extend(dependencies(workspace)?);
    Ok(findings)
}

fn format(workspace: &Workspace) -> Result<Vec<Finding>> {
    let output = workspace.cargo(&["fmt", "--all", "--", "--check", "-l"]).output().context("cargo fmt")?;
    if output.status.success() {
        return Ok(Vec::new());
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    let root = format!("{}/", workspace.root.display());
    let paths: Vec<&str> = listed.lines().map(|path| path.strip_prefix(&root).unwrap_or(path)).collect();
    if paths.is_empty() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return Ok(vec![finding("Cargo.toml", 1, "cargo fmt failed", "see its words above")]);
    }
    Ok(paths.iter().map(|path| finding(path, 1, "is not formatted", "run `cargo fmt --all`")).collect())
}

fn lints(workspace: &Workspace) -> Result<Vec<Finding>> {
    let arguments =
        ["clippy", "--workspace", "--all-targets", "--keep-going", "--message-format", "short", "--"];
    let output = workspace.cargo(&arguments).args(["-D", "warnings"]).output().context("cargo clippy")?;
    if output.status.success() {
        return Ok(Vec::new());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let findings: Vec<Finding> = said.lines().filter_map(lint).collect();
    if findings.is_empty() {
        eprint!("{said}");
        return Ok(vec![finding("Cargo.toml", 1, "cargo clippy failed", "see its words above")]);
    }
    Ok(findings)
}

/// `crates/a/src/b.rs:3:5: error: unused variable` as a finding.
fn lint(line: &str) -> Option<Finding> {
    let mut parts = line.splitn(4, ':');
    let (path, number) = (parts.next()?, parts.next()?.parse().ok()?);
    let what = parts.nth(1)?.trim().trim_start_matches("error: ");
    (!path.contains(' ')).then(|| finding(path, number, what, "mend it; `cargo clippy` explains"))
}

/// Advisories need their database; without it, what can be judged offline still is.
fn dependencies(workspace: &Workspace) -> Result<Vec<Finding>> {
    let installed =
        workspace.cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if !installed {
        println!("cargo-deny is not installed: licences and advisories of dependencies go unchecked");
        return Ok(Vec::new());
    }
    let reachable =
        workspace.cargo(&["deny", "fetch", "db"]).output().is_ok_and(|output| output.status.success());
    let arguments: &[&str] = if reachable {
        &["deny", "check"]
    } else {
        println!("the advisory database cannot be reached: checking licences, bans and sources alone");
        &["deny", "--offline", "check", "bans", "licenses", "sources"]
    };
    let output = workspace.cargo(arguments).output().context("cargo deny")?;
    if output.status.success() {
        return Ok(Vec::new());
    }
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Ok(vec![finding("deny.toml", 1, "cargo deny found something", "see its words above")])
}

fn finding(path: &str, line: usize, what: &str, remedy: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        line,
        what: what.to_owned(),
        remedy: remedy.to_owned(),
        rule: Rule::Tool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_clippy() {
        let found = lint("crates/a/src/b.rs:3:5: error: unused variable: `x`").expect("it names a place");
        assert_eq!((found.path.as_str(), found.line), ("crates/a/src/b.rs", 3));
        assert_eq!(found.what, "unused variable: `x`");
        assert!(lint("error: could not compile `a`").is_none());
        assert!(lint("    Checking a v0.1.0").is_none());
    }
}
