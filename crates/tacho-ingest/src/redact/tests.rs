use super::*;
use proptest::prelude::*;

/// A secret for each rule, made so that no scanner of sources takes it for a real one.
fn planted() -> Vec<(&'static str, String)> {
    let digits = "aB3xY9kQ7z".repeat(5);
    vec![
        ("anthropic_key", format!("sk-ant-api03-{digits}AA")),
        ("openai_key", format!("sk-{digits}")),
        ("openai_key", format!("sk-proj-{digits}")),
        ("github_token", format!("ghp_{digits}")),
        ("github_token", format!("github_pat_{digits}")),
        ("gitlab_token", format!("glpat-{}", &digits[..20])),
        ("aws_key_id", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("google_key", format!("AIza{}", &digits[..35])),
        ("slack_token", format!("xoxb-123456789012-{}", &digits[..24])),
        ("stripe_key", format!("sk_live_{}", &digits[..24])),
        ("npm_token", format!("npm_{}", &digits[..36])),
        ("pypi_token", format!("pypi-{digits}")),
        ("huggingface_token", format!("hf_{}", &digits[..34])),
        ("jwt", format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", &digits[..43])),
        (
            "private_key",
            format!(
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE{digits}\n{digits}==\n-----END RSA PRIVATE KEY-----"
            ),
        ),
    ]
}

/// Secrets that are known by what stands before them: the text, and the part that must go.
fn planted_in_context() -> Vec<(&'static str, String, String)> {
    let secret = "hunter2Zq9".to_owned();
    let context =
        |rule, before: &str, after: &str| (rule, format!("{before}{secret}{after}"), secret.clone());
    vec![
        context("slack_webhook", "https://hooks.slack.com/services/T000/B000/", ""),
        context("connection_string", "postgres://app:", "@db.example:5432/x"),
        context("connection_string", "redis://:", "@localhost"),
        context("bearer_token", "bearer ", ""),
        context("assignment", "Authorization: Bearer ", ""),
        context("assignment", "authorization: Basic ", ""),
        context("assignment", "password=", " next"),
        context("assignment", "PASSWORD: ", ""),
        context("assignment", "{\"dbPassword\": \"", "\"}"),
        context("assignment", "{\\\"api_key\\\": \\\"", "\\\"}"),
        context("assignment", "export CLAUDE_CODE_MESSAGING_TOKEN=", ""),
        context("assignment", "aws_secret_access_key = ", ""),
        context("assignment", "https://x.example/?a=1&token=", "&b=2"),
        context("assignment", "Cookie: session=", "; other=1"),
        context("assignment", "client_secret: '", "'"),
    ]
}

fn check(text: &str) -> String {
    Redactor::builtin().redact_text(text).into_owned()
}

#[test]
fn every_rule_is_documented_and_finds_its_secret() {
    let redactor = Redactor::builtin();
    let mut covered: Vec<&str> = Vec::new();
    for (rule, secret) in planted() {
        let told = redactor.redact_text(&format!("before {secret} after")).into_owned();
        assert_eq!(told, format!("before [redacted:{rule}] after"));
        covered.push(rule);
    }
    for (rule, text, secret) in planted_in_context() {
        let told = redactor.redact_text(&text);
        assert!(told.contains("[redacted:") && !told.contains(&secret), "{text} → {told}");
        covered.push(rule);
    }
    for rule in RULES {
        assert!(covered.contains(&rule.name), "{} has no test", rule.name);
        assert!(
            rule.triggers.iter().all(|trigger| trigger.len() >= 3 && !trigger.contains(char::is_uppercase))
        );
    }
}

#[test]
fn prose_and_code_are_left_alone() {
    for text in [
        "task-list-of-things-to-do-before-the-release",
        "the sk-loading-indicator-of-the-page is slow",
        "Asia and AKIA are words; so is pypi-publish",
        "a bearer of bad news",
        "the token: a short word",
        "password: string",
        "fn new(token: &str, secret: String) -> Self",
        "let password = read_password(prompt)?;",
        "if password == expected { }",
        "token = os.environ[\"TOKEN\"]",
        "export TOKEN=$OTHER; TOKEN=${OTHER}; PASSWORD=<your password>",
        "connect(password=self.password, token=config.api_token, secret=client_secret)",
        "input_tokens=1200 max_tokens: 4096 MAX_TOKENS=64000",
        "https://example.com/a:b@c and http://localhost:3010/x",
        "mailto://someone@example.com",
        "Authorization: required",
        "eyJust a word",
        "-----BEGIN CERTIFICATE-----",
    ] {
        assert_eq!(check(text), text);
    }
}

#[test]
fn json_by_key() {
    let told = |json: &str| {
        String::from_utf8(Redactor::builtin().redact_json(json.as_bytes()).into_owned()).unwrap()
    };
    assert_eq!(
        told(r#"{"password":"x","n":1,"token":{"a":["b",7,{"c":""}],"d":null},"input_tokens":5,"z":"t"}"#),
        r#"{"password":"[redacted:password]","n":1,"token":{"a":["[redacted:token]",7,{"c":""}],"d":null},"input_tokens":5,"z":"t"}"#
    );
    assert_eq!(
        told(r#"{"a":{"Set-Cookie":["s=1"]},"b":"c"}"#),
        r#"{"a":{"Set-Cookie":["[redacted:cookie]"]},"b":"c"}"#
    );
    assert_eq!(told(r#"{"pass\u0077ord":"x"}"#), r#"{"pass\u0077ord":"[redacted:password]"}"#);
    assert_eq!(told(r#"{"token_budget":{"total":"12"}}"#), r#"{"token_budget":{"total":"12"}}"#);
    assert_eq!(told(r#"["token","secret"]"#), r#"["token","secret"]"#);
}

#[test]
fn json_by_form_and_through_escapes() {
    let told = |json: &str| {
        String::from_utf8(Redactor::builtin().redact_json(json.as_bytes()).into_owned()).unwrap()
    };
    let key = &planted()[0].1;
    assert_eq!(told(&format!(r#"{{"a":"x {key} y"}}"#)), r#"{"a":"x [redacted:anthropic_key] y"}"#);
    let escaped = key.replacen('s', "\\u0073", 1);
    assert_eq!(told(&format!(r#"{{"a":"x {escaped} y\n"}}"#)), r#"{"a":"x [redacted:anthropic_key] y\n"}"#);
    assert_eq!(
        told(r#"{"a":"postgres:\/\/u:hunter2@h\/x"}"#),
        r#"{"a":"postgres://u:[redacted:connection_string]@h/x"}"#
    );
    assert_eq!(told(r#"{"a":"caf\u00e9 \/ plain"}"#), r#"{"a":"caf\u00e9 \/ plain"}"#);
    let pem = &planted().pop().unwrap().1.replace('\n', "\\n");
    assert_eq!(told(&format!(r#"["{pem}"]"#)), r#"["[redacted:private_key]"]"#);
    assert_eq!(told(&format!(r#"{{"{key}":1}}"#)), r#"{"[redacted:anthropic_key]":1}"#);
}

#[test]
fn rules_and_names_of_the_configuration() {
    let redactor = Redactor::with_rules([("badge", "B-[0-9]{4}")]).unwrap().with_keys(["pin_code"]);
    let told = redactor.redact_json(br#"{"a":"my B-1234","pinCode":"77","pin":"77"}"#).into_owned();
    assert_eq!(
        String::from_utf8(told).unwrap(),
        r#"{"a":"my [redacted:badge]","pinCode":"[redacted:key]","pin":"77"}"#
    );
    assert!(matches!(Redactor::with_rules([("x", "(")]), Err(RedactorError::Pattern { .. })));
    assert!(matches!(Redactor::with_rules([("x", "a*")]), Err(RedactorError::Empty(_))));
    assert!(matches!(Redactor::with_rules([("X!", "a")]), Err(RedactorError::Name(_))));
}

/// A text that repeats a trigger takes time in proportion to its length: a square of it would be hours.
#[test]
fn what_is_repeated_costs_no_square() {
    let redactor = Redactor::builtin();
    for trigger in RULES.iter().flat_map(|rule| rule.triggers) {
        for (prefix, filler) in
            [("", ""), ("-", ""), (" ", "=a"), ("", ": bearer "), ("-----BEGIN PRIVATE KEY ", "")]
        {
            let part = format!("{prefix}{trigger}{filler}");
            let cased = part.replace("eyj", "eyJ").replace("aiza", "AIza");
            redactor.redact_text(&cased.repeat(60_000 / cased.len()));
        }
    }
}

/// Every second character written as a `\u` escape.
fn escaped(text: &str) -> String {
    text.chars()
        .enumerate()
        .map(|(index, character)| {
            let plain = index % 2 == 0
                && character.is_ascii()
                && !character.is_control()
                && !"\"\\".contains(character);
            if plain { character.to_string() } else { format!("\\u{:04x}", character as u32) }
        })
        .collect()
}

proptest! {
    #[test]
    fn no_planted_secret_survives(which in 0usize..15, before in "[ a-z.,:;(\n\"{é]{0,12}", after in "[ .,;)\n\"}é]{0,12}", hidden: bool) {
        let (_, secret) = planted().swap_remove(which);
        let text = format!("{before} {secret} {after}");
        let redactor = Redactor::builtin();
        prop_assert!(!redactor.redact_text(&text).contains(&secret));
        let mut document = b"{\"k\":".to_vec();
        if hidden {
            document.extend_from_slice(format!("\"{}\"", escaped(&text)).as_bytes());
        } else {
            tacho_event::json::write_string(&text, &mut document);
        }
        document.push(b'}');
        let clean = redactor.redact_json(&document);
        let value: serde_json::Value = serde_json::from_slice(&clean).unwrap();
        prop_assert!(!value["k"].as_str().unwrap().contains(&secret));
    }

    #[test]
    fn twice_is_once(parts in prop::collection::vec((0usize..30, "[ -~é\n]{0,8}"), 0..5)) {
        let mut text = String::new();
        for (which, filler) in parts {
            text.push_str(&filler);
            match planted().get(which) {
                Some((_, secret)) => text.push_str(secret),
                None => text.push_str(&planted_in_context()[which % 15].1),
            }
        }
        let redactor = Redactor::builtin();
        let once = redactor.redact_text(&text).into_owned();
        prop_assert_eq!(redactor.redact_text(&once), once.as_str());
        let mut document = Vec::new();
        tacho_event::json::write_string(&text, &mut document);
        let once = redactor.redact_json(&document).into_owned();
        prop_assert!(serde_json::from_slice::<String>(&once).is_ok());
        prop_assert_eq!(redactor.redact_json(&once).into_owned(), once);
    }
}
