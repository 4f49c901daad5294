use crate::bench::Bench;
use crate::receiver::Receiver;
use tacho_connector::{Secret, Settings};
use tacho_engine::LetterQuery;
use tacho_engine::delivery::Retry;

fn settings(receiver: &Receiver, mode: &str) -> Settings {
    Settings {
        url: Some(receiver.url.clone()),
        mode: Some(mode.into()),
        secret: Some(Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        ..Settings::default()
    }
}

fn ids(body: &str) -> Vec<String> {
    let events: Vec<serde_json::Value> = serde_json::from_str(body).unwrap();
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_receiver_that_fails_first_gets_the_same_again() {
    let receiver = Receiver::start(&["500 Oops\r\n", "503 Busy\r\nretry-after: 0\r\n"]);
    let bench = Bench::new();
    bench.append("demo.a", 0, 3, "{\"n\":1}");
    bench.start("http", settings(&receiver, "batch"), |_| {});
    let status = bench.until("it is delivered", |status| status.done == 3);
    assert_eq!((status.dead, status.skipped, status.pending, status.attempt), (0, 0, 0, 0));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(ids(&request.body), ["e0", "e1", "e2"]);
        assert_eq!(request.header("content-type"), Some("application/cloudevents-batch+json"));
        assert_eq!(request.header("webhook-id"), requests[0].header("webhook-id"));
        assert!(request.header("webhook-signature").unwrap().starts_with("v1,"));
        assert!(request.header("webhook-timestamp").unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    }
    bench.engine.close().unwrap();
}

#[test]
fn what_is_refused_for_good_is_a_dead_letter_and_the_rest_goes_on() {
    let receiver = Receiver::start(&["404 No\r\n", "200 OK\r\n", "422 No\r\n"]);
    let bench = Bench::new();
    bench.append("demo.a", 0, 3, "{\"n\":1}");
    bench.start("http", settings(&receiver, "batch"), |_| {});
    let status = bench.until("all is settled", |status| status.done + status.dead == 3);
    assert_eq!((status.done, status.dead, status.pending), (2, 1, 0));
    let bodies: Vec<_> = receiver.requests().iter().map(|request| ids(&request.body).join(" ")).collect();
    assert_eq!(bodies, ["e0 e1 e2", "e0", "e1", "e2"], "a batch is taken apart to find who is refused");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let query = LetterQuery { handler: Some("sink".into()), limit: 10, ..LetterQuery::default() };
    let page = runtime.block_on(bench.engine.dead_letters(query, None)).unwrap();
    assert_eq!(page.letters.len(), 1);
    assert_eq!(page.letters[0].event.as_ref().unwrap().id(), "e1");
    assert_eq!(page.letters[0].letter.attempts, 2);
    let error = String::from_utf8_lossy(&page.letters[0].error).into_owned();
    assert!(error.contains("http_422"), "{error}");
    bench.engine.close().unwrap();
}

#[test]
fn structured_mode_sends_each_once_and_goes_on_where_it_failed() {
    let receiver = Receiver::start(&["200 OK\r\n", "429 Slow\r\nretry-after: 1\r\n"]);
    let mut bench = Bench::new();
    bench.append("demo.a", 0, 3, "{\"n\":1}");
    bench.start("http", settings(&receiver, "structured"), |_| {});
    bench.until("it is delivered", |status| status.done == 3);
    let sent = |receiver: &Receiver| -> Vec<String> {
        let id = |body: &str| serde_json::from_str::<serde_json::Value>(body).unwrap()["id"].to_string();
        receiver.requests().iter().map(|request| id(&request.body)).collect()
    };
    assert_eq!(sent(&receiver), ["\"e0\"", "\"e1\"", "\"e1\"", "\"e2\""]);
    // The cursor is on the log: nothing comes again after a restart, and the counts go on.
    bench.restart();
    bench.append("demo.a", 3, 1, "{\"n\":1}");
    bench.start("http", settings(&receiver, "structured"), |_| {});
    bench.until("the new one is delivered", |status| status.done == 4);
    assert_eq!(sent(&receiver).len(), 5);
    bench.engine.close().unwrap();
}

#[test]
fn the_last_attempt_is_alone_and_then_it_is_over() {
    let receiver = Receiver::start(&["500 No\r\n", "500 No\r\n", "500 No\r\n"]);
    let bench = Bench::new();
    bench.append("demo.a", 0, 2, "{\"n\":1}");
    bench.start("http", settings(&receiver, "batch"), |policy| policy.retry.attempts = Some(2));
    let status = bench.until("all is settled", |status| status.done + status.dead == 2);
    assert_eq!((status.done, status.dead), (0, 2));
    let bodies: Vec<_> = receiver.requests().iter().map(|request| ids(&request.body).join(" ")).collect();
    assert_eq!(bodies, ["e0 e1", "e0", "e1"]);
    bench.engine.close().unwrap();
}

#[test]
fn what_comes_between_attempts_joins_none_and_has_all_of_its_own() {
    let receiver = Receiver::start(&["500 Oops\r\n"; 6]);
    let bench = Bench::new();
    bench.start("http", settings(&receiver, "batch"), |policy| {
        policy.retry = Retry { first_ms: 100, longest_ms: 100, attempts: Some(3) };
    });
    bench.append("demo.a", 0, 1, "{}");
    bench.until("it was tried twice", |status| status.attempt >= 2);
    bench.append("demo.a", 1, 1, "{}");
    bench.until("both are dead", |status| status.dead == 2);
    let tried: Vec<_> = receiver.requests().iter().map(|request| ids(&request.body)).collect();
    assert_eq!(tried, [["e0"], ["e0"], ["e0"], ["e1"], ["e1"], ["e1"]]);
    bench.engine.close().unwrap();
}
