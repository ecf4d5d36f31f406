"""How often a mistake is caught, named exactly, named among several, and named wrongly.

Three kinds of wrong submissions go the way of a student's file: every misconception of every
rubric, random pairs of them, and mistakes written again by someone who had not read the reference.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from grader.executors import executor
from grader.instructor import Marker
from grader.mistakes import FromReference, patches
from grader.mutants import overlap
from grader.sandbox.runner import Runner
from grader.types import Grade, Status, Submission, SubmittedFile, Verdict
from tests.summary import DIAGNOSIS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / "tests" / "scratch"
MANIFEST = yaml.safe_load((SCRATCH / "manifest.yaml").read_text("utf-8"))
NAMES = ("lstm", "mha", "transformer")
PAIRS = 200
SEED = 20261121
Ids = frozenset[str]


@dataclass(frozen=True)
class Wrong:
    """A wrong submission, and what it does wrong."""

    name: str
    file: str
    content: bytes
    made: Ids
    check: str = ""


@dataclass
class Told:
    """What was said of the submissions of a kind, in one assignment or in all."""

    wrong: list[str] = field(default_factory=list)
    several: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    exact: int = 0
    alike: int = 0
    """Of the exact: pairs that are, on every input, what was named."""
    right: int = 0
    """Pairs that together give the right result: they are no mistake, and not counted."""
    total: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Told") -> "Told":
        return Told(**{name: mine + vars(other)[name] for name, mine in vars(self).items()})

    def row(self, kind: str, where: str) -> str:
        parts = (
            self.total - len(self.missed),
            self.exact,
            len(self.several),
            len(self.wrong),
            len(self.unnamed),
        )
        shown = "".join(f"{part / max(self.total, 1):9.1%}" for part in parts)
        return f"{kind:8} {where:12}{self.total:6}{shown}{self.alike:7}{self.seconds:8.0f} s"


class Rates:
    """Grades each kind of wrong submission once, when it is asked for."""

    def __init__(self, runner: Runner):
        self.marker = cache(lambda name: Marker(ROOT, name, runner))
        self.told = cache(self._told)

    def _told(self, kind: str, name: str) -> Told:
        make: dict[str, Callable[[str], Iterable[Wrong]]] = {
            "single": self._singles,
            "pair": self._pairs,
            "scratch": lambda name: list(scratch(name)),
        }
        marker, started = self.marker(name), time.monotonic()
        found = {each.name: each for each in make[kind](name)}
        told = Told()
        submissions = [
            Submission(
                student=each.name,
                assignment=name,
                path=each.file,
                files=(SubmittedFile(name=each.file, content=each.content),),
            )
            for each in found.values()
        ]
        for submission, grade in executor(2).map(marker.mark, submissions):
            self._count(told, marker, found[submission.student], grade)
        told.seconds = time.monotonic() - started
        return told

    def _singles(self, name: str) -> Iterator[Wrong]:
        for each in self.marker(name).assignment.rubric.misconceptions:
            yield self._mutant(name, (each.id,))

    def _pairs(self, name: str) -> Iterator[Wrong]:
        rubric = self.marker(name).assignment.rubric
        source = self.marker(name).assignment.reference.content.decode("utf-8")
        made = patches(rubric, source)
        twins = {each.id: each.twins for each in rubric.misconceptions}
        fitting = [
            (one.id, two.id)
            for one, two in combinations(rubric.misconceptions, 2)
            if not overlap(made[one.id].made, made[two.id].made) and two.id not in twins[one.id]
        ]
        count = PAIRS // len(NAMES) + (NAMES.index(name) < PAIRS % len(NAMES))
        for pair in random.Random(f"{SEED} {name}").sample(fitting, count):
            yield self._mutant(name, pair)

    def _mutant(self, name: str, ids: tuple[str, ...]) -> Wrong:
        code = self.marker(name).mistakes.code(ids)
        return Wrong(" + ".join(ids), f"{name}.py", code.encode(), frozenset(ids))

    def _count(self, told: Told, marker: Marker, each: Wrong, grade: Grade) -> None:
        rubric = marker.assignment.rubric
        twins = {one.id: frozenset((one.id, *one.twins)) for one in rubric.misconceptions}
        made = frozenset(name for one in each.made for name in twins.get(one, {one}))
        named = [d for d in grade.diagnoses if d.alternatives]
        said = f"{rubric.assignment} {each.name}: " + (
            "; ".join(f"{d.entry} {d.kind} {d.alternatives}" for d in named) or "no name"
        )
        caught = grade.status is Status.GRADED and any(
            c.verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED)
            or (c.verdict is Verdict.PASS and c.earned is not None and c.earned < c.points)
            for c in grade.criteria
        )
        if not caught and len(each.made) > 1 and self._same(marker, each.made, frozenset()):
            told.right += 1
            return
        told.total += 1
        if not caught:
            told.missed.append(said)
        least = [min(d.alternatives, key=lambda ids: len(set(ids) - made)) for d in named]
        union = frozenset(name for ids in least for name in ids)
        outside = [ids for ids in least if not set(ids) <= made]
        if each.check:
            failed = {f.check for c in grade.criteria for f in c.findings if f.verdict is FAIL}
            if named:
                told.wrong.append(said)
            elif each.check in failed:
                told.exact += 1
            else:
                told.unnamed.append(f"{said}, failed: {', '.join(sorted(failed))}")
        elif outside:
            if all(self._same(marker, each.made, frozenset(ids)) for ids in outside):
                told.exact, told.alike = told.exact + 1, told.alike + 1
            else:
                told.wrong.append(said)
        elif any(len(d.alternatives) > 1 for d in named):
            told.several.append(said)
        elif all(union & twins.get(one, frozenset({one})) for one in each.made):
            told.exact += 1
        elif union and self._same(marker, each.made, union):
            told.exact, told.alike = told.exact + 1, told.alike + 1
        else:
            told.unnamed.append(said)

    def _same(self, marker: Marker, made: Ids, named: Ids) -> bool:
        """Whether two sets of patches answer alike, in all that is asked."""
        one, other = (marker.mistakes.prints(tuple(ids)) for ids in (made, named))
        return all(one[key].agrees(other[key]) for key in one)


FAIL = Verdict.FAIL


def scratch(name: str) -> Iterator[Wrong]:
    for entry in MANIFEST:
        if entry["assignment"] == name:
            path = SCRATCH / entry["path"]
            yield Wrong(
                entry["path"],
                path.name,
                path.read_bytes(),
                frozenset(entry.get("named", ())),
                entry.get("check", ""),
            )


@pytest.fixture(scope="module")
def rates(runner: Runner) -> Iterator[Rates]:
    """Grades as a student's file is graded, but for one thing.

    Whether a mistake would hide others (`noticed`) decides whether what follows it is paid or
    waits, and names nothing. To find it out for every mistake and entry takes minutes, so it is
    said here that none does: more is paid then, so a mistake is the harder to catch, not the
    easier. For the mistakes from scratch it was once found out (a minute more): every figure was
    the same. That such things are paid, or wait, is for test_diagnose and test_diagnose_sharing.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FromReference, "noticed", lambda self, ids, entry: True)
        yield Rates(runner)


