from __future__ import annotations

import math
import time
import unittest
from collections.abc import Callable
from typing import Any

from recorder import Recorder

from tachograph import Emitter
from tachograph.metrics import LocalMetrics, window_seconds


class Figures(unittest.TestCase):
    def setUp(self) -> None:
        self.recorder = Recorder()
        self.addCleanup(self.recorder.close)
        self.work: Emitter = self.recorder.emitter()
        self.addCleanup(self.work.close, 0.1)

    def story(self) -> None:
        now = time.time() - 1000
        for number, (rejected, passed) in enumerate([(True, True), (True, False), (True, True), (False, True)]):
            task = {"task_id": f"t{number}"}
            emit = self.emitting_from(now + number)
            emit("task_queued", {**task, "feature": "checkout" if number < 2 else "login"}, 0)
            emit("agent_started", {**task, "agent": "scribe", "model": "sonnet"}, 10)
            completed = {**task, "agent": "scribe", "duration_ms": 90_000, "cost_usd": 0.10}
            emit("agent_completed", {**completed, "status": "failed"}, 50)
            emit("agent_completed", {**completed, "status": "success"}, 100)
            emit("tool_completed", {"tool": "Bash", "status": "failed" if rejected else "success"}, 60)
            emit("critic_decision", {"rejected": rejected, **(task if number % 2 else {})}, 109)
            verdict = "rejected" if rejected else "approved"
            emit("agent_completed", {**task, "agent": "critic", "status": verdict, "duration_ms": 9000}, 110)
            emit("validation_complete", {**task, "result": {"passed": passed}, "cost": 0.03}, 120)
        self.emitting_from(now)("critic_decision", {"rejected": False, "task_id": "t9"}, 300)

    def emitting_from(self, begun: float) -> Callable[[str, dict[str, Any], float], object]:
        return lambda kind, payload, after: self.work.emit(kind, payload, time=begun + after)

    def test_the_process_counts_as_the_server_does(self) -> None:
        self.story()
        served = self.work.get_metrics()
        self.assertIn("position", served)
        self.recorder.kill()
        counted = self.work.get_metrics()
        self.assertNotIn("position", counted)
        self.assertEqual(counted["critic_rejection_rate"], 0.6)
        self.assertEqual(counted["validation_pass_rate"], 0.75)
        for key in counted.keys() - {"models", "agent_utilization", "agent_busy", "cost_usd"}:
            self.assertAlmostEqual(counted[key], served[key], 6, key)
        for key in ("agent_utilization", "agent_busy"):
            self.assertEqual(counted[key].keys(), served[key].keys())
            for agent, share in counted[key].items():
                self.assertAlmostEqual(share, served[key][agent], 6, f"{key} of {agent}")
        self.assertEqual(counted["models"]["sonnet"].keys(), served["models"]["sonnet"].keys())
        self.assertEqual(counted["models"]["sonnet"]["count"], served["models"]["sonnet"]["count"])

    def test_a_figure_without_data_can_be_formatted(self) -> None:
        served = self.work.get_metrics()
        counted = LocalMetrics().figures(3600.0, 0.0)
        self.assertLessEqual(counted.keys(), served.keys())
        for metrics in (served, counted):
            self.assertEqual(f"{metrics['critic_rejection_rate']:.2%}", "nan%")
            self.assertTrue(math.isnan(metrics["cost_per_feature"]))
            self.assertTrue(math.isnan(metrics["time_to_completion"]))
            with self.assertRaises(KeyError):
                metrics["no_such_figure"]

    def test_a_decision_and_its_completion_count_once(self) -> None:
        for number, rejected in enumerate([True, False, False, False]):
            task = {"task_id": f"t{number}", "agent": "critic"}
            self.work.emit("agent_started", task)
            self.work.record_critic_decision(rejected=rejected)
            self.work.emit("agent_completed", {**task, "status": "rejected" if rejected else "approved"})
        self.assertEqual(self.work.get_metrics()["critic_rejection_rate"], 0.25)
        decided = [event["data"]["task_id"] for event in self.recorder.events(type="critic_decision")]
        self.assertEqual(decided, ["t0", "t1", "t2", "t3"])
        self.recorder.kill()
        self.assertEqual(self.work.get_metrics()["critic_rejection_rate"], 0.25)

    def test_a_whole_figure_is_a_float(self) -> None:
        self.work.record_critic_decision(rejected=True)
        served = self.work.get_metrics()
        self.recorder.kill()
        for metrics in (served, self.work.get_metrics()):
            self.assertEqual(str(metrics["critic_rejection_rate"]), "1.0")
            self.assertEqual(str(metrics["window_seconds"]), "3600.0")

    def test_windows(self) -> None:
        self.assertEqual([window_seconds(text) for text in ("90s", "30m", "1h", "7d")], [90, 1800, 3600, 604800])
        for text in ("", "0h", "h", "1y", "-1h"):
            with self.assertRaises(ValueError):
                window_seconds(text)


if __name__ == "__main__":
    unittest.main()
