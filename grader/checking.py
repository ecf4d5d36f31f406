"""A student's work check by check, as `pytest` reports it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.reports.asked import first_calls
from grader.reports.messages import say
from grader.reports.phrasing import diagnosis_heading, next_step, where
from grader.reports.view import StudentCriterion, StudentFinding, student_view
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner
from grader.student import Checked, check_work, public_part, work_in
from grader.types import CriterionResult, Status, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How one check of one criterion came out."""

    verdict: Verdict
    """What was found; BLOCKED where something else has to pass first."""
    text: str = ""
    """What to tell the student."""


class Checks:
    """The checks of one folder's assignment; the work in it is run once, when first asked for."""

    def __init__(self, folder: Path, language: str):
        """Reads the public cases.

        Raises:
            UsageError: as `student.public_part`.
            CourseError: likewise.
        """
        self._folder, self._language = folder, language
        self._public = public_part(None, None, folder)
        self._rubric = self._public.bundle.standard.rubric

    def names(self) -> tuple[str, ...]:
        """Every check of every criterion: "output/close"."""
        pairs = ((c.id, use.name) for c in self._rubric.criteria for use in c.checks)
        return tuple(dict.fromkeys(f"{criterion}/{check}" for criterion, check in pairs))

    def title(self, name: str) -> str:
        """Title of a check's criterion, and the check."""
        criterion, _, check = name.partition("/")
        titles = {each.id: each.title.of(self._language) for each in self._rubric.criteria}
        return f"{titles[criterion]} [{check}]"

    @cached_property
    def _checked(self) -> Checked:
        zygote = warm_process()
        try:
            zygote.training = self._public.trains
            submission = work_in(None, self._folder, self._public)
            return check_work(submission, self._public, Runner(zygote))
        finally:
            zygote.close()

    def found(self, name: str) -> Found:
        """How a check came out.

        Raises:
            UsageError: there is no work in the folder, or in two files.
        """
        graded = self._checked.grade
        view, calls = student_view(graded), first_calls(self._checked.asked)
        criterion, _, check = name.partition("/")
        if graded.status in (Status.UNREADABLE, Status.NOT_STARTED):
            notes = [note.text.of(self._language) for note in view.notes]
            text = "\n".join([next_step(view, self._language), *notes])
            return Found(verdict=Verdict.ERROR, text=text)
        result = next(each for each in graded.criteria if each.id == criterion)
        seen = next(each for each in view.criteria if each.id == criterion)
        verdict = self._verdict(result, check)
        if verdict is Verdict.PASS:
            return Found(verdict=verdict)
        if verdict is Verdict.BLOCKED:
            title = next(
                (c.title.of(self._language) for c in view.criteria if c.id == seen.blocked_by),
                seen.title.of(self._language),
            )
            return Found(
                verdict=verdict, text=say("ui.blocked_by", {"title": title}, self._language)
            )
        shown = [each for each in seen.findings if self._belongs(each.check, result.id) == check]
        return Found(verdict=verdict, text="\n".join(self._lines(seen, shown, calls)))

    def _verdict(self, result: CriterionResult, check: str) -> Verdict:
        """Of a criterion's verdict, what this check has a part in."""
        if result.verdict in (Verdict.PASS, Verdict.BLOCKED, None):
            return result.verdict or Verdict.BLOCKED
        mine = [f.verdict for f in result.findings if self._belongs(f.check, result.id) == check]
        worst = [v for v in (Verdict.BROKEN, Verdict.ERROR, Verdict.FAIL) if v in mine]
        if worst:
            return worst[0]
        # Nothing of its own to say: it waits for what another check of the criterion has found.
        return Verdict.PASS if Verdict.PASS in mine else Verdict.BLOCKED

    def _belongs(self, check: str, criterion: str) -> str:
        """The check that says a finding; what is about the whole file is said by the first."""
        uses = next(each.checks for each in self._rubric.criteria if each.id == criterion)
        names = [use.name for use in uses]
        return check if check in names else names[0]

    def _lines(
        self, seen: StudentCriterion, shown: list[StudentFinding], calls: dict[str, str]
    ) -> Iterator[str]:
        language = self._language
        if seen.diagnosis is not None:
            yield f"{diagnosis_heading(seen.diagnosis, language)}:"
            yield from (f"  {symptom.of(language)}" for symptom in seen.diagnosis.symptoms)
            ask = say("ui.ask", {}, language)
            yield from (f"  {ask} {hint.of(language)}" for hint in seen.diagnosis.hints)
        for finding in shown:
            for case in finding.cases[:1]:
                if case in calls:
                    yield say("ui.called", {"case": case, "call": calls[case]}, language)
            place = f"  ({where(finding.origin, language)})" if finding.origin else ""
            yield f"{finding.text.of(language)}{place}"
        if seen.read:
            yield f"{say('ui.read', {}, language)}: {seen.read.removeprefix('#')}"
