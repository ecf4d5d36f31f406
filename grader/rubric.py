"""YAML -> Rubric. Every refusal ends in the file and the path within it."""

import difflib
import re
import reprlib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from grader.errors import CourseError
from grader.types import (
    Case,
    Criterion,
    Edit,
    Harmless,
    Limits,
    Misconception,
    Rubric,
    Text,
    Tolerance,
    Variant,
    Void,
)

RUBRIC: TypeAdapter[Rubric] = TypeAdapter(Rubric)
KNOWN_KEYS = {
    type_.__name__: list(type_.__dataclass_fields__)
    for type_ in (
        *(Rubric, Case, Criterion, Limits, Tolerance, Text),
        *(Misconception, Edit, Variant, Harmless, Void),
    )
}
PATCHES = ("misconceptions", "variants", "harmless")
"""Keys of a rubric whose rows are patches of the reference; an id stands once in all of them."""
NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,20}|/\d{1,9})?")
PLAIN_KEY = re.compile(r"(?!\d+$)[\w-]+")
MERGE = "tag:yaml.org,2002:merge"
WANTED = {
    **dict.fromkeys(("dataclass_type", "dict_type", "mapping_type"), "a mapping"),
    "tuple_type": "a list",
    "string_type": "text",
    "invalid_key": "keys that are text",
    **dict.fromkeys(("fraction_parsing", "fraction_type"), "a number or a fraction"),
}
"""What pydantic wanted, in the words of YAML."""
FROM_PYYAML = (ValueError, LookupError, AttributeError, TypeError)
"""What PyYAML raises for `0b_`, `!!bool x`, `!!timestamp x` and `!!set [1]`."""
MOST_BYTES = 500_000
MOST_VALUES = 50_000
"""Values of a file, those behind an alias counted each time: nine aliases of nine aliases of ...
come to any number in a few lines."""
MOST_DEPTH = 40
"""PyYAML takes quadratic time in the depth."""
MOST_BITS = 200
"""Length of an integer; Python refuses to write one of more than 4300 digits."""
MOST_SHOWN = 80
"""Characters of a value or key that are quoted."""
MOST_REFUSALS = 30
MOST_LISTED = 600
"""Characters of a list of names to choose from."""
BRIEF = reprlib.Repr()
BRIEF.maxstring = BRIEF.maxother = MOST_SHOWN


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key stands once (else the last one would win in silence), nothing holds
    itself, and what a few lines stand for is bounded."""

    def __init__(self, text: str):
        super().__init__(text)
        self._depth = 0
        self._values = 0
        self._sizes: dict[int, int] = {}

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:
        # The scanner reads a line ahead of the nodes, and remembers each bracket of it.
        if self.flow_level > MOST_DEPTH:
            raise yaml.MarkedYAMLError(problem="nesting too deep", problem_mark=self.get_mark())
        super().fetch_flow_collection_start(TokenClass)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        alias = self.check_event(yaml.AliasEvent)
        before = self._values
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise yaml.MarkedYAMLError(problem="nesting too deep", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        self._values += self._sizes.get(id(node), 1) if alias else 1
        if not alias:
            self._sizes[id(node)] = self._values - before
        if self._values > MOST_VALUES:
            said = f"more than {MOST_VALUES} values, aliases counted each time"
            raise yaml.MarkedYAMLError(problem=said, problem_mark=mark)
        return node

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        number = super().construct_yaml_int(node)
        if number.bit_length() > MOST_BITS:
            said = "an integer of too many digits"
            raise yaml.MarkedYAMLError(problem=said, problem_mark=node.start_mark)
        return number

    def construct_document(self, node: yaml.Node) -> Any:
        return self.construct_object(node, deep=True)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        own = [key for key, _ in node.value if key.tag != MERGE]
        keys = [self.construct_object(key, deep=True) for key in own]
        for index, (key_node, key) in enumerate(zip(own, keys, strict=True)):
            if key in keys[:index]:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {repr(key)[:MOST_SHOWN]} more than once",
                    problem_mark=key_node.start_mark,
                )
        return super().construct_mapping(node, deep=deep)


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _StrictLoader.construct_yaml_int)


def read_rubric(path: Path, check_names: tuple[str, ...]) -> Rubric:
    """The rubric in a file.

    Args:
        path: the YAML file.
        check_names: the checks that a criterion may ask for.

    Raises:
        CourseError: no such file, no YAML, or a value that makes no sense, with its path.
    """
    return parse_rubric(read_yaml(path, "a rubric"), str(path), check_names)


def read_yaml(path: Path, what: str) -> Any:
    """What a YAML file of a course holds; `what` it should be is said where it is refused.

    Raises:
        CourseError: no such file, or no YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > MOST_BYTES:
            said = f"expected {what} of at most {MOST_BYTES} characters, got {len(text)} @ {path}"
            raise CourseError(said)
        return yaml.load(text, _StrictLoader)
    except OSError as error:
        raise CourseError(f"expected {what}, got {error.strerror} @ {path}") from error
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CourseError(f"expected YAML, got {error.problem} @ {path}{line}") from error
    except (yaml.YAMLError, *FROM_PYYAML, RecursionError) as error:
        raise CourseError(f"expected YAML, got {error} @ {path}") from error


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
        keys = {key for keys in KNOWN_KEYS.values() for key in keys}
        raise CourseError(refusal(error, where, keys)) from error
    problems = list(_problems(rubric, check_names))
    if not released:
        problems += _only_public(rubric)
        problems += _without_edits(rubric)
    if problems:
        said = _listed(f"{problem} @ {where} {path}" for path, problem in problems)
        raise CourseError(said)
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
    for kind in PATCHES:
        if isinstance(normal.get(kind), list):
            normal[kind] = [_normal_patch(patch) for patch in normal[kind]]
    return normal


