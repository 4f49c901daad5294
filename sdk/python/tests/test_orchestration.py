"""The six functions against a real server, the four examples of their first description among them."""

from __future__ import annotations

import json
import tempfile
import threading
import unittest
import urllib.request
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

from recorder import Recorder, RecorderCase

from tachograph import (
    InvalidEvent,
    NotOffered,
    RequestRefused,
    SchemaViolation,
    generate_audit_trail,
    log_event,
    orchestration,
    query_events,
    reconstruct_state,
    replay_events,
    time_travel_query,
)

DEVELOPER = {"type": "user", "id": "developer@company.com"}
ORCHESTRATOR = {"type": "system", "id": "orchestrator"}

STARTED = {
    "issue_summary": "Add user authentication",
    "issue_type": "Story",
    "priority": "High",
    "labels": ["frontend", "backend", "auth"],
    "components": ["UI", "API"],
    "workflow_type": "standard",
    "estimated_complexity": "high",
    "initial_phase": "EXPLORE",
    "config": {"min_agents": 3, "max_agents": 13, "auto_transition": True},
}


def moment(time: str) -> datetime:
    return datetime.strptime(f"2025-12-22T{time}", "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


class Case(RecorderCase):
    def setUp(self) -> None:
        self.now = self.emitter()
        orchestration._issue_at_work.set(None)

    def log(self, kind: str, metadata: dict[str, Any], time: str | None = None, **named: Any) -> str:
        at = moment(time) if time else None
        return log_event(kind, metadata, named.pop("actor", ORCHESTRATOR), time=at, emitter=self.now, **named)

    def orchestrate(self, issue: str) -> None:
        """Up to the middle of the phase CODE, on a day in the past."""
        self.log("OrchestrationStarted", {"issue_key": issue, **STARTED}, "13:00:00", actor=DEVELOPER)
        self.log("PhaseCompleted", {"phase": "EXPLORE", "next_phase": "PLAN"}, "13:30:00")
        gap = {"gap_id": "gap-1", "gap_type": "missing_tests", "severity": "high", "description": "none of the login"}
        self.log("GapIdentified", gap, "13:40:00")
        for number in (1, 2):
            commit = {"commit_sha": f"{number:040}", "commit_message": f"feat(auth): step {number}", "files_changed": 1}
            self.log("CommitCreated", commit, f"13:5{number}:00")
        self.log("PhaseCompleted", {"phase": "PLAN", "next_phase": "CODE"}, "13:58:00")
        for second, name in ((15, "react-component-architect"), (30, "api-integration-specialist")):
            self.log("AgentSpawned", {"agent_name": name, "assigned_task": "the login"}, f"13:59:{second}")
        self.log("AgentSpawned", {"agent_name": "test-writer-fixer", "assigned_task": "its tests"}, "14:00:15")
        failure = {"agent_name": "api-integration-specialist", "failure_reason": "type mismatch in the answer"}
        self.log("AgentFailed", failure, "14:20:00")


class LogEvent(Case):
    def only(self, **filters: Any) -> orchestration.AuditEvent:
        (event,) = query_events(emitter=self.now, **filters)
        return event

    def test_the_first_example(self) -> None:
        emitter = self.emitter(session="session-1")
        metadata = {"issue_key": "PROJ-123", **STARTED}
        before = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        identity = log_event(event_type="OrchestrationStarted", metadata=metadata, actor=DEVELOPER, emitter=emitter)
        event = self.only(issue_key="PROJ-123")
        self.assertEqual(event["event_id"], identity)
        self.assertEqual((event["event_type"], event["event_version"]), ("OrchestrationStarted", "1.0.0"))
        self.assertEqual((event["issue_key"], event["session_id"]), ("PROJ-123", "session-1"))
        self.assertEqual((event["event_sequence"], event["actor"]), (1, DEVELOPER))
        self.assertEqual(event["metadata"], metadata)
        self.assertRegex(event["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertGreaterEqual(event["timestamp"], before[:23])

    def test_what_is_given_by_name(self) -> None:
        actor = {"type": "agent", "id": "scribe", "model": "sonnet"}
        cause = self.log("ErrorOccurred", {"error_type": "t", "error_message": "m"}, issue_key="NAME-1", actor=actor)
        links = {"correlation_id": "c-1", "causation_id": cause, "session_id": "s-9"}
        self.log("RecoveryAttempted", {"recovery_strategy": "retry", "attempt_number": 1}, issue_key="NAME-1", **links)
        self.log("RecoveryFailed", {"issue_key": "NAME-1", "correlation_id": "c-2", "final_error": "f"})
        first, second, third = query_events("NAME-1", emitter=self.now)
        self.assertEqual(first["actor"], actor)
        self.assertEqual({key: second.get(key) for key in links}, links)
        self.assertEqual((third["correlation_id"], third["event_sequence"]), ("c-2", 3))

    def test_what_follows_belongs_to_the_issue_that_was_started(self) -> None:
        self.log("OrchestrationStarted", {"issue_key": "FOLLOW-1", **STARTED})
        self.log("PhaseStarted", {"phase": "EXPLORE"})
        self.log("CommentPosted", {"issue_key": "FOLLOW-2", "comment_id": "1", "comment_body": "see there"})
        self.log("PhaseCompleted", {"phase": "EXPLORE"})
        plan = ("PhaseStarted", {"phase": "PLAN"})
        elsewhere = threading.Thread(target=self.log, args=plan, kwargs={"session_id": "s-7"})
        elsewhere.start()
        elsewhere.join()
        followed = [event["event_type"] for event in query_events("FOLLOW-1", emitter=self.now)]
        self.assertEqual(followed, ["OrchestrationStarted", "PhaseStarted", "PhaseCompleted"])
        self.assertEqual(self.only(issue_key="FOLLOW-2")["event_type"], "CommentPosted")
        event = self.only(session_id="s-7")
        self.assertEqual((event["issue_key"], event["metadata"]), (None, {"phase": "PLAN"}))

    def test_it_comes_behind_what_was_emitted_before(self) -> None:
        for number in range(200):
            self.now.emit("order.emitted", {"number": number}, subject="issue/ORDER-1")
        self.log("PhaseStarted", {"phase": "EXPLORE"}, issue_key="ORDER-1")
        events = query_events("ORDER-1", emitter=self.now)
        self.assertEqual(events[-1]["event_type"], "PhaseStarted")
        self.assertEqual([event["metadata"]["number"] for event in events[:-1]], list(range(200)))

    def test_the_commit_and_the_branch_are_told(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            reference = Path(folder) / ".git" / "refs" / "heads" / "PROJ-1"
            reference.parent.mkdir(parents=True)
            reference.write_text(f"{'ab' * 20}\n")
            (Path(folder) / ".git" / "HEAD").write_text("ref: refs/heads/PROJ-1\n")
            with mock.patch.object(Path, "cwd", return_value=Path(folder)):
                self.log("PhaseStarted", {"phase": "TEST"}, issue_key="GIT-1")
        event = self.only(issue_key="GIT-1")
        self.assertEqual((event["git_sha"], event["branch"]), ("ab" * 20, "PROJ-1"))

    def test_a_wrong_event_is_recorded_nowhere(self) -> None:
        self.register("wrong.payload", {"type": "object", "properties": {"agent_name": {"type": "string"}}})
        with self.assertRaisesRegex(SchemaViolation, "agent_name"):
            self.log("wrong.payload", {"agent_name": 7})
        wrong: list[tuple[str, Any, Any]] = [
            ("", {}, ORCHESTRATOR),
            ("wrong.metadata", [], ORCHESTRATOR),
            ("wrong.actor", {}, {}),
            ("wrong.actor", {}, {"type": "robot", "id": "r"}),
            ("wrong.actor", {}, {"type": "agent", "id": ""}),
            ("wrong.actor", {}, {"type": "agent", "id": "a", "role": "r"}),
            ("tacho.alert", {}, ORCHESTRATOR),
        ]
        for kind, metadata, actor in wrong:
            with self.assertRaises(InvalidEvent, msg=f"{kind} {metadata} {actor}"):
                log_event(kind, metadata, actor, emitter=self.now)
        self.assertEqual(query_events(event_types=["wrong.*"], emitter=self.now), [])

    def register(self, kind: str, schema: dict[str, Any]) -> None:
        body = json.dumps({"type": kind, "version": "1.0.0", "schema": schema}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.recorder.url}/api/schemas", body, headers)
        urllib.request.urlopen(request, timeout=30).close()


class Unreachable(unittest.TestCase):
    def test_what_is_logged_while_the_server_is_away_arrives_when_it_is_back(self) -> None:
        recorder = Recorder()
        self.addCleanup(recorder.close)
        emitter = recorder.emitter()
        self.addCleanup(emitter.close, 0.1)
        issue = {"issue_key": "AWAY-1"}
        first = log_event("PhaseStarted", {**issue, "phase": "PLAN"}, ORCHESTRATOR, emitter=emitter)
        recorder.kill()
        second = log_event("PhaseCompleted", {**issue, "phase": "PLAN"}, ORCHESTRATOR, emitter=emitter)
        recorder.start()
        third = log_event("PhaseStarted", {**issue, "phase": "CODE"}, ORCHESTRATOR, emitter=emitter)
        events = query_events("AWAY-1", emitter=emitter)
        self.assertEqual([event["event_id"] for event in events], [first, second, third])


class QueryEvents(Case):
    def test_every_filter(self) -> None:
        self.orchestrate("QUERY-1")
        self.log("PhaseStarted", {"phase": "PLAN"}, issue_key="QUERY-2", correlation_id="c-q", session_id="s-q")

        def kinds(*positional: Any, **filters: Any) -> list[str]:
            return [event["event_type"] for event in query_events(*positional, emitter=self.now, **filters)]

        self.assertEqual(len(kinds("QUERY-1")), 10)
        self.assertEqual(kinds("QUERY-1", limit=2), ["OrchestrationStarted", "PhaseCompleted"])
        two = kinds("QUERY-1", event_types=["Agent*", "GapIdentified"], limit=2)
        self.assertEqual(two, ["GapIdentified", "AgentSpawned"])
        between = kinds("QUERY-1", "2025-12-22T13:58:00Z", "2025-12-22T13:59:30Z")
        self.assertEqual(between, ["PhaseCompleted", "AgentSpawned"])
        self.assertEqual(kinds("QUERY-1", "2025-12-22", "2025-12-23", "PhaseCompleted"), ["PhaseCompleted"] * 2)
        self.assertEqual(kinds("QUERY-1", "2025-12-23"), [])
        self.assertEqual(kinds("QUERY-1", phase="EXPLORE")[0], "OrchestrationStarted")
        self.assertEqual(kinds("QUERY-1", agent="developer@company.com"), ["OrchestrationStarted"])
        self.assertEqual(kinds("QUERY-1", search="mismatch"), ["AgentFailed"])
        self.assertEqual(kinds("QUERY-1", where=".data.files_changed == 1"), ["CommitCreated"] * 2)
        self.assertEqual(kinds(correlation_id="c-q"), kinds(session_id="s-q"))
        with self.assertRaisesRegex(RequestRefused, "from|since|moment"):
            kinds("QUERY-1", "the day before")

    def test_it_follows_the_cursors(self) -> None:
        for number in range(25):
            self.now.emit("page", {"number": number}, subject="issue/PAGE-1")
        with mock.patch.object(orchestration, "PAGE_EVENTS", 4):
            events = query_events("PAGE-1", emitter=self.now)
            first = query_events("PAGE-1", limit=6, emitter=self.now)
        self.assertEqual([event["metadata"]["number"] for event in events], list(range(25)))
        self.assertEqual(first, events[:6])

    def test_a_cloudevent_becomes_the_record_that_the_server_makes_of_it(self) -> None:
        name = "issue/SHAPE-1"
        everything = {"sessionid": "s", "correlationid": "c", "causationid": "e", "gitsha": "1f", "branch": "b"}
        who = {"actortype": "agent", "actorid": "scribe", "actormodel": "sonnet", "codebasestate": "h"}
        attributes: dict[str, Any] = {**everything, **who}
        self.now.emit("shape.all", {"a": 1}, subject=name, time=1.25, **attributes)
        self.now.emit("shape.little", subject=name, time=1.0)
        self.now.emit("shape.old", {}, subject=name, dataschema="urn:tacho:schema:shape.old:2.1.0")
        self.now.emit("shape.other", {}, subject=name, dataschema="urn:tacho:schema:elsewhere:2.1.0")
        self.now.emit("shape.task", {"issue_key": "SHAPE-2"}, subject="task/t")
        self.now.emit("shape.named", {"issue_key": "SHAPE-2"}, subject="task/t", issuekey="SHAPE-3")
        self.assertTrue(self.now.flush())
        found = self.recorder.events(type="shape.*")
        expected = query_events(event_types=["shape.*"], emitter=self.now)
        self.assertEqual(len(found), 6)
        self.assertEqual([orchestration._audit_event(event) for event in found], expected)


class History(Case):
    def test_the_second_example(self) -> None:
        self.orchestrate("TRAVEL-1")
        answer = time_travel_query(issue_key="TRAVEL-1", query_timestamp="2025-12-22T14:00:00Z", emitter=self.now)
        self.assertEqual(answer["query_timestamp"], "2025-12-22T14:00:00Z")
        state = answer["state"]
        self.assertEqual(state["current_phase"], "CODE")
        agents = ["react-component-architect", "api-integration-specialist"]
        self.assertEqual(state["active_agents"], agents)
        self.assertEqual(state["completed_phases"], ["EXPLORE", "PLAN"])
        self.assertEqual((len(state["commits"]), len(state["identified_gaps"])), (2, 1))
        around = [(event["timestamp"], event["event_type"]) for event in answer["surrounding_events"]]
        self.assertEqual(around[0], ("2025-12-22T13:58:00.000Z", "PhaseCompleted"))
        self.assertEqual(around[-1], ("2025-12-22T14:00:15.000Z", "AgentSpawned"))
        self.assertEqual(answer["surrounding_events"][-1]["metadata"]["agent_name"], "test-writer-fixer")
        summary = answer["state_summary"]
        self.assertEqual((summary["current_phase"], summary["active_agents"]), ("CODE", agents))
        self.assertEqual(summary["completed_phases"], ["EXPLORE", "PLAN"])
        self.assertIsInstance(summary["pending_tasks"], int)

    def test_the_state_now_and_then(self) -> None:
        self.orchestrate("STATE-1")
        now = reconstruct_state("STATE-1", emitter=self.now)
        self.assertEqual((now["issue_key"], now["status"]), ("STATE-1", "in_progress"))
        self.assertEqual(now["failed_agents"], ["api-integration-specialist"])
        then = reconstruct_state("STATE-1", "2025-12-22T13:45:00Z", emitter=self.now)
        self.assertEqual((then["current_phase"], then["active_agents"], then["failed_agents"]), ("PLAN", [], []))
        with self.assertRaises(RequestRefused) as caught:
            reconstruct_state("STATE-NONE", emitter=self.now)
        self.assertEqual(caught.exception.code, "stream_not_found")

    def test_the_state_at_the_timestamp_of_an_event_includes_it(self) -> None:
        for number in range(5):
            self.log("AgentSpawned", {"agent_name": f"a{number}"}, issue_key="STAMP-1")
        for number, event in enumerate(query_events("STAMP-1", emitter=self.now)):
            state = reconstruct_state("STAMP-1", event["timestamp"], emitter=self.now)
            self.assertIn(f"a{number}", state["active_agents"])

    def test_the_third_example(self) -> None:
        with self.assertRaisesRegex(NotOffered, "/api/audit"):
            generate_audit_trail(from_date="2025-12-15", to_date="2025-12-22", format="html", emitter=self.now)

    def test_the_fourth_example(self) -> None:
        self.orchestrate("REPLAY-1")
        whole = replay_events(issue_key="REPLAY-1", emitter=self.now)
        self.assertIs(whole["dry_run"], True)
        counts = whole["replayed_count"] + whole["skipped_count"] + whole["failed_count"]
        self.assertEqual((counts, len(whole["results"])), (10, 10))
        self.assertGreater(whole["replayed_count"], 0)
        late = replay_events(issue_key="REPLAY-1", from_sequence=7, to_sequence=9, emitter=self.now)
        self.assertEqual([result["sequence"] for result in late["results"]], [7, 8, 9])

        def is_agents(event: orchestration.AuditEvent) -> bool:
            return "agent_name" in event["metadata"]

        agents = replay_events("REPLAY-1", event_filter=is_agents, emitter=self.now)
        ids = [event["event_id"] for event in query_events("REPLAY-1", event_types=["Agent*"], emitter=self.now)]
        self.assertEqual([result["event_id"] for result in agents["results"]], ids)

    def test_a_replay_is_executed_once_for_a_name(self) -> None:
        self.orchestrate("REPLAY-2")
        controlling = self.emitter(data=self.recorder.data)
        plan = replay_events("REPLAY-2", from_sequence=7, emitter=self.now)
        done = replay_events("REPLAY-2", from_sequence=7, dry_run=False, reason="to try", emitter=controlling)
        self.assertEqual((done["dry_run"], done["open"], done["repeated"]), (False, [], 0))
        self.assertEqual((done["as_planned"], done["as_before"]), (True, True))
        self.assertEqual(done["replayed_count"], plan["replayed_count"])
        (given, *_) = [result for result in done["results"] if result["status"] == "success"]
        self.assertEqual((given["returned"], given["as_before"]), ([], True))
        again = replay_events("REPLAY-2", from_sequence=7, dry_run=False, emitter=controlling)
        self.assertEqual((again["replay_id"], again["repeated"]), (done["replay_id"], done["replayed_count"]))
        anew = replay_events("REPLAY-2", 7, dry_run=False, replay_id="second", emitter=controlling)
        self.assertEqual((anew["replay_id"], anew["repeated"]), ("second", 0))
        few = replay_events(
            "REPLAY-2", event_filter=lambda event: event["event_sequence"] in (2, 6), dry_run=False, emitter=controlling
        )
        self.assertEqual([result["sequence"] for result in few["results"]], [2, 6])
        with self.assertRaises(RequestRefused) as caught:
            replay_events("REPLAY-2", dry_run=False, emitter=self.emitter(control_token="c0ffee"))
        self.assertEqual((caught.exception.status, caught.exception.code), (401, "control_token"))


if __name__ == "__main__":
    unittest.main()
