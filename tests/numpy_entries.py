"""Entries written in NumPy and asked in this process: checks never need torch."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from grader.cases import Key, base_trial, build_key, setting
from grader.checks import follow_up, judge, plan
from grader.checks.gradients import trials as gradient_trials
from grader.types import (
    Build,
    Case,
    CheckUse,
    Criterion,
    Expected,
    Finding,
    Leaf,
    Outcome,
    Parameter,
    RawOutput,
    Rubric,
    Setting,
    StoredLogits,
    StudentError,
    Text,
    Tolerance,
    Trial,
)

KEY = Key(secret="secret", assignment="tests")
WORDS = Text(en="words", ko="말")


class Entry:
    """A student's class: given weights and a mode, called, differentiated, described."""

    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def __init__(self, trial: Trial):
        self.weights = trial.weights or {}
        self.training = trial.mode == "train"
        self.chance = np.random.RandomState(trial.seed)

    def __call__(self, **arguments: Any) -> Any:
        raise NotImplementedError

    def gradients(self, cotangents: tuple[Any, ...], **arguments: Any) -> dict[str, Any]:
        return {}


Student = type[Entry] | Callable[..., Any]


def parameter(name: str, *shape: int, **more: Any) -> Parameter:
    return Parameter(name=name, shape=shape, trainable=more.pop("trainable", True), **more)


def a_case(
    args: Mapping[str, Any], sizes: Mapping[str, int], returns: Mapping[str, str], **more: Any
) -> Case:
    more = {"id": "drawn", "entry": "Entry", "show": "hidden", **more}
    return Case(args=args, sizes=sizes, returns=returns, **more)


def leaves(value: Any, path: str = "") -> tuple[Leaf, ...]:
    """What a worker would make of a returned value; arrays count as tensors."""
    if isinstance(value, tuple):
        parts = (leaves(item, f"{path}[{index}]") for index, item in enumerate(value))
        return tuple(leaf for part in parts for leaf in part)
    if value is None:
        return (Leaf(path=path, kind="none"),)
    if isinstance(value, str):
        return (Leaf(path=path, kind="text", text=value),)
    if isinstance(value, dict):
        return (Leaf(path=path, kind="other", text="dict"),)
    array = np.asarray(value)
    kind = "tensor"
    if not isinstance(value, np.ndarray | np.generic):
        kind = "bool" if isinstance(value, bool) else "number"
    return (Leaf(path=path, kind=kind, dtype=array.dtype.name, array=array.copy()),)  # type: ignore[arg-type]


def answer(student: Student, trial: Trial) -> RawOutput:
    """What comes back for one trial."""
    made = student(trial) if isinstance(student, type) else student
    if trial.probe == "describe":
        return RawOutput(outcome=Outcome.OK, parameters=getattr(student, "parameters", ()))
    try:
        if trial.probe == "gradients":
            arguments = _arguments(trial.calls[0].args)
            found = made.gradients(trial.cotangents, **arguments) if made is not student else {}
            return RawOutput(outcome=Outcome.OK, gradients=found)
        if trial.probe == "slopes":
            return RawOutput(outcome=Outcome.OK, gradients=_slopes(student, trial))
        results, returned = [], None
        for call in trial.calls:
            arguments = _arguments(call.args)
            arguments |= {name: returned[index] for name, index in call.feed.items()}
            returned = made(**arguments)
            results.append(leaves(returned))
    except ArithmeticError as error:
        said = StudentError(type=type(error).__name__, message=str(error), line=3)
        return RawOutput(outcome=Outcome.RAISED, error=said)
    after = {leaf.path: leaf.array for name in arguments for leaf in _named(name, arguments[name])}
    return RawOutput(
        outcome=Outcome.OK, leaves=tuple(results), inputs=after if trial.inputs_back else {}
    )


def _slopes(student: Student, trial: Trial) -> dict[str, Any]:
    """As the worker makes them: each tensor a step forward and one back."""
    call, weights = trial.calls[0], trial.weights or {}
    found = {}
    for name, step in trial.steps.items():
        totals = []
        for sign in (1, -1):
            moved = call.arrays().get(name)
            here = call if moved is None else call.with_arrays({name: moved + sign * step})
            given = weights if moved is not None else {**weights, name: weights[name] + sign * step}
            there = answer(student, replace(trial, probe="call", weights=given, calls=(here,)))
            floats = [leaf.array for leaf in there.leaves[0] if leaf.array is not None]
            totals.append(
                sum((a * c).sum() for a, c in zip(floats, trial.cotangents, strict=False))
            )
        found[name] = np.asarray(totals[0] - totals[1])
    return found


def _named(name: str, value: Any) -> tuple[Leaf, ...]:
    if isinstance(value, SimpleNamespace):
        array = np.asarray(value.training)
        return (Leaf(path=f"{name}.training", kind="bool", array=array),)
    return leaves(value, name)


def _arguments(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _argument(value) for name, value in args.items()}


def _argument(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_argument(item) for item in value)
    if isinstance(value, Build | StoredLogits):
        return SimpleNamespace(training=value.mode == "train")
    return value.copy() if isinstance(value, np.ndarray) else value


def prepared(case: Case, reference: Student, tolerance: Tolerance | None = None) -> Setting:
    """The case with what the reference answers."""
    parameters = getattr(reference, "parameters", ())
    base = base_trial(case, KEY, {build_key(case.entry, case.config): parameters}, {})
    expected = Expected(leaves=answer(reference, base).leaves, parameters=parameters)
    ready = setting(case, base, expected, tolerance or Tolerance(), KEY)
    if isinstance(reference, type):
        found = answer(reference, gradient_trials(ready, {})[0]).gradients
        arrived = {name: array for name, array in found.items() if array is not None}
        ready = replace(ready, expected=replace(expected, gradients=arrived))
    return ready


def a_rubric(case: Case, *uses: CheckUse) -> Rubric:
    criterion = Criterion(
        id="only", points=Fraction(1), title=WORDS, entry=case.entry, checks=tuple(uses)
    )
    return Rubric(assignment="tests", title=WORDS, cases=(case,), criteria=(criterion,))


def findings(
    ready: Setting, student: Student, *uses: CheckUse, edit: Callable[..., Any] | None = None
) -> tuple[Finding, ...]:
    """What some checks find, asked the way a grade is; `edit` changes what comes back."""
    rubric, settings = a_rubric(ready.case, *uses), {ready.case.id: ready}
    answers: dict[tuple[str, str], RawOutput] = {}
    for trial in plan(rubric, settings):
        answers[trial.case, trial.variant] = answer(student, trial)
    for trial in follow_up(rubric, settings, answers):
        answers[trial.case, trial.variant] = answer(student, trial)
    if edit is not None:
        edited = {key: edit(key[1], output) for key, output in answers.items()}
        answers = {key: output for key, output in edited.items() if output is not None}
    return judge(rubric, settings, answers)["only"]


def examine(
    case: Case, check: str, reference: Student, student: Student, **options: Any
) -> Finding:
    """What one check finds in one case."""
    (found,) = findings(prepared(case, reference), student, CheckUse(name=check, options=options))
    return found
