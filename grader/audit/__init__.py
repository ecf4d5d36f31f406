"""Does an assignment hold what it promises? The author's question, before any student meets it.

Every misconception, variant and harmless form goes the road of a submission; so do the reference,
the skeleton and right implementations by others. What falls short is listed, never only counted.
"""

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from grader.assignment import Assignment
from grader.audit.ran import Ran, Singles
from grader.checks import answered, follow_up
from grader.expected import Standard, from_reference
from grader.fingerprints import Key
from grader.mistakes import FromReference, Ids, PatchedReference
from grader.pipeline import Answers, Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Ask, Open, Runner
from grader.types import (
    Grade,
    Job,
    Outcome,
    RawOutput,
    Status,
    Submission,
    SubmittedFile,
    Tolerance,
    Trial,
    Verdict,
)

MARGIN = 10.0
"""How far the tolerance lies from what right code differs, and from what wrong code does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One misconception, as it fares as a submission."""

    id: str
    """Its name."""
    public: tuple[str, ...]
    """Public cases that catch it."""
    hidden: tuple[str, ...]
    """Hidden cases that catch it."""
    costs: tuple[str, ...]
    """Criteria that it fails."""
    blocked: tuple[str, ...]
    """Criteria that `needs` blocks besides; what would have to wait for a pair is not tried."""
    named: tuple[str, ...]
    """What the diagnosis calls it: ids joined by " or "."""
    margin: float
    """Its largest distance from the reference, in tolerances; infinite where no numbers compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found about one assignment."""

    assignment: str
    """Its name."""
    cases: Mapping[str, str]
    """Its cases, "public" or "hidden"."""
    rows: tuple[Row, ...]
    """Every misconception."""
    weak: tuple[str, ...]
    """Cases that catch nothing, or nothing that no other case of their kind catches."""
    right_margin: float
    """The largest distance of a right implementation, in tolerances."""
    right: int
    """How many right implementations were graded."""
    problems: tuple[str, ...] = field(default=())
    """What falls short, a sentence each."""

    @property
    def wrong_margin(self) -> float:
        """The smallest distance of a wrong one."""
        return min((row.margin for row in self.rows), default=float("inf"))

    @property
    def mean_cost(self) -> float:
        """How many criteria a misconception costs, those that are blocked left out."""
        costs = [len(row.costs) for row in self.rows]
        return float(np.mean(costs)) if costs else 0.0


def audit(
    assignment: Assignment, secret: str, runner: Runner, rights: tuple[Path, ...] = ()
) -> Audit:
    """Looks at one assignment from all sides.

    Args:
        assignment: the assignment.
        secret: the course's, which decides the hidden inputs.
        runner: runs what is graded.
        rights: right implementations by people who have not read the reference.

    Raises:
        CourseError: the reference fails, or a patch does not fit it.
    """
    return _Auditor(assignment, secret, runner).audit(rights)


