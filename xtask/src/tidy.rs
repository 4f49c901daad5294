//! `cargo xtask tidy`: the house rules that a machine can hold. Each rule is a file below `tidy/`, its data first.

mod bans;
mod dashboard;
mod exceptions;
mod layers;
mod leftovers;
mod length;
mod lexer;
mod names;
mod paths;
mod source;
mod stale;
mod tools;

use std::fmt;

use anyhow::Result;

use crate::workspace::Workspace;
use source::SourceFile;

/// One thing that is not as it should be, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    /// 1-based.
    pub line: usize,
    pub what: String,
    pub remedy: String,
    pub rule: Rule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    Layer,
    Ban,
    FileLength,
    FunctionLength,
    Name,
    Leftover,
    MachinePath,
    Stale,
    Tool,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {} — {}", self.path, self.line, self.what, self.remedy)
    }
}

/// Prints every finding on stdout; answers whether there was none.
pub fn run(workspace: &Workspace) -> Result<bool> {
    let texts = source::texts(&workspace.root)?;
    let mut findings = layers::check(workspace, &texts);
    for text in &texts {
        findings.extend(paths::check(text, &paths::machine(workspace)));
        findings.extend(names::check_path(&text.path));
        if let Some(source) = SourceFile::parse(text) {
            findings.extend(check_source(&source));
        }
    }
    let mut findings = exceptions::apply(findings);
    findings.extend(tools::check(workspace)?);
    findings.extend(stale::check(workspace));
    findings.extend(dashboard::check(workspace));
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => println!("tidy: {} files, nothing found", texts.len()),
        count => println!("tidy: {count} findings in {} files", texts.len()),
    }
    Ok(findings.is_empty())
}

fn check_source(source: &SourceFile<'_>) -> Vec<Finding> {
    let mut findings = bans::check(source);
    findings.extend(length::check(source));
    findings.extend(names::check_source(source));
    findings.extend(leftovers::check(source));
    findings
}

#[cfg(test)]
fn parsed(path: &str, text: &str, check: fn(&SourceFile<'_>) -> Vec<Finding>) -> Vec<String> {
    let text = source::TextFile { path: path.to_owned(), text: text.to_owned() };
    let source = SourceFile::parse(&text).expect("the path names a language");
    check(&source).iter().map(|finding| format!("{}: {}", finding.line, finding.what)).collect()
}
