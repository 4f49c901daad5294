use crate::bench::Bench;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use tacho_connector::{Secret, Settings, SettingsError, find};

/// A mail server that answers to each mail as it is told, then takes every one.
struct MailServer {
    url: String,
    mails: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    fn start(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp+plain://{}", listener.local_addr().unwrap());
        let mails: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, answers) = (mails.clone(), Mutex::new(VecDeque::from(answers.to_vec())));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = converse(&stream, &answers, &kept);
            }
        });
        Self { url, mails }
    }

    fn settings(&self) -> Settings {
        Settings {
            url: Some(self.url.clone()),
            from: Some("Tachograph <tacho@example.com>".into()),
            to: Some("a@example.com, b@example.com".into()),
            ..Settings::default()
        }
    }

    fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

/// One connection: what RFC 5321 needs of a receiver.
fn converse(
    mut stream: &TcpStream,
    answers: &Mutex<VecDeque<&'static str>>,
    kept: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    stream.write_all(b"220 here\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-here\r\n250 AUTH PLAIN",
            "AUTH" => "535 5.7.8 not you",
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let mut mail = String::new();
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    mail.push_str(&line);
                    mail.push('\n');
                }
                let answer = answers.lock().unwrap().pop_front();
                if answer.is_none() {
                    kept.lock().unwrap().push(mail);
                }
                answer.unwrap_or("250 taken")
            }
            _ => "250 fine",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}

#[test]
fn an_alert_is_a_mail_and_a_server_that_is_busy_gets_it_again() {
    let bench = Bench::new();
    let server = MailServer::start(&["451 busy"]);
    bench.start("mail", server.settings(), |_| {});
    bench.append("demo.alert", 0, 1, "{\"message\":\"a feature costs\\r\\nmore\",\"current_value\":1.25}");
    bench.until("it is delivered", |status| status.done == 1);
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    for part in [
        "From: Tachograph <tacho@example.com>\n",
        "To: a@example.com, b@example.com\n",
        "Subject: [tacho] a feature costs  more\n",
        "demo.alert\n",
        "\"current_value\": 1.25",
    ] {
        assert!(mail.contains(part), "{part:?} is missing in {mail}");
    }
    assert!(mail.contains("@tachograph>\n"));
    bench.engine.close().unwrap();
}

#[test]
fn what_comes_together_is_one_mail() {
    let bench = Bench::new();
    let server = MailServer::start(&[]);
    bench.append("demo.a", 0, 3, "{}");
    bench.start("mail", server.settings(), |_| {});
    bench.until("it is delivered", |status| status.done == 3);
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("Subject: [tacho] demo.a in task/x (and 2 more)\n"), "{}", mails[0]);
    bench.engine.close().unwrap();
}

#[test]
fn a_refused_mail_is_a_dead_letter_and_a_refused_login_is_tried_again() {
    let bench = Bench::new();
    let server = MailServer::start(&["550 no such user"]);
    bench.start("mail", server.settings(), |_| {});
    bench.append("demo.a", 0, 1, "{}");
    let status = bench.until("it is refused", |status| status.dead == 1);
    assert_eq!(status.pending, 0);
    bench.engine.close().unwrap();

    let bench = Bench::new();
    let settings = Settings {
        user: Some("me".into()),
        secret: Some(Secret::new("hunter2")),
        ..MailServer::start(&[]).settings()
    };
    bench.start("mail", settings, |_| {});
    bench.append("demo.a", 0, 1, "{}");
    let status = bench.until("the login fails", |status| status.attempt >= 3);
    assert_eq!((status.dead, status.pending), (0, 1));
    let error = status.last_error.unwrap();
    assert!(error.contains("smtp_535") && !error.contains("hunter2"), "{error}");
    bench.engine.close().unwrap();
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let kind = find("mail").unwrap();
    let good = MailServer::start(&[]).settings();
    let refused = |change: &dyn Fn(&mut Settings), has_secret| {
        let mut settings = good.clone();
        change(&mut settings);
        (kind.check)(&settings, has_secret).unwrap_err()
    };
    assert_eq!((kind.check)(&good, false), Ok(()));
    assert_eq!(refused(&|it| it.to = None, false), SettingsError::Missing("to"));
    for (change, has_secret, said) in [
        ((|it| it.to = Some("nobody".into())) as fn(&mut Settings), false, "`to`"),
        (|it| it.user = Some("me".into()), false, "password"),
        (|_| {}, true, "password"),
        (|it| it.url = Some("smtp://me:hunter2@example.com".into()), false, "secret_env"),
        (|it| it.url = Some("http://example.com".into()), false, "smtps://"),
    ] {
        let error = refused(&change, has_secret).to_string();
        assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
    }
}
