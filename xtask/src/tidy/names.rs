//! Names that say nothing.

use super::source::{Language, SourceFile, whole_words};
use super::{Finding, Rule};

/// Words that may not be part of the name of a file, a folder, a module or a type.
const BANNED: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "misc", "manager", "managers", "base", "impl", "impls",
    "new2",
];

pub fn check_path(path: &str) -> Vec<Finding> {
    let stem = |part: &str| part.trim_start_matches('.').split('.').next().unwrap_or_default().to_owned();
    path.split('/')
        .filter_map(|part| banned_word(&stem(part)))
        .map(|word| finding(path, 1, path, word))
        .collect()
}

pub fn check_source(source: &SourceFile<'_>) -> Vec<Finding> {
    let keywords: &[&str] = match source.language {
        Language::Rust => &["mod", "struct", "enum", "trait", "type", "union"],
        Language::Script | Language::Svelte => &["class", "interface", "type", "enum", "namespace"],
        Language::Python => &["class"],
    };
    let mut findings = Vec::new();
    for keyword in keywords {
        for offset in whole_words(&source.code, keyword) {
            let Some(rest) = source.code[offset + keyword.len()..].strip_prefix(' ') else { continue };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if let Some(word) = banned_word(&name) {
                findings.push(finding(source.path, source.line(offset), &name, word));
            }
        }
    }
    findings
}

fn finding(path: &str, line: usize, name: &str, word: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        line,
        what: format!("`{name}` is named `{word}`"),
        remedy: "name it after what a user would call it".to_owned(),
        rule: Rule::Name,
    }
}

fn banned_word(name: &str) -> Option<&'static str> {
    words(name).iter().find_map(|word| BANNED.iter().find(|banned| *banned == word).copied())
}

/// `ConnectionManager` and `connection-manager` are both `connection`, `manager`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        let begins = letter.is_uppercase() && words.last().is_some_and(|word| !word.is_empty());
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().expect("there is always one").extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::parsed;

    #[test]
    fn paths() {
        assert!(check_path("crates/tacho-ingest/src/base64.rs").is_empty());
        assert!(check_path("web/src/database.ts").is_empty());
        assert_eq!(check_path("web/src/lib/string-utils.ts").len(), 1);
        assert_eq!(check_path("crates/common/src/lib.rs").len(), 1);
    }

    #[test]
    fn types_and_modules() {
        let text = "impl Foo {}\nstruct PoolManager;\nmod helpers;\ntype Database = u8;\n// struct Utils\n";
        assert_eq!(
            parsed("a.rs", text, check_source),
            ["3: `helpers` is named `helpers`", "2: `PoolManager` is named `manager`"]
        );
        assert_eq!(parsed("a.py", "class BaseSink:\n", check_source), ["1: `BaseSink` is named `base`"]);
    }
}
