"""What was fetched, and when each commit had arrived: by the host's clock, or by ours.

A remote's branch is known by its history of arrivals: which commit it held, and since when at the
latest. That history only grows; a pull after a deadline reads in it what was there before.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from grader.collect.repositories import GitError, git, own_folder
from grader.files import writing

HISTORY = "arrivals.jsonl"
KEPT_ON = "what was there before is kept, so make room and run the same command again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A commit that a branch of a remote held."""

    url: str
    """Address of the remote."""
    ref: str
    """Name of the branch."""
    commit: str
    """The commit."""
    arrived: datetime
    """When it had arrived, at the latest."""


class Store:
    """What was fetched, each repository once, and what had arrived when."""

    def __init__(self, kept: Path, now: Callable[[], datetime]):
        self._kept = kept
        self._now = now
        self._history: dict[tuple[str, str], list[Arrival]] = {}
        for each in _read(kept / HISTORY):
            self._history.setdefault((each.url, each.ref), []).append(each)

    def repository(self, url: str) -> Path:
        """Where a remote's commits are kept."""
        return self._kept / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.git"

    def fetch(self, url: str) -> str:
        """Fetches all branches of a remote; says what went wrong, "" where nothing did."""
        where = self.repository(url)
        try:
            if not (where / "HEAD").exists():
                git("init", "--quiet", "--bare", str(where))
            options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc", "--prune")
            git("fetch", *options, "--", url, "+refs/heads/*:refs/now/*", where=where)
            self._note(url, where)
        except GitError as error:
            return str(error)
        return ""

    def _note(self, url: str, where: Path) -> None:
        """Notes what each branch holds now, and what was pushed to it where the remote says so."""
        listed = git("for-each-ref", "--format=%(objectname) %(refname)", "refs/now", where=where)
        for line in listed.decode("utf-8", "replace").splitlines():
            commit, _, name = line.partition(" ")
            ref = name.removeprefix("refs/now/")
            history = self._history.setdefault((url, ref), [])
            for pushed, arrived in _pushes(url, ref):
                event = Arrival(url=url, ref=ref, commit=pushed, arrived=arrived)
                if event not in history and _has(where, pushed):
                    self._add(where, history, event)
            last = _last(history)
            if last is None or last.commit != commit:
                event = Arrival(url=url, ref=ref, commit=commit, arrived=self._now())
                self._add(where, history, event)

    def _add(self, where: Path, history: list[Arrival], event: Arrival) -> None:
        # So that Git keeps it, whatever is pushed over it.
        git("update-ref", f"refs/seen/{event.commit}", event.commit, where=where)
        _append(self._kept / HISTORY, event)
        history.append(event)

    def branch(self, url: str, asked: str) -> str:
        """The branch that is asked for, or that the remote stands at.

        Raises:
            GitError: the remote stands at none.
        """
        if asked:
            return asked
        told = git("ls-remote", "--symref", "--", url, "HEAD").decode("utf-8", "replace")
        for line in told.splitlines():
            if line.startswith("ref: refs/heads/"):
                return line.removeprefix("ref: refs/heads/").partition("\t")[0]
        raise GitError("the remote stands at no branch; is it empty?")

    def newest(self, url: str, ref: str) -> Arrival:
        """What a branch holds now.

        Raises:
            GitError: there is no such branch.
        """
        try:
            where = self.repository(url)
            told = git("rev-parse", "--verify", f"refs/now/{ref}^{{commit}}", where=where)
        except GitError as error:
            raise GitError(f"no branch {ref!r}") from error
        commit = told.decode().strip()
        found = [each for each in self._history.get((url, ref), ()) if each.commit == commit]
        newest = _last(found)
        if newest is None:
            raise GitError(f"branch {ref!r} moved while it was fetched; pull again")
        return newest

    def by(self, url: str, ref: str, until: datetime) -> Arrival | None:
        """What a branch held at a time, as far as is known; None where nothing is."""
        return _last([each for each in self._history.get((url, ref), ()) if each.arrived <= until])


def _last(history: list[Arrival]) -> Arrival | None:
    return max(enumerate(history), key=lambda each: (each[1].arrived, each[0]), default=(0, None))[
        1
    ]


def _has(where: Path, commit: str) -> bool:
    try:
        git("cat-file", "-e", f"{commit}^{{commit}}", where=where)
    except GitError:
        return False
    return True


def _pushes(url: str, ref: str) -> list[tuple[str, datetime]]:
    """What was pushed to a branch and when, by the log of a remote that lies on a disk here.

    Git writes that log where the remote has core.logAllRefUpdates; its times are the host's.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("", "file"):
        return []
    path = own_folder(Path(unquote(parts.path) if parts.scheme else url))
    if path is None:
        return []
    form = "--format=%H %gd"
    try:
        told = git("log", "-g", "--date=unix", form, f"refs/heads/{ref}", "--", where=path)
    except GitError:
        return []
    pushes = []
    for line in told.decode("utf-8", "replace").splitlines():
        commit, _, selector = line.partition(" ")
        stamp = selector.rpartition("@{")[2].removesuffix("}")
        if stamp.isdecimal():
            pushes.append((commit, datetime.fromtimestamp(int(stamp), UTC)))
    return pushes[::-1]


def _read(path: Path) -> Iterator[Arrival]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            said = json.loads(line)
            yield Arrival(**{**said, "arrived": datetime.fromisoformat(said["arrived"])})
        except (ValueError, TypeError, KeyError):
            continue  # a line that was cut off when the machine stopped


def _append(path: Path, event: Arrival) -> None:
    line = json.dumps({**asdict(event), "arrived": event.arrived.isoformat()}) + "\n"
    with writing(path, KEPT_ON):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
