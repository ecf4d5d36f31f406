"""Reports go back to students: as a folder, a zip that Canvas or Moodle takes, or a Git branch.

What goes out is made from the redacted view alone. What was sent is noted, so that an unchanged
report is not sent twice.
"""

import hashlib
import io
import json
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from grader.collect.archives import Budget, opened
from grader.collect.lms import canvas_feedback, moodle_feedback, moodle_name
from grader.collect.repositories import GitError, git
from grader.errors import UsageError
from grader.exports.marks import read_results, read_view
from grader.exports.moodle import participants
from grader.exports.sheet import read_sheet
from grader.fetching import Remote
from grader.files import write_whole
from grader.reports.folders import folder_of
from grader.reports.legible import visible
from grader.reports.schema import VIEW
from grader.reports.student import report_html, report_markdown
from grader.roster import Identity, Roster
from grader.types import Status

NOTED = "make room and run the same command again: what was sent is noted"
SENT = ".returned.json"
PAGE, TEXT = "report.html", "report.md"
AT_ONCE = 8
DATED = (1980, 1, 1, 0, 0, 0)
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "grader"), ("EMAIL", "grader@localhost"))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one student is sent."""

    student: str
    """Name of the student, as the results show it."""
    folder: str
    """Name of the folder of the student's results."""
    page: bytes
    """The report as a page."""
    text: bytes
    """The report as Markdown."""
    digest: str
    """Hash of what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What became of the reports."""

    sent: tuple[str, ...] = ()
    """Students whose report is on its way, or would be."""
    unchanged: tuple[str, ...] = ()
    """Students who have it already."""
    left: tuple[str, ...] = ()
    """Reports that can't be sent, each with the reason."""


def read_reports(results: Path, language: str) -> tuple[tuple[Report, ...], tuple[str, ...]]:
    """The reports of a folder of results, and what is not sent, each with the reason.

    Raises:
        UsageError: there are no results in it, or a view in it can't be read.
    """
    reports, left = [], []
    for kept in read_results(results):
        view = read_view(kept)
        if view.status is Status.WITHHELD:
            left.append(f"{kept.student}: the mark is withheld")
            continue
        told = VIEW.dump_json(replace(view, provenance=None))
        reports.append(
            Report(
                student=kept.student,
                folder=kept.folder.name,
                page=report_html(view, language).encode(),
                text=report_markdown(view, language).encode(),
                digest=hashlib.sha256(language.encode() + b"\0" + told).hexdigest(),
            )
        )
    return tuple(reports), tuple(left)


class Sent:
    """What was sent by one way, by student: the hash of the report."""

    def __init__(self, results: Path, way: str):
        self._path = results / SENT
        self._way = way

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            read = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}

    def new(self, reports: Iterable[Report], *, again: bool) -> tuple[list[Report], list[str]]:
        """Reports that are not there yet, and whose are."""
        known = {} if again else self._read().get(self._way, {})
        told = [(report, known.get(report.student) == report.digest) for report in reports]
        return (
            [report for report, there in told if not there],
            [report.student for report, there in told if there],
        )

    def note(self, reports: Iterable[Report]) -> None:
        """Notes what has been sent."""
        known = self._read()
        known[self._way] = known.get(self._way, {}) | {
            report.student: report.digest for report in reports
        }
        text = json.dumps(known, ensure_ascii=False, indent=2, sort_keys=True)
        write_whole(self._path, (text + "\n").encode(), NOTED)


def to_folder(
    results: Path, reports: Sequence[Report], out: Path, *, dry_run: bool, again: bool = False
) -> Returned:
    """A folder with a folder for each student, and the report in it."""
    sent = Sent(results, f"folder {out.resolve()}")
    new, unchanged = sent.new(reports, again=again)
    if not dry_run:
        for report in new:
            write_whole(out / report.folder / PAGE, report.page, NOTED)
        sent.note(new)
    return Returned(sent=tuple(each.student for each in new), unchanged=tuple(unchanged))


def to_zip(
    results: Path,
    reports: Sequence[Report],
    names: Iterable[tuple[Identity, str]],
    roster: Roster,
    out: Path,
    way: str,
    *,
    dry_run: bool,
    again: bool = False,
) -> Returned:
    """The zip that Canvas or Moodle takes in, with the reports that are new; none if none is.

    Args:
        results: folder of the results.
        reports: what there is to send.
        names: whose each hand-in is, and what a file back to them must be called.
        roster: who is who.
        out: the zip.
        way: "canvas" or "moodle".
        dry_run: only say what would be sent.
        again: send what was sent before, too.
    """
    called = _called(names, roster)
    left = tuple(
        f"{report.student}: not in the download, so nobody to send it to"
        for report in reports
        if report.student not in called
    )
    sent = Sent(results, way)
    new, unchanged = sent.new((each for each in reports if each.student in called), again=again)
    if new and not dry_run:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for report in new:
                info = zipfile.ZipInfo(called[report.student], DATED)
                archive.writestr(info, report.page, zipfile.ZIP_DEFLATED)
        write_whole(out, buffer.getvalue(), NOTED)
        sent.note(new)
    students = tuple(each.student for each in new)
    return Returned(sent=students, unchanged=tuple(unchanged), left=left)


