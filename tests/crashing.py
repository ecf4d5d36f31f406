"""Grades a small class again and again, each time killed at another write; run as a script.

Everything that writes is a point: each statement that changes the gradebook, the moment before and
after each commit, and the moment before and after each file of the results. Prints JSON.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from grader.collect import collect
from grader.executors import Serial
from grader.gradebook import Gradebook
from grader.instructor import Marker, grade_class
from grader.provenance import provenance
from grader.types import Finding, Observation, Status, Submission, Verdict

CHANGES = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP")


class Pretender(Marker):
    """Sees right away whether a submission is right, and notes that it was asked."""

    log = Path()
    mistakes = None  # type: ignore[assignment]

    def observe(self, submission: Submission) -> Observation:
        with self.log.open("a") as log:
            log.write(submission.student + "\n")
        right = b"x + x" in submission.files[0].content
        verdict = Verdict.PASS if right else Verdict.FAIL
        seen = {
            criterion.id: (
                Finding(check="close", case=case.id, verdict=verdict, code="", hidden=False),
            )
            for criterion in self.assignment.rubric.criteria
            if criterion.checks
            for case in self.assignment.rubric.cases_over(criterion)[:1]
        }
        made = provenance(self.key(submission), "A")
        return Observation(status=Status.GRADED, provenance=made, findings=seen, file="tiny.py")


class Points:
    """Counts the writes, and ends the process without a word at one of them."""

    def __init__(self, last: int):
        self.count, self._last = 0, last

    def __call__(self, *_: Any) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str) -> None:
        plain = getattr(owner, name)

        def pointed(*given: Any, **named: Any) -> Any:
            self()
            result = plain(*given, **named)
            self()
            return result

        setattr(owner, name, pointed)

    def statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(CHANGES):
            self()


def grade(course: Path, place: Path, last: int) -> int:
    """Grades the class into a folder; how many writes there were."""
    point = Points(last)
    event.listen(Engine, "before_cursor_execute", point.statement)
    event.listen(Engine, "commit", point)
    point.around(Gradebook, "record")
    for name in ("write_bytes", "replace"):
        point.around(Path, name)
    runner = SimpleNamespace(isolation=lambda: SimpleNamespace(level="A"))
    marker = Pretender(course, "tiny", runner)  # type: ignore[arg-type]
    marker.log = place / "log"
    with Gradebook(place / "gradebook.db") as book:
        grade_class(marker, collect([course / "in"], "tiny"), place / "out", Serial(), book)
    return point.count


def in_child(work: Callable[[], int]) -> int:
    """What a function returns in a process of its own, 0 where it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.write(writing, str(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    os.waitpid(child, 0)
    return int(said or 0)


def left(place: Path) -> dict[str, Any]:
    """What there is in the end, without times."""
    with Gradebook(place / "gradebook.db") as book:
        rows = [
            [row.student, row.submission, row.score_key, str(row.earned)]
            for row in book.grades("tiny")
        ]
        attempts = [[each.student, each.submission] for each in book.attempts("tiny")]
        seen = sorted(book.observed("tiny"))
    files = {
        str(path.relative_to(place)): path.read_text("utf-8")
        for path in sorted((place / "out").rglob("*"))
        if path.is_file()
    }
    return {"rows": rows, "attempts": attempts, "seen": seen, "files": files}


def known(place: Path) -> int:
    """How many grades are in the gradebook, if there is one."""
    if not (place / "gradebook.db").exists():
        return 0
    with Gradebook(place / "gradebook.db") as book:
        return len(book.grades("tiny"))


def main(course: Path, folder: Path) -> None:
    """Kills the run at each write in turn, runs it again, and compares."""
    whole = folder / "whole"
    whole.mkdir()
    points = in_child(partial(grade, course, whole, -1))
    wanted = left(whole)
    told: dict[str, Any] = {"points": points, "survived": [], "differs": [], "twice": []}
    for last in range(1, points + 1):
        place = folder / str(last)
        place.mkdir()
        if in_child(partial(grade, course, place, last)):
            told["survived"].append(last)
        there = in_child(lambda place=place: known(place) + 1) - 1  # type: ignore[misc]
        log = place / "log"
        before = len(log.read_text().split()) if log.exists() else 0
        in_child(partial(grade, course, place, -1))
        if left(place) != wanted:
            told["differs"].append(last)
        if len(log.read_text().split()) - before != len(wanted["rows"]) - there:
            told["twice"].append(last)
        shutil.rmtree(place)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
