//! Sinks with real peers: files that cannot be written, receivers that fail, a Redis that dies and comes back.
//! Handlers with real peers: processes that crash, hang and talk too much.

mod bench;
mod files;
mod handler_agent;
mod handler_emit;
mod handler_http;
mod handler_mcp;
mod handler_orphan;
mod handler_peer;
mod handler_process;
mod handler_warm;
mod http;
mod jsonl;
mod mail;
mod otlp;
mod receiver;
mod redis;
