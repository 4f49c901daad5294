//! What can be measured. To add a bench, add one file and one line.

mod append;
mod dashboard;
mod fanout;
mod figures;
mod hook;
mod ids;
mod query;
mod react;
mod rewind;
mod sinks;
mod sse;
mod sustained;

use std::pin::Pin;

use anyhow::Result;

use crate::options::Options;
use crate::report::Section;

type Running<'a> = Pin<Box<dyn Future<Output = Result<Section>> + 'a>>;

pub struct Bench {
    pub name: &'static str,
    pub about: &'static str,
    /// Runs only when it is named.
    pub long: bool,
    pub run: for<'a> fn(&'a Options) -> Running<'a>,
}

pub const BENCHES: &[Bench] = &[
    Bench {
        name: "append",
        about: "acknowledged appends at four shapes, beside the raw disk, NATS, UmaDB and Redis",
        long: false,
        run: |options| Box::pin(append::run(options)),
    },
    Bench {
        name: "sustained",
        about: "60 s at 60,000 events/s: how far the view lags, what memory does",
        long: false,
        run: |options| Box::pin(sustained::run(options)),
    },
    Bench {
        name: "hook",
        about: "the whole process of `tacho hook`, beside /bin/true and a Python script",
        long: false,
        run: |options| Box::pin(hook::run(options)),
    },
    Bench {
        name: "sse",
        about: "from append to a subscriber's receipt at 1,000 events/s",
        long: false,
        run: |options| Box::pin(sse::run(options)),
    },
    Bench {
        name: "fanout",
        about: "200 events/s to 500 subscribers over SSE and WebSocket",
        long: false,
        run: |options| Box::pin(fanout::run(options)),
    },
    Bench {
        name: "sinks",
        about: "each kind of sink: a burst, and one event from append to delivered",
        long: false,
        run: |options| Box::pin(sinks::run(options)),
    },
    Bench {
        name: "figures",
        about: "what the key figures cost the fold, and their answers on 1,000,000 events",
        long: false,
        run: |options| Box::pin(figures::run(options)),
    },
    Bench {
        name: "dashboard",
        about: "the page in a browser over 100,000 events, and the server's memory meanwhile",
        long: false,
        run: |options| Box::pin(dashboard::run(options)),
    },
    Bench {
        name: "rewind",
        about: "a state at a random moment of 1,000,000 events, and two streams beside each other",
        long: false,
        run: |options| Box::pin(rewind::run(options)),
    },
    Bench {
        name: "react",
        about: "handlers: from append to Python, events/s, dead letters, beside a hook, Celery and NATS",
        long: false,
        run: |options| Box::pin(react::run(options)),
    },
    Bench {
        name: "query",
        about: "every filter on 5,000,000 events, then a restart on them",
        long: false,
        run: |options| Box::pin(query::run(options)),
    },
    Bench {
        name: "ids",
        about: "long: what an append costs as the log grows to 50,000,000 ids",
        long: true,
        run: |options| Box::pin(ids::run(options)),
    },
];
