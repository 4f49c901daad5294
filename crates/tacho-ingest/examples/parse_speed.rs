//! How long the doors take: `cargo run --release -p tacho-ingest --example parse_speed`.

use std::hint::black_box;
use std::time::Instant;
use tacho_event::{Timestamp, json};
use tacho_ingest::hook::{Agent, HookInput};
use tacho_ingest::{Door, Redactor, api, hook};

fn main() {
    let redactor = Redactor::builtin();
    let door = Door::new(&redactor);
    measure("Redactor::builtin()", 1, || {
        black_box(Redactor::builtin());
    });
    for (name, filler) in
        [("plain", "x".repeat(190)), ("addresses", "see https://example.com/a/b ".repeat(7))]
    {
        let events: Vec<String> = (0..100).map(|number| cloudevent(number, &filler)).collect();
        let body = format!("[{}]", events.join(","));
        println!("{name}: {} bytes an event", events[0].len());
        let request =
            api::Request { content_type: Some("application/json"), attributes: &[], body: body.as_bytes() };
        measure("  api::parse, 100 CloudEvents, an event", 100, || {
            let mut new_id = || "unused".to_owned();
            black_box(
                api::parse(&request, &door, Timestamp(1_800_000_000_000_000_000), &mut new_id).unwrap(),
            );
        });
        let without_session = body.replace(r#""sessionid":"6de14646-dff7-4706-a66d-b9884b862135","#, "");
        let request = api::Request { body: without_session.as_bytes(), ..request };
        measure("  the same without sessions, whose traces are derived", 100, || {
            let mut new_id = || "unused".to_owned();
            black_box(
                api::parse(&request, &door, Timestamp(1_800_000_000_000_000_000), &mut new_id).unwrap(),
            );
        });
        let mut minified = Vec::new();
        measure("    of this json::minify", 100, || {
            minified.clear();
            json::minify(body.as_bytes(), 100, &mut minified).unwrap();
        });
        measure("    of this redact_json", 100, || {
            black_box(redactor.redact_json(&minified));
        });
        measure("    of this json::elements", 100, || {
            black_box(json::elements(&minified).count());
        });
        measure("    of this json::members", 100, || {
            for event in json::elements(&minified) {
                black_box(json::members(event).count());
            }
        });
    }
    let payload = br#"{"session_id":"6de14646-dff7-4706-a66d-b9884b862135","transcript_path":"/home/dev/.claude/projects/-home-dev-demo/6de14646-dff7-4706-a66d-b9884b862135.jsonl","cwd":"/home/dev/demo","prompt_id":"df73dba5-2ff5-4705-9a5f-4e1f786107c7","permission_mode":"default","hook_event_name":"PostToolUse","tool_name":"Bash","tool_input":{"command":"ls -1","description":"List files"},"tool_response":{"stdout":"README.md\na.txt","stderr":"","interrupted":false},"tool_use_id":"toolu_4649e47c2f8d43b094fe9cc3","duration_ms":42}"#;
    let input = HookInput {
        agent: Agent::ClaudeCode,
        id: "0190b5a0-0000-7000-8000-000000000001",
        time: Timestamp(1_800_000_000_000_000_000),
        git_sha: Some("3ed47e7f1347bd4616bee0dd2057662ed830266f"),
        branch: Some("main"),
        traceparent: None,
        payload,
    };
    measure("hook::parse", 1, || {
        black_box(hook::parse(&input, &door));
    });
}

fn cloudevent(number: usize, filler: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"0190b5a0-0000-7000-8000-{number:012}","source":"/agents/url-cacher","type":"urlCacher.urlCached","subject":"task/{number}","time":"2026-01-31T14:00:00.123Z","sessionid":"6de14646-dff7-4706-a66d-b9884b862135","data":{{"url":"abc","size":{number},"note":"{filler}"}}}}"#
    )
}

/// Prints the median of many runs, divided by `parts`.
fn measure(name: &str, parts: u32, mut run: impl FnMut()) {
    let mut times: Vec<_> = (0..2000)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    println!("{name}: {:.3} µs", times[times.len() / 2].as_secs_f64() * 1e6 / f64::from(parts));
}
