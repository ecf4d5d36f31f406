"""`adapters/<name>.yaml`: where a course's own code differs from an assignment's skeleton.

An adapter is data. Everything in it is about one entry of the assignment; what it does not name is
not asked. See docs/adapters.md for what each key means, with examples.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from grader.errors import CourseError, UsageError
from grader.rubric import read_yaml, refusal
from grader.types import FORBID_UNKNOWN_KEYS, Facts

FOLDER = "adapters"
"""Where a course keeps them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backward:
    """A backward pass written by hand, that goes with a forward which returns a cache."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    name: str
    """The function."""
    call: Any
    """Its arguments, as `Entry.call`; besides, "d.h" is the upstream gradient of the output h, and
    any name of `keeps` is what the forward returned there."""
    returns: Mapping[str, Any]
    """For each argument or parameter of theirs where its gradient is in what comes back."""
    keeps: Mapping[str, Any] = field(default_factory=dict)
    """What the forward returns for the backward, such as its cache, and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Includes:
    """What a class does besides; the reference is made to do the same."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    layers: Mapping[str, str] = field(default_factory=dict)
    """Layers by name, as written in Python: {norm: "nn.LayerNorm(d_model)"}."""
    before: Mapping[str, str] = field(default_factory=dict)
    """What an argument is replaced by: {query: "norm(query)"}."""
    after: Mapping[str, str] = field(default_factory=dict)
    """What an output is replaced by: {output: "norm(output + query)"}; arguments as given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The student's equivalent of one entry, and how it differs."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    name: tuple[str, ...] = ()
    """Class or function, the first of these that is there; the entry's own name when empty."""
    init: Any = None
    """Constructor arguments: theirs by name, each an expression over ours, or a list by position;
    ours by name when left out."""
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """A config object in their place: its class and what it holds."""
    globals: Mapping[str, Any] = field(default_factory=dict)
    """Globals of the notebook that are set before the class is built."""
    defaults: Facts = field(default_factory=dict)
    """Values of our constructor's arguments that a case leaves out."""
    call: Any = None
    """Arguments: a list by position, a mapping by keyword, or a list that ends in one."""
    axes: Mapping[str, str] = field(default_factory=dict)
    """Layouts of arguments and outputs, by our name: {x: "b t i -> t b i"}."""
    masks: Mapping[str, str] = field(default_factory=dict)
    """How they write an argument that is a mask: see masks.CONVENTIONS."""
    returns: Mapping[str, Any] | None = None
    """Where each of our outputs is in what comes back; those left out are not asked."""
    params: Mapping[str, Any] | None = None
    """Their parameters, each as made from ours; the same as ours when left out."""
    absent: tuple[str, ...] = ()
    """Our parameters, or row blocks of them, that theirs has none of: the reference gets zeros."""
    blocks: str = ""
    """Names of the row blocks of our parameters, such as the gates "i f g o"."""
    buffers: tuple[str, ...] = ()
    """Names in `params` that are buffers in their class."""
    includes: Includes | None = None
    """What their class does besides."""
    arrays: Literal["torch", "numpy"] | None = None
    """Whether theirs takes tensors or NumPy's arrays; as the assignment when left out."""
    backward: Backward | None = None
    """Their backward pass, where they write it by hand."""
    skip: tuple[str, ...] = ()
    """Ids of cases that theirs can't express."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterFile:
    """What an adapter says."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    assignment: str
    """The assignment that it is for."""
    entries: Mapping[str, Entry]
    """The entries that are asked, by our name."""
    forbidden: Mapping[str, tuple[str, ...]] | None = None
    """Forbidden API in place of the rubric's."""


ADAPTER: TypeAdapter[AdapterFile] = TypeAdapter(AdapterFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An adapter as it lies on the disk."""

    path: Path
    """Its file."""
    says: AdapterFile
    """What it says."""
    digest: str
    """Hash of the file, a part of every mark's key."""


def find_adapter(course: Path, named: Path | None, assignment: str) -> Path | None:
    """The adapter that was named, by path or as `adapters/<name>.yaml` of the course; else that
    with the assignment's name, where there is one.

    Raises:
        UsageError: the one named is not there.
    """
    if named is None:
        own = course / FOLDER / f"{assignment}.yaml"
        return own if own.exists() else None
    for path in (named, course / FOLDER / f"{named}.yaml"):
        if path.is_file():
            return path
    there = ", ".join(sorted(path.stem for path in (course / FOLDER).glob("*.yaml"))) or "none"
    raise UsageError(f"expected an adapter, got nothing at {named}; {course / FOLDER} has {there}")


def read_adapter(path: Path, assignment: str) -> Written:
    """The adapter in a file.

    Raises:
        CourseError: it is no YAML, of another assignment, or holds what is not known.
    """
    try:
        says = ADAPTER.validate_python(_normal(read_yaml(path, "an adapter")))
    except ValidationError as error:
        keys = {
            key
            for each in (AdapterFile, Entry, Backward, Includes)
            for key in each.__dataclass_fields__
        }
        raise CourseError(refusal(error, str(path), keys)) from error
    if says.assignment != assignment:
        raise CourseError(
            f"expected an adapter for {assignment!r}, got {says.assignment!r} @ {path} $.assignment"
        )
    return Written(path=path, says=says, digest=hashlib.sha256(path.read_bytes()).hexdigest())


def _normal(content: Any) -> Any:
    """The short forms spelled out: one name for a list of one, one list of API for all."""
    if not isinstance(content, Mapping):
        return content
    normal = dict(content)
    if isinstance(normal.get("forbidden"), list):
        normal["forbidden"] = {"*": normal["forbidden"]}
    if isinstance(normal.get("entries"), Mapping):
        normal["entries"] = {
            name: _normal_entry(entry) for name, entry in normal["entries"].items()
        }
    return normal


def _normal_entry(entry: Any) -> Any:
    """An entry without anything is as the assignment has it; a bare text is a name."""
    if entry is None or isinstance(entry, str):
        return {"name": [entry] if entry else []}
    if isinstance(entry, Mapping):
        listed = {
            key: [entry[key]]
            for key in ("name", "absent", "buffers", "skip")
            if isinstance(entry.get(key), str)
        }
        return {**entry, **listed}
    return entry
