"""The reference's answers: it takes the road that every submission takes, loader and worker."""

from dataclasses import replace

from grader.adapters import AS_GIVEN, Adaptation
from grader.assignment import Assignment
from grader.cases import Key, base_trial, describe_trials, setting
from grader.checks import idle, plan
from grader.checks.gradients import trials as gradient_trials
from grader.errors import CourseError, EngineError
from grader.expected.standard import Run, Standard, parameters_of, top_level
from grader.load import load
from grader.sandbox.stopwatch import stage
from grader.types import (
    Case,
    Expected,
    Job,
    Outcome,
    RawOutput,
    Rubric,
    Submission,
    Trial,
)


@stage("reference", whole=True)
def from_reference(
    assignment: Assignment, run: Run, secret: str, adapter: Adaptation = AS_GIVEN
) -> Standard:
    """The standard that the assignment's reference sets, under an adapter if there is one.

    Raises:
        CourseError: the reference fails a case.
        EngineError: it could not be run.
    """
    rubric, key = assignment.rubric, Key(secret=secret, assignment=assignment.name)
    where = f"reference/{assignment.name}.py"
    file, run = adapter.reference(assignment.reference), adapter.running(run)
    submission = Submission(student="reference", assignment="", path=where, files=(file,))
    loaded = load(submission, (*top_level(rubric), *adapter.beside.values()))

    def answers(trials: list[Trial]) -> list[RawOutput]:
        job = Job(source=loaded.source, modules={}, trials=tuple(trials), limits=rubric.limits)
        outputs = run(job)
        for trial, output in zip(trials, outputs, strict=True):
            _well(trial, output, where)
        return list(outputs)

    asked = describe_trials(rubric.cases)
    described = {
        name: output.parameters
        for name, output in zip(asked, answers(list(asked.values())), strict=True)
    }
    adapter.fit(rubric, described)
    bases = [
        adapter.constrained(base_trial(case, key, described, assignment.files))
        for case in rubric.cases
    ]
    expected = [
        adapter.narrowed(base, output.leaves, parameters_of(described, asked, base))
        for base, output in zip(bases, answers(bases), strict=True)
    ]
    for case, made in zip(rubric.cases, expected, strict=True):
        _as_said(case, made)
    settings = {
        case.id: setting(case, base, made, rubric.tolerance, key)
        for case, base, made in zip(rubric.cases, bases, expected, strict=True)
    }
    graded = [settings[case] for case in _with_gradients(rubric)]
    backward = answers([gradient_trials(each, {})[0] for each in graded])
    for each, output in zip(graded, backward, strict=True):
        arrived = {name: grad for name, grad in output.gradients.items() if grad is not None}
        if not arrived:
            raise CourseError(
                f"expected a gradient in case {each.case.id!r}, which the check gradient looks at, "
                f"got none @ {where}"
            )
        settings[each.case.id] = replace(each, expected=replace(each.expected, gradients=arrived))
    trials = plan(rubric, settings)
    adapter.verify(trials)
    if seeing_nothing := idle(rubric, settings):
        raise CourseError(
            f"expected a case with the axis that a check looks at, got none for "
            f"{', '.join(seeing_nothing)} @ rubrics/{assignment.name}.yaml"
        )
    return Standard(rubric=rubric, settings=settings, trials=trials, described=described)


def _with_gradients(rubric: Rubric) -> list[str]:
    """Ids of the cases whose gradients some criterion looks at."""
    return list(
        dict.fromkeys(
            case.id
            for criterion in rubric.criteria
            if any(use.name == "gradient" for use in criterion.checks)
            for case in rubric.cases_over(criterion)
        )
    )


def _well(trial: Trial, output: RawOutput, where: str) -> None:
    if output.outcome is Outcome.BROKEN:
        raise EngineError(f"expected the reference to run: {output.facts.get('reason')}")
    if output.outcome is not Outcome.OK:
        error = output.error
        said = f"{error.type}: {error.message} (line {error.line})" if error else output.facts
        raise CourseError(
            f"expected the reference to answer case {trial.case!r}, got {output.outcome.value}: "
            f"{said} @ {where}"
        )


def _as_said(case: Case, made: Expected) -> None:
    """Whether the reference returns what the case says: how many values, with how many axes."""
    said = [text.count(",") + 1 if text.strip() else 0 for text in case.returns.values()]
    for leaves in made.leaves:
        got = [leaf.array.ndim if leaf.array is not None else 0 for leaf in leaves]
        if said and said != got:
            raise CourseError(
                f"expected values with {said} axes, as `returns` says, got {got} from the "
                f"reference @ case {case.id}"
            )
