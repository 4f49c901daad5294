from __future__ import annotations

import math
import os
import textwrap
import threading
import unittest
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, get_args

from recorder import RecorderCase

import tachograph
from tachograph import InvalidEvent, NotDelivered, catalogue


class Emit(RecorderCase):
    def only(self, kind: str) -> dict[str, Any]:
        (event,) = self.recorder.events(type=kind)
        return event

    def test_an_event_arrives_as_it_was_emitted(self) -> None:
        emitter = self.emitter()
        at = datetime(2026, 1, 31, 14, 0, 0, 250_000, timezone.utc)
        payload = {"task_id": "t1", "feature": "f"}
        identity = emitter.emit("task_queued", payload, time=at, sessionid="s1", priority="high")
        self.assertTrue(emitter.flush())
        event = self.only("task_queued")
        self.assertEqual(event["id"], identity)
        self.assertEqual(event["subject"], "task/t1")
        self.assertEqual(event["source"], "/test")
        self.assertEqual(event["time"], "2026-01-31T14:00:00.250000Z")
        self.assertEqual((event["sessionid"], event["priority"]), ("s1", "high"))
        self.assertEqual(event["data"], {"task_id": "t1", "feature": "f"})

    def test_an_id_is_a_uuid_of_version_7(self) -> None:
        identity = uuid.UUID(self.emitter().emit("with.id") or "")
        self.assertEqual((identity.version, identity.variant), (7, uuid.RFC_4122))

    def test_any_value_finds_a_form_in_json(self) -> None:
        class Opaque:
            def __repr__(self) -> str:
                return "password=hunter2"

        circle: list[Any] = []
        circle.append(circle)
        emitter = self.emitter()
        values: dict[Any, Any] = {"nan": math.nan, "path": Path("a/b"), "set": {2, 1}, "bytes": b"x", "lone": "\ud800"}
        values |= {"opaque": Opaque(), 7: "number"}
        self.assertIsNotNone(emitter.emit("odd.values", {**values, "circle": circle}))
        self.assertTrue(emitter.flush())
        data = self.only("odd.values")["data"]
        self.assertEqual(
            {key: data[str(key)] for key in values},
            {"nan": None, "path": "a/b", "set": [1, 2], "bytes": "x", "opaque": "<Opaque>", "lone": "?", 7: "number"},
        )

    def test_threads_lose_and_repeat_nothing_and_keep_their_order(self) -> None:
        emitter = self.emitter()

        def work(worker: int) -> None:
            for number in range(300):
                emitter.emit("from.thread", {"worker": worker, "number": number})

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(emitter.flush(30))
        events = [event["data"] for event in self.recorder.events(type="from.thread")]
        for worker in range(8):
            self.assertEqual([e["number"] for e in events if e["worker"] == worker], list(range(300)))

    def test_a_wrong_event_is_told_only_where_that_is_asked_for(self) -> None:
        emitter, strict = self.emitter(), self.emitter(strict=True)
        wrong: list[tuple[Any, Any, dict[str, Any]]] = [
            ("", {}, {}),
            ("a\nb", {}, {}),
            ("a", ["no mapping"], {}),
            ("a", {}, {"Bad_Name": 1}),
            ("a", {"long": "x" * (1 << 20)}, {}),
        ]
        for kind, payload, attributes in wrong:
            self.assertIsNone(emitter.emit(kind, payload, **attributes))
            with self.assertRaises(InvalidEvent):
                strict.emit(kind, payload, **attributes)
            with self.assertRaises(InvalidEvent):
                emitter.emit(kind, payload, strict=True, **attributes)

    def test_what_the_server_refuses_takes_nothing_else_with_it(self) -> None:
        emitter = self.emitter()
        for number in range(20):
            emitter.emit("tacho.forged" if number == 7 else "beside.refused", {"number": number})
        with self.assertLogs("tachograph", "WARNING") as logs:
            self.assertFalse(emitter.flush())
        self.assertIn("reserved_type", logs.output[0])
        self.assertEqual((emitter.counts().refused, emitter.counts().delivered), (1, 19))
        self.assertEqual(len(self.recorder.events(type="beside.refused")), 19)
        strict = self.emitter(strict=True)
        strict.emit("tacho.forged")
        with self.assertRaisesRegex(NotDelivered, "reserved_type"):
            strict.flush()

    def test_a_program_needs_no_flush(self) -> None:
        self.recorder.run("from tachograph import emit_event; emit_event('at.exit', {'n': 1})")
        self.assertEqual(self.only("at.exit")["data"], {"n": 1})

    def test_the_source_is_the_program(self) -> None:
        script = self.recorder.data.parent / "my job.py"
        script.write_text("from tachograph import emit_event; emit_event('from.script')")
        self.recorder.run(f"import runpy, sys; sys.argv = [{str(script)!r}]; runpy.run_path(sys.argv[0])")
        self.assertEqual(self.only("from.script")["source"], "/python/my-job")

    def test_forked_children_deliver_their_own_events_once(self) -> None:
        emitter = self.emitter()
        emitter.emit("around.fork", {"by": "parent"})
        child = os.fork()
        if child == 0:
            emitter.emit("around.fork", {"by": "child"})
            os._exit(0 if emitter.flush() else 1)
        _, status = os.waitpid(child, 0)
        self.assertEqual(status, 0)
        emitter.emit("around.fork", {"by": "parent again"})
        self.assertTrue(emitter.flush())
        by = sorted(event["data"]["by"] for event in self.recorder.events(type="around.fork"))
        self.assertEqual(by, ["child", "parent", "parent again"])

    def test_processes_of_multiprocessing_need_no_flush(self) -> None:
        code = """
import multiprocessing, sys
from tachograph import emit_event
emit_event('in.parent')
for method in ('fork', 'spawn'):
    process = multiprocessing.get_context(method).Process(target=emit_event, args=('in.process', {'method': method}))
    process.start()
    process.join()
    assert process.exitcode == 0
"""
        self.recorder.run("if __name__ == '__main__':" + textwrap.indent(code, "    "))
        methods = [event["data"]["method"] for event in self.recorder.events(type="in.process")]
        self.assertEqual(methods, ["fork", "spawn"])
        self.assertEqual(len(self.recorder.events(type="in.parent")), 1)

    def test_the_former_import_path(self) -> None:
        code = "from agent_system.observability import EventEmitter, emit_event, get_emitter\n"
        code += "emit_event('old.path', {'n': 1}); assert get_emitter().flush()"
        self.recorder.run(code)
        self.assertEqual(self.only("old.path")["data"], {"n": 1})

    def test_the_public_names(self) -> None:
        for name in tachograph.__all__:
            self.assertTrue(hasattr(tachograph, name), name)

    def test_the_types_of_the_catalogue(self) -> None:
        self.assertEqual(catalogue.AgentCompleted.__required_keys__, {"agent", "task_id", "status"})
        self.assertIn("critic_decision", get_args(catalogue.EventType))


if __name__ == "__main__":
    unittest.main()
