use crate::bench::Bench;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tacho_connector::{Rotation, Settings};

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn each_event_is_a_file_and_none_is_written_twice() {
    let mut bench = Bench::new();
    let folder = bench.folder.path().join(".events");
    let settings = || Settings { path: Some(folder.clone()), ..Settings::default() };
    bench.start("files", settings(), |_| {});
    bench.append("urlCacher.cacheRequested", 0, 20, "{\"n\":1}");
    bench.until("it is delivered", |status| status.done == 20);
    let written = names(&folder);
    assert_eq!(written.len(), 20);
    for name in &written {
        let (time, rest) = name.split_at(22);
        assert!(time.ends_with("z-") && time.as_bytes()[10] == b't', "{name}");
        assert!(rest.starts_with("urlcacher-cacherequested-") && rest.ends_with(".json"), "{name}");
        let event: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap();
        assert_eq!((&event["type"], &event["data"]["n"]), (&"urlCacher.cacheRequested".into(), &1.into()));
    }
    // Another sink begins at the start and finds all of them there.
    bench.restart();
    let kind = tacho_connector::find("files").unwrap();
    let surroundings = tacho_connector::Surroundings {
        engine: bench.engine.clone(),
        console: std::sync::Arc::new(|event| event.kind().to_owned()),
    };
    let handler = tacho_engine::delivery::Handler {
        name: "second".into(),
        kind: "files",
        filter: tacho_event::Filter::default(),
        policy: tacho_engine::delivery::Policy {
            start: tacho_engine::delivery::Start::Beginning,
            ..Default::default()
        },
        deliver: (kind.open)(&settings(), &surroundings).unwrap(),
    };
    bench.engine.start_handlers(vec![handler]).unwrap();
    let status = crate::bench::eventually("all is settled", || {
        bench.engine.handler("second").filter(|status| status.done + status.skipped == 20)
    });
    assert_eq!((status.done, status.skipped, status.pending), (0, 20, 0));
    assert_eq!(names(&folder), written);
    bench.engine.close().unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_tried_until_it_can() {
    let bench = Bench::new();
    let folder = bench.folder.path().join(".events");
    fs::write(&folder, "a file where the folder must be").unwrap();
    bench.start("files", Settings { path: Some(folder.clone()), ..Settings::default() }, |_| {});
    bench.append("demo.a", 0, 7, "{}");
    bench.until("it fails", |status| status.attempt >= 2 && status.pending == 7);
    fs::remove_file(&folder).unwrap();
    let status = bench.until("it is delivered", |status| status.done == 7);
    assert_eq!((status.dead, status.skipped), (0, 0));
    assert_eq!(names(&folder).len(), 7);
    bench.engine.close().unwrap();
}

#[test]
fn the_oldest_files_go_when_all_are_too_large() {
    let bench = Bench::new();
    let folder = bench.folder.path().join(".events");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("package.json"), "mine").unwrap();
    let rotation = Rotation { bytes: Some(3_000), ..Rotation::default() };
    let settings = Settings { path: Some(folder.clone()), rotation, ..Settings::default() };
    bench.start("files", settings, |policy| policy.batch.events = 1);
    bench.append("demo.a", 0, 30, "{}");
    bench.until("it is delivered", |status| status.done == 30);
    bench.engine.close().unwrap();
    let bytes: u64 = names(&folder)
        .iter()
        .filter(|name| name.contains("demo-a"))
        .map(|name| fs::metadata(folder.join(name)).unwrap().len())
        .sum();
    assert!((1_000..=3_000).contains(&bytes), "{bytes}");
    assert!(folder.join("package.json").exists(), "what is another's stays");
}
