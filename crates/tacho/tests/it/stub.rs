//! A server that answers what a test lays out, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The control token that it is asked with.
pub const TOKEN: &str = "c0ffee";

pub struct Stub {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET /api/handlers`.
    pub line: String,
    /// In lower case, a header a line.
    pub head: String,
    pub body: String,
}

impl Stub {
    /// `answers` are the beginnings of request lines, a status and a body; each counts once but the last that fits.
    pub fn start(answers: &[(&str, u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let known = asked.clone();
        let mut answers: Vec<(String, u16, String)> =
            answers.iter().map(|(line, status, body)| ((*line).into(), *status, (*body).into())).collect();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = BufReader::new(connection.unwrap());
                if let Some(request) = read(&mut connection) {
                    let (status, body) = choose(&mut answers, &request.line);
                    known.lock().unwrap().push(request);
                    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n");
                    let length = body.len();
                    let answer = format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
                    connection.get_mut().write_all(answer.as_bytes()).unwrap();
                }
            }
        });
        Self { url, asked }
    }

    /// What was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn choose(answers: &mut Vec<(String, u16, String)>, line: &str) -> (u16, String) {
    let fits: Vec<usize> = (0..answers.len()).filter(|index| line.starts_with(&answers[*index].0)).collect();
    match fits.as_slice() {
        [] => (404, format!("{{\"code\":\"not_found\",\"detail\":\"nothing is at {line}\"}}")),
        [only] => (answers[*only].1, answers[*only].2.clone()),
        [first, ..] => {
            let (_, status, body) = answers.remove(*first);
            (status, body)
        }
    }
}

fn read(connection: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    if connection.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        connection.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(bytes) = header.strip_prefix("content-length: ") {
            length = bytes.parse().unwrap();
        }
        head.push_str(&header);
        head.push('\n');
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).ok()?;
    let line = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked { line, head, body: String::from_utf8(body).unwrap() })
}
