use crate::support::{NOW, fixtures, table, told};
use expect_test::{expect, expect_file};
use std::collections::HashSet;
use tacho_event::Sameness;
use tacho_ingest::hook::Agent;
use tacho_ingest::import::Import;
use tacho_ingest::transcript::{self, TranscriptInput};
use tacho_ingest::{Door, Redactor};

fn parse(agent: Agent, jsonl: &[u8]) -> Import {
    let redactor = Redactor::builtin();
    let input = TranscriptInput { agent, session: Some("fallback"), now: NOW, jsonl };
    transcript::parse(&input, &Door::new(&redactor))
}

#[test]
fn captured_transcripts() {
    let mut rows = Vec::new();
    for path in fixtures("claude-code/transcripts") {
        if path.extension().is_none_or(|ending| ending != "jsonl") {
            continue;
        }
        let file = std::fs::read(&path).unwrap();
        let import = parse(Agent::ClaudeCode, &file);
        assert_eq!(import.skipped, []);
        let lines = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        let usage = import.events.iter().filter(|event| event.kind() == "claude.transcript.usage").count();
        assert_eq!(import.events.len(), lines + usage);
        let ids: HashSet<&str> = import.events.iter().map(|event| event.id()).collect();
        assert_eq!(ids.len(), import.events.len());
        assert!(import.events.iter().all(|event| *event.sameness() == Sameness::FirstWins));
        assert_eq!(parse(Agent::ClaudeCode, &file).events, import.events);
        rows.push(table(&import.events, &["type", "source", "time", "actortype", "actorid", "actormodel"]));
    }
    expect_file!["transcripts.txt"].assert_eq(&(rows.join("\n\n") + "\n"));
}

#[test]
fn an_answer_s_usage_counts_once_and_in_its_last_form() {
    let line = |uuid: &str, tokens: u32| {
        format!(
            r#"{{"type":"assistant","uuid":"{uuid}","sessionId":"s","requestId":"r","message":{{"id":"m","model":"x","usage":{{"output_tokens":{tokens}}},"content":[]}}}}"#
        )
    };
    let import = parse(Agent::ClaudeCode, format!("{}\n{}\n", line("1", 3), line("2", 42)).as_bytes());
    let usage: Vec<_> =
        import.events.iter().filter(|event| event.kind() == "claude.transcript.usage").collect();
    assert_eq!(usage.len(), 1);
    assert_eq!(told(usage[0])["data"]["usage"]["output_tokens"], 42);
}

#[test]
fn a_torn_last_line_and_other_agents() {
    let import = parse(
        Agent::Codex,
        b"{\"timestamp\":\"2026-11-20T03:06:59Z\",\"type\":\"session_meta\",\"payload\":{\"id\":\"c-1\",\"cwd\":\"/home/dev/demo\"}}\n{\"type\":\"response_item\",\"payload\":{}}\n{\"type\":\"resp",
    );
    assert_eq!(import.skipped.len(), 1);
    expect![[r#"
        codex.transcript.session_meta /codex/demo/transcript session/c-1 2026-11-20T03:06:59Z
        codex.transcript.response_item /codex/demo/transcript session/c-1 2026-11-20T03:06:59Z"#]]
    .assert_eq(&table(&import.events, &["type", "source", "subject", "time"]));
}
