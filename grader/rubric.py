"""YAML -> Rubric. Every refusal ends in the file and the path within it."""

import difflib
import re
from collections.abc import Hashable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from grader.errors import CourseError
from grader.types import Case, Criterion, Limits, Rubric, Text, Tolerance

RUBRIC: TypeAdapter[Rubric] = TypeAdapter(Rubric)
KNOWN_KEYS = {
    type_.__name__: list(type_.__dataclass_fields__)
    for type_ in (Rubric, Case, Criterion, Limits, Tolerance, Text)
}
NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,20}|/\d{1,9})?")
PLAIN_KEY = re.compile(r"(?!\d+$)[\w-]+")
MERGE = "tag:yaml.org,2002:merge"
WANTED = {
    "dataclass_type": "a mapping",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "tuple_type": "a list",
    "string_type": "text",
    "invalid_key": "keys that are text",
    "fraction_parsing": "a number or a fraction",
    "fraction_type": "a number or a fraction",
}
"""What pydantic wanted, in the words of YAML."""


FROM_PYYAML = (ValueError, LookupError, AttributeError, TypeError)
"""What PyYAML raises for `0b_`, `!!bool x`, `!!timestamp x` and `!!set [1]`."""


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key stands once (else the last one would win in silence), and nothing holds
    itself."""

    def construct_document(self, node: yaml.Node) -> Any:
        return self.construct_object(node, deep=True)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        own = [key for key, _ in node.value if key.tag != MERGE]
        keys = [self.construct_object(key, deep=True) for key in own]
        for index, (key_node, key) in enumerate(zip(own, keys, strict=True)):
            if key in keys[:index]:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} more than once", problem_mark=key_node.start_mark
                )
        return super().construct_mapping(node, deep=deep)


def read_rubric(path: Path, check_names: tuple[str, ...]) -> Rubric:
    """The rubric in a file.

    Args:
        path: the YAML file.
        check_names: the checks that a criterion may ask for.

    Raises:
        CourseError: no such file, no YAML, or a value that makes no sense, with its path.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)
    except OSError as error:
        raise CourseError(f"expected a rubric, got {error.strerror} @ {path}") from error
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CourseError(f"expected YAML, got {error.problem} @ {path}{line}") from error
    except (yaml.YAMLError, *FROM_PYYAML, RecursionError) as error:
        raise CourseError(f"expected YAML, got {error} @ {path}") from error
    return parse_rubric(content, str(path), check_names)


def parse_rubric(
    content: Any, where: str, check_names: tuple[str, ...], *, released: bool = False
) -> Rubric:
    """The rubric in what a YAML or JSON file holds; `released` when it is a student's part of one.

    Raises:
        CourseError: as `read_rubric`.
    """
    try:
        rubric = RUBRIC.validate_python(_normal(content))
    except ValidationError as error:
        raise CourseError("\n".join(_sentences(error, where))) from error
    problems = list(_problems(rubric, check_names))
    if not released:
        problems += _only_public(rubric)
    if problems:
        raise CourseError("\n".join(f"{problem} @ {where} {path}" for path, problem in problems))
    return rubric


def _normal(content: Any) -> Any:
    """The short forms spelled out: a check by its name, one list of forbidden API for all."""
    if not isinstance(content, Mapping):
        return content
    normal = dict(content)
    if isinstance(normal.get("forbidden"), list):
        normal["forbidden"] = {"*": normal["forbidden"]}
    criteria = normal.get("criteria")
    if isinstance(criteria, list):
        normal["criteria"] = [_normal_criterion(criterion) for criterion in criteria]
    return normal


def _normal_criterion(criterion: Any) -> Any:
    if not isinstance(criterion, Mapping):
        return criterion
    normal = dict(criterion)
    if "points" in normal:
        normal["points"] = _fraction(normal["points"])
    if isinstance(normal.get("manual"), Mapping):
        normal["manual"] = {_fraction(key): text for key, text in normal["manual"].items()}
    if isinstance(normal.get("checks"), list):
        normal["checks"] = [_normal_check(check) for check in normal["checks"]]
    return normal


def _fraction(value: Any) -> Any:
    """0.1 as a tenth, not as the nearest binary number; anything but a plain number as text."""
    if not isinstance(value, (int, float, str)):
        return value
    try:
        text = str(value)
        return Fraction(text) if NUMBER.fullmatch(text) else repr(value)
    except ZeroDivisionError:
        return repr(value)
    except ValueError:
        return "a number of too many digits"


