//! Every door, from outside: a server in this process, a client on a socket.

mod append;
mod client;
mod control;
mod doors;
mod grpc;
mod handlers;
mod hooks;
mod live;
mod prometheus;
mod promtool;
mod query;
mod reactions;
mod reasons;
mod server;
mod stop;
mod telemetry;
