//! The hook's own reading of its arguments: what it does not know, it passes over.

use std::ffi::OsString;
use std::path::PathBuf;

/// Recorded when the command names no agent.
const DEFAULT_AGENT: &str = "claude-code";

#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    pub agent: String,
    pub data: Option<PathBuf>,
    /// What a hook of git is about.
    pub commit: Option<String>,
    /// Whether that hook follows a merge.
    pub is_merge: bool,
}

impl Arguments {
    /// Reads `[AGENT] [--data DIR] [--commit COMMIT] [--merge]`, in any order.
    pub fn parse(arguments: &[OsString]) -> Self {
        let mut parsed = Self { agent: DEFAULT_AGENT.to_owned(), data: None, commit: None, is_merge: false };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_str();
            if text == Some("--data") {
                parsed.data = arguments.next().map(PathBuf::from);
            } else if text == Some("--commit") {
                parsed.commit = arguments.next().and_then(|commit| commit.to_str()).map(str::to_owned);
            } else if text == Some("--merge") {
                parsed.is_merge = true;
            } else if let Some(folder) = text.and_then(|text| text.strip_prefix("--data=")) {
                parsed.data = Some(PathBuf::from(folder));
            } else if let Some(agent) = text.filter(|text| is_agent(text)) {
                parsed.agent = agent.to_owned();
            }
        }
        parsed
    }
}

/// An agent's name becomes part of event types and sources.
fn is_agent(text: &str) -> bool {
    !text.starts_with('-')
        && (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> (String, Option<PathBuf>) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let parsed = Arguments::parse(&words);
        (parsed.agent, parsed.data)
    }

    #[test]
    fn reads_what_it_knows_and_passes_over_the_rest() {
        assert_eq!(parse("codex --data /d"), ("codex".into(), Some("/d".into())));
        assert_eq!(parse("--data=/a/b"), ("claude-code".into(), Some("/a/b".into())));
        let git: Vec<OsString> = ["git", "--commit", "ab12", "--merge"].map(OsString::from).into();
        let git = Arguments::parse(&git);
        assert_eq!((git.agent.as_str(), git.commit.as_deref(), git.is_merge), ("git", Some("ab12"), true));
        assert_eq!(parse("--verbose ../x UPPER --data"), ("claude-code".into(), None));
    }
}