def _normal_check(check: Any) -> Any:
    if isinstance(check, str):
        return {"name": check}
    if isinstance(check, Mapping) and len(check) == 1 and "name" not in check:
        ((name, options),) = check.items()
        return {"name": name, "options": options}
    return check


def _sentences(error: ValidationError, where: str) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        path = "$" + "".join(
            f".{part}" if PLAIN_KEY.fullmatch(str(part)) else f"[{part!r}]"
            for part in problem["loc"]
        )
        key = str(problem["loc"][-1]) if problem["loc"] else ""
        if problem["type"] == "unexpected_keyword_argument":
            keys = sorted({key for keys in KNOWN_KEYS.values() for key in keys})
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"expected a known key, got {key!r}{hint} @ {where} {path}"
        elif problem["type"] in ("missing_argument", "missing"):
            yield f"expected the key {key!r}, got none @ {where} {path}"
        else:
            said = problem["msg"].removeprefix("Input should be ")
            said = WANTED.get(problem["type"], said)
            yield f"expected {said}, got {str(problem['input'])[:80]!r} @ {where} {path}"


def _problems(rubric: Rubric, check_names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What no type can say: names that are not unique or point nowhere, odd numbers."""
    cases = [case.id for case in rubric.cases]
    criteria = [criterion.id for criterion in rubric.criteria]
    yield from _repeated("cases", cases)
    yield from _repeated("criteria", criteria)
    for name in ("seconds", "trial_seconds", "memory_mb", "output_bytes", "result_bytes"):
        if not 0 < getattr(rubric.limits, name) < float("inf"):
            got = getattr(rubric.limits, name)
            yield f"$.limits.{name}", f"expected a number > 0, got {got}"
    for name in ("rtol", "atol"):
        if not 0 <= getattr(rubric.tolerance, name) < 1:
            got = getattr(rubric.tolerance, name)
            yield f"$.tolerance.{name}", f"expected a number from 0 to below 1, got {got}"
    for index, case in enumerate(rubric.cases):
        if not 0 < case.gain < float("inf"):
            yield f"$.cases[{index}].gain", f"expected a number > 0, got {case.gain}"
        for axis, length in case.sizes.items():
            if length < 0:
                yield f"$.cases[{index}].sizes.{axis}", f"expected a number >= 0, got {length}"
        if case.calls < 1:
            yield f"$.cases[{index}].calls", f"expected a number >= 1, got {case.calls}"
    for index, criterion in enumerate(rubric.criteria):
        path = f"$.criteria[{index}]"
        if not criterion.points >= 0:
            yield f"{path}.points", f"expected a number >= 0, got {criterion.points}"
        own = [case.id for case in rubric.cases if case.entry == criterion.entry]
        yield from _pointing(f"{path}.over", criterion.over, own)
        automatic = [earlier.id for earlier in rubric.criteria[:index] if earlier.checks]
        yield from _pointing(f"{path}.needs", criterion.needs, automatic)
        yield from _pointing(
            f"{path}.checks", tuple(check.name for check in criterion.checks), list(check_names)
        )
        if bool(criterion.manual) == bool(criterion.checks):
            yield path, "expected either checks or manual levels"
        for level in criterion.manual:
            if not 0 <= level <= criterion.points:
                said = f"expected a number from 0 to {criterion.points}, got {level}"
                yield f"{path}.manual.{level}", said
        if criterion.checks:
            yield from _pointing(f"{path}.entry", (criterion.entry,), list(rubric.entries))


def _only_public(rubric: Rubric) -> Iterator[tuple[str, str]]:
    """Criteria that a table of the public answers would pass."""
    for index, criterion in enumerate(rubric.criteria):
        if {case.show for case in rubric.cases_over(criterion)} == {"public"}:
            said = "expected a hidden case beside the public one, got only public ones"
            yield f"$.criteria[{index}].over", said


def _repeated(what: str, names: list[str]) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"$.{what}[{index}].id", f"expected each id once, got {name!r} again"


def _pointing(path: str, names: tuple[str, ...], known: list[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield path, f"expected one of {', '.join(known) or 'none'}, got {name!r}{hint}"
