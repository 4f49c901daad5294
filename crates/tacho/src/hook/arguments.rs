//! The hook's own reading of its arguments: what it does not know, it passes over.

use std::ffi::OsString;
use std::path::PathBuf;

/// Recorded when the command names no agent.
const DEFAULT_AGENT: &str = "claude-code";

#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    pub agent: String,
    pub data: Option<PathBuf>,
}

impl Arguments {
    /// Reads `[AGENT] [--data DIR]`, in any order.
    pub fn parse(arguments: &[OsString]) -> Self {
        let mut parsed = Self { agent: DEFAULT_AGENT.to_owned(), data: None };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_str();
            if text == Some("--data") {
                parsed.data = arguments.next().map(PathBuf::from);
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
        assert_eq!(parse("--verbose ../x UPPER --data"), ("claude-code".into(), None));
    }
}