def report(rates: Rates, kind: str) -> Told:
    """The whole of a kind, told in the summary of the test session."""
    if not DIAGNOSIS:
        DIAGNOSIS.append(
            f"{'':21}{'':>6}{'caught':>9}{'exactly':>9}{'several':>9}{'wrongly':>9}"
            f"{'unnamed':>9}{'alike':>7}"
        )
    whole = Told()
    for name in NAMES:
        whole += rates.told(kind, name)
        DIAGNOSIS.append(rates.told(kind, name).row(kind, name))
    DIAGNOSIS.append(whole.row(kind, "all"))
    for title in ("missed", "wrong", "several", "unnamed"):
        DIAGNOSIS.extend(f"  {title}: {each}" for each in vars(whole)[title])
    return whole


@pytest.mark.parametrize(("kind", "exactly"), [("single", 0.97), ("pair", 0.85), ("scratch", 0.9)])
def test_mistakes_are_caught_and_named_and_none_is_misnamed(
    kind: str, exactly: float, rates: Rates
) -> None:
    whole = report(rates, kind)
    assert (whole.missed, whole.wrong) == ([], [])
    assert whole.exact >= exactly * whole.total


def test_enough_mistakes_are_written_again_each_file_once() -> None:
    listed = Counter(entry["path"] for entry in MANIFEST)
    there = [path for path in SCRATCH.rglob("*") if path.suffix in (".py", ".ipynb")]
    assert listed == Counter(str(path.relative_to(SCRATCH)) for path in there)
    assert len(MANIFEST) >= 40
    assert min(Counter(entry["assignment"] for entry in MANIFEST).values()) >= 13
