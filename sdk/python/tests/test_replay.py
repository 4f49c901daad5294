"""What a replay asks for, what it answers, and whom it shows the control token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from stub import Stub

from tachograph import (
    NoAnswer,
    NoControlToken,
    NotOffered,
    RequestRefused,
    Settings,
    TachographError,
    orchestration,
    replay_events,
)
from tachograph.control import control_headers

PATH = "/api/replay/issue/PROJ-123"
TOKEN = "c0ffee" * 10


def result(sequence: int, status: str, **told: Any) -> dict[str, Any]:
    return {"event_id": f"e{sequence}", "type": "x", "sequence": sequence, "status": status, **told}


def is_agents(event: orchestration.AuditEvent) -> bool:
    return event["event_type"].startswith("Agent")


class Replay(unittest.TestCase):
    def setUp(self) -> None:
        self.stub = Stub(self, {})
        results = [result(2, "success"), result(3, "skipped"), result(4, "failed"), result(5, "success")]
        self.plan: dict[str, Any] = {"dry_run": True, "replayed_count": 2, "skipped_count": 1, "failed_count": 1}
        self.plan.update(truncated=False, results=results)
        kinds = ["", "", "AgentSpawned", "CommitCreated", "AgentFailed", "PhaseStarted"]
        events = [{"event_id": f"e{n}", "event_type": kinds[n], "event_sequence": n} for n in range(2, 6)]
        self.stub.replies[PATH] = (200, self.plan)
        self.stub.replies["/api/events"] = (200, {"events": events, "next": None})
        self.emitter = self.stub.emitter(self, control_token=TOKEN)

    def execute(self, **named: Any) -> orchestration.Replay:
        return replay_events("PROJ-123", dry_run=False, emitter=self.emitter, **named)

    def test_a_trial_with_a_filter_counts_what_is_left(self) -> None:
        self.assertEqual(replay_events("PROJ-123", emitter=self.emitter), self.plan)
        answer = replay_events("PROJ-123", 2, 5, is_agents, emitter=self.emitter)
        self.assertEqual([found["event_id"] for found in answer["results"]], ["e2", "e4"])
        self.assertEqual((answer["replayed_count"], answer["skipped_count"], answer["failed_count"]), (1, 0, 1))
        self.assertIn((PATH, {"from": ["2"], "to": ["5"]}), self.stub.asked)
        self.assertEqual(self.stub.bodies, [])

    def test_an_execution_is_ordered_and_answered(self) -> None:
        returned = [{"type": "work.reviewed", "data": {"of": "e2"}}]
        done = {**self.plan, "dry_run": False, "replay_id": "r", "repeated": 0, "open": ["slow"]}
        done.update(as_planned=False, as_before=True)
        done["results"] = [result(2, "success", returned=returned, as_before=True)]
        self.stub.replies[PATH] = (200, done)
        with mock.patch.dict(os.environ, {"USER": "ann é\n"}):
            answer = self.execute(from_sequence=2, to_sequence=5, reason="fixed it", wait_seconds=7, replay_id="r")
        self.assertEqual(answer, done)
        self.assertEqual(answer["results"][0]["returned"], returned)
        self.assertEqual(self.stub.asked, [(PATH, {"from": ["2"], "to": ["5"]})])
        (body,), (headers,) = self.stub.bodies, self.stub.headers
        self.assertEqual(json.loads(body), {"reason": "fixed it", "wait_seconds": 7, "id": "r"})
        self.assertEqual((headers["X-Tacho-Control"], headers["X-Tacho-Actor"]), (TOKEN, "ann"))
        self.assertEqual(headers["Content-Type"], "application/json")

    def test_what_is_not_named_is_not_sent(self) -> None:
        with mock.patch.dict(os.environ, {"USER": ""}):
            self.execute()
        self.assertEqual(self.stub.asked, [(PATH, {})])
        self.assertEqual(json.loads(self.stub.bodies[0]), {"wait_seconds": 30})
        self.assertEqual(self.stub.headers[0]["X-Tacho-Actor"], f"uid-{os.getuid()}")

    def test_a_filter_chooses_what_is_executed(self) -> None:
        self.execute(from_sequence=2, event_filter=is_agents)
        self.assertEqual([path for path, _ in self.stub.asked], [PATH, "/api/events", PATH])
        self.assertEqual(self.stub.asked[-1], (PATH, {"from": ["2"]}))
        self.assertEqual(json.loads(self.stub.bodies[0])["sequences"], [2, 4])
        self.execute(event_filter=lambda event: False)
        self.assertEqual(json.loads(self.stub.bodies[1])["sequences"], [])

    def test_a_wrong_token_is_refused(self) -> None:
        problem = {"status": 401, "code": "control_token", "detail": "this needs the control token"}
        self.stub.replies[PATH] = (401, problem)
        with self.assertRaisesRegex(RequestRefused, "401 control_token: this needs") as caught:
            self.execute()
        self.assertEqual((caught.exception.status, caught.exception.code), (401, "control_token"))
        self.assertNotIn(TOKEN, str(caught.exception))

    def test_an_older_server_does_not_execute(self) -> None:
        self.stub.replies[PATH] = (405, {"status": 405, "code": "method_not_allowed", "detail": "only GET"})
        with self.assertRaisesRegex(NotOffered, "POST .*a newer server"):
            self.execute()

    def test_without_a_token_nothing_is_asked(self) -> None:
        self.emitter = self.stub.emitter(self, data=Path("no-data"))
        with self.assertRaisesRegex(NoControlToken, "is not in no-data/run/token: .*TACHO_DATA.*TACHO_CONTROL_TOKEN"):
            self.execute(event_filter=is_agents)
        self.assertEqual(self.stub.asked, [])


class ControlToken(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = Path(folder.name)
        (self.data / "run").mkdir()
        self.leave("127.0.0.1:3010", os.getpid())
        self.token = self.data / "run" / "token"
        self.token.write_text(f"{TOKEN}\n")

    def leave(self, address: str, process: int) -> None:
        """What a running server leaves."""
        file = self.data / "run" / "server.json"
        file.write_text(json.dumps({"pid": process, "address": address}))

    def told(self, server: str = "http://127.0.0.1:3010", **settings: Any) -> str:
        """The token, or why there is none."""
        try:
            return control_headers(Settings(server=server, data=self.data, **settings))["X-Tacho-Control"]
        except TachographError as error:
            self.assertNotIn(TOKEN, str(error))
            return str(error)

    def test_a_folders_token_is_shown_to_its_own_server(self) -> None:
        for server, address in [
            ("http://127.0.0.1:3010", "127.0.0.1:3010"),
            ("http://localhost:3010/", "127.0.0.1:3010"),
            ("http://127.0.0.1:3010", "0.0.0.0:3010"),
            ("http://[::1]:3010", "[::1]:3010"),
        ]:
            self.leave(address, os.getpid())
            self.assertEqual(self.told(server), TOKEN, f"{server} {address}")

    def test_a_folders_token_is_shown_to_no_other(self) -> None:
        for server, address in [
            ("http://127.0.0.1:3011", "127.0.0.1:3010"),
            ("http://127.0.0.1:3010", "10.0.0.1:3010"),
            ("http://127.0.0.1:3010", "no address"),
        ]:
            self.leave(address, os.getpid())
            self.assertIn("is not in", self.told(server), f"{server} {address}")
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        self.leave("127.0.0.1:3010", gone.pid)
        self.assertIn("is not in", self.told())
        for server in ("http://tacho.example:3010", "http://10.0.0.1:3010", "http://127.0.0.1:3010@tacho.example"):
            self.assertIn("no server of this machine", self.told(server))

    def test_a_missing_or_damaged_file_is_told_with_its_place(self) -> None:
        self.token.write_text("two words")
        self.assertRegex(self.told(), f"^{self.token} holds no control token: remove it")
        self.token.unlink()
        self.assertIn(f"is not in {self.token}: name", self.told())
        self.token.mkdir()
        self.assertIn(f"cannot be read in {self.token} (Is a directory)", self.told())
        (self.data / "run" / "server.json").write_text("[]")
        self.assertIn(f"is not in {self.token}: name", self.told())

    def test_the_one_that_is_named_goes_to_any_server(self) -> None:
        self.assertEqual(self.told("http://tacho.example:3010", control_token="named"), "named")
        self.assertEqual(self.told(control_token="named"), "named")
        for wrong in (f"{TOKEN}\r\nX: y", f"{TOKEN}é", ""):
            self.assertIn("TACHO_CONTROL_TOKEN holds no control token", self.told(control_token=wrong))

    def test_an_address_that_cannot_be_read_is_told(self) -> None:
        with self.assertRaisesRegex(NoAnswer, "http://HOST:PORT"):
            control_headers(Settings(server="nowhere", data=self.data))

    def test_the_environment_names_both_and_nothing_shows_the_token(self) -> None:
        variables = {"TACHO_CONTROL_TOKEN": f" {TOKEN}\n", "TACHO_DATA": str(self.data)}
        with mock.patch.dict(os.environ, variables):
            settings = Settings.from_environment()
        self.assertEqual((settings.control_token, settings.data), (TOKEN, self.data))
        self.assertNotIn(TOKEN, repr(settings))
        with mock.patch.dict(os.environ, {"TACHO_CONTROL_TOKEN": "", "TACHO_DATA": ""}):
            settings = Settings.from_environment()
        self.assertEqual((settings.control_token, settings.data), (None, Path.cwd() / ".tacho"))


if __name__ == "__main__":
    unittest.main()
