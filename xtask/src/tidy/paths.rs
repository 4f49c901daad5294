//! Traces of one machine: its folders, its package mirrors.

use super::source::TextFile;
use super::{Finding, Rule};
use crate::workspace::Workspace;

/// Owners of home folders that examples may show.
const NOBODY: &[&str] = &["user", "you", "me", "dev", "agent", "alice", "bob", "runner", "someone", "demo"];

/// Hosts that a lock file may fetch from.
const PUBLIC_HOSTS: &[&str] =
    &["registry.npmjs.org", "github.com", "files.pythonhosted.org", "pypi.org", "crates.io"];

/// Folders that exist on this machine and may not be named: the checkout's and the home folder.
pub fn machine(workspace: &Workspace) -> Vec<String> {
    let home = std::env::var("HOME").unwrap_or_default();
    let root = workspace.root.display().to_string();
    // A short path such as `/` or `/app` says too little to be told from prose.
    [home, root].into_iter().filter(|path| path.len() >= 5).collect()
}

pub fn check(file: &TextFile, machine: &[String]) -> Vec<Finding> {
    let finding = |index: usize, what: String, remedy: &str| Finding {
        path: file.path.clone(),
        line: index + 1,
        what,
        remedy: remedy.to_owned(),
        rule: Rule::MachinePath,
    };
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for path in machine_paths(line, machine) {
            findings.push(finding(
                index,
                format!("`{path}` is a path of one machine"),
                "derive it, or use a neutral one",
            ));
        }
        if let Some(host) = foreign_host(&file.path, line) {
            findings.push(finding(
                index,
                format!("fetches from `{host}`"),
                "lock against the public registry",
            ));
        }
    }
    findings
}

fn machine_paths(line: &str, machine: &[String]) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
    let mut found = Vec::new();
    for path in machine {
        let whole = |end: usize| !line[end..].starts_with(is_name);
        if line.match_indices(path.as_str()).any(|(start, _)| whole(start + path.len())) {
            found.push(path.clone());
        }
    }
    for prefix in ["/home/", "/Users/"] {
        for (start, _) in line.match_indices(prefix) {
            let owner: String = line[start + prefix.len()..].chars().take_while(|c| is_name(*c)).collect();
            let part_of_url = line[..start].ends_with(is_name);
            if !owner.is_empty() && !part_of_url && !NOBODY.contains(&owner.as_str()) {
                found.push(format!("{prefix}{owner}"));
            }
        }
    }
    found
}

fn foreign_host(path: &str, line: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if !["package-lock.json", "Cargo.lock", "pnpm-lock.yaml", "uv.lock"].contains(&name) {
        return None;
    }
    let (_, rest) = line.split_once("https://")?;
    let host: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '.' || *c == '-').collect();
    let fetched = line.contains("resolved") || line.contains("source =") || line.contains("url =");
    (fetched && !PUBLIC_HOSTS.contains(&host.as_str())).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn count(path: &str, text: &str, expected: usize) {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        let found = check(&file, &["/srv/checkout".to_owned()]);
        assert_eq!(found.len(), expected, "{found:?}");
    }

    #[test]
    fn folders() {
        count("a.md", "see /srv/checkout/a and /srv/checkouts", 1);
        let (linux, mac) = (concat!("/ho", "me/carol/x"), concat!("/Us", "ers/carol"));
        count("a.rs", &format!("\"{linux}\"\n{mac}\n/home/user/project\nhttps://example.org/home/page"), 2);
    }

    #[test]
    fn hosts() {
        count("web/package-lock.json", "\"resolved\": \"https://registry.npmjs.org/a\"", 0);
        count("web/package-lock.json", "\"resolved\": \"https://npm.example.org/a\"", 1);
        count("web/package.json", "\"homepage\": \"https://npm.example.org/a\"", 0);
    }
}
