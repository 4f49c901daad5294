//! A server in this process, on a port of its own, over a fresh folder.

use crate::client::{self, Answer, Events};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tacho_engine::{Engine, SystemClock};
use tacho_server::Listeners;
use tempfile::TempDir;
use tokio::sync::oneshot;

pub struct Server {
    pub address: SocketAddr,
    /// OTLP over gRPC.
    pub grpc: SocketAddr,
    pub engine: Engine,
    folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), tacho_server::ServerError>>>,
}

/// What a test changes.
#[derive(Default)]
pub struct Setup {
    pub engine: Option<fn(&mut tacho_engine::Config)>,
    pub server: Option<fn(&mut tacho_server::Config)>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(Setup::default(), TempDir::new().unwrap())
    }

    pub fn start_with(setup: Setup, folder: TempDir) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let otlp_grpc = TcpListener::bind("127.0.0.1:0").unwrap();
        let grpc = otlp_grpc.local_addr().unwrap();
        let listeners = Listeners { http: vec![listener], otlp_grpc: Some(otlp_grpc) };
        let mut config = tacho_server::Config {
            hook_socket: Some(socket_of(folder.path())),
            ..tacho_server::Config::default()
        };
        if let Some(change) = setup.server {
            change(&mut config);
        }
        let mut engine_config = tacho_engine::Config::new(folder.path());
        if let Some(change) = setup.engine {
            change(&mut engine_config);
        }
        let engine = Engine::open(engine_config, SystemClock).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, is_started) = mpsc::channel();
        let serving = engine.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let result = runtime.unwrap().block_on(async {
                started.send(()).unwrap();
                let shutdown = async { drop(stopped.await) };
                tacho_server::run(listeners, serving.clone(), config, shutdown).await
            });
            serving.close().unwrap();
            result
        });
        is_started.recv().unwrap();
        Self { address, grpc, engine, folder, stop: Some(stop), thread: Some(thread) }
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    pub fn socket(&self) -> PathBuf {
        socket_of(self.data())
    }

    /// Stops it as a signal would; the folder stays.
    pub fn stop(mut self) -> TempDir {
        self.end();
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = client::connect(self.address);
        // A refused request may not be read to its end; the answer is there all the same.
        let _ = client::write_request(&mut stream, method, path, headers, body);
        client::read_answer(stream)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, body, &[])
    }

    pub fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend_from_slice(headers);
        self.request("POST", path, &all, body.to_string().as_bytes())
    }

    /// Appends `count` events of a type to a stream; answers the position of the last one.
    pub fn append(&self, kind: &str, stream: &str, count: usize) -> u64 {
        let events: Vec<Value> = (0..count)
            .map(|n| json!({"specversion": "1.0", "source": "/t", "type": kind, "subject": stream, "id": self.engine.new_id(), "data": {"n": n}}))
            .collect();
        let answer = self.post("/api/events", &Value::from(events));
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["appended"][count - 1]["position"].as_u64().unwrap()
    }

    pub fn events(&self, path: &str) -> Events {
        Events::open(self.address, path, &[])
    }

    /// The types of the events that a query finds.
    pub fn types(&self, path: &str) -> Vec<String> {
        let page = self.get(path).json();
        let events = page["events"].as_array().unwrap_or_else(|| panic!("{page}"));
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

fn socket_of(data: &Path) -> PathBuf {
    tacho_engine::socket::socket_path(data, None).unwrap()
}
