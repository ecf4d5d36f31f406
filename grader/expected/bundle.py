"""What a student's folder holds of an assignment: written at release, read by `check`."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from grader.assignment import read_arrays, read_files
from grader.cases import Key, base_trial, describe_trials, setting
from grader.checks import CHECKS, plan
from grader.errors import CourseError
from grader.expected.standard import Standard, parameters_of
from grader.fingerprints import Stored, restored
from grader.mistakes import FromBundle, ToldPrints
from grader.mistakes import from_bundle as mistakes_from_bundle
from grader.rubric import RUBRIC, parse_rubric
from grader.types import Criterion, Expected, Leaf, Misconception, Parameter, Rubric, Text

FORMAT = 2
NO_BUNDLE = "expected the public cases of an assignment"
AGAIN = "fetch the assignment's folder again, or install the grader's current version"

Kind = Literal["tensor", "array", "number", "bool", "none", "text", "other"]
WITH_ARRAY = ("tensor", "array", "number", "bool")
StoredLeaf = tuple[str, Kind, str, str]
"""Path, kind, dtype and text of a leaf; its array stands in the other file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What `public.json` holds."""

    format: Literal[2]
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
    mistakes: ToldPrints
    """What known mistakes answer."""


_STORED: TypeAdapter[_Stored] = TypeAdapter(_Stored)
PARAMETERS: TypeAdapter[dict[str, tuple[Parameter, ...]]] = TypeAdapter(
    dict[str, tuple[Parameter, ...]]
)


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
    hinted = rubric.show_hints == "always"
    return replace(
        rubric,
        cases=cases,
        criteria=tuple(criteria),
        misconceptions=tuple(_words_only(each, hinted) for each in rubric.misconceptions),
        variants=tuple(
            replace(
                each,
                edits=(),
                source="",
                earns={c.id: each.earns[c.id] for c in criteria if c.id in each.earns},
            )
            for each in rubric.variants
        ),
        harmless=(),
        by_check={},
    )


def _words_only(each: Misconception, hinted: bool) -> Misconception:
    """A misconception without its patch: that would be most of the solution."""
    hint = each.hint if hinted else Text(en="", ko="")
    return replace(each, edits=(), source="", why="", hint=hint)


def to_bundle(standard: Standard, skeleton: str, told: ToldPrints) -> tuple[str, bytes]:
    """`public.json` and `public.npz`: an allow-list of the public part of a standard.

    Args:
        standard: everything that is asked.
        skeleton: what a student starts from.
        told: what is told of known mistakes.
    """
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
        "mistakes": asdict(told),
    }
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    # Fractions as text; -Infinity, which a case may hold, as Python's JSON has it.
    text = json.dumps(tree, ensure_ascii=False, indent=1, default=str) + "\n"
    return text, packed.getvalue()


def same_bundle(new: bytes, old: bytes) -> bool:
    """Whether two `public.json` say the same but for the rounding of fingerprints."""
    try:
        left, right = (_STORED.validate_json(each) for each in (new, old))
    except ValidationError:
        return False
    told, known = left.mistakes, right.mistakes
    rest = replace(left, mistakes=known)
    return rest == right and told.noticed == known.noticed and _agree(told.prints, known.prints)


def _agree(left: dict[str, dict[str, Stored]], right: dict[str, dict[str, Stored]]) -> bool:
    if left.keys() != right.keys():
        return False
    for name in left:
        one, other = restored(left[name]), restored(right[name])
        if one.keys() != other.keys() or not all(one[key].agrees(other[key]) for key in one):
            return False
    return True


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
    mistakes: FromBundle
    """What known mistakes answer in public."""


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
        raise _damaged(str(error.__cause__), folder / "public.npz") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        at = "".join(f".{part}" for part in problem["loc"])
        raise _damaged(str(problem["msg"]), f"{path} ${at}") from error
    except OSError as error:
        raise _damaged(str(error.strerror), path) from error
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
                parameters=parameters_of(described, asked, base),
            )
        except KeyError as error:
            raise _damaged(f"no {error}", path) from error
        settings[case.id] = setting(case, base, made, rubric.tolerance, key)
    standard = Standard(
        rubric=rubric, settings=settings, trials=plan(rubric, settings), described=described
    )
    mistakes = mistakes_from_bundle(stored.mistakes)
    asked_of = [(t.case, t.variant) for t in standard.trials if t.probe != "describe"]
    if mistakes.right and (untold := [each for each in asked_of if each not in mistakes.right]):
        said = " ".join(untold[0])
        raise _damaged(f"no fingerprint of {said!r}", path)
    return Bundle(
        standard=standard,
        skeleton=stored.skeleton.encode(),
        points=stored.points,
        mistakes=mistakes,
    )


def _damaged(got: str, where: object) -> CourseError:
    return CourseError(
        f"{NO_BUNDLE}, got {got} @ {where}; {AGAIN}",
        code="student.damaged",
        facts={"got": got, "where": str(where)},
    )


def _bundled_rubric(tree: Any, path: Path) -> Rubric:
    """The bundle's rubric; the rule that every criterion has a hidden case does not hold here."""
    return parse_rubric(tree, str(path), tuple(CHECKS), released=True)
