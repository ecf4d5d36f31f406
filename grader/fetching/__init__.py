"""The repositories of a class -> a folder for each student, at what had arrived in time.

A commit's own dates are its author's to choose, so they decide nothing. When a commit had arrived
is known from two clocks only: the host's, where it keeps a log of pushes that can be read, and
ours, from the time at which it was first fetched. Both are kept, so that a later pull knows what
was there before a deadline.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Literal

from grader.collect.pulled import PULLED, Pulled, folder_pulled, pulled_json
from grader.collect.repositories import GitError, commit_contents
from grader.collect.trees import Contents, Refused
from grader.course import Repositories
from grader.errors import UsageError
from grader.fetching.arrivals import KEPT_ON, Store
from grader.files import write_whole, writing
from grader.reports.folders import folders
from grader.roster import COLUMNS, Person

try:
    import fcntl
except ImportError:  # not on Windows, where two pulls at once are not told from one another
    fcntl = None  # type: ignore[assignment]

KEPT = ".repositories"
"""Folder, within that of the submissions, of what was fetched and when."""
AT_ONCE = 8
MOST_FILE_BYTES = 64_000_000
MOST_WORK_BYTES = 500_000_000
State = Literal["new", "unchanged", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where one student's work is."""

    person: Person
    """Whose it is."""
    url: str
    """Address of the repository."""
    branch: str
    """Branch; the one that the remote stands at when empty."""
    folder: str
    """Folder in it; all of it when empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How it went for one student."""

    student: str
    """Name of the student."""
    state: State
    """Whether there is something new in the folder."""
    commit: str = ""
    """The commit that lies there now; empty where there is none."""
    arrived: datetime | None = None
    """When it had arrived at the latest."""
    reason: str = ""
    """Why it failed."""
    notes: tuple[str, ...] = ()
    """What was left out of the folder, and what came too late, each in a sentence."""


def remotes(
    people: Sequence[Person], where: Repositories, assignment: str, course: Path
) -> Iterator[Remote]:
    """The repository of everybody whose row of the roster holds what its address needs.

    Args:
        people: the roster.
        where: where repositories are.
        assignment: name of the assignment.
        course: folder that an address which is a path of the disk starts from.

    Raises:
        UsageError: an address has a place that is no column, or starts like an option.
    """
    for person in people:
        values = {name: getattr(person, name) for name in COLUMNS} | {"assignment": assignment}
        filled = {}
        for name in ("url", "branch", "folder"):
            filled[name] = _filled(getattr(where, name), values)
        if filled["url"] and ":" not in filled["url"]:
            filled["url"] = str(course / filled["url"])
        if all(value is not None for value in filled.values()):
            yield Remote(person=person, **{name: value or "" for name, value in filled.items()})


