"""A server of the test's own: `tacho up` on free ports of loopback, over a folder of its own."""

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "crates/tacho-testkit/fixtures"
# Nothing that a test waits for takes longer, whatever else the machine does.
PATIENCE_SECONDS = 60


class Server:
    def __init__(self, config: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "tacho.toml"
        file.write_text(config)
        command = [os.environ["TACHO_BINARY"], "up", "--listen", "127.0.0.1:0", "--config", str(file)]
        command += ["--data", str(Path(self._folder.name) / "data")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.grpc = self.url = None
        while self.url is None:
            line = self._process.stderr.readline()
            assert line, "the server ended before it listened"
            if " listens on http://" in line:
                self.url = "http://" + line.strip().split(" listens on http://")[1]
        if "otlp_grpc" in config:
            self.grpc = self._process.stderr.readline().strip().split(" is taken on ")[1]

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate()
        self._folder.cleanup()

    def get(self, path: str):
        with urllib.request.urlopen(self.url + path) as answer:
            return json.load(answer)

    def post(self, path: str, body: bytes, kind: str = "application/json") -> None:
        request = urllib.request.Request(self.url + path, body, {"content-type": kind})
        with urllib.request.urlopen(request) as answer:
            answer.read()

    def events(self, kind: str) -> list:
        """The events of a type, oldest first."""
        return self.get(f"/api/events?type={kind}&limit=1000")["events"]


def eventually(what: str, ask):
    """Asks again until there is an answer."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (answer := ask()):
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_SECONDS} s"
    return answer