def _called(names: Iterable[tuple[Identity, str]], roster: Roster) -> dict[str, str]:
    """What a file to each student must be called; who is there twice is not told apart."""
    found: list[tuple[str, str]] = []
    for who, name in names:
        person = roster.person(who)
        found.append((visible(person.student if person else who.key), name))
    counts = Counter(student for student, _ in found)
    return {student: name for student, name in found if counts[student] == 1}


def download_names(path: Path, way: str) -> tuple[tuple[Identity, str], ...]:
    """Whose the hand-ins of a download are, and what a file back to each must be called.

    Args:
        path: the zip of hand-ins, or for Moodle the worksheet.
        way: "canvas" or "moodle".

    Raises:
        UsageError: it is neither, or nothing in it is called as the LMS calls it.
    """
    if way == "moodle" and path.suffix.casefold() == ".csv":
        sheet = read_sheet(path, ())
        names = tuple(
            (who, moodle_name(folder_of(who.name or "Participant"), who.moodle_id, PAGE))
            for _, who in participants(sheet)
            if who.moodle_id
        )
    else:
        with opened(path, Budget()) as folder:
            feedback = canvas_feedback if way == "canvas" else moodle_feedback
            names = tuple(feedback(folder.look(), PAGE))
    if not names:
        raise UsageError(
            f"expected the hand-ins that {way.capitalize()} packed, got no file that is called as "
            f"there @ {path}; download all submissions of the assignment again"
        )
    return names


def to_branches(
    results: Path,
    reports: Sequence[Report],
    everyone: Sequence[Remote],
    branch: str,
    *,
    dry_run: bool,
    again: bool = False,
    jobs: int = AT_ONCE,
) -> Returned:
    """A branch of each student's own repository, with the report as a page and as Markdown.

    Raises:
        UsageError: students share a repository, so that they would read each other's reports.
    """
    places = {visible(each.person.student): each for each in everyone}
    counts = Counter(each.url for each in everyone)
    shared = [url for url, count in counts.items() if count > 1]
    if shared:
        raise UsageError(
            f"expected a repository of each student's own, got {shared[0]!r} for several, who "
            "would read each other's reports @ course.yaml $.repositories.url; return them as a "
            "folder"
        )
    sent = Sent(results, f"github {branch}")
    new, unchanged = sent.new((each for each in reports if each.student in places), again=again)
    left = [
        f"{each.student}: the roster says no repository"
        for each in reports
        if each.student not in places
    ]
    if dry_run:
        students = tuple(each.student for each in new)
        return Returned(sent=students, unchanged=tuple(unchanged), left=tuple(left))

    def one(report: Report) -> str:
        try:
            push_report(places[report.student], report, branch)
        except GitError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        faults = dict(zip((each.student for each in new), pool.map(one, new), strict=True))
    done = [each for each in new if not faults[each.student]]
    sent.note(done)
    left += [f"{student}: {fault}" for student, fault in faults.items() if fault]
    students = tuple(each.student for each in done)
    return Returned(sent=students, unchanged=tuple(unchanged), left=tuple(left))


def push_report(remote: Remote, report: Report, branch: str) -> bool:
    """Puts a report on a branch, on top of what is there; whether anything was pushed.

    Nothing is checked out, and no other branch is touched.

    Raises:
        GitError: it could not be pushed.
    """
    ref = f"refs/heads/{branch}"
    with tempfile.TemporaryDirectory(prefix="grader-return-") as scratch:
        where = Path(scratch) / "report.git"
        git("init", "--quiet", "--bare", str(where))
        there = git("ls-remote", "--", remote.url, ref, where=where)
        parent: tuple[str, ...] = ()
        if there:
            git("fetch", "--quiet", "--no-tags", "--depth=1", "--", remote.url, ref, where=where)
            parent = ("-p", git("rev-parse", "FETCH_HEAD", where=where).decode().strip())
        blobs = {
            name: git("hash-object", "-w", "--stdin", where=where, stdin=content).decode().strip()
            for name, content in ((PAGE, report.page), (TEXT, report.text))
        }
        entries = "".join(f"100644 blob {blob}\t{name}\n" for name, blob in sorted(blobs.items()))
        tree = git("mktree", where=where, stdin=entries.encode()).decode().strip()
        if parent:
            before = git("rev-parse", f"{parent[1]}^{{tree}}", where=where).decode().strip()
            if before == tree:
                return False
        message = ("-m", "Report")
        made = git("commit-tree", tree, *parent, *message, where=where, environment=AUTHOR)
        git("push", "--quiet", "--", remote.url, f"{made.decode().strip()}:{ref}", where=where)
    return True
