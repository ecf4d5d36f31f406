"""Files, folders and zips -> submissions: who handed in what.

What might be somebody's work and is not recognised is listed; only what comes with the hand-out or
is left behind by tools is passed over.

    trees      folders and files, on the disk or in a zip     archives   a zip as a tree, safely
    lms        how Canvas, Moodle and Gradescope pack a class
    layouts    nbgrader's tree, the clones of a GitHub Classroom
    repositories   a commit as a tree                     pulled     what `grader pull` left
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from grader.collect.archives import (
    MOST_SUBMISSION_BYTES,
    Budget,
    is_zip,
    joined,
    opened,
    within,
)
from grader.collect.hand_ins import HandIn, Receipt
from grader.collect.layouts import unpacked
from grader.collect.lms import METADATA
from grader.collect.modules import (
    IGNORED,
    MOST_BYTES,
    MOST_LEVELS,
    is_imported,
    is_module,
    package_modules,
    suffix,
)
from grader.collect.pulled import read_pulled
from grader.collect.repositories import branches
from grader.collect.trees import Contents, File, Folder, Refused, legible, on_disk
from grader.errors import UsageError
from grader.roster import Identity, Roster
from grader.types import Submission, SubmittedFile

__all__ = [
    "MOST_BYTES",
    "MOST_FILES",
    "MOST_SUBMISSION_BYTES",
    "SUFFIXES",
    "Found",
    "Receipt",
    "collect",
]

SUFFIXES = (".py", ".ipynb")
MOST_FILES = 200
MOST_LOOKED_AT = 500
"""Folders on one level of a submission that are looked into."""
MOST_LISTED = 5
OTHER_ARCHIVES = re.compile(r"\.(rar|7z|tar|tgz|gz|bz2|xz|zst|egg|alz)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What some paths hold."""

    submissions: tuple[Submission, ...]
    """One for each student, each name once."""
    skipped: tuple[str, ...]
    """Paths that are no submission or not all of one, each with the reason."""
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    """How it was handed in, by student, where anything is known."""
    unmapped: tuple[str, ...] = ()
    """Submissions of which the roster does not say whose they are, each with where it was found."""
    missing: tuple[str, ...] = ()
    """Those of the roster who handed in nothing."""


def collect(
    paths: Iterable[Path],
    assignment: str,
    roster: Roster | None = None,
    *,
    each_branch: bool = False,
) -> Found:
    """The submissions in files, folders and zips, and in what an LMS hands out.

    A file is one submission, named after its stem. A folder that holds `<assignment>.py` or
    `<assignment>.ipynb` is one, named after the folder; any other folder holds submissions: its
    files, its folders and its zips. A zip that is named here is read as the folder that it packs;
    one that lies in a folder is a student's.

    Args:
        paths: what is looked through.
        assignment: name of the assignment.
        roster: who is in the class, and so whose a submission is and who is missing.
        each_branch: whether a Git repository has a branch for each student; a bare one has.

    Raises:
        UsageError: a path does not exist, a zip is broken or unpacks to too much, or there is no
            submission at all.
    """
    paths = list(paths)
    collector = _Collector(assignment, roster or Roster(), each_branch)
    for path in paths:
        if not path.exists():
            raise UsageError(f"expected a file or a folder of submissions, got nothing at {path}")
        collector.path(path)
    if not collector.submissions:
        listed = ", ".join(map(str, paths))
        raise UsageError(
            f"expected notebooks (.ipynb) or modules (.py), found none in {listed}"
            + "".join(f"\n  {legible(each)}" for each in collector.skipped)
        )
    submissions = tuple(_distinct(collector.submissions))
    if collector.roster.people:
        # Two hand-ins of one student: the second is nobody's until somebody says whose it is.
        collector.unmapped += [
            f"{named.student} ({named.path})"
            for named, before in zip(submissions, collector.submissions, strict=True)
            if named.student != before.student
        ]
    return Found(
        submissions=submissions,
        skipped=tuple(map(legible, collector.skipped)),
        receipts=collector.receipts,
        unmapped=tuple(map(legible, collector.unmapped)),
        missing=collector.roster.missing(each.student for each in submissions),
    )


