use crate::handler_peer::{LONG, ask, deliver, events, fails, start};
use crate::receiver::Receiver;
use std::time::Duration;
use tacho_connector::{HandlerSettings, Secret, check_handler};
use tacho_engine::delivery::Verdict;

fn settings(receiver: &Receiver) -> HandlerSettings {
    HandlerSettings {
        url: Some(receiver.url.clone()),
        secret: Some(Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        ..HandlerSettings::default()
    }
}

#[test]
fn what_is_answered_comes_back() {
    let receiver = Receiver::start(&[
        "200 OK\r\ncontent-type: application/json\r\n\r\n{\"events\":[{\"type\":\"a\"}, {\"type\":\"b\"}]}",
        "202 OK\r\n",
        "200 OK\r\ncontent-type: text/plain\r\n\r\nok",
        "200 OK\r\ncontent-type: application/cloudevents+json\r\n\r\n{\"specversion\":\"1.0\",\"type\":\"c\"}",
        "200 OK\r\ncontent-type: application/json\r\n\r\nnot quite",
    ]);
    let mut worker = start(&settings(&receiver));
    assert_eq!(deliver(&mut worker, &events(2), LONG).unwrap()[1]["type"], "b");
    assert_eq!(deliver(&mut worker, &events(1), LONG), Ok(vec![]));
    assert_eq!(deliver(&mut worker, &events(1), LONG), Ok(vec![]));
    assert_eq!(ask(&mut worker, "{}")["type"], "c");
    assert_eq!(fails(&mut worker, "{}", LONG).code, "bad_answer");
    let requests = receiver.requests();
    let batch: serde_json::Value = serde_json::from_str(&requests[0].body).unwrap();
    assert_eq!((&batch[0]["id"], &batch[1]["id"]), (&"e1".into(), &"e2".into()));
    assert_eq!(requests[0].header("content-type"), Some("application/cloudevents-batch+json"));
    let alone: serde_json::Value = serde_json::from_str(&requests[1].body).unwrap();
    assert_eq!(alone["id"], "e1");
    assert_eq!(requests[1].header("content-type"), Some("application/cloudevents+json"));
    assert_eq!(requests[1].header("idempotency-key"), Some("key-1"));
    assert_eq!(requests[1].header("webhook-id"), Some("key-1"));
    assert_eq!(requests[1].header("webhook-timestamp"), Some("1750000000"));
    assert!(requests[1].header("webhook-signature").unwrap().starts_with("v1,"));
}

#[test]
fn what_is_refused_is_told() {
    let receiver = Receiver::start(&[
        "503 Busy\r\nretry-after: 7\r\n",
        "425 Early\r\n",
        "500 Oops\r\n",
        "422 No\r\n",
        "200 OK\r\ncontent-type: application/json\r\n\r\n{\"events\":[{\"type\":\"a\"}]}",
    ]);
    let mut worker = start(&HandlerSettings { output_bytes: Some(10), ..settings(&receiver) });
    let mut told = || {
        let failure = fails(&mut worker, "{}", LONG);
        (failure.code, failure.verdict)
    };
    let at_once = Verdict::Retry { after: None };
    assert_eq!(told(), ("http_503".into(), Verdict::Retry { after: Some(Duration::from_secs(7)) }));
    assert_eq!(told(), ("http_425".into(), at_once));
    assert_eq!(told(), ("http_500".into(), at_once));
    assert_eq!(told(), ("http_422".into(), Verdict::Reject));
    assert_eq!(told(), ("output_too_large".into(), at_once));
}

#[test]
fn a_receiver_that_says_nothing_is_late() {
    // Its connections wait in the listener's queue, and nobody takes them.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let settings = HandlerSettings { url: Some(url), ..HandlerSettings::default() };
    let failure = fails(&mut start(&settings), "{}", crate::handler_peer::SHORT);
    assert_eq!(failure.code, "timeout");
    let secret = HandlerSettings { url: Some("http://me:hunter2@localhost/".into()), ..settings };
    let refused = check_handler(&secret).err().unwrap().to_string();
    assert!(refused.contains("`url`") && !refused.contains("hunter2"), "{refused}");
}
