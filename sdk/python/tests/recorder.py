"""A real server for tests, on a free port, and emitters that talk to it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PACKAGE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PACKAGE / "src"))

from tachograph import Emitter, Settings  # noqa: E402


def binary() -> str:
    """`TACHO_BINARY`, else the workspace's build."""
    named = os.environ.get("TACHO_BINARY")
    target = Path(os.environ.get("CARGO_TARGET_DIR", PACKAGE.parents[1] / "target"))
    builds = [named] if named else [str(target / profile / "tacho") for profile in ("release", "debug")]
    for path in builds:
        if os.path.isfile(path):
            return path
    raise AssertionError(f"no tacho at {' or '.join(builds)}: run `cargo build`, or name it in TACHO_BINARY")


class Recorder:
    """`tacho up` over a data folder that outlives its restarts, on one port."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tacho-sdk-")
        self.data = Path(self._folder.name) / "data"
        self.spool = Path(self._folder.name) / "spool"
        self._address = "127.0.0.1:0"
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TACHO_")}
        return {
            **kept,
            "PYTHONPATH": str(PACKAGE / "src"),
            "TACHO_SERVER": self.url,
            "TACHO_SDK_SPOOL": str(self.spool),
            "TACHO_BINARY": "/nonexistent",
            "TACHO_DATA": str(self.data),
        }

    def start(self) -> None:
        arguments = [binary(), "up", "--data", str(self.data), "--listen", self._address]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TACHO_")}
        self._process = subprocess.Popen(
            arguments, env=kept, cwd=self._folder.name, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            listening = re.search(r"listens on http://(\S+)", line)
            if listening:
                self._address = listening[1]
                return
        raise AssertionError(f"the server did not start: {''.join(said)}")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def close(self) -> None:
        self.kill()
        self._folder.cleanup()

    def emitter(self, **settings: Any) -> Emitter:
        return Emitter(Settings(**{"server": self.url, "spool": self.spool, "source": "/test", **settings}))

    def events(self, **filters: str) -> list[dict[str, Any]]:
        """All that match, oldest first."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            query = urlencode({**filters, "limit": "1000", **cursor})
            with urllib.request.urlopen(f"{self.url}/api/events?{query}", timeout=30) as answer:
                page = json.load(answer)
            found += page["events"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    def run(self, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a program; fails the test when the program fails."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done


class RecorderCase(unittest.TestCase):
    """A server for the tests of one class; each test has its own event types or tasks."""

    recorder: Recorder

    @classmethod
    def setUpClass(cls) -> None:
        cls.recorder = Recorder()
        cls.addClassCleanup(cls.recorder.close)

    def emitter(self, **settings: Any) -> Emitter:
        emitter = self.recorder.emitter(**settings)
        self.addCleanup(emitter.close, 0.1)
        return emitter
