"""The history of issue-driven orchestrations: log what happens to an issue, and ask what it was like at any time.

Unlike the rest of this package these functions wait for the server and raise. In `asyncio` call them with
`asyncio.to_thread`. An event is the record of an audit trail here, `AuditEvent`; on the log it is a CloudEvent in the
stream `issue/<issue_key>`.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, TypedDict, cast
from urllib.parse import quote

from .control import control_headers
from .emitter import Emitter, get_emitter, surroundings
from .errors import InvalidEvent, NoAnswer
from .git import checkout
from .question import Parameters, Questions

#: Events of one request, and the most that one answer holds in memory.
PAGE_EVENTS = 1_000
EVENTS_MAX = 100_000
#: How far around a moment `time_travel_query` looks for events.
AROUND = "5m"
#: Formats of `generate_audit_trail`; each is the ending of its file, too.
AUDIT_FORMATS = ("json", "csv", "html", "pdf", "md")

_ACTOR_TYPES = ("user", "system", "agent")
_ACTOR_KEYS = frozenset({"type", "id", "model"})
_COUNTS_OF_STATUS = {"replayed_count": "success", "skipped_count": "skipped", "failed_count": "failed"}

#: The issue of the orchestration that this thread or coroutine started or resumed last.
_issue_at_work: ContextVar[str | None] = ContextVar("tachograph_issue", default=None)


class Actor(TypedDict, total=False):
    """Who did it: `type` and `id` are always there, `model` for an agent that has one."""

    type: str
    id: str
    model: str


class AuditEvent(TypedDict, total=False):
    """The record of an audit trail. What an event does not have is absent; `issue_key` and `session_id` are null."""

    event_id: str
    event_type: str
    event_version: str
    timestamp: str
    event_sequence: int
    issue_key: str | None
    session_id: str | None
    correlation_id: str
    causation_id: str
    actor: Actor
    metadata: Dict[str, Any]
    git_sha: str
    branch: str
    codebase_state: str


class StateSummary(TypedDict):
    current_phase: str | None
    active_agents: List[str]
    completed_phases: List[str]
    pending_tasks: int


class TimeTravel(TypedDict):
    #: RFC 3339, whatever words it was asked with.
    query_timestamp: str
    state: Dict[str, Any]
    surrounding_events: List[AuditEvent]
    state_summary: StateSummary


class _ReplayPlan(TypedDict):
    dry_run: bool
    replayed_count: int
    skipped_count: int
    failed_count: int
    #: Whether there are more events than the server looks at, 100,000: go on behind the last one.
    truncated: bool
    #: One for each event: `event_id`, `status` (`success`, `skipped`, `failed`), and `reason` where it was no success.
    #: Of an execution also `returned`, what handlers answered (`type`, `data`), and whether that was `as_before`.
    results: List[Dict[str, Any]]


class Replay(_ReplayPlan, total=False):
    """What follows the plan is there when the replay was executed."""

    replay_id: str
    #: Events that handlers were given by this replay before, and not again.
    repeated: int
    #: Handlers that were not done within the time.
    open: List[str]
    #: Whether all handlers were done, and none gave up.
    as_planned: bool
    #: Whether handlers answered as they had to the events themselves.
    as_before: bool


def log_event(
    event_type: str,
    metadata: Mapping[str, Any],
    actor: Mapping[str, str],
    *,
    issue_key: str | None = None,
    session_id: str | None = None,
    correlation_id: str | None = None,
    causation_id: str | None = None,
    time: float | datetime | None = None,
    emitter: Emitter | None = None,
) -> str:
    """Records an event of an orchestration and waits until it is on the log; answers its id.

    The issue is `issue_key`, else the metadata's, else that of the last `OrchestrationStarted` or
    `OrchestrationResumed` that this thread or coroutine logged; without any the event is in the stream of its session.
    The session is `session_id`, else `CLAUDE_CODE_SESSION_ID`, else one for the program. Commit and branch are those of
    the current folder. `actor` is `{"type": "user" | "system" | "agent", "id": …, "model"?: …}`.

    Raises `SchemaViolation` when the metadata does not fit the event's type, `InvalidEvent` when no server would take
    the event; nothing is recorded then. While no server answers, the event waits in the spool (`Emitter.append`).
    """
    emitter = emitter or get_emitter()
    if not isinstance(metadata, Mapping):
        raise InvalidEvent("the metadata must be a mapping")
    named_issue = issue_key or _text(metadata, "issue_key")
    issue = named_issue or _issue_at_work.get()
    around = surroundings.get() or {}
    session = session_id or around.get("sessionid") or emitter.settings.session
    work = checkout(Path.cwd())
    attributes = {
        **_actor(actor),
        "sessionid": session,
        "correlationid": correlation_id or _text(metadata, "correlation_id") or around.get("correlationid"),
        "causationid": causation_id or _text(metadata, "causation_id") or around.get("causationid"),
        "gitsha": work.commit,
        "branch": work.branch,
    }
    subject = f"issue/{issue}" if issue else f"session/{session}"
    at = time if time is not None else _now()
    identity = emitter.append(event_type, metadata, subject=subject, time=at, **attributes)
    if event_type in ("OrchestrationStarted", "OrchestrationResumed"):
        _issue_at_work.set(named_issue)
    return identity


def reconstruct_state(
    issue_key: str,
    at_timestamp: str | None = None,
    *,
    projection: str | None = None,
    emitter: Emitter | None = None,
) -> dict[str, Any]:
    """The state of an issue's orchestration, now or as it was.

    `at_timestamp` is RFC 3339, or words such as `14:00` (UTC), `yesterday`, `2h` ago. `projection` is another view than
    `orchestration`. Raises `RequestRefused` for an issue without events (`code` is `stream_not_found`).
    """
    with _questions(emitter) as questions:
        parameters = [("at", at_timestamp), ("projection", projection)]
        answer = questions.get_object(_of_issue("/api/state", issue_key), parameters)
    return cast(Dict[str, Any], answer["state"])


def time_travel_query(issue_key: str, query_timestamp: str, *, emitter: Emitter | None = None) -> TimeTravel:
    """The state at a moment, a summary of it, and the events from five minutes before to five minutes behind.

    Takes moments and raises as `reconstruct_state` does.
    """
    with _questions(emitter) as questions:
        parameters = [("at", query_timestamp), ("around", AROUND)]
        answer = questions.get_object(_of_issue("/api/state", issue_key), parameters)
    return {
        "query_timestamp": answer["query_timestamp"],
        "state": answer["state"],
        "surrounding_events": [_audit_event(event) for event in answer["surrounding_events"]],
        "state_summary": answer["state_summary"],
    }


def replay_events(
    issue_key: str,
    from_sequence: int = 0,
    to_sequence: int | None = None,
    event_filter: Callable[[AuditEvent], bool] | None = None,
    dry_run: bool = True,
    *,
    reason: str | None = None,
    wait_seconds: int = 30,
    replay_id: str | None = None,
    emitter: Emitter | None = None,
) -> Replay:
    """What a replay of an issue's events would do with each of them; with `dry_run=False` it is done.

    Both sequences are included. `event_filter` is asked for every event: what it answers False for is left out.

    A replay that is executed gives the events to the handlers again, waits for these up to `wait_seconds` (at most
    600), and compares their answers with the former ones. `reason` goes on the log. `replay_id` names the replay, else
    its events do: the same name does nothing twice, so give a new one to do it anew.

    To execute takes the control token: `TACHO_CONTROL_TOKEN`, else that in the data folder of a server on this machine
    (`TACHO_DATA`, else `./.tacho`). Raises `NoControlToken` where there is none, `RequestRefused` for a wrong one
    (`code` is `control_token`).
    """
    path = _of_issue("/api/replay", issue_key)
    span: Parameters = [("from", from_sequence if from_sequence > 0 else None), ("to", to_sequence)]
    emitter = emitter or get_emitter()
    if dry_run:
        with emitter.questions() as questions:
            return _replay_plan(questions, issue_key, span, event_filter)
    headers = control_headers(emitter.settings)
    named: Dict[str, Any] = {"reason": reason, "wait_seconds": wait_seconds, "id": replay_id}
    order = {name: value for name, value in named.items() if value is not None}
    with emitter.questions(wait_seconds) as questions:
        if event_filter is not None:
            plan = _replay_plan(questions, issue_key, span, event_filter)
            order["sequences"] = [result["sequence"] for result in plan["results"]]
        return cast(Replay, questions.post_object(path, span, order, headers))


def _replay_plan(
    questions: Questions, issue_key: str, span: Parameters, event_filter: Callable[[AuditEvent], bool] | None
) -> Replay:
    plan = cast(Replay, questions.get_object(_of_issue("/api/replay", issue_key), span))
    if event_filter is None:
        return plan
    events = _query(questions, [("stream", f"issue/{issue_key}")], None)
    chosen = {(event["event_sequence"], event["event_id"]) for event in events if event_filter(event)}
    results = [result for result in plan["results"] if (result["sequence"], result["event_id"]) in chosen]
    statuses = [result["status"] for result in results]
    counts = {name: statuses.count(status) for name, status in _COUNTS_OF_STATUS.items()}
    return cast(Replay, {**plan, **counts, "results": results})


def query_events(
    issue_key: str | None = None,
    from_date: str | None = None,
    to_date: str | None = None,
    event_types: Sequence[str] | None = None,
    phase: str | None = None,
    agent: str | None = None,
    search: str | None = None,
    *,
    event_id: str | None = None,
    session_id: str | None = None,
    correlation_id: str | None = None,
    where: str | None = None,
    limit: int | None = None,
    emitter: Emitter | None = None,
) -> list[AuditEvent]:
    """The events that fit all that is given, oldest first; without `issue_key` those of every stream.

    `from_date` is included, `to_date` is not; both are moments as `reconstruct_state` takes them, a date is its
    midnight. `event_types` may hold `*`. `agent` is the actor's id, `search` words that all occur, `where` a condition
    in jq. Raises `NoAnswer` when more than `EVENTS_MAX` fit and no `limit` was given.
    """
    types = [event_types] if isinstance(event_types, str) else event_types or []
    filters = [
        ("stream", f"issue/{issue_key}" if issue_key else None),
        *(("type", kind) for kind in types),
        ("since", from_date),
        ("until", to_date),
        ("phase", phase),
        ("agent", agent),
        ("search", search),
        ("id", event_id),
        ("session", session_id),
        ("correlation", correlation_id),
        ("where", where),
    ]
    with _questions(emitter) as questions:
        return _query(questions, filters, limit)


def generate_audit_trail(
    issue_key: str | None = None,
    from_date: str | None = None,
    to_date: str | None = None,
    event_types: Sequence[str] | None = None,
    format: str = "json",
    *,
    output: str | None = None,
    emitter: Emitter | None = None,
) -> str:
    """Writes the audit report of one issue or of all; answers its path.

    `format` is one of `AUDIT_FORMATS`; the filters are those of `query_events`. Without `output` the file is
    `audit-<date>-<time>.<format>` in the current folder. Raises `NotOffered` when the server makes no reports.
    """
    if format not in AUDIT_FORMATS:
        raise ValueError(f"the format {format!r} is unknown: use {', '.join(AUDIT_FORMATS)}")
    types = [event_types] if isinstance(event_types, str) else event_types or []
    parameters = [
        ("format", format),
        ("stream", f"issue/{issue_key}" if issue_key else None),
        *(("type", kind) for kind in types),
        ("since", from_date),
        ("until", to_date),
    ]
    with _questions(emitter) as questions:
        report = questions.get("/api/audit", parameters)
    path = Path(output or f"audit-{clock.strftime('%Y%m%d-%H%M%S')}.{format}").absolute()
    path.write_bytes(report)
    return str(path)


def _questions(emitter: Emitter | None) -> Questions:
    return (emitter or get_emitter()).questions()


def _of_issue(path: str, issue_key: str) -> str:
    if not issue_key:
        raise ValueError("the issue key is empty: name an issue such as PROJ-123")
    return f"{path}/issue/{quote(issue_key, safe='')}"


def _query(
    questions: Questions, filters: Sequence[tuple[str, str | int | None]], limit: int | None
) -> list[AuditEvent]:
    """Follows the cursors until `limit` or the end."""
    most = EVENTS_MAX if limit is None else limit
    found: list[AuditEvent] = []
    cursor: str | None = None
    while len(found) < most:
        size = min(PAGE_EVENTS, most - len(found))
        page = questions.get_object("/api/events", [*filters, ("format", "base"), ("limit", size), ("cursor", cursor)])
        found += page["events"]
        cursor = page["next"]
        if cursor is None:
            return found
    if limit is None:
        raise NoAnswer(f"more than {EVENTS_MAX} events fit: ask for a narrower time, or give a limit")
    return found


def _now() -> datetime:
    """To the millisecond, as a record's `timestamp` has it: so the state at an event's timestamp includes the event."""
    now = datetime.now(timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _actor(actor: Mapping[str, str]) -> dict[str, str]:
    """The attributes of the envelope, so that a wrong actor is told before anything is sent."""
    if not isinstance(actor, Mapping) or actor.get("type") not in _ACTOR_TYPES or not _text(actor, "id"):
        raise InvalidEvent(f"the actor must have a `type` ({', '.join(_ACTOR_TYPES)}) and an `id` that is not empty")
    unknown = sorted(set(actor) - _ACTOR_KEYS)
    if unknown:
        raise InvalidEvent(f"`actor.{unknown[0]}` is unknown: put it into the metadata")
    return {f"actor{key}": value for key, value in actor.items() if value is not None}


def _text(mapping: Mapping[str, Any], key: str) -> str | None:
    value = mapping.get(key)
    return value if isinstance(value, str) and value else None


def _audit_event(event: Mapping[str, Any]) -> AuditEvent:
    """A CloudEvent as the server's `format=base` has it."""
    kind, data = event["type"], event.get("data")
    version = str(event.get("dataschema", "")).removeprefix(f"urn:tacho:schema:{kind}:")
    whole, _, fraction = event["time"].removesuffix("Z").partition(".")
    category, _, key = event["subject"].partition("/")
    issue = event.get("issuekey") or (key if category == "issue" else None)
    actor: Actor = {"type": event.get("actortype", "system"), "id": event.get("actorid", event["source"])}
    if "actormodel" in event:
        actor["model"] = event["actormodel"]
    if data is None and "data" not in event:
        data = {"data_base64": event["data_base64"]} if "data_base64" in event else {}
    record: AuditEvent = {
        "event_id": event["id"],
        "event_type": kind,
        "event_version": version if version and ":" not in version else "1.0.0",
        "timestamp": f"{whole}.{fraction[:3]:0<3}Z",
        "event_sequence": int(event["sequence"]),
        "issue_key": issue or (data.get("issue_key") if isinstance(data, dict) else None),
        "session_id": event.get("sessionid"),
        "actor": actor,
        "metadata": cast(Dict[str, Any], data),
    }
    optional = {
        "correlation_id": "correlationid",
        "causation_id": "causationid",
        "git_sha": "gitsha",
        "branch": "branch",
        "codebase_state": "codebasestate",
    }
    return cast(AuditEvent, {**record, **{ours: event[its] for ours, its in optional.items() if its in event}})
