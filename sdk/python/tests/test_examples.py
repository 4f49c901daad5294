"""The examples and the README's programs, run as a reader would run them."""

from __future__ import annotations

import re
import subprocess
import sys
import unittest
from typing import Any

from recorder import PACKAGE, Recorder


class Examples(unittest.TestCase):
    def setUp(self) -> None:
        self.recorder = Recorder()
        self.addCleanup(self.recorder.close)

    def example(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PACKAGE,
            env=self.recorder.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def kinds(self, **filters: Any) -> list[str]:
        return [event["type"] for event in self.recorder.events(**filters)]

    def test_success(self) -> None:
        self.assertEqual(self.example("examples/success.py"), "pass rate 100%, rejected 0%\n")
        self.assertEqual(
            self.kinds(stream="task/t_checkout"),
            [
                "task_queued",
                "agent_started",
                "tool_started",
                "tool_completed",
                "agent_completed",
                "agent_started",
                "critic_decision",
                "agent_completed",
                "validation_complete",
            ],
        )

    def test_failure_is_escalated(self) -> None:
        self.assertIn("3 attempts failed", self.example("examples/failure.py"))
        kinds = self.kinds(stream="task/t_payment")
        self.assertEqual(kinds.count("agent_completed"), 3)
        self.assertEqual(kinds[-1], "hitl_escalated")
        (escalated,) = self.recorder.events(type="hitl_escalated")
        self.assertEqual((escalated["data"]["attempts"], escalated["priority"]), (3, "high"))

    def test_the_stream_client(self) -> None:
        self.example("examples/failure.py")
        shown = self.example("examples/stream_client.py", "hitl_*", "--from", "start", "--no-follow")
        self.assertRegex(shown, r"^\d+ hitl_escalated \{.*t_payment")

    def test_the_readme(self) -> None:
        text = (PACKAGE / "README.md").read_text()
        programs = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        self.assertGreaterEqual(len(programs), 3)
        for program in programs:
            self.example("-c", program)
        commands = re.findall(r"^python3? (examples/\S+.*)$", text, re.MULTILINE)
        self.assertGreaterEqual(len(commands), 3)
        for command in commands:
            self.example(*command.split())
        self.assertIn("agent_completed", self.kinds())
        variables = set(re.findall(r"`(TACHO_\w+)`", text))
        source = (PACKAGE / "src/tachograph/settings.py").read_text()
        self.assertEqual(variables, set(re.findall(r"\"(TACHO_\w+)\"", source)))


if __name__ == "__main__":
    unittest.main()
