"""The real road: every attack of a level in one batch, honest submissions and probes among them.

One zygote grades them all, as `grader grade` would: an attack, an honest submission, a probe that
tells how the interpreter looks to it, the next attack.
"""

import io
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console

from grader.collect import Found, collect
from grader.errors import GraderError
from grader.executors import executor
from grader.gradebook import Gradebook
from grader.instructor import Marker, grade_class, write_class
from grader.reports.student import report_html, report_json
from grader.reports.terminal import check_report, class_report
from grader.reports.view import student_view
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Grade, Observation, Status, Submission, SubmittedFile
from tests.attacks.catalogue import FOLDER, Attack
from tests.attacks.course import RAISES, RIGHT, WRONG
from tests.attacks.craft import built
from tests.attacks.observers import Evidence
from tests.attacks.scene import Scene

GRADE: TypeAdapter[Grade] = TypeAdapter(Grade)
HONEST = {"right": RIGHT, "wrong": WRONG, "raises": RAISES}
WORKERS = 2
OURS = ("grader-attack-", "grader-job-of-a-neighbour-")
"""What attacks leave in /tmp where nothing stops them: they are seen by their observers."""


@dataclass
class Level:
    """What a batch at one level gave."""

    evidence: dict[str, Evidence] = field(default_factory=dict)
    """By attack."""
    unfair: list[str] = field(default_factory=list)
    """Honest submissions that did not get the mark they get alone."""
    unclean: list[str] = field(default_factory=list)
    """Probes that found another interpreter than the first."""
    seconds: float = 0.0
    """How long it took."""