def _normal_patch(patch: Any) -> Any:
    """`in`, which Python keeps for itself, as `scope`; shares as fractions."""
    if not isinstance(patch, Mapping):
        return patch
    normal = dict(patch)
    if isinstance(normal.get("edits"), list):
        normal["edits"] = [
            {("scope" if key == "in" else key): value for key, value in edit.items()}
            if isinstance(edit, Mapping)
            else edit
            for edit in normal["edits"]
        ]
    if isinstance(normal.get("earns"), Mapping):
        normal["earns"] = {key: _fraction(share) for key, share in normal["earns"].items()}
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


def refusal(error: ValidationError, where: str, keys: Iterable[str]) -> str:
    """What is wrong with a file of a course, a line each; `keys` are those that it may have."""
    return _listed(_sentences(error, where, keys))


def _sentences(error: ValidationError, where: str, keys: Iterable[str]) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        loc = tuple("in" if part == "scope" else part for part in problem["loc"])
        path = "$" + "".join(map(_step, loc))
        key = str(loc[-1])[:MOST_SHOWN] if loc else ""
        if problem["type"] == "unexpected_keyword_argument":
            near = difflib.get_close_matches(key, sorted(keys), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"expected a known key, got {key!r}{hint} @ {where} {path}"
        elif problem["type"] in ("missing_argument", "missing"):
            yield f"expected the key {key!r}, got none @ {where} {path}"
        else:
            said = problem["msg"].removeprefix("Input should be ")
            said = WANTED.get(problem["type"], said)
            yield f"expected {said}, got {_shown(problem['input'])} @ {where} {path}"


def _step(part: int | str) -> str:
    """One step of a path: ".cases", "[3]"."""
    if isinstance(part, str):
        part = part[:MOST_SHOWN]
    return f".{part}" if PLAIN_KEY.fullmatch(str(part)) else f"[{part!r}]"


def _shown(value: Any) -> str:
    """A value as it is quoted: in one line, cut."""
    brief = BRIEF.repr(value) if isinstance(value, (list, tuple, set, Mapping)) else str(value)
    return repr(brief[:MOST_SHOWN])


def _listed(sentences: Iterable[str]) -> str:
    """The first few refusals, one on each line, and how many more there are."""
    every = list(sentences)
    more = [f"... and {len(every) - MOST_REFUSALS} more"] if len(every) > MOST_REFUSALS else []
    return "\n".join(every[:MOST_REFUSALS] + more)


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
    for index, void in enumerate(rubric.void):
        path, told = f"$.void[{index}]", (void.case or void.criterion,)
        if bool(void.case) == bool(void.criterion):
            yield path, "expected either a case or a criterion"
        else:
            yield from _pointing(path, told, cases if void.case else criteria)
    yield from _patch_problems(rubric, check_names)


def _patch_problems(rubric: Rubric, check_names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The same for misconceptions, variants and what is harmless."""
    known = [each.id for each in rubric.misconceptions]
    seen: set[str] = set()
    for kind in PATCHES:
        for index, each in enumerate(getattr(rubric, kind)):
            if each.id in seen:
                said = f"expected each id once, got {_shown(each.id)} again"
                yield f"$.{kind}[{index}].id", said
            seen.add(each.id)
    for index, misconception in enumerate(rubric.misconceptions):
        yield from _pointing(f"$.misconceptions[{index}].twins", misconception.twins, known)
        for twin in rubric.misconceptions:
            if twin.id in misconception.twins and misconception.id not in twin.twins:
                said = f"expected {_shown(misconception.id)} among the twins of {_shown(twin.id)}"
                yield f"$.misconceptions[{index}].twins", f"{said}, got none"
    for index, variant in enumerate(rubric.variants):
        path = f"$.variants[{index}].earns"
        checked = [criterion.id for criterion in rubric.criteria if criterion.checks]
        yield from _pointing(path, tuple(variant.earns), checked)
        for name, share in variant.earns.items():
            if not 0 <= share <= 1:
                yield f"{path}.{name}", f"expected a share from 0 to 1, got {share}"
    for row, check in rubric.by_check.items():
        yield from _pointing(f"$.by_check.{row}", (check,), list(check_names))


def _only_public(rubric: Rubric) -> Iterator[tuple[str, str]]:
    """Criteria that a table of the public answers would pass."""
    for index, criterion in enumerate(rubric.criteria):
        if {case.show for case in rubric.cases_over(criterion)} == {"public"}:
            said = "expected a hidden case beside the public one, got only public ones"
            yield f"$.criteria[{index}].over", said


def _without_edits(rubric: Rubric) -> Iterator[tuple[str, str]]:
    for kind in PATCHES:
        for index, each in enumerate(getattr(rubric, kind)):
            if not each.edits:
                yield f"$.{kind}[{index}].edits", "expected at least one edit, got none"


def _repeated(what: str, names: list[str]) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"$.{what}[{index}].id", f"expected each id once, got {_shown(name)} again"


def _pointing(path: str, names: tuple[str, ...], known: list[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name[:MOST_SHOWN], known, 1)
            hint = f"; did you mean {_shown(near[0])}?" if near else ""
            listed = ", ".join(known)[:MOST_LISTED] or "none"
            yield path, f"expected one of {listed}, got {_shown(name)}{hint}"
