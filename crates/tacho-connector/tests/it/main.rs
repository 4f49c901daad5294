//! Sinks with real peers: files that cannot be written, receivers that fail, a Redis that dies and comes back.

mod bench;
mod files;
mod http;
mod jsonl;
mod mail;
mod otlp;
mod receiver;
mod redis;
