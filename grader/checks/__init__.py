"""The checks that a rubric may ask for, by name."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from grader.checks import effects, gradients, invariances, learning, numeric, repeats
from grader.checks.base import Check, Outputs
from grader.checks.relations import needs_values
from grader.types import CheckUse, Finding, RawOutput, Rubric, Setting, Trial

__all__ = ["CHECKS", "follow_up", "judge", "plan"]

Settings = Mapping[str, Setting]
"""Settings by case id."""

Answers = Mapping[tuple[str, str], RawOutput]
"""What came back, by case and variant."""

CHECKS: Mapping[str, Check] = {
    "shape": Check(judge=numeric.shape),
    "dtype": Check(judge=numeric.dtype),
    "finite": Check(judge=numeric.finite),
    "close": Check(judge=numeric.close),
    "parameters": Check(judge=numeric.parameters, trials=numeric.describe_trial),
    "gradient": Check(
        judge=gradients.judge, trials=gradients.trials, follow_up=gradients.follow_up
    ),
    "curve": Check(judge=learning.curve),
    "causal": Check(judge=needs_values(effects.causal), trials=effects.causal_trials),
    "mask": Check(judge=needs_values(effects.mask), trials=effects.mask_trials),
    "padding": Check(judge=needs_values(invariances.padding), trials=invariances.padding_trials),
    "alone": Check(judge=needs_values(invariances.alone), trials=invariances.alone_trials),
    "batch": Check(judge=needs_values(invariances.batch), trials=invariances.batch_trials),
    "permutation": Check(
        judge=needs_values(invariances.permutation), trials=invariances.permutation_trials
    ),
    "chunked": Check(judge=needs_values(invariances.chunked), trials=invariances.chunked_trials),
    "pure": Check(judge=needs_values(repeats.pure), trials=repeats.pure_trials),
    "determinism": Check(
        judge=needs_values(repeats.determinism), trials=repeats.determinism_trials
    ),
    "mode": Check(judge=needs_values(repeats.mode), trials=repeats.mode_trials),
}


def plan(rubric: Rubric, settings: Settings) -> tuple[Trial, ...]:
    """Every trial that the rubric's checks need, each once, entry by entry, case by case."""
    trials = {("", case): setting.base for case, setting in settings.items()}
    for use, setting in _uses(rubric, settings):
        for trial in CHECKS[use.name].trials(setting, use.options):
            trials[_variant(use, trial.variant), trial.case] = _of(use, trial)
    cases = list(settings)
    return tuple(sorted(trials.values(), key=lambda trial: cases.index(trial.case)))


def follow_up(rubric: Rubric, settings: Settings, answers: Answers) -> tuple[Trial, ...]:
    """The trials that checks ask for once they have seen what came back."""
    by_case = _by_case(answers)
    return tuple(
        _of(use, trial)
        for use, setting in _uses(rubric, settings)
        for trial in CHECKS[use.name].follow_up(setting, _seen(by_case, setting, use), use.options)
    )


def judge(rubric: Rubric, settings: Settings, answers: Answers) -> dict[str, tuple[Finding, ...]]:
    """What every check of every criterion found, by criterion id.

    Where a check finds that a trial gave nothing back, the other checks of that case would say
    the same, so each criterion holds it once.
    """
    by_case = _by_case(answers)
    findings = {}
    for criterion in rubric.criteria:
        found = [
            CHECKS[use.name].judge(setting, _seen(by_case, setting, use), use.options)
            for case in rubric.cases_over(criterion)
            if (setting := settings.get(case.id)) is not None
            for use in criterion.checks
        ]
        findings[criterion.id] = tuple(
            {(each.case, each.code or each.check): each for each in found}.values()
        )
    return findings


def _uses(rubric: Rubric, settings: Settings) -> Iterator[tuple[CheckUse, Setting]]:
    for criterion in rubric.criteria:
        for case in rubric.cases_over(criterion):
            if case.id in settings:
                for use in criterion.checks:
                    yield use, settings[case.id]


def _variant(use: CheckUse, variant: str) -> str:
    """Variants of one check asked for with different options are different trials."""
    return f"{use.name}{json.dumps(dict(use.options), sort_keys=True)} {variant}"


def _of(use: CheckUse, trial: Trial) -> Trial:
    return replace(trial, variant=_variant(use, trial.variant))


def _by_case(answers: Answers) -> dict[str, dict[str, RawOutput]]:
    """What came back, by case, then by variant."""
    by_case: dict[str, dict[str, RawOutput]] = {}
    for (case, variant), output in answers.items():
        by_case.setdefault(case, {})[variant] = output
    return by_case


def _seen(by_case: Mapping[str, Outputs], setting: Setting, use: CheckUse) -> Outputs:
    """What came back for a case, under the names that the check gave its variants."""
    prefix = _variant(use, "")
    return {
        variant.removeprefix(prefix): output
        for variant, output in by_case.get(setting.case.id, {}).items()
        if variant == "base" or variant.startswith(prefix)
    }
