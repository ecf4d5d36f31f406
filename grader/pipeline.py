"""THE HALL: one submission's way from files to a grade, one verb a step."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from grader.checks import follow_up, judge
from grader.errors import SubmissionError
from grader.expected import Run, Standard, top_level
from grader.load import is_untouched, load
from grader.origins import located
from grader.score import forbidden_anywhere, forbidden_uses, score, totals, ungraded
from grader.types import Grade, Job, Loaded, Note, Provenance, RawOutput, Status, Submission, Trial

Answers = Mapping[tuple[str, str], RawOutput]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one assignment is graded."""

    standard: Standard
    """What is asked, and what a right answer is."""
    skeleton: bytes
    """What a student starts from; empty where there is none."""
    run: Run
    """Runs a job."""


def grade(submission: Submission, desk: Desk, provenance: Provenance) -> Grade:
    """The grade of one submission, whatever it is and whatever it does."""
    started, rubric, names = time.monotonic(), desk.standard.rubric, top_level(desk.standard.rubric)
    skeleton, prefer = desk.skeleton or None, rubric.prefer
    try:
        loaded = load(
            submission, names, skeleton=skeleton, prefer=prefer, everything=rubric.load != "needed"
        )
        if skeleton and is_untouched(submission, names, skeleton, prefer=prefer):
            return ungraded(submission, rubric, Status.NOT_STARTED, provenance)
    except SubmissionError as error:
        note = Note(code=error.code, facts=error.facts)
        return ungraded(submission, rubric, Status.UNREADABLE, provenance, note)
    answers = _asked(loaded, desk)
    findings = located(judge(rubric, desk.standard.settings, answers), loaded)
    results = score(rubric, findings, forbidden_uses(rubric, loaded, answers))
    status, earned, possible, pending = totals(results)
    return replace(
        ungraded(submission, rubric, status, provenance, *loaded.notes),
        earned=earned,
        possible=possible,
        pending=pending,
        criteria=results,
        file=loaded.file,
        provenance=replace(provenance, seconds=time.monotonic() - started),
    )


def _asked(loaded: Loaded, desk: Desk) -> Answers:
    """What came back for the plan, and for what the checks asked once they had seen that."""
    answers = _run(loaded, desk, desk.standard.trials)
    more = follow_up(desk.standard.rubric, desk.standard.settings, answers)
    return answers | _run(loaded, desk, more)


def _run(loaded: Loaded, desk: Desk, trials: tuple[Trial, ...]) -> dict[tuple[str, str], RawOutput]:
    rubric = desk.standard.rubric
    job = Job(
        source=loaded.source,
        modules=loaded.modules,
        trials=trials,
        forbidden=forbidden_anywhere(rubric),
        limits=rubric.limits,
    )
    outputs = desk.run(job) if trials else ()
    return {(t.case, t.variant): output for t, output in zip(trials, outputs, strict=True)}
