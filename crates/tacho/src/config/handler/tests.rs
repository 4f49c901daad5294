use super::*;
use crate::config::file::apply;
use crate::config::values::Values;
use std::path::Path;
use tacho_engine::delivery::Start;
use tacho_engine::handler::{Backoff, DedupeBy, Key, Order, Priority};

fn handlers(text: &str) -> Result<Vec<Handler>> {
    Ok(apply(Path::new("tacho.toml"), text, &mut Values::defaults()?)?.handlers)
}

/// What is said of a handler with these lines beside a name, a filter and a deed.
fn refused(lines: &str) -> String {
    let text = format!("[[handler]]\nname = \"x\"\non = \"a\"\nrun.command = [\"true\"]\n{lines}\n");
    format!("{:#}", handlers(&text).unwrap_err())
}

#[test]
fn a_name_a_filter_and_a_deed_are_enough() {
    let text = "[[handler]]\nname = \"x\"\non = \"a.*\"\nrun.command = [\"python3\", \"a b.py\"]\n";
    let handler = handlers(text).unwrap().remove(0);
    let policy = &handler.policy;
    assert!(matches!((&policy.start, &policy.order), (Start::Now, Order::Stream)));
    assert_eq!((policy.concurrency, policy.timeout_ms, policy.retry.attempts), (1, 30_000, 5));
    assert!(policy.breaker.is_none() && policy.dedupe.is_none() && policy.rate.is_none());
    assert_eq!((handler.run.kind(), handler.run.program().as_deref()), ("process", Some("python3 'a b.py'")));
}

#[test]
fn every_key_is_read() {
    let text = r#"
[[handler]]
name = "review"
on = { type = ["a.*", "b"], where = ".data.n > 1" }
from = 42
order = ".data.tenant"
concurrency = 4
workers = 2
per_key = { key = "source", limit = 1 }
batch = { events = 10, bytes = "2 MiB", window = "50ms", by = "stream" }
timeout = "2m"
retry = { attempts = 3, backoff = "linear", first = "1s", max = 5000, jitter = 0 }
breaker = { failures = 2, open = "1m", probes = 3 }
dedupe = { by = "content", window = "1h" }
rate = { events = 7, per = "1m" }
priority = "high"
capabilities = ["review"]
version = "1.2.0"
waiting = 99
[handler.run]
command = ["review", "--fast"]
mode = "warm"
directory = "tools"
environment = ["API_BASE"]
variables = { MODE = "fast" }
output = "1 MiB"
memory = "1 GiB"
recycle = { events = 100, age = "1h", memory = "512 MiB" }
health = "3s"
"#;
    let handler = handlers(text).unwrap().remove(0);
    let (policy, run) = (&handler.policy, &handler.run);
    assert_eq!((handler.filter.types.len(), handler.filter.where_jq.is_some()), (2, true));
    assert!(matches!(policy.start, Start::After(position) if position.0 == 42));
    assert!(matches!(&policy.order, Order::Key(Key::Jq(program)) if program.as_str() == ".data.tenant"));
    assert_eq!((policy.concurrency, policy.workers_min, policy.waiting_events), (4, 2, 99));
    let per_key = policy.per_key.as_ref().unwrap();
    assert!(matches!(&per_key.key, Key::Attribute(name) if name == "source") && per_key.limit == 1);
    assert_eq!((policy.batch.events, policy.batch.bytes, policy.batch.window_ms), (10, 2 << 20, 50));
    assert!(matches!(policy.batch.by, Some(Key::Stream)) && policy.timeout_ms == 120_000);
    let retry = &policy.retry;
    assert_eq!((retry.attempts, retry.backoff, retry.jitter), (3, Backoff::Linear, 0.0));
    assert_eq!((retry.first_ms, retry.longest_ms), (1_000, 5_000));
    let breaker = policy.breaker.unwrap();
    assert_eq!((breaker.failures, breaker.open_ms, breaker.probes), (2, 60_000, 3));
    let dedupe = policy.dedupe.as_ref().unwrap();
    assert!(matches!(dedupe.by, DedupeBy::Content) && dedupe.window_ms == 3_600_000);
    assert_eq!(policy.rate.map(|rate| (rate.events, rate.per_ms)), Some((7, 60_000)));
    assert_eq!((policy.priority, handler.version.as_deref()), (Priority::High, Some("1.2.0")));
    assert_eq!((run.kind(), run.settings.environment.as_slice()), ("warm", &["API_BASE".to_owned()][..]));
    assert_eq!(run.settings.variables["MODE"], "fast");
    assert_eq!(
        (run.settings.output_bytes, run.settings.memory_bytes, run.settings.health_ms),
        (Some(1 << 20), Some(1 << 30), Some(3_000))
    );
    let recycle = &run.settings.recycle;
    assert_eq!(
        (recycle.events, recycle.age_ms, recycle.memory_bytes),
        (Some(100), Some(3_600_000), Some(512 << 20))
    );
}

