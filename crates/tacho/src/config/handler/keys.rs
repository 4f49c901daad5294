//! The keys of `[[handler]]`, once: what is read, refused and written into the reference page follows from this list.

/// A key, and what it does. One with a dot is a key of the table before the dot.
pub const KEYS: &[(&str, &str)] = &[
    (
        "name",
        "Names its cursor on the log, its events and its dead letters, so it must not change: small letters, digits, `.`, `_`, `-`.",
    ),
    (
        "on",
        "What it gets: a pattern of types, a list of them, or a table of conditions such as `{ type = \"claude.*\", stream = \"session/*\", where = \".data.cost_usd > 1\" }`. Types `tacho.*` only when named so.",
    ),
    (
        "from",
        "Where it begins when it was never there: `now`, `start`, or the position behind which. Default `now`.",
    ),
    (
        "order",
        "Within what events are handled in the order of the log, one at a time: `stream` (the default), an attribute, or a jq program such as `.data.tenant`. `none`: in any order.",
    ),
    ("concurrency", "Most deliveries at once. Default 1."),
    ("workers", "Workers that are kept ready though nothing waits, at most `concurrency`. Default 0."),
    (
        "per_key.key",
        "An attribute, or a jq program: of events with the same answer only so many are handled at once.",
    ),
    ("per_key.limit", "How many."),
    ("batch.events", "Most events of a delivery. Default 1."),
    ("batch.bytes", "Most bytes of a delivery; one event always fits. Default 1 MiB."),
    ("batch.window", "How long an event waits for others. Default 0."),
    ("batch.by", "An attribute, or a jq program: only events with the same answer go together."),
    ("timeout", "How long an attempt may take. Default `\"30s\"`."),
    ("retry.attempts", "Attempts of an event, the first one counted; then it is a dead letter. Default 5."),
    ("retry.backoff", "How pauses grow: `fixed`, `linear` or `exponential` (the default)."),
    ("retry.first", "The pause behind the first failure. Default `\"200ms\"`."),
    ("retry.max", "The longest pause. Default `\"30s\"`."),
    ("retry.jitter", "By which part of itself a pause may be longer or shorter, 0 to 1. Default 0.2."),
    (
        "breaker.failures",
        "Failures in a row that open the breaker; without a `breaker` there is none. Default 5.",
    ),
    ("breaker.open", "How long nothing is delivered then. Default `\"30s\"`."),
    ("breaker.probes", "Successes in a row that close it again. Default 1."),
    (
        "dedupe.by",
        "What makes events the same: `id` (the default), or `content`, type and payload. The first is handled, the others are skipped.",
    ),
    ("dedupe.key", "In the place of `by`: an attribute, or a jq program."),
    ("dedupe.window", "How long the first one counts, by the time at which it was recorded."),
    ("rate.events", "Most events in a time; the others wait."),
    ("rate.per", "The time. Default `\"1s\"`."),
    (
        "priority",
        "Whose turn comes first, of events that name none: `critical`, `high`, `normal` (the default), `low`.",
    ),
    (
        "waiting",
        "Most events that are read and wait; behind them the log waits for the handler. Default 10000.",
    ),
    ("capabilities", "What it can do, in words of your own: who needs one of them may be sent to it."),
    ("version", "Its version, such as `\"1.2.0\"`."),
    (
        "run.command",
        "The program and its arguments, as a list. No shell reads it; events come on standard input.",
    ),
    (
        "run.mode",
        "`process` (the default): one process a delivery. `warm`: one that stays and answers. `agent`: an agent's command line that stays.",
    ),
    ("run.directory", "The folder in which it runs; the server's without it."),
    (
        "run.environment",
        "Names of variables that it gets from the server's environment, beside PATH, HOME, LANG, LC_ALL, TZ, TMPDIR, USER and SHELL.",
    ),
    ("run.variables", "Variables that it gets as they stand here: names and values. No place for a secret."),
    ("run.output", "Most bytes that it may answer. Default 4 MiB."),
    ("run.memory", "Most address space that it may have; not bounded without it."),
    ("run.recycle.events", "A process that stays ends after so many events, and another one begins."),
    ("run.recycle.age", "The same, by its age."),
    ("run.recycle.memory", "The same, by the memory that it holds."),
    (
        "run.health",
        "How often a process that stays and has nothing to do is asked whether it is well. Default `\"10s\"`.",
    ),
    ("run.prompt", "`agent`: what stands before the event in what the agent is told."),
    ("run.returns", "`agent`: the type of the event that it answers. Default `agent.answered`."),
    (
        "run.session",
        "`agent`: `worker` (the default), one conversation for all events, or `stream`, one for each stream.",
    ),
    ("run.url", "Gets events by POST; or, with `tool`, the MCP server that has the tool."),
    ("run.secret_env", "The environment variable that holds the secret with which requests are signed."),
    ("run.secret_file", "The file whose first line is that secret."),
    ("run.mcp", "An MCP server on standard input and output: the program and its arguments, as a list."),
    ("run.tool", "The tool of the MCP server that is called."),
    ("run.arguments", "A jq program that makes the tool's arguments of the event. Default `.data`."),
    ("run.emit.type", "Starts nothing: the type of the event that follows from each event."),
    ("run.emit.subject", "A jq program for its stream. Default: the stream of the event."),
    ("run.emit.data", "A jq program for its payload. Default `.data`."),
    (
        "run.capability",
        "Gives events to who has this capability: a handler, or the tool of this name of an `[[mcp]]` server; by health, then the highest version, then load.",
    ),
    (
        "run.split",
        "With `capability`: which part of the events each version gets, such as `{ \"1.2.0\" = 90, \"2.0.0\" = 10 }`. A version that is not well gives its part to the others.",
    ),
];
