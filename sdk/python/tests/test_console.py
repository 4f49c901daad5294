from __future__ import annotations

import io
import time
import unittest

from tachograph import console


class Console(unittest.TestCase):
    def test_the_type_then_the_fields(self) -> None:
        at = time.mktime((2026, 1, 31, 11, 53, 38, 0, 0, -1))
        out = io.StringIO()
        payload = {"task_id": "t_001", "est_cost": 0.35, "tools": ["read", "write"], "done": True, "none": None}
        console.echo("task_queued", payload, at, out)
        expected = """\
[11:53:38] TASK_QUEUED
  task_id: t_001
  est_cost: 0.35
  tools: ["read", "write"]
  done: True
  none: null
"""
        self.assertEqual(out.getvalue(), expected)
        self.assertTrue(console.render("budget_exceeded", {}, at, True).endswith("\x1b[31mBUDGET_EXCEEDED\x1b[0m\n"))

    def test_secrets_are_not_shown(self) -> None:
        hidden = {
            "password": "hunter2",
            "api_key": "k",
            "nested": {"auth": {"Authorization": "Basic abc"}, "token": "t"},
            "command": "curl -H 'Authorization: Bearer abcdefghijkl' https://me:hunter2@example.com",
            "text": "key sk-ant-REDACTED and ghp_abcdefghijklmnopqrstuvwxyz0123",
        }
        shown = console.render("a", hidden, 0.0)
        for secret in ("hunter2", "Basic abc", '"t"', "abcdefghijkl"):
            self.assertNotIn(secret, shown)
        self.assertIn("input_tokens: 7", console.render("a", {"input_tokens": 7}, 0.0))

    def test_a_payload_forges_no_line(self) -> None:
        self.assertEqual(len(console.render("a\n[00:00:00] B", {"k\n": "v\n\x1b[2J"}, 0.0).splitlines()), 2)


if __name__ == "__main__":
    unittest.main()