#[test]
fn what_it_does_says_what_it_is() {
    let kind = |run: &str| {
        let text = format!("[[handler]]\nname = \"x\"\non = \"a\"\nrun = {{ {run} }}\n");
        handlers(&text).map(|found| (found[0].run.kind(), found[0].run.program()))
    };
    let program = |line: &str| Some(line.to_owned());
    assert_eq!(kind("mode = \"agent\"").unwrap(), ("agent", program("claude")));
    assert_eq!(kind("url = \"http://127.0.0.1:1/\"").unwrap(), ("http", None));
    assert_eq!(kind("url = \"http://127.0.0.1:1/\", tool = \"t\"").unwrap(), ("mcp", None));
    assert_eq!(kind("mcp = [\"srv\", \"-x\"], tool = \"t\"").unwrap(), ("mcp", program("srv -x")));
    assert_eq!(kind("emit = { type = \"b\", data = \".data.n\" }").unwrap(), ("emit", None));
    assert_eq!(kind("capability = \"review\"").unwrap(), ("capability", None));
    for (run, told) in [
        ("", "`run` does nothing: write one of `command`, `url`"),
        ("command = [\"a\"], url = \"http://b\"", "`run` has `command` and `url`: write one of them"),
        ("mcp = [\"a\"]", "`run.tool` is missing"),
        ("command = [\"a\"], tool = \"t\"", "`run.tool` needs its server"),
        ("url = \"http://b\", mode = \"warm\"", "`run.mode` needs a `run.command`"),
        ("command = \"a b\"", "`run.command`: expected a list of texts, such as"),
        ("command = []", "`run.command` names no program"),
        (
            "command = [\"a\"], mode = \"wram\"",
            "`run.mode` is \"wram\", but it is one of process, warm, agent",
        ),
        (
            "command = [\"a\"], prompt = \"x\"",
            "`run.prompt`: a handler of the kind `process` does not take it",
        ),
        ("url = \"http://b\", memory = 1", "`run.memory`: a handler of the kind `http` does not take it"),
        ("emit = { data = \".\" }", "`run.emit.type` is missing"),
        ("emit = { type = \"b\", data = \".[\" }", "`run.emit.data`: \".[\" is no jq program"),
        ("url = \"a\", secret_env = \"A\", secret_file = \"b\"", "`run` has `secret_env` and `secret_file`"),
    ] {
        let said = format!("{:#}", kind(run).unwrap_err());
        assert!(said.contains(&format!("handler `x`: {told}")), "{said}");
    }
}

#[test]
fn unknown_keys_are_named_at_every_depth() {
    for (lines, told) in [
        ("concurency = 2", "there is no key `concurency`: did you mean `concurrency`?"),
        ("retry = { atempts = 2 }", "there is no key `retry.atempts`: did you mean `retry.attempts`?"),
        ("run.mood = \"warm\"", "there is no key `run.mood`: did you mean `run.mode`?"),
        ("run.recycle.evnts = 1", "there is no key `run.recycle.evnts`: did you mean `run.recycle.events`?"),
        (
            "breaker.zzz = 1",
            "there is no key `breaker.zzz`; known are breaker.failures, breaker.open, breaker.probes",
        ),
    ] {
        assert!(refused(lines).ends_with(told), "{}", refused(lines));
    }
    let told =
        handlers("[[handler]]\nname = \"x\"\non = { typ = \"a\" }\nrun.command = [\"a\"]").unwrap_err();
    assert_eq!(
        format!("{told:#}"),
        "tacho.toml:2: handler `x`: there is no filter `typ`: did you mean `type`?"
    );
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for (lines, told) in [
        ("concurrency = 0", "`concurrency` is 0: write 1 or more"),
        ("workers = 2", "`workers` is 2, more than `concurrency`, which is 1"),
        ("timeout = \"soon\"", "`timeout`: \"soon\" is no duration: write milliseconds, or one such as 2s"),
        ("timeout = 0", "`timeout` is 0: write a duration such as \"2s\""),
        ("retry = 3", "`retry`: expected a table, found integer"),
        ("retry.jitter = 2", "`retry.jitter` is 2, write 0 to 1"),
        ("retry = { first = \"2s\", max = \"1s\" }", "`retry.max` is 1000 ms, less than `retry.first`"),
        ("priority = \"urgent\"", "`priority` is \"urgent\", but it is one of critical, high, normal, low"),
        ("order = \".[\"", "`order`: \".[\" is no jq program"),
        ("from = \"middle\"", "`from`: \"middle\" is none of now, start, or a position"),
        ("per_key = { key = \"source\" }", "`per_key.limit` is missing"),
        ("dedupe = { by = \"id\" }", "`dedupe.window` is missing"),
        ("dedupe = { by = \"id\", key = \"id\", window = 1 }", "`dedupe` has `by` and `key`"),
        ("version = \"one\"", "`version` is \"one\", write one such as \"1.2.0\""),
    ] {
        assert!(
            refused(lines).starts_with(&format!("tacho.toml:2: handler `x`: {told}")),
            "{}",
            refused(lines)
        );
    }
    let twice = "[[handler]]\nname = \"x\"\non = \"a\"\nrun.command = [\"a\"]\n".repeat(2);
    assert!(handlers(&twice).unwrap_err().to_string().ends_with("two handlers are named \"x\""));
    let sink = "[[sink]]\nkind = \"console\"\nname = \"x\"\n[[handler]]\nname = \"x\"\non = \"a\"\nrun.command = [\"a\"]";
    let told = format!("{:#}", handlers(sink).unwrap_err());
    assert_eq!(told, "tacho.toml: a handler and a sink are named \"x\": rename one of them");
    let nameless = format!("{:#}", handlers("[[handler]]\non = \"a\"").unwrap_err());
    assert_eq!(nameless, "tacho.toml:1: [[handler]]: `name` is missing");
}

#[test]
fn a_digest_is_of_what_is_said_not_of_how() {
    let digest = |text: &str| handlers(text).unwrap()[0].digest.clone();
    let plain = digest("[[handler]]\nname = \"x\"\non = \"a\"\nrun.command = [\"a\"]\n");
    assert_eq!(digest("# words\n[[handler]]\non = 'a'\nname = \"x\"\nrun = { command = [\"a\"] }\n"), plain);
    assert_ne!(digest("[[handler]]\nname = \"x\"\non = \"b\"\nrun.command = [\"a\"]\n"), plain);
}
