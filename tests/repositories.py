"""Git repositories on the disk, for tests."""

import os
import subprocess
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.org",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.org",
}


def run_git(folder: Path, *arguments: str, **environment: str) -> str:
    """A call of Git in a folder, with an identity that every machine has."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **IDENTITY, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, str], **environment: str) -> str:
    """A commit with some files changed; its name."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-q", "-m", "work", **environment)
    return run_git(folder, "rev-parse", "HEAD")


def made_repository(folder: Path, files: dict[str, str]) -> str:
    """A repository with one commit on its branch main; the commit's name."""
    folder.mkdir(parents=True)
    run_git(folder, "init", "-q", "-b", "main")
    return commit(folder, files)
