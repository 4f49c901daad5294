from __future__ import annotations

import asyncio
import contextlib
import io
import socket
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from recorder import RecorderCase, binary

from tachograph import Emitter, Settings
from tachograph.child_server import is_ready


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


class Start(RecorderCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_server_that_runs_is_used_and_left_running(self) -> None:
        emitter = self.emitter(binary="/nonexistent")

        async def work() -> None:
            self.assertTrue(await emitter.start())
            emitter.emit("after.start")
            await emitter.stop()

        asyncio.run(work())
        self.assertEqual(len(self.recorder.events(type="after.start")), 1)

    def test_without_one_it_starts_one_and_ends_it(self) -> None:
        settings = Settings(server=_free_address(), spool=self.folder / "spool", binary=binary())
        with mock.patch.dict("os.environ", {"TACHO_DATA": str(self.folder / "data")}):
            with Emitter(settings) as emitter:
                self.assertTrue(is_ready(settings))
                emitter.emit("in.child")
                self.assertTrue(emitter.flush())
        self.assertFalse(is_ready(settings))
        self.assertTrue((self.folder / "data" / "journal").is_dir())

    def test_with_neither_it_prints_and_counts(self) -> None:
        settings = Settings(server=_free_address(), spool=self.folder / "spool", binary="/nonexistent")
        emitter = Emitter(settings)
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertFalse(asyncio.run(emitter.start()))
            emitter.emit("validation_complete", {"task_id": "t1", "result": {"passed": True}})
        self.assertRegex(said.getvalue(), r"^\[\d\d:\d\d:\d\d\] VALIDATION_COMPLETE\n  task_id: t1\n")
        self.assertEqual(emitter.get_metrics()["validation_pass_rate"], 1.0)
        emitter.close(0.1)
        self.assertEqual(emitter.counts().spooled, 1)

    def test_a_url_that_is_none_harms_nobody(self) -> None:
        for url in ("", "nonsense", "http://", "ftp://127.0.0.1", "http://127.0.0.1:port"):
            emitter = Emitter(Settings(server=url, spool=self.folder / "spool", binary="/nonexistent"))
            self.assertIsNotNone(emitter.emit("to.nowhere"))
            self.assertFalse(emitter.flush(1.0))
            emitter.close(0.1)
            self.assertEqual(emitter.counts().spooled, 1)

    def test_no_secret_is_in_the_settings_text(self) -> None:
        self.assertNotIn("hunter2", repr(Settings(token="hunter2")))


if __name__ == "__main__":
    unittest.main()
