"""The checks that a rubric may ask for, by name."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from grader.checks import (
    effects,
    gradients,
    invariances,
    learning,
    numeric,
    repeats,
    sampling,
)
from grader.checks.base import Check, Outputs, names, no_follow_up, no_trials
from grader.checks.relations import needs_values
from grader.checks.stacking import BATCH, stack, unstack
from grader.errors import CourseError
from grader.sandbox.stopwatch import stage
from grader.types import CheckUse, Finding, RawOutput, Rubric, Setting, Trial, Verdict

__all__ = ["CHECKS", "answered", "follow_up", "idle", "judge", "plan"]

Settings = Mapping[str, Setting]
"""Settings by case id."""

Answers = Mapping[tuple[str, str], RawOutput]
"""What came back, by case and variant."""

CHECKS: Mapping[str, Check] = {
    "shape": Check(judge=numeric.shape),
    "dtype": Check(judge=numeric.dtype),
    "finite": Check(judge=numeric.finite),
    "close": Check(judge=numeric.close, accepts=("rtol", "atol", "over")),
    "parameters": Check(judge=numeric.parameters, trials=numeric.describe_trial),
    "gradient": Check(
        judge=gradients.judge,
        trials=gradients.trials,
        follow_up=gradients.follow_up,
        accepts=("stops",),
    ),
    "curve": Check(judge=learning.curve, accepts=("rtol",)),
    "distribution": Check(judge=sampling.distribution, requires=("axis",)),
    "causal": Check(
        judge=needs_values(effects.causal),
        trials=effects.causal_trials,
        stacks=True,
        requires=("axis",),
        accepts=("outputs", "vary"),
    ),
    "mask": Check(
        judge=needs_values(effects.mask),
        trials=effects.mask_trials,
        stacks=True,
        requires=("arg", "keys", "queries"),
        accepts=("outputs", "vary"),
    ),
    "padding": Check(
        judge=needs_values(invariances.padding),
        trials=invariances.padding_trials,
        requires=("axis",),
    ),
    "alone": Check(
        judge=needs_values(invariances.alone),
        trials=invariances.alone_trials,
        stacks=True,
        requires=("axis",),
    ),
    "batch": Check(judge=needs_values(invariances.batch), trials=invariances.batch_trials),
    "permutation": Check(
        judge=needs_values(invariances.permutation),
        trials=invariances.permutation_trials,
        stacks=True,
        requires=("axis",),
        accepts=("outputs", "times"),
    ),
    "chunked": Check(
        judge=needs_values(invariances.chunked),
        trials=invariances.chunked_trials,
        requires=("axis", "cut", "state"),
    ),
    "pure": Check(judge=needs_values(repeats.pure), sees_arguments=True),
    "determinism": Check(
        judge=needs_values(repeats.determinism), trials=repeats.determinism_trials
    ),
    "mode": Check(judge=needs_values(repeats.mode), trials=repeats.mode_trials),
}


def plan(rubric: Rubric, settings: Settings) -> tuple[Trial, ...]:
    """Every trial that the rubric's checks need, each once, the public ones first, case by case.

    Raises:
        CourseError: a check is told what it does not know, or not told what it must be.
    """
    trials = {("", case): setting.base for case, setting in settings.items()}
    for use, setting in _uses(rubric, settings):
        _understood(use, setting)
        check = CHECKS[use.name]
        if check.sees_arguments:
            plain = ("", setting.case.id)
            trials[plain] = replace(trials[plain], inputs_back=True)
        asked = check.trials(setting, use.options)
        for trial in stack(setting, asked) if _stacks(check, use) else asked:
            trials[_variant(use, trial.variant), trial.case] = _of(use, trial)
    cases = list(settings)
    return tuple(sorted(trials.values(), key=lambda t: (t.hidden, cases.index(t.case))))


def idle(rubric: Rubric, settings: Settings) -> tuple[str, ...]:
    """Relations that no case of their criterion gives anything to look at: they would always hold.

    Each as "check of criterion".
    """
    return tuple(
        f"{use.name} of {criterion.id}"
        for criterion in rubric.criteria
        for use in criterion.checks
        if CHECKS[use.name].trials is not no_trials
        and not any(
            CHECKS[use.name].trials(settings[case.id], use.options)
            for case in rubric.cases_over(criterion)
        )
    )


@stage("compare")
def follow_up(rubric: Rubric, settings: Settings, answers: Answers) -> tuple[Trial, ...]:
    """The trials that checks ask for once they have seen what came back.

    Of each check only for the first case of its criterion that asks: one is enough to say what is
    wrong, and such trials pay for nothing.
    """
    came = _Answered(answers)
    trials: dict[tuple[str, str], Trial] = {}
    for criterion in rubric.criteria:
        for use in criterion.checks:
            check = CHECKS[use.name]
            if check.follow_up is no_follow_up:
                continue
            asked = (
                check.follow_up(setting, came.seen(setting, use), use.options)
                for case in rubric.cases_over(criterion)
                if (setting := settings.get(case.id)) is not None
            )
            for trial in next(filter(None, asked), ()):
                trials[_variant(use, trial.variant), trial.case] = _of(use, trial)
    return tuple(sorted(trials.values(), key=lambda trial: trial.hidden))


@stage("compare")
def judge(rubric: Rubric, settings: Settings, answers: Answers) -> dict[str, tuple[Finding, ...]]:
    """What every check of every criterion found, by criterion id.

    Where a check finds that a trial gave nothing back, the other checks of that case would say
    the same, so each criterion holds it once; and a relation that waits for the values of a case
    is not worth saying beside what is wrong with them.
    """
    came = _Answered(answers)
    findings = {}
    for criterion in rubric.criteria:
        found = [
            CHECKS[use.name].judge(setting, came.seen(setting, use), use.options)
            for case in rubric.cases_over(criterion)
            if (setting := settings.get(case.id)) is not None
            for use in criterion.checks
        ]
        wrong = {each.case for each in found if each.verdict in (Verdict.FAIL, Verdict.ERROR)}
        findings[criterion.id] = tuple(
            {
                (each.case, each.code or each.check): each
                for each in found
                if each.code != "relation.needs_values" or each.case not in wrong
            }.values()
        )
    return findings


def answered(
    trials: tuple[Trial, ...], outputs: tuple[RawOutput, ...]
) -> dict[tuple[str, str], RawOutput]:
    """Outputs under the case and variant of the trials that they answer."""
    return {(t.case, t.variant): output for t, output in zip(trials, outputs, strict=True)}


def _uses(rubric: Rubric, settings: Settings) -> Iterator[tuple[CheckUse, Setting]]:
    for criterion in rubric.criteria:
        for case in rubric.cases_over(criterion):
            if case.id in settings:
                for use in criterion.checks:
                    yield use, settings[case.id]


def _understood(use: CheckUse, setting: Setting) -> None:
    where = f"@ case {setting.case.id}, check {use.name}"
    check = CHECKS[use.name]
    for option in check.requires:
        if option not in use.options:
            raise CourseError(f"expected the option {option!r}, got none {where}")
    for option in use.options:
        known = (*check.requires, *check.accepts)
        if option not in known:
            said = ", ".join(known) or "none"
            raise CourseError(f"expected an option among {said}, got {option!r} {where}")
    for name in (*use.options.get("outputs", ()), *use.options.get("over", ())):
        if name not in names(setting):
            said = ", ".join(names(setting))
            raise CourseError(f"expected an output among {said}, got {name!r} {where}")


def _asker(use: CheckUse) -> str:
    """What tells one check's variants from another's, and from its own under other options."""
    return use.name + json.dumps(dict(use.options), sort_keys=True, separators=(",", ":"))


def _variant(use: CheckUse, variant: str) -> str:
    return f"{_asker(use)} {variant}"


def _of(use: CheckUse, trial: Trial) -> Trial:
    return replace(trial, variant=_variant(use, trial.variant))


class _Answered:
    """What came back, by case and by the check that asked; taken apart when it is looked at."""

    def __init__(self, answers: Answers):
        self._asked: dict[tuple[str, str], list[tuple[str, RawOutput]]] = {}
        self._askers: dict[int, str] = {}
        for (case, variant), output in answers.items():
            asker, _, part = variant.rpartition(" ")
            self._asked.setdefault((case, asker), []).append((part, output))

    def seen(self, setting: Setting, use: CheckUse) -> Outputs:
        """What came back for a case, under the names that the check gave its variants."""
        if id(use) not in self._askers:
            self._askers[id(use)] = _asker(use)
        case, asker = setting.case.id, self._askers[id(use)]
        seen = dict(self._asked.get((case, ""), ()))
        for part, output in self._asked.get((case, asker), ()):
            seen |= unstack(setting, part, output)
        return seen


def _stacks(check: Check, use: CheckUse) -> bool:
    """Whether copies may stand side by side in one batch; not where the batch is what is asked."""
    return check.stacks and use.options.get("axis") != BATCH
