//! What a model used, in one form whoever tells it.
//!
//! OpenTelemetry's conventions count cached tokens in `gen_ai.usage.input_tokens` (semantic conventions for
//! GenAI, "usage"); Claude Code's own attributes do not. Here `input_tokens` never holds cached ones.

use super::value::whole;
use tacho_event::json;

/// Names of the conventions, the newest first, then those that instrumentations used before.
const INPUT: [&str; 2] = ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"];
const OUTPUT: [&str; 2] = ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"];
const CACHE_READ: [&str; 2] =
    ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"];
const CACHE_CREATION: [&str; 2] =
    ["gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"];

/// The object `usage`, when the attributes say what was used.
pub(super) fn of_attributes(attributes: &[u8], is_claude_code: bool) -> Option<Vec<u8>> {
    let one = |name: &str| whole(json::member(attributes, name));
    let any = |names: [&str; 2]| names.into_iter().find_map(one);
    let usage = if is_claude_code && (one("input_tokens").is_some() || one("output_tokens").is_some()) {
        [one("input_tokens"), one("output_tokens"), one("cache_read_tokens"), one("cache_creation_tokens")]
    } else {
        let (read, creation) = (any(CACHE_READ), any(CACHE_CREATION));
        let cached = read.unwrap_or(0).saturating_add(creation.unwrap_or(0));
        // More cached than there was at all: the source left them out, as it should not have.
        let input = any(INPUT).map(|input| input.checked_sub(cached).unwrap_or(input));
        [input, any(OUTPUT), read, creation]
    };
    if usage[0].is_none() && usage[1].is_none() {
        return None;
    }
    let [input, output, read, creation] = usage.map(Option::unwrap_or_default);
    Some(
        format!(
            "{{\"input_tokens\":{input},\"output_tokens\":{output},\"cache_read_tokens\":{read},\
             \"cache_creation_tokens\":{creation}}}"
        )
        .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(attributes: &str, is_claude_code: bool) -> Option<String> {
        of_attributes(attributes.as_bytes(), is_claude_code).map(|usage| String::from_utf8(usage).unwrap())
    }

    fn told(input: u64, output: u64, read: u64, creation: u64) -> Option<String> {
        Some(format!(
            r#"{{"input_tokens":{input},"output_tokens":{output},"cache_read_tokens":{read},"cache_creation_tokens":{creation}}}"#
        ))
    }

    #[test]
    fn input_never_holds_cached_tokens() {
        let conventions = r#"{"gen_ai.usage.input_tokens":6500,"gen_ai.usage.output_tokens":"42","gen_ai.usage.cache_read.input_tokens":5000,"gen_ai.usage.cache_creation.input_tokens":300}"#;
        assert_eq!(usage(conventions, false), told(1200, 42, 5000, 300));
        let excluded = r#"{"gen_ai.usage.input_tokens":10,"gen_ai.usage.cache_read_input_tokens":5000}"#;
        assert_eq!(usage(excluded, false), told(10, 0, 5000, 0));
        let older = r#"{"gen_ai.usage.prompt_tokens":7,"gen_ai.usage.completion_tokens":1}"#;
        assert_eq!(usage(older, false), told(7, 1, 0, 0));
        let own = r#"{"input_tokens":1200,"output_tokens":42,"cache_read_tokens":5000,"cache_creation_tokens":300}"#;
        assert_eq!((usage(own, true), usage(own, false)), (told(1200, 42, 5000, 300), None));
        assert_eq!(usage("{}", true), None);
    }
}
