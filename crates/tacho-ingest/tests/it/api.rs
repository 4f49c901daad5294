use crate::support::{post, post_as, table, told};
use expect_test::{Expect, expect};

const NAMES: [&str; 5] = ["type", "source", "id", "subject", "data"];

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&table(&post(body).unwrap(), &NAMES));
}

#[test]
fn one_an_array_and_lines() {
    let event = |id: u32| {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"/t","type":"a.b","data":{{"n": 1.50}}}}"#)
    };
    check(&event(1), expect![[r#"a.b /t 1 source/t {"n":1.5}"#]]);
    check(
        &format!(" [{},\n {}] ", event(1), event(2)),
        expect![[r#"
        a.b /t 1 source/t {"n":1.5}
        a.b /t 2 source/t {"n":1.5}"#]],
    );
    check(
        &format!("{}\n{}\n\n{}", event(1), event(2), event(3)),
        expect![[r#"
        a.b /t 1 source/t {"n":1.5}
        a.b /t 2 source/t {"n":1.5}
        a.b /t 3 source/t {"n":1.5}"#]],
    );
    let batch = post_as(
        "application/cloudevents-batch+json; charset=utf-8",
        &[],
        format!("[{}]", event(1)).as_bytes(),
    );
    assert_eq!(batch.unwrap().len(), 1);
    let body = post(&event(1)).unwrap().remove(0);
    assert!(String::from_utf8_lossy(body.body()).contains(r#""data":{"n":1.50}"#), "numbers keep their text");
}

#[test]
fn what_is_absent_is_filled_in_after_the_digest() {
    let sent = r#"{"specversion":"1.0","source":"/t","type":"a","sessionid":"s-1"}"#;
    let event = post(sent).unwrap().remove(0);
    expect![[r#"
        {
          "traceparent": "00-ac4305b79d1241b7591057da674dca44-4b20b201d0088e67-01",
          "id": "id-1",
          "source": "/t",
          "type": "a",
          "subject": "source/t",
          "time": "2026-01-01T00:00:00Z",
          "sessionid": "s-1"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&told(&event)).unwrap());
    let same = sent.replace(r#""source""#, r#""id":"x","source""#);
    assert_eq!(post(&same).unwrap()[0].sameness(), event.sameness());
    let with_time = sent.replace(r#""type""#, r#""time":"2026-01-01T00:00:00Z","type""#);
    assert_ne!(post(&with_time).unwrap()[0].sameness(), event.sameness());
}

#[test]
fn a_client_s_trace_is_kept() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let sent = format!(
        r#"{{"specversion":"1.0","source":"/t","type":"a","sessionid":"s","traceparent":"{parent}"}}"#
    );
    assert_eq!(told(&post(&sent).unwrap()[0])["traceparent"], parent);
    let without = r#"{"specversion":"1.0","source":"/t","type":"a"}"#;
    assert_eq!(told(&post(without).unwrap()[0]).get("traceparent"), None);
}

#[test]
fn null_attributes_are_absent_and_names_may_be_escaped() {
    check(
        r#"{"specversion":"1.0","\u0069d":"e","source":"/t","type":"a","subject":null,"time":null,"Odd":null,"data":null}"#,
        expect!["a /t e source/t -"],
    );
}

#[test]
fn binary_mode() {
    let post = |content_type: &str, extra: &[(&str, &[u8])], body: &[u8]| {
        let mut attributes: Vec<(&str, &[u8])> =
            vec![("ce-specversion", b"1.0"), ("ce-id", b"b%201"), ("CE-Source", b"/t"), ("ce-type", b"a")];
        attributes.extend_from_slice(extra);
        post_as(content_type, &attributes, body).map(|events| {
            let value = told(&events[0]);
            let members = ["id", "note", "hops", "datacontenttype", "data", "data_base64"];
            members.map(|name| value[name].to_string()).join(" ")
        })
    };
    let note: &[(&str, &[u8])] = &[("ce-note", b"\"caf%C3%A9 \\\"x\\\"\""), ("ce-hops", b"2")];
    expect![[r#""b 1" "café \"x\"" 2 null {"x":1} null"#]]
        .assert_eq(&post("application/json", note, b"{ \"x\": 1 }").unwrap());
    expect![[r#""b 1" null null "text/plain; charset=utf-8" "line\n" null"#]]
        .assert_eq(&post("text/plain; charset=utf-8", &[], b"line\n").unwrap());
    expect![[r#""b 1" null null "image/png" null "iVBO/w==""#]]
        .assert_eq(&post("image/png", &[], b"\x89PN\xff").unwrap());
    expect![[r#""b 1" null null null null null"#]].assert_eq(&post("application/json", &[], b"").unwrap());
    expect!["`ce-x` is not UTF-8: percent-encode it"]
        .assert_eq(&post("application/json", &[("ce-x", b"%ff")], b"").unwrap_err().detail);
    expect!["`ce-id` stands twice in the headers: send it once"]
        .assert_eq(&post("application/json", &[("ce-id", b"2")], b"").unwrap_err().detail);
}

#[test]
fn secrets_do_not_come_through_any_part() {
    let key = format!("sk-ant-api03-{}", "aB3xY9kQ7z".repeat(9));
    let bodies = [
        format!(r#"{{"specversion":"1.0","id":"{key}","source":"/t","type":"a","data":"{key}"}}"#),
        format!(r#"{{"event_type":"a","payload":{{"deep":["x {key}"],"{key}":1}}}}"#),
        format!(
            r#"{{"specversion":"1.0","source":"/t","type":"a","data_base64":"{}"}}"#,
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &key)
        ),
    ];
    for body in bodies {
        let event = post(&body).unwrap().remove(0);
        let stored = String::from_utf8_lossy(event.bytes()).into_owned();
        assert!(!stored.contains(&key) && !stored.contains(&key[20..40]), "{stored}");
    }
    let header: &[(&str, &[u8])] =
        &[("ce-id", b"1"), ("ce-source", b"/t"), ("ce-type", b"a"), ("ce-note", key.as_bytes())];
    for content_type in ["application/json", "text/plain", "application/octet-stream"] {
        let body = format!("\"{key}\"");
        let event = post_as(content_type, header, body.as_bytes()).unwrap().remove(0);
        let stored = told(&event);
        let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &body);
        assert!(!stored.to_string().contains(&key) && stored["data_base64"] != base64, "{stored}");
    }
}
