"""THE HALL: one submission's way from files to a grade, one verb a step."""

import time
from dataclasses import dataclass, replace

from grader.adapters import AS_GIVEN, Adaptation
from grader.checks import answered, follow_up, judge
from grader.diagnose import diagnose, shares, unexplained
from grader.errors import SubmissionError
from grader.expected import Standard, top_level
from grader.load import is_untouched
from grader.mistakes import Mistakes
from grader.origins import located
from grader.sandbox.runner import Open
from grader.score import forbidden_anywhere, forbidden_uses, graded, unread
from grader.types import Grade, Job, Loaded, Observation, Provenance, RawOutput, Status, Submission

Answers = dict[tuple[str, str], RawOutput]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one assignment is graded."""

    standard: Standard
    """What is asked, and what a right answer is."""
    skeleton: bytes
    """What a student starts from; empty where there is none."""
    open: Open
    """Begins a conversation with a submission."""
    mistakes: Mistakes
    """What known mistakes answer."""
    adapter: Adaptation = AS_GIVEN
    """How a submission's names and layouts differ."""


def grade(submission: Submission, desk: Desk, provenance: Provenance) -> Grade:
    """The grade of one submission, whatever it is and whatever it does."""
    seen = observe(submission, desk, provenance)
    return graded(seen, desk.standard.rubric, submission.student)


def observe(submission: Submission, desk: Desk, provenance: Provenance) -> Observation:
    """What one submission shows, from which its grade follows."""
    started, rubric, names = time.monotonic(), desk.standard.rubric, top_level(desk.standard.rubric)
    skeleton, prefer = desk.skeleton or None, rubric.prefer
    try:
        loaded = desk.adapter.load(
            submission, names, skeleton=skeleton, prefer=prefer, everything=rubric.load != "needed"
        )
        if skeleton and is_untouched(submission, names, skeleton, prefer=prefer):
            return Observation(status=Status.NOT_STARTED, provenance=provenance)
    except SubmissionError as error:
        return unread(error, provenance)
    answers = asked(loaded, desk)
    settings, told = desk.standard.settings, desk.adapter.telling(desk.standard.trials)
    findings = located(judge(rubric, settings, answers), loaded)
    diagnoses = diagnose(rubric, settings, told, answers, findings, desk.mistakes)
    return Observation(
        status=Status.GRADED,
        provenance=replace(provenance, seconds=time.monotonic() - started),
        findings=findings,
        forbidden=forbidden_uses(rubric, loaded, answers),
        shares=shares(rubric, findings, diagnoses, desk.mistakes),
        diagnoses=diagnoses,
        unexplained=unexplained(rubric, told, answers, findings, diagnoses, desk.mistakes),
        notes=loaded.notes,
        file=loaded.file,
    )


def asked(loaded: Loaded, desk: Desk) -> Answers:
    """What came back for the plan, and for what the checks asked once they had seen that."""
    rubric, settings, trials = desk.standard.rubric, desk.standard.settings, desk.standard.trials
    seen = forbidden_anywhere(rubric)
    job = Job(source=loaded.source, modules=loaded.modules, forbidden=seen, limits=rubric.limits)
    with desk.adapter.asking(desk.open(job), loaded, settings) as ask:
        answers = answered(trials, ask(trials))
        more = follow_up(rubric, settings, answers)
        return answers | answered(more, ask(more))
