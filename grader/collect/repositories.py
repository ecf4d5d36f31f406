"""A commit of a Git repository as a tree of files, read without checking anything out.

Nothing that a repository brings along is obeyed: no hook, no filter, no link, no submodule; names
are taken as they are or not at all.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader.collect.hand_ins import HandIn, Receipt
from grader.collect.trees import Contents, File, Folder, Refused, legible
from grader.errors import UsageError
from grader.roster import Identity

SECONDS = 300
"""Wall-clock seconds for one call of Git."""
MOST_ENTRIES = 20_000
MOST_PARTS = 20
PROTOCOLS = "file:git:http:https:ssh"
_REGULAR = ("100644", "100755", "100664")
_LEFT_OUT = {"120000": "a link; links are not followed", "160000": "a submodule; it is not fetched"}


class GitError(Exception):
    """Git could not do it; says why, in its own words."""


def git(
    *arguments: str,
    where: Path | None = None,
    stdin: bytes | None = None,
    seconds: float = SECONDS,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What a call of Git prints.

    Raises:
        GitError: it failed, was not there or took too long.
    """
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c"]
    command += ["safe.bareRepository=all", "-c", "advice.detachedHead=false"]
    if where is not None:
        command += ["--git-dir", str(where)]
    asked = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C.UTF-8",
        **(environment or {}),
    }
    try:
        done = subprocess.run(
            [*command, *arguments],
            input=b"" if stdin is None else stdin,
            capture_output=True,
            timeout=seconds,
            env=asked,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"no answer in {seconds:g} seconds") from error
    except OSError as error:
        raise GitError(f"git can't be run: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        told = [line for line in said if line.startswith(("fatal:", "error:", " ! "))] or said
        raise GitError(legible(told[0])[:300])
    return done.stdout


@dataclass(slots=True)
class _Branch:
    """A folder of a commit, in the making."""

    folders: dict[str, "_Branch"]
    files: dict[str, str]


def commit_contents(where: Path, commit: str, shown: str, under: str = "") -> Contents:
    """What a commit holds, or one folder of it.

    Args:
        where: the repository's own folder, such as `.git`.
        commit: its name.
        shown: where it is, as people are told.
        under: a folder within it, "" for the whole.

    Raises:
        GitError: there is no such commit or folder, or it holds too many files.
    """
    tree = f"{commit}:{under.strip('/')}" if under.strip("/") else f"{commit}^{{tree}}"
    listed = git("ls-tree", "-r", "-z", "--full-tree", tree, where=where)
    root = _Branch({}, {})
    left_out: list[str] = []
    entries = listed.split(b"\0")[:-1]
    if len(entries) > MOST_ENTRIES:
        raise GitError(f"expected at most {MOST_ENTRIES} files, got {len(entries)}")
    for entry in entries:
        facts, _, raw = entry.partition(b"\t")
        mode, _, name = facts.decode("ascii").split(" ")
        path = raw.decode("utf-8", "replace")
        reason = _LEFT_OUT.get(mode) or _fault(path)
        if mode not in _REGULAR and not reason:
            reason = "neither a file nor a folder"
        if reason:
            left_out.append(f"{shown}: {legible(path)[:200]}: {reason}")
            continue
        *parents, last = path.split("/")
        branch = root
        for part in parents:
            branch = branch.folders.setdefault(part, _Branch({}, {}))
        branch.files[last] = name
    return _contents(root, where, shown, "", tuple(left_out))


def _fault(path: str) -> str:
    """Why a path leads nowhere good; "" where it is harmless."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts):
        return "a path that leads elsewhere"
    if any(part.casefold().strip(". ") == "git" and part != "git" for part in parts):
        return "a repository within the repository"
    return "a path too deep" if len(parts) > MOST_PARTS else ""


def _contents(
    branch: _Branch, where: Path, shown: str, path: str, left_out: tuple[str, ...] = ()
) -> Contents:
    return Contents(
        folders=tuple(
            Folder(
                name=legible(name),
                where=f"{shown}: {path}{legible(name)}",
                look=partial(_contents, inner, where, shown, f"{path}{legible(name)}/"),
            )
            for name, inner in sorted(branch.folders.items())
        ),
        files=tuple(
            File(
                name=legible(name),
                where=f"{shown}: {path}{legible(name)}",
                read=partial(_blob, where, blob),
            )
            for name, blob in sorted(branch.files.items())
        ),
        left_out=left_out,
    )


def _blob(where: Path, blob: str, limit: int) -> bytes:
    try:
        size = int(git("cat-file", "-s", blob, where=where))
        if size > 10 * limit:
            raise Refused(f"{size} bytes")
        return git("cat-file", "blob", blob, where=where)[:limit]
    except GitError as error:
        raise Refused(f"can't be read: {error}") from error


def own_folder(path: Path) -> Path | None:
    """A repository's own folder: `.git` in a clone, the path itself of a bare one; else None."""
    if (path / ".git").is_dir():
        return path / ".git"
    bare = all((path / name).exists() for name in ("HEAD", "objects", "refs"))
    return path if bare else None


def branches(path: Path, *, always: bool) -> tuple[HandIn, ...] | None:
    """A hand-in for each branch of a repository; None where it is not one for each student.

    The branch that the repository stands at is nobody's, if there are others.

    Args:
        path: a folder.
        always: read branches even of a clone, which has files to read too.

    Raises:
        UsageError: the branches are asked for and can't be read.
    """
    where = own_folder(path)
    if where is None or not (always or where == path):
        if always:
            raise UsageError(f"expected a Git repository, for --branches, got none @ {path}")
        return None
    try:
        return tuple(_each_branch(where, path))
    except GitError as error:
        raise UsageError(
            f"expected a Git repository with a branch for each student, got: {error} @ {path}"
        ) from error


def _each_branch(where: Path, path: Path) -> Iterator[HandIn]:
    form = "--format=%(objectname) %(refname)"
    listed = git("for-each-ref", form, "refs/heads", "refs/remotes", where=where).decode()
    found: dict[str, str] = {}
    for line in listed.splitlines():
        commit, _, name = line.partition(" ")
        local = name.startswith("refs/heads/")
        short = name.split("/", 2 if local else 3)[-1]
        if local or (short != "HEAD" and short not in found):
            found[short] = commit
    try:
        current = git("symbolic-ref", "--short", "HEAD", where=where).decode().strip()
    except GitError:
        current = ""
    if len(found) > 1:
        found.pop(current, None)
    for name, commit in sorted(found.items()):
        shown = f"{path}: {name}"
        yield HandIn(
            who=(Identity(key=legible(name), github=legible(name)),),
            contents=commit_contents(where, commit, shown),
            where=shown,
            receipt=Receipt(commit=commit),
        )
