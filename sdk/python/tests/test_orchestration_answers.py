"""What becomes of each answer that a server may give."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from stub import Stub

from tachograph import (
    NoAnswer,
    NotDelivered,
    NotOffered,
    RequestRefused,
    SchemaViolation,
    generate_audit_trail,
    log_event,
    orchestration,
    query_events,
    reconstruct_state,
    time_travel_query,
)

ACTOR = {"type": "system", "id": "orchestrator"}
STATE = {"status": "in_progress", "current_phase": "CODE", "active_agents": ["form-builder"]}


def cloud_event(sequence: int, kind: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e{sequence}",
        "source": "/test",
        "type": kind,
        "subject": "issue/PROJ-123",
        "time": "2025-12-22T14:00:15Z",
        "sequence": f"{sequence:020}",
        "position": sequence,
        "actortype": "agent",
        "actorid": "form-builder",
        "data": data,
    }


def record(sequence: int, kind: str) -> dict[str, Any]:
    return {"event_id": f"e{sequence}", "event_type": kind, "event_sequence": sequence, "metadata": {}}


class Answers(unittest.TestCase):
    def setUp(self) -> None:
        self.stub = Stub(self, {})
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.emitter = self.stub.emitter(self, self.folder / "spool")

    def test_the_state_is_asked_for_by_issue_and_time(self) -> None:
        self.stub.replies["/api/state/issue/A%2FB%201"] = (200, {"stream": "issue/A/B 1", "state": STATE})
        self.assertEqual(reconstruct_state("A/B 1", emitter=self.emitter), STATE)
        reconstruct_state("A/B 1", "14:00", projection="timeline", emitter=self.emitter)
        asked = [parameters for _, parameters in self.stub.asked]
        self.assertEqual(asked, [{}, {"at": ["14:00"], "projection": ["timeline"]}])

    def test_time_travel_answers_records(self) -> None:
        summary: dict[str, Any] = {"current_phase": "CODE", "active_agents": ["form-builder"], "completed_phases": []}
        summary["pending_tasks"] = 0
        self.stub.replies["/api/state/issue/PROJ-123"] = (
            200,
            {
                "stream": "issue/PROJ-123",
                "position": 7,
                "state": STATE,
                "query_timestamp": "2025-12-22T14:00:00Z",
                "surrounding_events": [cloud_event(3, "AgentSpawned", agent_name="form-builder")],
                "state_summary": summary,
            },
        )
        answer = time_travel_query("PROJ-123", "2025-12-22T14:00:00Z", emitter=self.emitter)
        (asked,) = self.stub.asked
        self.assertEqual(asked[1], {"at": ["2025-12-22T14:00:00Z"], "around": ["5m"]})
        self.assertEqual(answer["query_timestamp"], "2025-12-22T14:00:00Z")
        self.assertEqual((answer["state"], answer["state_summary"]), (STATE, summary))
        (event,) = answer["surrounding_events"]
        self.assertEqual(event["timestamp"], "2025-12-22T14:00:15.000Z")
        self.assertEqual((event["event_type"], event["event_sequence"]), ("AgentSpawned", 3))
        self.assertEqual(event["metadata"], {"agent_name": "form-builder"})
        self.assertEqual((event["issue_key"], event["actor"]["id"]), ("PROJ-123", "form-builder"))

    def test_a_report_is_written_where_the_server_makes_one(self) -> None:
        with self.assertRaisesRegex(NotOffered, "does not offer /api/audit"):
            generate_audit_trail(emitter=self.emitter)
        self.stub.replies["/api/audit"] = (200, b"<html></html>")
        file = str(self.folder / "report.html")
        week = ("2025-12-15", "2025-12-22")
        path = generate_audit_trail("PROJ-1", *week, ["Agent*"], "html", output=file, emitter=self.emitter)
        self.assertEqual((path, Path(path).read_bytes()), (file, b"<html></html>"))
        wanted = {"format": ["html"], "stream": ["issue/PROJ-1"], "type": ["Agent*"]}
        self.assertEqual(self.stub.asked[-1][1], {**wanted, "since": ["2025-12-15"], "until": ["2025-12-22"]})
        with self.assertRaisesRegex(ValueError, "xml.*use json"):
            generate_audit_trail(format="xml", emitter=self.emitter)

    def test_a_query_ends_at_its_limit_and_tells_when_there_is_more_than_fits(self) -> None:
        events = [record(1, "x"), record(2, "x")]
        self.stub.replies["/api/events"] = (200, {"events": events, "next": "cursor"})
        self.assertEqual(len(query_events(limit=4, emitter=self.emitter)), 4)
        self.assertEqual([asked[1]["limit"] for asked in self.stub.asked], [["4"], ["2"]])
        self.assertEqual(self.stub.asked[1][1]["cursor"], ["cursor"])
        with mock.patch.object(orchestration, "EVENTS_MAX", 6), self.assertRaisesRegex(NoAnswer, "give a limit"):
            query_events(emitter=self.emitter)

    def test_a_refusal_has_its_code(self) -> None:
        problem = {"status": 404, "code": "stream_not_found", "detail": "no event is in issue/X"}
        self.stub.replies["/api/state/issue/X"] = (404, problem)
        with self.assertRaisesRegex(RequestRefused, "404 stream_not_found: no event is in issue/X") as caught:
            reconstruct_state("X", emitter=self.emitter)
        self.assertEqual((caught.exception.status, caught.exception.code), (404, "stream_not_found"))

    def test_an_older_server_is_told_from_an_unknown_issue(self) -> None:
        with self.assertRaisesRegex(NotOffered, "/api/state/issue/X: a newer server"):
            reconstruct_state("X", emitter=self.emitter)

    def test_an_empty_key_is_told_before_anything_is_asked(self) -> None:
        with self.assertRaisesRegex(ValueError, "issue key is empty"):
            reconstruct_state("", emitter=self.emitter)
        self.assertEqual(self.stub.asked, [])

    def test_what_is_no_tachograph_is_told(self) -> None:
        self.stub.replies["/api/state/issue/X"] = (200, b"<html>It works!</html>")
        with self.assertRaisesRegex(NoAnswer, "no JSON"):
            reconstruct_state("X", emitter=self.emitter)

    def test_nobody_there(self) -> None:
        self.stub.close()
        with self.assertRaisesRegex(NoAnswer, "is `tacho up` running"):
            reconstruct_state("X", emitter=self.emitter)

    def test_a_violation_is_told_and_recorded_nowhere(self) -> None:
        problem = {"status": 422, "code": "schema_violation", "detail": "agent_name: 7 is no string"}
        self.stub.replies["/api/events"] = (422, problem)
        with self.assertRaisesRegex(SchemaViolation, "agent_name"):
            log_event("AgentFailed", {"agent_name": 7}, ACTOR, emitter=self.emitter)
        self.assertEqual(self.stub.asked, [("/api/events", {"validate": ["strict"]})])
        self.assertEqual(self.emitter.counts().refused, 1)
        self.assertTrue(self.emitter.flush())

    def test_a_server_that_cannot_take_it_now_gets_the_same_bytes_later(self) -> None:
        self.stub.replies["/api/events"] = (503, {"status": 503, "code": "stopping"})
        identity = log_event("PhaseStarted", {"phase": "PLAN", "token": "t0ken"}, ACTOR, emitter=self.emitter)
        self.emitter.flush()
        self.assertEqual(self.emitter.counts().spooled, 1)
        self.stub.replies["/api/events"] = (201, {"appended": []})
        self.assertTrue(self.emitter.flush())
        first, last = self.stub.bodies[0], self.stub.bodies[-1]
        self.assertEqual(last, b"[" + first + b"]")
        self.assertIn(identity.encode(), first)
        self.assertNotIn(b"t0ken", first)

    def test_strict_tells_what_is_only_spooled(self) -> None:
        self.stub.close()
        emitter = self.stub.emitter(self, self.folder / "spool", strict=True)
        with self.assertRaisesRegex(NotDelivered, "spooled"):
            log_event("PhaseStarted", {"phase": "PLAN"}, ACTOR, emitter=emitter)


if __name__ == "__main__":
    unittest.main()
