use crate::bench::Bench;
use std::fs;
use std::path::Path;
use tacho_connector::{Rotation, Settings};

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_event_is_a_line_and_the_folder_is_made() {
    let bench = Bench::new();
    let path = bench.folder.path().join("logs/deep/agent-events.jsonl");
    bench.start("jsonl", Settings { path: Some(path.clone()), ..Settings::default() }, |_| {});
    bench.append("task_queued", 0, 2, "{\"task_id\":\"t\",\"est_cost\":1.50}");
    bench.until("it is delivered", |status| status.done == 2);
    let lines = lines(&path);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["event_type"], "task_queued");
    assert!(lines[0]["timestamp"].as_f64().unwrap() > 1_700_000_000.0);
    assert!(
        fs::read_to_string(&path).unwrap().contains("\"payload\":{\"task_id\":\"t\",\"est_cost\":1.50}}\n")
    );
    bench.engine.close().unwrap();
}

#[test]
fn a_file_moves_aside_when_it_is_large_and_the_oldest_go() {
    let bench = Bench::new();
    let path = bench.folder.path().join("a.jsonl");
    let rotation = Rotation { bytes: Some(400), age: None, keep: Some(2) };
    let settings = Settings { path: Some(path.clone()), rotation, ..Settings::default() };
    bench.start("jsonl", settings, |policy| policy.batch.events = 1);
    fs::write(bench.folder.path().join("a.jsonl.bak"), "mine").unwrap();
    for n in 0..40 {
        bench.append("demo.a", n, 1, &format!("{{\"n\":{n}}}"));
    }
    bench.until("it is delivered", |status| status.done == 40);
    bench.engine.close().unwrap();
    let mut aside: Vec<_> = fs::read_dir(bench.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("a.jsonl.2"))
        .collect();
    aside.sort();
    assert_eq!(aside.len(), 2);
    assert!(bench.folder.path().join("a.jsonl.bak").exists(), "what is another's stays");
    let kept: Vec<_> = aside.iter().chain([&path]).flat_map(|path| lines(path)).collect();
    let numbers: Vec<_> = kept.iter().map(|line| line["payload"]["n"].as_u64().unwrap()).collect();
    let first = 40 - numbers.len() as u64;
    assert_eq!(numbers, (first..40).collect::<Vec<_>>(), "the newest are there, whole and in order");
    assert!(aside.iter().all(|path| fs::metadata(path).unwrap().len() <= 400));
}

#[test]
fn a_path_that_cannot_be_written_is_tried_until_it_can() {
    let bench = Bench::new();
    let blocked = bench.folder.path().join("logs");
    fs::write(&blocked, "a file where a folder must be").unwrap();
    let path = blocked.join("a.jsonl");
    bench.start("jsonl", Settings { path: Some(path.clone()), ..Settings::default() }, |_| {});
    bench.append("demo.a", 0, 5, "{}");
    let status = bench.until("it fails", |status| status.attempt >= 5);
    assert_eq!((status.done, status.pending, status.state.as_str()), (0, 5, "broken"));
    assert!(status.last_error.unwrap().contains("file_failed") && status.next_attempt.is_some());
    fs::remove_file(&blocked).unwrap();
    let status = bench.until("it is delivered", |status| status.done == 5);
    assert_eq!((status.last_error, status.state.as_str()), (None, "running"));
    assert_eq!(lines(&path).len(), 5);
    bench.engine.close().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_holds_lines_back_and_loses_none() {
    let bench = Bench::new();
    let path = bench.folder.path().join("a.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    bench.start("jsonl", Settings { path: Some(path.clone()), ..Settings::default() }, |_| {});
    bench.append("demo.a", 0, 5, "{}");
    let status = bench.until("it fails", |status| status.attempt >= 3);
    assert_eq!((status.done, status.pending), (0, 5));
    assert!(status.last_error.unwrap().contains("No space left"));
    fs::remove_file(&path).unwrap();
    bench.until("it is delivered", |status| status.done == 5);
    assert_eq!(lines(&path).len(), 5);
    bench.engine.close().unwrap();
}

#[test]
fn a_torn_line_spoils_no_other() {
    let bench = Bench::new();
    let path = bench.folder.path().join("a.jsonl");
    fs::write(&path, "{\"event_type\":\"to").unwrap();
    bench.start("jsonl", Settings { path: Some(path.clone()), ..Settings::default() }, |_| {});
    bench.append("demo.a", 0, 1, "{}");
    bench.until("it is delivered", |status| status.done == 1);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"event_type\":\"to\n{\"event_type\":\"demo.a\""), "{text}");
    bench.engine.close().unwrap();
}
