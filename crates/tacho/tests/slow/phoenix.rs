//! A real reader of traces, Arize Phoenix: the demo's session is there as a tree of spans, with its tokens and its cost.
//!
//! `TACHO_TEST_PHOENIX` names the program; `cargo xtask test --slow` installs it.

use crate::server::{Server, free_port};
use crate::wanted;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// It imports for long before it listens.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn phoenix_shows_the_demo_as_it_was() {
    if !wanted("phoenix_shows_the_demo_as_it_was") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let played = Command::new(env!("CARGO_BIN_EXE_tacho"))
        .args(["demo", "--exit", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(played.status.success(), "tacho demo: {}", String::from_utf8_lossy(&played.stderr));
    let phoenix = Phoenix::start(folder.path());
    let config = folder.path().join("tacho.toml");
    let sink = format!(
        "[[sink]]\nkind = \"otlp\"\nurl = \"{}\"\nsignals = \"traces\"\nstart = \"start\"\n",
        phoenix.url
    );
    fs::write(&config, sink).unwrap();
    let server = Server::start_with(&data, &["--config", config.to_str().unwrap()]);
    eventually("all is sent", || {
        let told = server.answers(&["handler", "show", "otlp"]).remove(0);
        assert_eq!(told["dead"], 0, "{told}");
        told["pending"] == 0 && told["done"].as_u64() > Some(0)
    });

    // Phoenix stores a moment after it has answered.
    let requests = server.events(&["--type", "claude_code.api_request", "--limit", "1000"]);
    let mut spans = Vec::new();
    eventually("every request is a span", || {
        spans = phoenix.spans();
        spans.iter().filter(|span| span["span_kind"] == "LLM").count() == requests.len()
    });
    assert_spans(&server, &spans);
    assert_sums(&server, &phoenix, &spans);
}

/// One for what ended, in what it happened in.
fn assert_spans(server: &Server, spans: &[Value]) {
    let ended = |types: &[&str]| -> usize {
        let count = |kind: &&str| server.events(&["--type", kind, "--limit", "1000"]).len();
        types.iter().map(count).sum()
    };
    let kinds = spans.iter().fold(BTreeMap::<_, usize>::new(), |mut kinds, span| {
        *kinds.entry(span["span_kind"].as_str().unwrap()).or_default() += 1;
        kinds
    });
    let expected = BTreeMap::from([
        ("AGENT", ended(&["claude.subagent_stop", "agent_completed"])),
        ("LLM", ended(&["claude_code.api_request"])),
        ("TOOL", ended(&["claude.post_tool_use", "claude.post_tool_use_failure"])),
        ("UNKNOWN", ended(&["claude.session_end", "claude.stop", "claude.stop_failure"])),
    ]);
    assert_eq!(kinds, expected);
    let failed = spans.iter().filter(|span| span["span_kind"] == "TOOL" && span["status_code"] == "ERROR");
    assert_eq!(failed.count(), ended(&["claude.post_tool_use_failure"]));

    let chain = |span: &Value| -> Vec<String> {
        let mut names = vec![span["name"].as_str().unwrap().to_owned()];
        let mut parent = &span["parent_id"];
        while let Some(above) = spans.iter().find(|span| span["context"]["span_id"] == *parent) {
            assert_eq!(above["context"]["trace_id"], span["context"]["trace_id"]);
            names.push(above["name"].as_str().unwrap().to_owned());
            parent = &above["parent_id"];
        }
        names
    };
    let chains: Vec<_> = spans.iter().map(chain).collect();
    for nested in [
        ["execute_tool WebFetch", "invoke_agent url-cacher", "session"],
        ["chat claude-haiku-4-5", "invoke_agent url-cacher", "session"],
    ] {
        assert!(chains.iter().any(|names| names == &nested), "{nested:?} is not in {chains:?}");
    }
    assert!(chains.contains(&vec!["turn".to_owned(), "session".to_owned()]), "{chains:?}");
}

/// The tokens and the cost of our own ledger; and Phoenix, with a price table of its own, comes to the same from our
/// models and tokens.
fn assert_sums(server: &Server, phoenix: &Phoenix, spans: &[Value]) {
    let sum = |name: &str| -> f64 {
        spans
            .iter()
            .filter(|span| span["span_kind"] == "LLM")
            .filter_map(|span| span["attributes"][name].as_f64())
            .sum()
    };
    let ours = server.answers(&["cost", "--by", "model"]);
    let ledger = |names: &[&str]| -> f64 {
        let rows = ours.iter().filter(|row| !row["model"].is_null());
        rows.flat_map(|row| names.iter().filter_map(|name| row[*name].as_f64())).sum()
    };
    let input = ["input_tokens", "cache_read_tokens", "cache_creation_tokens"];
    assert_eq!(sum("llm.token_count.prompt"), ledger(&input));
    assert_eq!(sum("llm.token_count.completion"), ledger(&["output_tokens"]));
    assert_eq!(sum("llm.token_count.prompt_details.cache_read"), ledger(&["cache_read_tokens"]));
    let (told, cost) = (sum("tacho.cost_usd"), ledger(&["cost_usd"]));
    assert!(cost > 0.0 && (told - cost).abs() < 1e-6, "{told} of {cost}");

    // It prices a moment later than it stores.
    eventually("phoenix comes to our cost", || {
        phoenix.cost().is_some_and(|theirs| (theirs - cost).abs() < cost / 1_000.0)
    });
}

/// A Phoenix of the test's own, which keeps all in a folder of the test's.
struct Phoenix {
    process: Child,
    url: String,
}

impl Phoenix {
    fn start(folder: &Path) -> Phoenix {
        let program = std::env::var_os("TACHO_TEST_PHOENIX")
            .expect("TACHO_TEST_PHOENIX names no phoenix: run `cargo xtask test --slow`");
        let (port, grpc) = (free_port(), free_port());
        let said = fs::File::create(folder.join("phoenix.log")).unwrap();
        let process = Command::new(program)
            .arg("serve")
            .env("HOME", folder)
            .env("PHOENIX_WORKING_DIR", folder.join("phoenix"))
            .env("PHOENIX_HOST", "127.0.0.1")
            .env("PHOENIX_PORT", port.to_string())
            .env("PHOENIX_GRPC_PORT", grpc.to_string())
            .env("PHOENIX_TELEMETRY_ENABLED", "false")
            .env("PHOENIX_ALLOW_EXTERNAL_RESOURCES", "false")
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .spawn()
            .unwrap();
        let mut phoenix = Phoenix { process, url: format!("http://127.0.0.1:{port}") };
        eventually("phoenix answers", || {
            if phoenix.process.try_wait().unwrap().is_some() {
                panic!("phoenix ended: {}", fs::read_to_string(folder.join("phoenix.log")).unwrap());
            }
            ureq::get(format!("{}/healthz", phoenix.url)).call().is_ok()
        });
        phoenix
    }

    fn spans(&self) -> Vec<Value> {
        let url = format!("{}/v1/projects/default/spans?limit=1000", self.url);
        // There is no project before the first span.
        let Ok(mut answer) = ureq::get(url).call() else { return Vec::new() };
        let answer: Value = serde_json::from_reader(answer.body_mut().as_reader()).unwrap();
        answer["data"].as_array().unwrap().clone()
    }

    fn cost(&self) -> Option<f64> {
        let query = json!({"query": "{projects{edges{node{costSummary{total{cost}}}}}}"}).to_string();
        let url = format!("{}/graphql", self.url);
        let mut answer = ureq::post(url).header("content-type", "application/json").send(query).unwrap();
        let answer: Value = serde_json::from_reader(answer.body_mut().as_reader()).unwrap();
        answer["data"]["projects"]["edges"][0]["node"]["costSummary"]["total"]["cost"].as_f64()
    }
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::yield_now();
    }
}
