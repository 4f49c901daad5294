"""Key figures: read from the server, or counted in this process by the same definitions."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Dict

#: Events that the process remembers for its own figures.
REMEMBERED_EVENTS_MAX = 10_000
#: A recorded decision and the completion that tells the same are no further apart, in seconds.
SAME_DECISION_SECONDS = 60.0


class Metrics(Dict[str, Any]):
    """The keys of `GET /api/metrics`; a figure without data is NaN.

    `time_to_completion`, a name of the predecessor, reads `time_to_completion_seconds`.
    """

    def __missing__(self, key: str) -> Any:
        if key == "time_to_completion":
            return self["time_to_completion_seconds"]
        raise KeyError(key)


_KINDS = frozenset(
    {
        "task_queued",
        "agent_started",
        "agent_completed",
        "tool_completed",
        "validation_complete",
        "critic_decision",
    }
)
_COUNTS = frozenset({"count", "position"})
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def window_seconds(window: str) -> float:
    """`90s`, `30m`, `1h`, `7d`, `2w` in seconds. Raises `ValueError` for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", window.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"the window {window!r} is no time span: write 90s, 30m, 1h, 7d")
    return float(match[1]) * _UNITS[match[2]]


def as_figures(value: Any, key: str = "") -> Any:
    """NaN for null, so that `f"{figure:.2%}"` works with and without data; a whole figure is a float all the same."""
    if value is None:
        return math.nan
    if isinstance(value, dict):
        return {name: as_figures(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [as_figures(member) for member in value]
    is_figure = isinstance(value, int) and not isinstance(value, bool) and key not in _COUNTS
    return float(value) if is_figure else value


@dataclass
class _Task:
    feature: str | None = None
    queued_at: float | None = None
    completions: list[tuple[float, str]] = field(default_factory=list)
    passed_at: float | None = None
    cost: float = 0.0

    def completed_at(self) -> float | None:
        """The first passed validation, else the last success."""
        if self.passed_at is not None:
            return self.passed_at
        return max((at for at, status in self.completions if status == "success"), default=None)

    def retries(self) -> int:
        """Failed and rejected completions before the task was complete."""
        end = self.completed_at() or 0.0
        return sum(1 for at, status in self.completions if status in ("failed", "rejected") and at < end)


@dataclass(frozen=True)
class _Verdict:
    at: float
    rejected: bool
    task: str

    def is_told_by(self, other: _Verdict) -> bool:
        """Whether a completion says what a recorded decision says."""
        tasks_agree = not self.task or not other.task or self.task == other.task
        return self.rejected == other.rejected and tasks_agree and abs(self.at - other.at) <= SAME_DECISION_SECONDS


class LocalMetrics:
    """The last events of this process, and their figures."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._events: deque[tuple[float, str, Mapping[str, Any]]] = deque(maxlen=REMEMBERED_EVENTS_MAX)

    def observe(self, kind: str, payload: Mapping[str, Any], at: float) -> None:
        if kind in _KINDS:
            with self._mutex:
                self._events.append((at, kind, dict(payload)))

    def figures(self, seconds: float, now: float) -> Metrics:
        with self._mutex:
            events = [event for event in self._events if now - seconds <= event[0] <= now]
        return _Fold(events, now - seconds, seconds).figures()


class _Fold:
    def __init__(self, events: Iterable[tuple[float, str, Mapping[str, Any]]], begins: float, seconds: float) -> None:
        self.begins = begins
        self.seconds = seconds
        self.tasks: defaultdict[str, _Task] = defaultdict(_Task)
        self.spans: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        self.models: dict[str, dict[str, float]] = {}
        self.model_of: dict[tuple[str, str], str] = {}
        self.cost = 0.0
        self.validations: Counter[bool] = Counter()
        self.completions: Counter[str] = Counter()
        self.tools: Counter[str] = Counter()
        self.recorded: list[_Verdict] = []
        self.told: list[_Verdict] = []
        for at, kind, payload in events:
            getattr(self, f"_{kind}")(at, payload, str(payload.get("task_id", "")))

    def figures(self) -> Metrics:
        done = {name: task for name, task in self.tasks.items() if task.completed_at() is not None}
        times = [task.completed_at() or 0.0 for task in done.values()]
        waits = [at - task.queued_at for at, task in zip(times, done.values()) if task.queued_at is not None]
        verdicts = self._verdicts()
        # Of calls of tools; where there are none, of completions.
        ends = self.tools if self.tools["failed"] + self.tools["success"] > 0 else self.completions
        failed, succeeded = ends["failed"], ends["success"]
        figures = {
            "window_seconds": self.seconds,
            "agent_utilization": {agent: _sum(spans) / self.seconds for agent, spans in self.spans.items()},
            "agent_busy": {agent: _union(spans) / self.seconds for agent, spans in self.spans.items()},
            "cost_per_feature": _mean(self._feature_costs()),
            "average_retry_count": _mean([float(task.retries()) for task in done.values()]),
            "critic_rejection_rate": _ratio(sum(verdicts), len(verdicts)),
            "validation_pass_rate": _ratio(self.validations[True], sum(self.validations.values())),
            "time_to_completion_seconds": _mean(waits),
            "failure_rate": _ratio(failed, failed + succeeded),
            "models": self.models,
            "cost_usd": self.cost,
        }
        return Metrics(figures)

    def _task_queued(self, at: float, payload: Mapping[str, Any], name: str) -> None:
        task = self.tasks[name]
        task.feature = str(payload.get("feature", "")) or None
        task.queued_at = at if task.queued_at is None else task.queued_at

    def _agent_started(self, at: float, payload: Mapping[str, Any], name: str) -> None:
        if payload.get("model"):
            self.model_of[str(payload.get("agent", "")), name] = str(payload["model"])

    def _agent_completed(self, at: float, payload: Mapping[str, Any], name: str) -> None:
        agent, status = str(payload.get("agent", "")), str(payload.get("status", ""))
        duration, cost = _number(payload, "duration_ms") / 1000, _number(payload, "cost_usd")
        self.spans[agent].append((max(self.begins, at - duration), at))
        self.completions[status] += 1
        self.cost += cost
        task = self.tasks[name]
        task.cost += cost
        task.completions.append((at, status))
        if status in ("approved", "rejected"):
            self.told.append(_Verdict(at, status == "rejected", name))
        model = self.model_of.get((agent, name))
        if model is not None:
            used = self.models.setdefault(model, {"count": 0, "duration_ms": 0.0, "cost_usd": 0.0})
            used["count"] += 1
            used["duration_ms"] += duration * 1000
            used["cost_usd"] += cost

    def _tool_completed(self, _at: float, payload: Mapping[str, Any], _name: str) -> None:
        self.tools[str(payload.get("status", ""))] += 1

    def _validation_complete(self, at: float, payload: Mapping[str, Any], name: str) -> None:
        task = self.tasks[name]
        task.cost += _number(payload, "cost")
        self.cost += _number(payload, "cost")
        passed = _passed(payload.get("result"))
        if passed is not None:
            self.validations[passed] += 1
        if passed and task.passed_at is None:
            task.passed_at = at

    def _critic_decision(self, at: float, payload: Mapping[str, Any], name: str) -> None:
        self.recorded.append(_Verdict(at, bool(payload.get("rejected")), name))

    def _verdicts(self) -> list[bool]:
        """Whether each decision was a rejection; a recorded one and the nearest completion that tells it are one."""
        told = list(self.told)
        for decision in self.recorded:
            same = [completion for completion in told if decision.is_told_by(completion)]
            if same:
                told.remove(min(same, key=lambda completion: abs(completion.at - decision.at)))
        return [verdict.rejected for verdict in [*self.recorded, *told]]

    def _feature_costs(self) -> list[float]:
        """Of the features whose queued tasks are all complete."""
        features: defaultdict[str, list[_Task]] = defaultdict(list)
        for task in self.tasks.values():
            if task.feature is not None:
                features[task.feature].append(task)
        complete = [tasks for tasks in features.values() if all(task.completed_at() is not None for task in tasks)]
        return [sum(task.cost for task in tasks) for tasks in complete]


def _sum(spans: list[tuple[float, float]]) -> float:
    return sum(end - begin for begin, end in spans)


def _union(spans: list[tuple[float, float]]) -> float:
    total, reached = 0.0, -math.inf
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def _passed(result: object) -> bool | None:
    if not isinstance(result, Mapping):
        return None
    for key in ("passed", "test_passed", "success"):
        if isinstance(result.get(key), bool):
            return bool(result[key])
    status = result.get("status")
    return str(status).lower() in ("passed", "pass", "success", "succeeded", "ok") if isinstance(status, str) else None


def _number(payload: Mapping[str, Any], key: str) -> float:
    value = payload.get(key)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else 0.0  # type: ignore[arg-type]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
