"""What submissions are held against: made by the reference, or read from a released bundle.

The reference takes the road that every submission takes: the same loader, the same worker.
"""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from grader.assignment import Assignment, read_arrays, read_files
from grader.cases import Key, base_trial, describe_trials, setting
from grader.checks import CHECKS, idle, plan
from grader.checks.gradients import trials as gradient_trials
from grader.errors import CourseError, EngineError
from grader.load import load
from grader.rubric import RUBRIC, parse_rubric
from grader.types import (
    Case,
    Criterion,
    Expected,
    Job,
    Leaf,
    Outcome,
    Parameter,
    RawOutput,
    Rubric,
    Setting,
    Submission,
    Trial,
)

Run = Callable[[Job], tuple[RawOutput, ...]]
"""How a job is run; `Runner.run`, or anything that does the same."""

FORMAT = 1
NO_BUNDLE = "expected the public cases of an assignment"
AGAIN = "fetch the assignment's folder again, or install the grader's current version"

Kind = Literal["tensor", "array", "number", "bool", "none", "text", "other"]
WITH_ARRAY = ("tensor", "array", "number", "bool")
StoredLeaf = tuple[str, Kind, str, str]
"""Path, kind, dtype and text of a leaf; its array stands in the other file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What `public.json` holds."""

    format: Literal[1]
    """Version of this layout."""
    points: str
    """As `Bundle.points`."""
    skeleton: str
    """As `Bundle.skeleton`."""
    rubric: Any
    """What `public_rubric` gives."""
    described: dict[str, tuple[Parameter, ...]]
    """As `Standard.described`."""
    leaves: dict[str, list[list[StoredLeaf]]]
    """Expected leaves, by case, call by call."""