class TimedMarker(Marker):
    """Remembers how long each submission took, and what went wrong on our side."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.times: dict[str, float] = {}
        self.faults: dict[str, str] = {}

    def observe(self, submission: Submission) -> Observation:
        """As the marker's; what it raises is a fault of this submission's."""
        started = time.monotonic()
        try:
            return super().observe(submission)
        except Exception as error:
            self.faults[submission.student] = repr(error)[:500]
            raise
        finally:
            self.times[submission.student] = time.monotonic() - started


@contextmanager
def zygote_at(level: str) -> Iterator[Zygote]:
    """A zygote that shuts in at one level, whatever this machine could do."""
    zygote = Zygote(level=level) if level else Zygote()
    zygote.training = False
    try:
        yield zygote
    finally:
        zygote.close()


def submission(student: str, source: str) -> Submission:
    """A module, handed in."""
    file = SubmittedFile(name=f"{student}.py", content=source.encode("utf-8", "surrogatepass"))
    return Submission(student=student, assignment="tiny", path=f"{student}.py", files=(file,))


def run(level: str, course: Path, batch: list[tuple[Attack, Scene]], out: Path) -> Level:
    """Grades a batch at a level."""
    began = time.monotonic()
    result = Level()
    with zygote_at(level) as zygote:
        marker = TimedMarker(course, "tiny", Runner(zygote))
        before = set(os.listdir(tempfile.gettempdir()))
        hidden = hidden_numbers(marker)
        twin, alone = alone_first(marker, out)
        probe = (FOLDER / "probe.py").read_text()
        listed: list[Submission] = []
        found: dict[str, list[str]] = {}
        refused: dict[str, str] = {}
        for number, (attack, scene) in enumerate(batch):
            evidence = result.evidence[attack.id] = Evidence(twin=twin, hidden=hidden)
            submissions = handed_in(attack, scene, evidence, refused)
            taken = {each.student for each in listed}
            for each in submissions:
                name = each.student
                while name in taken:
                    name += f" {number}"
                taken.add(name)
                found.setdefault(attack.id, []).append(name)
                listed.append(replace(each, student=name))
            kind = list(HONEST)[number % 3]
            listed.append(submission(f"honest-{number:03}-{kind}", HONEST[kind]))
            listed.append(submission(f"probe-{number:03}", probe))
        for attack, scene in batch:
            if attack.first:
                accomplice = next(each for each, _ in batch if each.id == attack.first)
                source = scene.filled(accomplice.file.read_text(encoding="utf-8"))
                graded(marker, [submission("accomplice", source)], out)
        grades = graded(marker, listed, out)
        for number, (attack, scene) in enumerate(batch):
            kind = list(HONEST)[number % 3]
            evidence = result.evidence[attack.id]
            for name, want in (
                (f"honest-{number:03}-{kind}", alone[kind]),
                (f"probe-{number:03}", alone["probe"]),
            ):
                got = fingerprint(grades.get(name))
                if got != want:
                    evidence.neighbours = False
                    told = f"after {attack.id}: {difference(got, want)}"
                    (result.unclean if "probe" in name else result.unfair).append(told)
            gather(attack, scene, evidence, found.get(attack.id, []), grades, marker, out)
    for name in sorted(set(os.listdir(tempfile.gettempdir())) - before):
        place = Path(tempfile.gettempdir(), name)
        inside = os.listdir(place) if place.is_dir() else []
        whose = [a for a, scene in batch if any(each.startswith(scene.name) for each in inside)]
        for attack in whose:
            result.evidence[attack.id].left.append(name)
        if not whose and not name.startswith(OURS):
            result.unclean.append(f"left behind: {name}")
    result.seconds = time.monotonic() - began
    return result


def handed_in(
    attack: Attack, scene: Scene, evidence: Evidence, refused: dict[str, str]
) -> list[Submission]:
    """The attack's submissions, collected as the instructor's command does."""
    if not attack.builds:
        source = scene.filled(attack.file.read_text(encoding="utf-8"))
        scene.ready()
        return [submission(attack.name, source)]
    paths = built(attack, scene)
    scene.ready()
    started = time.monotonic()
    try:
        found = collect(paths, "tiny")
    except GraderError as error:
        evidence.terminal += printed(str(error))
        evidence.neighbours = False
        refused[attack.id] = str(error)
        return []
    except Exception as error:  # noqa: BLE001 - whatever it is, the class is not graded
        evidence.died = repr(error)[:300]
        return []
    finally:
        evidence.seconds += time.monotonic() - started
    evidence.read_bytes = sum(len(f.content) for each in found.submissions for f in each.files)
    evidence.terminal += "".join(printed(f"skipped {line}") for line in found.skipped)
    return list(found.submissions)


def printed(text: str) -> str:
    """What the command line prints for a line of its own making."""
    page = io.StringIO()
    Console(file=page, width=200).print(text, markup=False, highlight=False)
    return page.getvalue()


def alone_first(marker: TimedMarker, out: Path) -> tuple[float, dict[str, Any]]:
    """What honest submissions and the probe get when nobody is beside them."""
    sources = {**HONEST, "probe": (FOLDER / "probe.py").read_text()}
    alone = {}
    twin = 0.0
    for name, source in sources.items():
        (grade,) = graded(marker, [submission(name, source)], out).values()
        alone[name] = fingerprint(grade)
        if name == "wrong":
            twin = float(grade.earned or 0)
        if name == "right":
            assert grade.earned == grade.possible, (
                f"the honest one fails: {GRADE.dump_json(grade)!r}"
            )
    return twin, alone


def graded(marker: TimedMarker, listed: list[Submission], out: Path) -> dict[str, Grade]:
    """The class, graded; whoever raises on our side has no grade, and the others go on."""
    grades: dict[str, Grade] = {}
    waiting = listed
    while waiting:
        try:
            with Gradebook(out / "gradebook.db") as book:
                grade_class(
                    marker,
                    Found(submissions=tuple(waiting), skipped=()),
                    out,
                    executor(WORKERS if len(waiting) > 1 else 1),
                    book,
                    fresh=True,
                    progress=lambda grade: grades.__setitem__(grade.student, grade),
                )
            break
        except Exception as error:
            if not set(marker.faults) & {each.student for each in waiting}:
                marker.faults[f"? {len(marker.faults)}"] = repr(error)
                raise
        waiting = [s for s in waiting if s.student not in grades and s.student not in marker.faults]
    return grades


def fingerprint(grade: Grade | None) -> Any:
    """All of a mark but when it was made and for whom."""
    if grade is None:
        return None
    told = GRADE.dump_json(replace(grade, student="", file="", notes=(), provenance=None))
    return json.loads(told.replace(grade.file.encode(), b"submission.py"))


def difference(got: Any, want: Any) -> str:
    """Where two fingerprints differ."""
    if got is None or want is None:
        return "no mark"
    for mine, other in zip(got["criteria"], want["criteria"], strict=False):
        if mine != other:
            told = [f.get("facts") for f in mine["findings"] if f not in other["findings"]]
            wanted = [f.get("facts") for f in other["findings"] if f not in mine["findings"]]
            both = f"{str(told)[:1500]} instead of {str(wanted)[:1500]}"
            return f"{mine['id']}: {mine['verdict']} {both}"
    return f"{got['status']} instead of {want['status']}"


def hidden_numbers(marker: Marker) -> tuple[str, ...]:
    """Numbers of the hidden inputs, as an attack that finds them writes them."""
    return tuple(
        f"{float(array.flat[index]):.6f}"
        for trial in marker.standard.trials
        if trial.hidden
        for call in trial.calls
        for array in call.arrays().values()
        if array.dtype.kind == "f"
        for index in range(3)
    )


def gather(
    attack: Attack,
    scene: Scene,
    evidence: Evidence,
    students: list[str],
    grades: dict[str, Grade],
    marker: TimedMarker,
    out: Path,
) -> None:
    """What came out for one attack."""
    alone = out / "alone" / attack.name
    for student in students:
        evidence.seconds += marker.times.get(student, 0.0)
        grade = grades.get(student)
        if grade is None:
            evidence.died = marker.faults.get(student, "no grade")
            continue
        if grade.status is Status.WITHHELD:
            evidence.died = "withheld"
        honest = attack.builds and student.partition(" ")[0] == scene.honest
        if honest:
            evidence.neighbours &= grade.earned == grade.possible
        elif grade.earned is not None:
            evidence.score = max(evidence.score or 0.0, float(grade.earned))
        view = student_view(grade)
        evidence.public += report_json(view)
        evidence.text += GRADE.dump_json(grade).decode()
        page = io.StringIO()
        # No colours: what is left of an escape sequence is not ours.
        console = Console(file=page, width=120, force_terminal=False, no_color=True)
        console.print(check_report(view, "en"))
        console.print(class_report((grade,), "en"))
        evidence.terminal += page.getvalue()
        evidence.page += report_html(view, "en")
    evidence.read_bytes = max(evidence.read_bytes, len(evidence.text))
    mine = tuple(grades[name] for name in students if name in grades)
    evidence.text += evidence.page + evidence.terminal
    if mine:
        write_class(alone, mine, "en", ())
        evidence.page += (alone / "index.html").read_text(encoding="utf-8")
        evidence.csv += (alone / "grades.csv").read_text(encoding="utf-8")
        evidence.text += evidence.page
