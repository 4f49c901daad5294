from __future__ import annotations

import socket
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from recorder import Recorder

from tachograph import Emitter, sender, spool
from tachograph.connection import Answer, Connection
from tachograph.spool import Spool


class ServerAway(unittest.TestCase):
    def setUp(self) -> None:
        self.recorder = Recorder()
        self.addCleanup(self.recorder.close)

    def numbers(self) -> list[int]:
        return [event["data"]["number"] for event in self.recorder.events(type="while.away")]

    def emit(self, emitter: Emitter, numbers: range) -> None:
        for number in numbers:
            emitter.emit("while.away", {"number": number})

    def test_events_wait_on_the_disk_and_arrive_once_and_in_order(self) -> None:
        emitter = self.recorder.emitter()
        self.addCleanup(emitter.close, 0.1)
        self.emit(emitter, range(0, 10))
        self.assertTrue(emitter.flush())
        self.recorder.kill()
        with self.assertLogs("tachograph", "WARNING"):
            self.emit(emitter, range(10, 30))
            self.assertFalse(emitter.flush())
        folder = emitter.settings.spool_of_server
        files = [path for path in folder.rglob("*") if path.is_file()]
        self.assertTrue(files)
        self.assertEqual({oct(path.stat().st_mode & 0o777) for path in files}, {"0o600"})
        self.assertEqual({oct(path.parent.stat().st_mode & 0o777) for path in files}, {"0o700"})
        self.recorder.start()
        self.emit(emitter, range(30, 40))
        self.assertTrue(emitter.flush())
        self.assertEqual(self.numbers(), list(range(40)))
        emitter.close()
        self.assertEqual(list(folder.iterdir()), [])

    def test_what_a_process_leaves_the_next_one_delivers(self) -> None:
        self.recorder.kill()
        code = "from tachograph import emit_event\nfor number in range(3): emit_event('while.away', {'number': number})"
        self.recorder.run(code)
        self.recorder.start()
        emitter = self.recorder.emitter()
        self.emit(emitter, range(3, 5))
        self.assertTrue(emitter.flush())
        emitter.close()
        self.assertEqual(self.numbers(), list(range(5)))

    def test_events_emitted_while_the_interpreter_ends_are_kept(self) -> None:
        code = "import atexit\natexit.register(lambda: tachograph.emit_event('while.away', {'number': 1}))\n"
        self.recorder.run(code + "import tachograph\ntachograph.emit_event('while.away', {'number': 0})")
        emitter = self.recorder.emitter()
        self.emit(emitter, range(2, 3))
        self.assertTrue(emitter.flush())
        emitter.close()
        self.assertEqual(self.numbers(), [0, 1, 2])

    def test_a_burst_during_a_request_is_not_overtaken(self) -> None:
        emitter = self.recorder.emitter()
        request = Connection.request

        def slow(connection: Connection, *arguments: Any) -> Answer:
            if emitter.counts().emitted == 1:
                self.emit(emitter, range(1, 100))
            return request(connection, *arguments)

        with mock.patch.object(sender, "QUEUE_EVENTS_MAX", 10), mock.patch.object(Connection, "request", slow):
            self.emit(emitter, range(0, 1))
            self.assertTrue(emitter.flush(30))
        self.assertEqual(emitter.counts().spooled, 90)
        emitter.close()
        self.assertEqual(self.numbers(), list(range(100)))

    def test_a_server_that_hangs_delays_no_caller_and_mixes_no_order(self) -> None:
        self.recorder.kill()
        port = int(self.recorder.url.rsplit(":", 1)[1])
        asked = threading.Event()
        with socket.create_server(("127.0.0.1", port)) as hanging, mock.patch.object(sender, "QUEUE_EVENTS_MAX", 10):
            connections: list[socket.socket] = []

            def accept() -> None:
                connections.append(hanging.accept()[0])
                asked.set()

            threading.Thread(target=accept, daemon=True).start()
            emitter = self.recorder.emitter()
            self.emit(emitter, range(0, 1))
            self.assertTrue(asked.wait(10))
            self.emit(emitter, range(1, 100))
            emitter.close(0.1)
            self.assertEqual(emitter.counts().dropped, 0)
            for connection in connections:
                connection.close()
        self.recorder.start()
        emitter = self.recorder.emitter()
        self.emit(emitter, range(100, 101))
        self.assertTrue(emitter.flush())
        emitter.close()
        self.assertEqual(self.numbers(), list(range(101)))


class Disk(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "spool"

    def test_it_is_a_queue(self) -> None:
        disk = Spool(self.folder)
        self.assertTrue(disk.is_empty())
        disk.append([b"2", b"3"])
        disk.prepend([b"1"])
        self.assertEqual(disk.first_lines(), [b"1"])
        disk.remove_first()
        self.assertEqual(disk.first_lines(), [b"2", b"3"])
        disk.append([b"4"])
        disk.remove_first()
        self.assertEqual(disk.first_lines(), [b"4"])
        disk.remove_first()
        self.assertTrue(disk.is_empty())

    def test_it_is_bounded_and_counts_what_is_lost(self) -> None:
        disk = Spool(self.folder)
        with mock.patch.object(spool, "SPOOL_BYTES_MAX", 100):
            self.assertEqual(disk.append([b"x" * 39] * 5), 3)
        self.assertEqual(disk.first_lines(), [b"x" * 39] * 2)

    def test_a_disk_that_cannot_be_written_is_no_error(self) -> None:
        self.folder.write_text("a file where the folder should be")
        self.assertEqual(Spool(self.folder).append([b"1", b"2"]), 2)

    def test_a_line_that_a_crash_cut_off_is_left_out(self) -> None:
        disk = Spool(self.folder)
        disk.append([b"1"])
        (segment,) = self.folder.glob("*/*.jsonl")
        segment.write_bytes(b"1\n2")
        self.assertEqual(disk.first_lines(), [b"1"])

    def test_the_folder_of_a_living_process_is_its_own(self) -> None:
        living, other = Spool(self.folder), Spool(self.folder)
        living.append([b"1"])
        other.adopt()
        self.assertTrue(other.is_empty())
        living.close()
        other.adopt()
        self.assertEqual(other.first_lines(), [b"1"])


if __name__ == "__main__":
    unittest.main()