class _Auditor:
    def __init__(self, assignment: Assignment, secret: str, runner: Runner):
        self._assignment, self._rubric, self._runner = assignment, assignment.rubric, runner
        self._source = assignment.reference.content.decode("utf-8")
        self._standard: Standard = from_reference(assignment, runner.run, secret)
        self._ran = Ran()
        patched = PatchedReference(self._rubric, self._source, self._standard.trials, runner.run)
        self._mistakes = FromReference(patched, self._ran)

    def audit(self, rights: tuple[Path, ...]) -> Audit:
        # All are run before any is judged: what each answers is what the others are told from.
        self._run()
        grades = {
            ids[0]: self._grade(self._mistakes.patched.code(ids).encode(), ids[0], known=known)
            for ids, known in self._ran.all.items()
            if ids
        }
        margins = {name: margin for name, (_, margin) in grades.items()}
        rows = tuple(
            self._row(each.id, grades[each.id][0], margins[each.id])
            for each in self._rubric.misconceptions
        )
        others = [
            (path, *self._grade(path.read_bytes(), path.stem, path.suffix)) for path in rights
        ]
        right_margin = max((margin for _, _, margin in others), default=0.0)
        problems = [
            *self._given(),
            *self._caught(rows),
            *self._told_apart(),
            *self._others_named({name: graded for name, (graded, _) in grades.items()}),
            *self._rights([(path, graded) for path, graded, _ in others]),
            *self._margins(rows, right_margin),
            *self._criteria(rows),
        ]
        return Audit(
            assignment=self._assignment.name,
            cases={case.id: case.show for case in self._rubric.cases},
            rows=rows,
            weak=self._weak(rows),
            right_margin=right_margin,
            right=len(others),
            problems=tuple(problems),
        )

    def _run(self) -> None:
        """Runs every patch: what it may change, and what is asked once that has been seen."""
        patched, standard = self._mistakes.patched, self._standard
        singles: list[Ids] = [(name,) for name in patched.patches]
        (outputs,) = patched.answers([((), standard.trials)])
        right = answered(standard.trials, outputs)
        self._ran.add((), standard.trials, right)
        asked = [(ids, patched.touched(ids, standard.trials)) for ids in singles]
        whole = [
            right | answered(trials, outputs)
            for (_, trials), outputs in zip(asked, patched.answers(asked), strict=True)
        ]
        more = [
            (ids, follow_up(self._rubric, standard.settings, answers))
            for ids, answers in zip(singles, whole, strict=True)
        ]
        for (ids, trials), outputs, answers in zip(more, patched.answers(more), whole, strict=True):
            self._ran.add(ids, standard.trials, answers | answered(trials, outputs))

    def _desk(self, open: Open, skeleton: bytes = b"") -> Desk:
        standard, mistakes = self._standard, Singles(self._mistakes)
        return Desk(standard=standard, skeleton=skeleton, open=open, mistakes=mistakes)

    def _submission(self, content: bytes, student: str, suffix: str) -> Submission:
        name = self._assignment.name
        file = SubmittedFile(name=f"{name}{suffix}", content=content)
        return Submission(student=student, assignment=name, path=student, files=(file,))

    def _grade(
        self,
        content: bytes,
        student: str,
        suffix: str = ".py",
        *,
        begun: bool = False,
        known: Answers | None = None,
    ) -> tuple[Grade, float]:
        """A grade, and the largest distance from the reference in tolerances.

        What has been `begun` is run even where it is the skeleton as it was handed out; what is
        `known` is not run again.
        """
        submission = self._submission(content, student, suffix)
        answers = dict(known or {})
        skeleton = b"" if begun else self._assignment.skeleton
        desk = self._desk(partial(self._recorded, answers), skeleton)
        graded = grade(submission, desk, provenance("", self._runner.isolation().level))
        return graded, self._distance(answers)

    @contextmanager
    def _recorded(self, answers: Answers, job: Job) -> Iterator[Ask]:
        """A conversation whose answers are kept, and in which nothing known is asked again."""
        with self._runner.open(job) as ask:

            def recorded(trials: tuple[Trial, ...]) -> tuple[RawOutput, ...]:
                keys = [(trial.case, trial.variant) for trial in trials]
                if not answers.keys() >= set(keys):
                    answers.update(zip(keys, ask(trials), strict=True))
                return tuple(answers[key] for key in keys)

            yield recorded

    def _distance(self, answers: dict[Key, RawOutput]) -> float:
        largest, sampled = 0.0, self._sampled()
        right = self._ran.all[()]
        for (case, variant), output in answers.items():
            if case in sampled or output is right.get((case, variant)):
                continue
            setting = self._standard.settings[case]
            if variant == "base":
                wanted = [leaf.array for call in setting.expected.leaves for leaf in call]
                got = [leaf.array for call in output.leaves for leaf in call]
            elif variant.startswith("gradient") and variant.endswith(" gradients"):
                wanted = list(setting.expected.gradients.values())
                got = [output.gradients.get(name) for name in setting.expected.gradients]
            else:
                continue
            if output.outcome is not Outcome.OK or len(wanted) != len(got):
                return float("inf")
            for one, other in zip(got, wanted, strict=True):
                largest = max(largest, _tolerances(one, other, setting.tolerance))
        return largest

    def _sampled(self) -> set[str]:
        """Cases whose values chance decides: right code may be any distance away."""
        return {
            case.id
            for criterion in self._rubric.criteria
            if any(use.name == "distribution" for use in criterion.checks)
            for case in self._rubric.cases_over(criterion)
        }

    def _row(self, name: str, graded: Grade, margin: float) -> Row:
        caught = {
            (finding.case, finding.hidden)
            for result in graded.criteria
            for finding in result.findings
            if finding.verdict in (Verdict.FAIL, Verdict.ERROR) and finding.case
        }
        return Row(
            id=name,
            public=tuple(sorted(case for case, hidden in caught if not hidden)),
            hidden=tuple(sorted(case for case, hidden in caught if hidden)),
            costs=_with(graded, Verdict.FAIL, Verdict.ERROR),
            blocked=_with(graded, Verdict.BLOCKED),
            named=tuple(
                " or ".join("+".join(ids) for ids in each.alternatives)
                for each in graded.diagnoses
                if each.kind in ("mistake", "variant")
            ),
            margin=margin if margin > 1 else float("inf"),
        )

    def _given(self) -> Iterator[str]:
        """The reference has full marks, the skeleton none, and both the same signatures."""
        reference, _ = self._grade(self._assignment.reference.content, "reference")
        if reference.status is not Status.GRADED or reference.earned != self._most(reference):
            yield f"expected full marks for the reference, got {reference.earned}"
        if reference.diagnoses:
            yield "expected no diagnosis of the reference"
        skeleton = self._assignment.skeleton
        if not skeleton:
            yield "expected a released skeleton, got none"
            return
        empty, _ = self._grade(skeleton, "skeleton", begun=True)
        if empty.earned:
            yield f"expected nothing for the skeleton, got {empty.earned}"
        if signatures(skeleton.decode("utf-8")) != signatures(self._source):
            yield "expected the skeleton to have the reference's signatures"

    def _most(self, graded: Grade) -> Fraction:
        """Every point there is, extra ones included."""
        return graded.possible + sum(each.points for each in self._rubric.criteria if each.bonus)

    def _caught(self, rows: tuple[Row, ...]) -> Iterator[str]:
        why = {each.id: each.why for each in self._rubric.misconceptions}
        twins = {each.id: {each.id, *each.twins} for each in self._rubric.misconceptions}
        for row in rows:
            for kind, cases in (("public", row.public), ("hidden", row.hidden)):
                if not cases and not why[row.id]:
                    yield f"expected a {kind} case that catches {row.id}, got none"
            named = {name for told in row.named for name in told.split(" or ")}
            if not named & twins[row.id]:
                said = ", ".join(row.named) or "nothing"
                yield f"expected {row.id} to be diagnosed as itself, got {said}"
            elif not named <= twins[row.id]:
                yield f"expected {row.id} to be told from {', '.join(named - twins[row.id])}"

    def _told_apart(self) -> Iterator[str]:
        twins = {each.id: each.twins for each in self._rubric.misconceptions}
        expected, wrong = self._mistakes.right, {}
        for name in twins:
            prints = self._mistakes.prints((name,))
            wrong[name] = {key: of for key, of in prints.items() if not of.agrees(expected[key])}
        for one, other in combinations(twins, 2):
            left, right = wrong[one], wrong[other]
            same = left.keys() == right.keys() and all(left[key].agrees(right[key]) for key in left)
            if same and other not in twins[one]:
                yield f"expected a case that tells {one} from {other}, got none"

    def _others_named(self, grades: Mapping[str, Grade]) -> Iterator[str]:
        for variant in self._rubric.variants:
            names = {i for d in grades[variant.id].diagnoses for ids in d.alternatives for i in ids}
            if variant.id not in names:
                yield f"expected the variant {variant.id} to be named, got {names or 'nothing'}"
        for harmless in self._rubric.harmless:
            graded = grades[harmless.id]
            if graded.earned != self._most(graded) or graded.diagnoses:
                yield f"expected full marks for the harmless {harmless.id}, got {graded.earned}"

    def _rights(self, graded: list[tuple[Path, Grade]]) -> Iterator[str]:
        for path, each in graded:
            if each.earned is None or each.earned < each.possible or each.diagnoses:
                yield f"expected full marks and no diagnosis for {path}, got {each.earned}"

    def _margins(self, rows: tuple[Row, ...], right: float) -> Iterator[str]:
        if right * MARGIN > 1:
            yield f"expected right code within 1/{MARGIN:.0f} of the tolerance, got {right:.2g}"
        for row in rows:
            if row.margin < MARGIN:
                far = f"{MARGIN:.0f} tolerances"
                yield f"expected {row.id} at least {far} away, got {row.margin:.2g}"

    def _criteria(self, rows: tuple[Row, ...]) -> Iterator[str]:
        for criterion in self._rubric.criteria:
            alone = any(row.costs == (criterion.id,) for row in rows)
            if criterion.checks and not alone and not criterion.why:
                yield f"expected a mistake that only {criterion.id} catches or a `why`, got none"

    def _weak(self, rows: tuple[Row, ...]) -> tuple[str, ...]:
        """A case that could go: all it catches, another case of its kind catches as well."""
        found = []
        for case in self._rubric.cases:
            own = [set(row.public if case.show == "public" else row.hidden) for row in rows]
            if not any(cases == {case.id} for cases in own):
                found.append(case.id)
        return tuple(found)


def _with(graded: Grade, *verdicts: Verdict) -> tuple[str, ...]:
    return tuple(result.id for result in graded.criteria if result.verdict in verdicts)


def _tolerances(got: Any, wanted: Any, tolerance: Tolerance) -> float:
    """The largest difference of two arrays, in what is allowed there."""
    if got is None and wanted is None:
        return 0.0
    if got is None or wanted is None or got.shape != wanted.shape:
        return float("inf")
    left, right = np.asarray(got, np.float64), np.asarray(wanted, np.float64)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        distance = np.where(left == right, 0.0, np.abs(left - right))
        allowed = tolerance.atol + tolerance.rtol * np.abs(right)
        ratio = distance / np.where(np.isfinite(allowed), allowed, 1.0)
    both = np.isnan(left) & np.isnan(right)
    return float(np.where(both, 0.0, np.nan_to_num(ratio, nan=np.inf)).max(initial=0.0))


def signatures(source: str) -> dict[str, str]:
    """Arguments and annotations of every function and method, by name."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = ast.unparse(node.args)
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    found[f"{node.name}.{member.name}"] = ast.unparse(member.args)
    return found
