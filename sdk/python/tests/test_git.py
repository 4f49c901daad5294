from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import recorder  # noqa: F401  (finds the package)

from tachograph.git import Checkout, checkout


class Git(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.git("init", "--quiet", "--initial-branch", "feature/PROJ-123-auth")

    def git(self, *arguments: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_CONFIG_GLOBAL": os.devnull}
        who.update(GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@example.com")
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self.folder, env={**kept, **who}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("commit", "--quiet", "--allow-empty", "--message", "work")
        return self.git("rev-parse", "HEAD")

    def test_it_is_what_git_says(self) -> None:
        branch = "feature/PROJ-123-auth"
        self.assertEqual(checkout(self.folder), Checkout(None, branch))
        commit = self.commit()
        below = self.folder / "src" / "deep"
        below.mkdir(parents=True)
        self.assertEqual(checkout(below), Checkout(commit, branch))
        self.git("pack-refs", "--all")
        self.assertEqual(checkout(self.folder), Checkout(commit, branch))

    def test_a_worktree_and_a_detached_head(self) -> None:
        commit = self.commit()
        self.git("worktree", "add", "--quiet", "-b", "other", "beside")
        self.assertEqual(checkout(self.folder / "beside"), Checkout(commit, "other"))
        self.git("pack-refs", "--all")
        self.assertEqual(checkout(self.folder / "beside"), Checkout(commit, "other"))
        self.git("checkout", "--quiet", "--detach")
        self.assertEqual(checkout(self.folder), Checkout(commit, None))

    def test_what_cannot_be_read_is_not_known(self) -> None:
        with tempfile.TemporaryDirectory() as elsewhere:
            self.assertEqual(checkout(Path(elsewhere)), Checkout())
            self.assertEqual(checkout(Path(elsewhere) / "missing"), Checkout())
        (self.folder / ".git" / "HEAD").write_bytes(b"\xff\x00 nonsense")
        self.assertEqual(checkout(self.folder), Checkout())
        (self.folder / ".git" / "HEAD").unlink()
        self.assertEqual(checkout(self.folder), Checkout())


if __name__ == "__main__":
    unittest.main()
