from __future__ import annotations

import json
import time
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from tachograph import Emitter, redact
from tachograph.settings import Settings

SECRETS = {
    "password": "hunter2",
    "dbPasswd": "hunter2",
    "X-Api-Key": "hunter2",
    "client_secret": ["hunter2", {"deep": "hunter2"}],
    "headers": {"Authorization": "Basic hunter2", "Set-Cookie": "id=hunter2"},
    "refreshToken": "hunter2",
    "command": "curl -H 'Authorization: Basic aHVudGVyMg==' https://me:hunter2@example.com",
    "bearer": "curl -H 'Authorization: Bearer abcdefgh-hunter2'",
    "environment": "AWS_SECRET_ACCESS_KEY=hunter2abc/def\nDB_PASSWORD='hunter2'",
    "text": "keys sk-ant-api03-hunter2hunter2 ghp_hunter2hunter2hunter2h AKIAHUNTER2HUNTER2AA end",
    "pem": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\nbehind",
}
PLAIN = {
    "input_tokens": 7,
    "max_tokens": "many",
    "tokenizer": "the bearer of news",
    "secretary": "a token of thanks",
    "url": "https://example.com/a@b?c=d",
    "css": "sk-loading-indicator-wrapper",
    "code": "password = self.password",
}


class Redaction(unittest.TestCase):
    def test_no_secret_is_left(self) -> None:
        clean = redact.value(SECRETS)
        told = json.dumps(clean).lower()
        for left in ("hunter2", "ahvudgvymg"):
            self.assertNotIn(left, told)
        self.assertEqual(clean["password"], "[redacted:password]")
        self.assertEqual(clean["client_secret"], ["[redacted:secret]", {"deep": "[redacted:secret]"}])
        self.assertTrue(clean["pem"].endswith("[redacted:private_key]\nbehind"))
        self.assertTrue(clean["text"].startswith("keys [redacted:anthropic_key] ") and clean["text"].endswith(" end"))

    def test_what_is_none_stays(self) -> None:
        self.assertEqual(redact.value(PLAIN), PLAIN)

    def test_twice_is_once(self) -> None:
        event = json.dumps({"id": "1", "data": SECRETS}, separators=(",", ":")).encode()
        clean = redact.line(event)
        self.assertNotEqual(clean, event)
        self.assertEqual(redact.line(clean), clean)
        other = json.dumps({"id": "1", "data": {"n": 1.5}}).encode()
        self.assertIs(redact.line(other), other)

    def test_hostile_text_takes_no_time(self) -> None:
        began = time.monotonic()
        for part in ("a://", "token", "sk-", "eyJ", "-----BEGIN ", "bearer ", "password=", "-"):
            redact.text(part * 40_000)
        self.assertLess(time.monotonic() - began, 10)

    def test_the_spool_holds_no_secret(self) -> None:
        with TemporaryDirectory() as folder:
            # Nothing listens on port 1.
            settings = Settings(server="http://127.0.0.1:1", spool=Path(folder) / "spool")
            emitter = Emitter(settings)
            with self.assertLogs("tachograph", "WARNING"):
                emitter.emit("demo.secret", SECRETS)
                emitter.flush()
            emitter.close(0.1)
            files = [path for path in Path(folder).rglob("*.jsonl")]
            self.assertEqual(len(files), 1)
            content = files[0].read_bytes()
            self.assertIn(b"[redacted:password]", content)
            self.assertNotIn(b"hunter2", content.lower())
            for path in [*files, *Path(folder).rglob("lock")]:
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            for path in (path for path in (Path(folder) / "spool").rglob("*") if path.is_dir()):
                self.assertEqual(path.stat().st_mode & 0o777, 0o700, path)
            self.assertEqual((Path(folder) / "spool").stat().st_mode & 0o777, 0o700)


if __name__ == "__main__":
    unittest.main()