_STORED: TypeAdapter[_Stored] = TypeAdapter(_Stored)
PARAMETERS: TypeAdapter[dict[str, tuple[Parameter, ...]]] = TypeAdapter(
    dict[str, tuple[Parameter, ...]]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """Everything that one assignment asks, and what a right answer is."""

    rubric: Rubric
    """The criteria."""
    settings: Mapping[str, Setting]
    """Every case made ready, by id."""
    trials: tuple[Trial, ...]
    """Every question to a submission, in order."""
    described: Mapping[str, tuple[Parameter, ...]]
    """Parameters of every built class, by `cases.build_key`."""


def from_reference(assignment: Assignment, run: Run, secret: str) -> Standard:
    """The standard that the assignment's reference sets.

    Raises:
        CourseError: the reference fails a case.
        EngineError: it could not be run.
    """
    rubric, key = assignment.rubric, Key(secret=secret, assignment=assignment.name)
    where = f"reference/{assignment.name}.py"
    submission = Submission(
        student="reference", assignment=assignment.name, path=where, files=(assignment.reference,)
    )
    loaded = load(submission, top_level(rubric))

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
    bases = [base_trial(case, key, described, assignment.files) for case in rubric.cases]
    expected = [
        Expected(leaves=output.leaves, parameters=_parameters(described, asked, base))
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
    if seeing_nothing := idle(rubric, settings):
        raise CourseError(
            f"expected a case with the axis that a check looks at, got none for "
            f"{', '.join(seeing_nothing)} @ rubrics/{assignment.name}.yaml"
        )
    return Standard(rubric=rubric, settings=settings, trials=trials, described=described)


def top_level(rubric: Rubric) -> tuple[str, ...]:
    """Names that a submission defines at its top level: the class of an entry "Class.method"."""
    built = {
        value["build"].partition(".")[0]
        for case in rubric.cases
        for value in case.args.values()
        if isinstance(value, Mapping) and "build" in value
    }
    entries = [entry.partition(".")[0] for entry in rubric.entries]
    return tuple(dict.fromkeys([*entries, *sorted(built - {"torch"})]))


def _parameters(
    described: Mapping[str, tuple[Parameter, ...]], asked: Mapping[str, Trial], base: Trial
) -> tuple[Parameter, ...]:
    return next(
        described[key]
        for key, trial in asked.items()
        if trial.entry == base.entry and trial.config == base.config
    )


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


# -- the released bundle ----------------------------------------------------------------------


def public_rubric(rubric: Rubric) -> Rubric:
    """What a student may see of a rubric: public cases, and the criteria that look at one."""
    cases = tuple(case for case in rubric.cases if case.show == "public")
    shown = {case.id for case in cases}
    criteria: list[Criterion] = []
    for criterion in rubric.criteria:
        over = tuple(case.id for case in rubric.cases_over(criterion) if case.id in shown)
        if over and not criterion.manual:
            kept = {need.id for need in criteria}
            needs = tuple(need for need in criterion.needs if need in kept)
            criteria.append(replace(criterion, over=over, needs=needs, why=""))
    return replace(rubric, cases=cases, criteria=tuple(criteria))


def to_bundle(standard: Standard, skeleton: str) -> tuple[str, bytes]:
    """`public.json` and `public.npz`: an allow-list of the public part of a standard."""
    rubric = public_rubric(standard.rubric)
    shown = {case.id for case in rubric.cases}
    settings = {case: each for case, each in standard.settings.items() if case in shown}
    points = sum(c.points for c in standard.rubric.criteria if not c.bonus)
    keys = describe_trials(rubric.cases)
    arrays: dict[str, NDArray[Any]] = {}
    leaves: dict[str, list[list[StoredLeaf]]] = {}
    for case, each in settings.items():
        leaves[case] = [
            [_stored(leaf, f"{case}/{call}/{index}", arrays) for index, leaf in enumerate(got)]
            for call, got in enumerate(each.expected.leaves)
        ]
        for name, gradient in each.expected.gradients.items():
            arrays[f"{case}/gradient/{name}"] = gradient
    tree = {
        "format": FORMAT,
        "points": str(points),
        "skeleton": skeleton,
        "rubric": RUBRIC.dump_python(rubric),
        "described": PARAMETERS.dump_python(
            {key: standard.described[key] for key in keys}, mode="json"
        ),
        "leaves": leaves,
    }
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    # Fractions as text; -Infinity, which a case may hold, as Python's JSON has it.
    text = json.dumps(tree, ensure_ascii=False, indent=1, default=str) + "\n"
    return text, packed.getvalue()


def _stored(leaf: Leaf, name: str, arrays: dict[str, NDArray[Any]]) -> StoredLeaf:
    """A leaf as JSON, without its array, which goes to `arrays`."""
    if leaf.array is not None:
        arrays[name] = leaf.array
    return leaf.path, leaf.kind, leaf.dtype, leaf.text


def _restored(stored: StoredLeaf, name: str, arrays: Mapping[str, NDArray[Any]]) -> Leaf:
    path, kind, dtype, text = stored
    array = arrays[name] if kind in WITH_ARRAY else None
    return Leaf(path=path, kind=kind, dtype=dtype, text=text, array=array)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The public part of an assignment, as a student has it."""

    standard: Standard
    """What is asked in public, and what a right answer is."""
    skeleton: bytes
    """The module that work starts from."""
    points: str
    """The assignment's points in all, hidden and manual ones included, as a fraction."""


def from_bundle(folder: Path) -> Bundle:
    """The public part of an assignment in a released folder.

    Raises:
        CourseError: the bundle is not there, is damaged, or is of another format.
    """
    path = folder / "public.json"
    try:
        stored = _STORED.validate_json(path.read_bytes())
        arrays = read_arrays(folder / "public.npz")
    except CourseError as error:
        file = folder / "public.npz"
        raise CourseError(f"{NO_BUNDLE}, got {error.__cause__} @ {file}; {AGAIN}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        at = "".join(f".{part}" for part in problem["loc"])
        raise CourseError(f"{NO_BUNDLE}, got {problem['msg']} @ {path} ${at}; {AGAIN}") from error
    except OSError as error:
        raise CourseError(f"{NO_BUNDLE}, got {error.strerror} @ {path}; {AGAIN}") from error
    rubric = _bundled_rubric(stored.rubric, path)
    described, key = stored.described, Key(secret="public", assignment=rubric.assignment)
    files = read_files(folder)
    asked = describe_trials(rubric.cases)
    settings = {}
    for case in rubric.cases:
        base = base_trial(case, key, described, files)
        try:
            made = Expected(
                leaves=tuple(
                    tuple(
                        _restored(leaf, f"{case.id}/{call}/{index}", arrays)
                        for index, leaf in enumerate(got)
                    )
                    for call, got in enumerate(stored.leaves[case.id])
                ),
                gradients={
                    name.removeprefix(f"{case.id}/gradient/"): array
                    for name, array in arrays.items()
                    if name.startswith(f"{case.id}/gradient/")
                },
                parameters=_parameters(described, asked, base),
            )
        except KeyError as error:
            raise CourseError(f"{NO_BUNDLE}, got no {error} @ {path}; {AGAIN}") from error
        settings[case.id] = setting(case, base, made, rubric.tolerance, key)
    standard = Standard(
        rubric=rubric, settings=settings, trials=plan(rubric, settings), described=described
    )
    return Bundle(standard=standard, skeleton=stored.skeleton.encode(), points=stored.points)


def _bundled_rubric(tree: Any, path: Path) -> Rubric:
    """The bundle's rubric; the rule that every criterion has a hidden case does not hold here."""
    return parse_rubric(tree, str(path), tuple(CHECKS), released=True)
