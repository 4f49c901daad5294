from __future__ import annotations

import asyncio
import unittest
from typing import Any

from recorder import RecorderCase

from tachograph import Emitter, agent, tool


class Blocks(RecorderCase):
    def setUp(self) -> None:
        self.work: Emitter = self.emitter()

    def recorded(self, task_id: str) -> list[dict[str, Any]]:
        self.assertTrue(self.work.flush())
        return self.recorder.events(stream=f"task/{task_id}")

    def test_an_agent_and_its_tool(self) -> None:
        with agent("scribe", task_id="b1", model="sonnet", tools=["Bash"], emitter=self.work) as scribe:
            with tool("Bash", emitter=self.work, command="make"):
                pass
            self.work.emit("note", {"text": "inside"})
            scribe.cost_usd += 0.25
        started, tool_started, tool_completed, note, completed = self.recorded("b1")
        self.assertEqual(
            started["data"], {"agent": "scribe", "task_id": "b1", "model": "sonnet", "tools": ["Bash"]}
        )
        duration = completed["data"].pop("duration_ms")
        self.assertGreaterEqual(duration, tool_completed["data"].pop("duration_ms"))
        self.assertEqual(
            completed["data"], {"agent": "scribe", "task_id": "b1", "status": "success", "cost_usd": 0.25}
        )
        whose = {"tool": "Bash", "command": "make", "agent": "scribe", "task_id": "b1"}
        self.assertEqual(tool_started["data"], whose)
        self.assertEqual(tool_completed["data"], {**whose, "status": "success"})
        self.assertEqual((tool_started["type"], tool_completed["type"]), ("tool_started", "tool_completed"))
        self.assertEqual(tool_started["causationid"], started["id"])
        self.assertEqual(tool_completed["causationid"], tool_started["id"])
        self.assertEqual((note["causationid"], completed["causationid"]), (started["id"], started["id"]))
        for event in (tool_started, tool_completed, note, completed):
            actor = (event["actortype"], event["actorid"], event["actormodel"])
            self.assertEqual(actor, ("agent", "scribe", "sonnet"))

    def test_an_exception_is_told_and_goes_on(self) -> None:
        with self.assertRaisesRegex(ValueError, "no such element"):
            with agent("medic", task_id="b2", emitter=self.work):
                with tool("Click", emitter=self.work):
                    raise ValueError("no such element")
        _, _, clicked, completed = self.recorded("b2")
        for event in (clicked, completed):
            self.assertEqual(event["data"]["status"], "failed")
            self.assertEqual(event["data"]["error"], "ValueError: no such element")

    def test_a_critic_and_an_agent_that_gives_up(self) -> None:
        with agent("critic", task_id="b3", emitter=self.work) as critic:
            critic.reject()
        with agent("scribe", task_id="b3", emitter=self.work) as scribe:
            scribe.fail("out of budget")
        events = self.recorded("b3")
        self.assertEqual(
            [(event["type"], event["data"].get("status")) for event in events],
            [
                ("agent_started", None),
                ("critic_decision", None),
                ("agent_completed", "rejected"),
                ("agent_started", None),
                ("agent_completed", "failed"),
            ],
        )
        self.assertEqual(events[1]["data"], {"rejected": True, "task_id": "b3"})
        self.assertEqual(events[4]["data"]["error"], "out of budget")

    def test_coroutines_do_not_take_each_other_s_surroundings(self) -> None:
        async def work(number: int) -> None:
            async with agent(f"agent-{number}", task_id=f"c{number}", emitter=self.work):
                await asyncio.sleep(0)
                async with tool("Read", emitter=self.work):
                    await asyncio.sleep(0)

        async def all_at_once() -> None:
            await asyncio.gather(*(work(number) for number in range(20)))

        asyncio.run(all_at_once())
        for number in range(20):
            events = self.recorded(f"c{number}")
            self.assertEqual(len(events), 4)
            self.assertEqual({event["data"]["agent"] for event in events}, {f"agent-{number}"})

    def test_a_cancelled_agent_failed(self) -> None:
        async def cancelled() -> None:
            async def work() -> None:
                async with agent("slow", task_id="b4", emitter=self.work):
                    await asyncio.Event().wait()

            task = asyncio.ensure_future(work())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

        asyncio.run(cancelled())
        self.assertEqual(self.recorded("b4")[1]["data"]["status"], "failed")

    def test_odd_names_and_mute_exceptions_lose_no_event(self) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no words")

        with self.assertRaises(Mute), agent("two\nlines", task_id="b 5", model="m\x00", emitter=self.work):
            raise Mute
        _, completed = self.recorded("b 5")
        self.assertEqual((completed["actorid"], completed["actormodel"]), ("two lines", "m "))
        self.assertEqual(completed["data"]["error"], "Mute")
        with agent("scribe", task_id="x" * 2000, emitter=self.work):
            pass
        self.assertTrue(self.work.flush())

    def test_a_task_of_its_own_where_none_is_named(self) -> None:
        with agent("outer", emitter=self.work) as outer, agent("inner", emitter=self.work) as inner:
            pass
        self.assertEqual(outer.task_id, inner.task_id)
        self.assertEqual(len(self.recorded(outer.task_id)), 4)


if __name__ == "__main__":
    unittest.main()