@dataclass(slots=True)
class _Collector:
    """Goes through paths and gathers what they hold."""

    assignment: str
    roster: Roster
    each_branch: bool
    submissions: list[Submission] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)

    def path(self, path: Path) -> None:
        """Whatever a path on the disk holds."""
        if path.is_symlink():
            self.skipped.append(f"{path}: a link; links are not followed")
            return
        node = on_disk(path)
        self.budget = Budget()
        if isinstance(node, Folder):
            of_students = branches(path, always=self.each_branch)
            if of_students is None:
                self._whole(node, 0)
            self._hand_ins(of_students or (), 0)
        elif is_zip(node):
            with opened(path, self.budget) as folder:
                self._whole(self._unwrapped(folder), 1)
        else:
            self._add(_stem(node), node.where, [node])

    def _whole(self, folder: Folder, zips: int) -> None:
        """A folder that is one submission or holds submissions, within so many zips."""
        contents = folder.look()
        if self._is_one(contents):
            self._submission(folder, contents, zips)
            return
        self.skipped += contents.left_out
        if zips == 0 and (pulled := read_pulled(contents)) is not None:
            self._hand_ins(pulled, zips)
            return
        owners = (person.github for person in self.roster.people)
        if recognised := unpacked(folder, contents, self.assignment, owners):
            self.skipped += recognised.skipped
            self._hand_ins(recognised.hand_ins, zips)
            contents = recognised.rest
        nodes: list[Folder | File] = [*contents.folders, *contents.files]
        for node in sorted(nodes, key=lambda node: node.name):
            if isinstance(node, Folder):
                if not IGNORED.match(node.name):
                    self.budget.next_submission()
                    self._submission(node, node.look(), zips)
            elif is_module(node):
                self.budget.next_submission()
                self._add(_stem(node), node.where, [node])
            elif is_zip(node) and not IGNORED.match(node.name):
                self._zip(node, zips)
            elif not IGNORED.search(node.name):
                self.skipped.append(f"{node.where}: {_no_module(node)}")

    def _is_one(self, contents: Contents) -> bool:
        return any(is_module(file) and _stem(file) == self.assignment for file in contents.files)

    def _unwrapped(self, folder: Folder) -> Folder:
        """The folder that was packed, where a zip holds that one and nothing beside it.

        A lone folder may as well be the only student's: it is the one that was packed if it has
        the zip's name, or has no work in it but several folders.
        """
        contents = folder.look()
        visible = [each for each in contents.folders if not IGNORED.match(each.name)]
        if len(visible) != 1 or any(not IGNORED.search(each.name) for each in contents.files):
            return folder
        inner = visible[0].look()
        several = len(inner.folders) + sum(map(is_zip, inner.files)) > 1
        exported = any(file.name == METADATA for file in inner.files)
        packed = exported or (several and not any(map(is_module, inner.files)))
        if self._is_one(inner) or not (packed or visible[0].name == folder.name):
            return folder
        self.skipped += contents.left_out
        return visible[0]

    def _zip(self, file: File, zips: int) -> None:
        """A zip that is one submission; one that can't be read is a submission without files."""
        # One on the disk has a budget of its own; one in another takes from the other's.
        budget = self.budget if zips else Budget()
        budget.next_submission()
        try:
            folder = within(file, budget, zips)
        except Refused as error:
            self.skipped.append(f"{file.where}: {error}")
            self._add(_stem(file), file.where, [])
            return
        outer, self.budget = self.budget, budget
        self._submission(folder, folder.look(), zips + 1)
        self.budget = outer

    def _submission(self, folder: Folder, contents: Contents, zips: int) -> None:
        """A folder that is one submission; without work in it, one that the loader refuses."""
        if not (contents.folders or contents.files or contents.left_out):
            self.skipped.append(f"{folder.where}: empty")
            return
        who = (Identity(key=folder.name),)
        self._hand_in(HandIn(who=who, contents=contents, where=folder.where), zips)

    def _hand_ins(self, hand_ins: Iterable[HandIn], zips: int) -> None:
        for hand_in in hand_ins:
            self.budget.next_submission()
            self._hand_in(hand_in, zips)

    def _hand_in(self, hand_in: HandIn, zips: int) -> None:
        """One submission for each who handed it in."""
        found, aside = self._work(hand_in.contents, zips)
        first, *others = hand_in.who
        submission = self._add_whose(first, hand_in.where, found, hand_in.submitted_at)
        students = [submission.student]
        for who in others:
            students.append(self._student(who, hand_in.where))
            self.submissions.append(replace(submission, student=students[-1]))
        together = tuple(students) if others else ()
        receipt = replace(hand_in.receipt, together=together)
        if receipt != Receipt():
            self.receipts |= dict.fromkeys(students, receipt)
        if aside:
            self.skipped.append(f"{hand_in.where}: left aside: {joined(aside, MOST_LISTED)}")

    def _student(self, who: Identity, where: str) -> str:
        """The name that somebody's submission is kept under."""
        person = self.roster.person(who)
        if person is None:
            if self.roster.people:
                self.unmapped.append(f"{who.key} ({where})")
            return who.key
        return person.student

    def _work(self, contents: Contents, zips: int) -> tuple[list[File], list[str]]:
        """A folder's notebooks and modules, or those of the nearest level of folders and zips in
        it that has any; and the names of what else is there.
        """
        level = [(contents, zips)]
        aside: list[str] = []
        for depth in range(MOST_LEVELS):
            files = [file for each, _ in level for file in each.files]
            self.skipped += [line for each, _ in level for line in each.left_out]
            found = [file for file in files if is_module(file)]
            aside += [
                file.name
                for file in files
                if not (is_module(file) or is_zip(file) or IGNORED.search(file.name))
            ]
            below = [
                (node, zips)
                for each, zips in level
                for node in _deeper(each)
                if not IGNORED.match(node.name)
            ]
            if found or depth + 1 == MOST_LEVELS or len(below) > MOST_LOOKED_AT:
                folders = [node for node, _ in below if isinstance(node, Folder)]
                packages = [node for node in folders if is_imported(node, found)]
                inner = [file for node in packages for file in package_modules(node, node.name)]
                return found + inner, [*aside, *(n.name for n, _ in below if n not in packages)]
            level = [inside for node, zips in below for inside in self._inside(node, zips)]
        return [], aside

    def _inside(self, node: Folder | File, zips: int) -> Iterator[tuple[Contents, int]]:
        if isinstance(node, Folder):
            yield node.look(), zips
            return
        try:
            yield within(node, self.budget, zips).look(), zips + 1
        except Refused as error:
            self.skipped.append(f"{node.where}: {error}")

    def _add(self, name: str, where: str, files: list[File]) -> Submission:
        """The submission of whoever a file or folder is called after."""
        return self._add_whose(Identity(key=name), where, files)

    def _add_whose(
        self, who: Identity, where: str, files: list[File], submitted_at: datetime | None = None
    ) -> Submission:
        read = {file.name: file for file in self._read(files, where)}
        submission = Submission(
            student=self._student(who, where),
            assignment=self.assignment,
            path=where,
            files=tuple(read[name] for name in sorted(read)),
            submitted_at=submitted_at,
        )
        self.submissions.append(submission)
        return submission

    def _read(self, files: list[File], where: str) -> Iterator[SubmittedFile]:
        """The files as far as they are taken; those named after the assignment come first."""
        names: set[str] = set()
        left_bytes = MOST_SUBMISSION_BYTES
        for file in sorted(files, key=lambda file: (_stem(file) != self.assignment, file.name)):
            if file.name in names:
                self.skipped.append(f"{file.where}: another file of {where} has that name")
                continue
            if len(names) == MOST_FILES or left_bytes <= 0:
                self.skipped.append(
                    f"{file.where}: more than {MOST_FILES} files or {MOST_SUBMISSION_BYTES} bytes "
                    "in one submission"
                )
                continue
            try:
                content = file.read(MOST_BYTES.get(suffix(file), MOST_BYTES[".py"]) + 1)
            except Refused as error:
                self.skipped.append(f"{file.where}: {error}")
                continue
            names.add(file.name)
            left_bytes -= len(content)
            yield SubmittedFile(name=file.name, content=content)


def _deeper(contents: Contents) -> Iterator[Folder | File]:
    """The folders, and the zips, which are looked into like folders."""
    yield from contents.folders
    yield from filter(is_zip, contents.files)


def _stem(file: File) -> str:
    return file.name.rpartition(".")[0] or file.name


def _no_module(file: File) -> str:
    if OTHER_ARCHIVES.search(file.name):
        return "an archive of a kind that is not read; unpack it, or pack it as .zip"
    return "neither a notebook nor a module"


def _distinct(submissions: list[Submission]) -> Iterator[Submission]:
    """Each with a name of its own: the second "ada" is "ada (2)"."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for submission in submissions:
        name = submission.student
        while name in taken:  # somebody may be called "ada (2)"
            counts[submission.student] = number = counts.get(submission.student, 1) + 1
            name = f"{submission.student} ({number})"
        taken.add(name)
        yield replace(submission, student=name)