def _filled(template: str, values: Mapping[str, str]) -> str | None:
    """A template with its places filled in; None where the roster has nothing for one."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
        unknown = [name for name in names if name not in values]
    except ValueError as error:
        raise UsageError(
            f"expected places such as {{github}}, got {template!r}: {error} @ course.yaml "
            "$.repositories"
        ) from error
    if unknown or template.startswith("-"):
        raise UsageError(
            f"expected places among {', '.join(sorted(values))}, got {template!r} @ course.yaml "
            "$.repositories"
        )
    return template.format(**values) if all(values[name] for name in names) else None


def fetch(
    everyone: Sequence[Remote],
    out: Path,
    *,
    until: Mapping[str, datetime] | None = None,
    jobs: int = AT_ONCE,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Callable[[Fetched], None] = lambda fetched: None,
) -> tuple[Fetched, ...]:
    """Fetches every repository, several at a time, and lays out the work in a folder for each.

    A folder changes as a whole or not at all; what was there stays where a fetch fails.

    Args:
        everyone: where the work is.
        out: folder of the submissions.
        until: by student, take the last commit that is known to have arrived by then; the newest
            where there is no such time.
        jobs: how many at a time.
        now: our clock.
        progress: called with each, as it is done.

    Raises:
        UsageError: the folder can't be written to, or another pull is at work in it.
        EngineError: the disk is full.
    """
    kept = out / KEPT
    with _alone(kept):
        places = folders(remote.person.student for remote in everyone)
        store = Store(kept, now)
        urls = list(dict.fromkeys(remote.url for remote in everyone))
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            faults = dict(zip(urls, pool.map(store.fetch, urls), strict=True))

            def one(remote: Remote) -> Fetched:
                student = remote.person.student
                by = None if until is None else until.get(student)
                done = _one(remote, out / places[student], store, by, faults[remote.url])
                progress(done)
                return done

            found = tuple(pool.map(one, everyone))
        _record(out, found, places)
    return found


def _record(out: Path, found: Sequence[Fetched], places: Mapping[str, str]) -> None:
    """Notes whose each folder is; one whose fetch failed keeps what was noted before."""
    before = {each.student: each for each in folder_pulled(out)}
    for each in found:
        if each.state != "failed" and each.arrived is not None:
            before[each.student] = Pulled(
                student=each.student,
                folder=places[each.student],
                commit=each.commit,
                arrived=each.arrived,
            )
    write_whole(out / PULLED, pulled_json(before.values()).encode(), KEPT_ON)


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """While nobody else pulls into the same folder."""
    try:
        kept.mkdir(parents=True, exist_ok=True)
        kept.chmod(0o700)
        lock = (kept / "lock").open("w")
    except OSError as error:
        raise UsageError(
            f"expected a folder that can be written to, got {error.strerror} @ {kept.parent}"
        ) from error
    with lock:
        try:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"expected nobody else to pull into {kept.parent}, got another pull at work; wait "
                "until it has ended"
            ) from error
        yield


def _one(remote: Remote, folder: Path, store: Store, until: datetime | None, fault: str) -> Fetched:
    student = remote.person.student
    if fault:
        return Fetched(student=student, state="failed", reason=fault)
    try:
        ref = store.branch(remote.url, remote.branch)
        newest = store.newest(remote.url, ref)
        chosen = newest if until is None else store.by(remote.url, ref, until)
        if chosen is None:
            return Fetched(
                student=student,
                state="failed",
                reason=f"no commit is known to have arrived by {_time(until)}; the newest, "
                f"{newest.commit[:12]}, was first seen {_time(newest.arrived)}",
            )
        where = store.repository(remote.url)
        shown = f"{student}: {chosen.commit[:12]}"
        contents = commit_contents(where, chosen.commit, shown, remote.folder)
    except GitError as error:
        return Fetched(student=student, state="failed", reason=str(error))
    notes: tuple[str, ...] = ()
    if chosen.commit != newest.commit:
        notes = (f"{newest.commit[:12]} came later ({_time(newest.arrived)}) and is not taken",)
    done = Fetched(
        student=student, state="new", commit=chosen.commit, arrived=chosen.arrived, notes=notes
    )
    before = {each.student: each for each in folder_pulled(folder.parent)}.get(student)
    if before and before.commit == chosen.commit and folder.is_dir():
        return replace(done, state="unchanged")
    return replace(done, notes=(*notes, *_lay_out(contents, folder)))


def _lay_out(contents: Contents, folder: Path) -> list[str]:
    """Writes a commit's files in place of a folder; says what was left out."""
    with writing(folder, KEPT_ON):
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            left_out = [*contents.left_out, *_write(contents, new, [MOST_WORK_BYTES])]
            new.chmod(0o755)
            old = folder.with_name(f".old-{new.name}")
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return left_out


def _write(contents: Contents, folder: Path, left: list[int]) -> list[str]:
    left_out: list[str] = []
    for file in contents.files:
        try:
            content = file.read(MOST_FILE_BYTES + 1)
            left[0] -= len(content)
            if len(content) > MOST_FILE_BYTES or left[0] < 0:
                raise Refused("larger than is taken")
            # Names are a student's: one that a file system does not take is left out.
            (folder / file.name).write_bytes(content)
        except (Refused, UnicodeEncodeError) as error:
            left_out.append(f"{file.where}: {error}")
    for inner in contents.folders:
        (folder / inner.name).mkdir()
        left_out += _write(inner.look(), folder / inner.name, left)
    return left_out


def _time(when: datetime | None) -> str:
    return when.astimezone().isoformat(timespec="seconds") if when else ""
